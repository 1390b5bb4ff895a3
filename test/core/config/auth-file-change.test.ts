import { describe, expect, test } from "bun:test";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type AuthMembers, changeAuthFile } from "../../../core/config/auth-file-change.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const { signal } = new AbortController();

/** Adds one entry. */
const adding =
  (key: string, auth = "x") =>
  ({ auths, credHelpers }: AuthMembers): AuthMembers => ({
    auths: { ...auths, [key]: { auth } },
    credHelpers,
  });

function scene(content?: string) {
  const workspace = new Workspace();
  const path = workspace.at("auth.json");
  if (content !== undefined) writeFileSync(path, content, { mode: 0o644 });
  const place = { path, format: "containers" } as const;
  return {
    path,
    directory: workspace.path,
    change: (change: (members: AuthMembers) => AuthMembers | undefined) =>
      changeAuthFile(place, change, signal),
    text: () => readFileSync(path, "utf8"),
    [Symbol.dispose]: () => workspace[Symbol.dispose](),
  };
}

describe("changeAuthFile", () => {
  test("makes the file, for its owner only, and the directories above it", async () => {
    using workspace = new Workspace();
    const path = workspace.at("new/deep/auth.json");
    await changeAuthFile({ path, format: "containers" }, adding("r.example", "YTpi"), signal);
    expect(readFileSync(path, "utf8")).toBe(
      '{\n\t"auths": {\n\t\t"r.example": {\n\t\t\t"auth": "YTpi"\n\t\t}\n\t}\n}',
    );
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    expect(lstatSync(workspace.at("new")).mode & 0o777).toBe(0o700);
    expect(readdirSync(workspace.at("new/deep"))).toEqual(["auth.json"]);
  });

  test("N11: leaves all else as it was, numbers and unknown members of entries included", async () => {
    using here = scene(
      '{"future":{"b":2.50,"a":12345678901234567890,"c":[1e2,null]},"auths":{"z":{"auth":"eTp6","email":"me"},"__proto__":{"x":1}},"credsStore":"s","credHelpers":{"h":"i"}}',
    );
    await here.change(adding("m"));
    expect(here.text().replace(/[\n\t]| (?=[^ ])/g, "")).toBe(
      '{"auths":{"__proto__":{"x":1},"m":{"auth":"x"},"z":{"auth":"eTp6","email":"me"}},"credHelpers":{"h":"i"},"credsStore":"s","future":{"b":2.50,"a":12345678901234567890,"c":[1e2,null]}}',
    );
    expect(lstatSync(here.path).mode & 0o777).toBe(0o600);
  });

  test("finds its members in any letter case, and writes them in the usual one", async () => {
    using here = scene('{"AUTHS":{"a":{"auth":"y"}},"CredHelpers":{}}');
    await here.change(adding("b"));
    expect(JSON.parse(here.text())).toEqual({ auths: { a: { auth: "y" }, b: { auth: "x" } } });
  });

  test("does not touch the file if there is nothing to do", async () => {
    using here = scene('{"auths":{}}   ');
    const before = lstatSync(here.path);
    await here.change(() => undefined);
    expect(here.text()).toBe('{"auths":{}}   ');
    expect(lstatSync(here.path).ino).toBe(before.ino);
  });

  test.each(["", "{", "[]", '{"auths":[]}', '{"auths":{"a":{"auth":7}}}'])(
    "does not replace what it does not understand: %j",
    async (content) => {
      using here = scene(content);
      expect((await rejection(here.change(adding("a")))).code).toBe("config");
      expect(here.text()).toBe(content);
      expect(readdirSync(here.directory)).toEqual(["auth.json"]);
    },
  );

  test("F10: replaces a link, and leaves alone what it led to", async () => {
    using here = scene();
    const other = join(here.directory, "other.json");
    writeFileSync(other, "{}");
    symlinkSync(other, here.path);
    await here.change(adding("a"));
    expect(readFileSync(other, "utf8")).toBe("{}");
    expect(lstatSync(here.path).isFile()).toBe(true);
  });

  test("reads anew what somebody without our lock replaced meanwhile", async () => {
    using here = scene('{"auths":{"a":{"auth":"y"}}}');
    let calls = 0;
    await here.change((members) => {
      calls += 1;
      if (calls === 1) writeFileSync(here.path, '{"auths":{"foreign":{"auth":"y"}}}');
      return adding("b")(members);
    });
    expect(calls).toBe(2);
    expect(Object.keys(JSON.parse(here.text()).auths)).toEqual(["b", "foreign"]);
  });

  test("N11: changes at the same time keep each other's entries", async () => {
    using here = scene();
    const keys = Array.from({ length: 20 }, (_, index) => `r${index}.example`);
    await Promise.all(keys.map((key) => here.change(adding(key))));
    expect(Object.keys(JSON.parse(here.text()).auths).sort()).toEqual([...keys].sort());
    expect(readdirSync(here.directory)).toEqual(["auth.json"]);
  });

  test("waits for a lock, but not for one that a killed run left behind", async () => {
    using here = scene();
    const lock = join(here.directory, ".auth.json.lock");
    writeFileSync(lock, "");
    const controller = new AbortController();
    const place = { path: here.path, format: "containers" } as const;
    const waiting = changeAuthFile(place, adding("a"), controller.signal);
    await Bun.sleep(60);
    controller.abort();
    expect((await rejection(waiting)).code).toBe("canceled");
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(lock, longAgo, longAgo);
    await here.change(adding("a"));
    expect(readdirSync(here.directory)).toEqual(["auth.json"]);
  });

  test("leaves nothing behind where it cannot write", async () => {
    using here = scene();
    mkdirSync(here.path);
    expect((await rejection(here.change(adding("a")))).code).toBe("io");
    expect(readdirSync(here.directory)).toEqual(["auth.json"]);
    const below = { path: "/proc/none/auth.json", format: "containers" } as const;
    const failure = await rejection(changeAuthFile(below, adding("a"), signal));
    expect(failure).toMatchObject({ message: "mkdir /proc/none: no such file or directory" });
  });
});
