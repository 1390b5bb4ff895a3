import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type AuthKey, keyOfRepository } from "../../../core/config/auth-key.ts";
import {
  CredentialFinder,
  filesHelper,
  type CredentialFinderOptions,
} from "../../../core/config/credentials.ts";
import { answeringScript, environmentAt, helperPrograms } from "../../support/helper-programs.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const key = keyOfRepository("r.example", "a/b");
const auth = (username: string) => ({ auth: Buffer.from(`${username}:p`).toString("base64") });
const failing = "echo PLANTED-SECRET; exit 1";

function scene(helpers: readonly string[] = [filesHelper]) {
  const workspace = new Workspace();
  const programs = helperPrograms(workspace.at("bin"));
  const lines: string[] = [];
  const say = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  mkdirSync(workspace.at("run"));
  const variables = { PATH: programs.path, XDG_RUNTIME_DIR: workspace.at("run") };
  const options: CredentialFinderOptions = {
    environment: environmentAt(workspace.path, variables),
    signal: new AbortController().signal,
    log: { debug: say("debug"), warn: say("warn") },
    helpers: async () => helpers,
  };
  const finder = new CredentialFinder(options);
  return {
    at: (name: string) => workspace.at(name),
    programs,
    finder,
    warnings: () => lines.filter((line) => line.startsWith("warn")),
    hold(name: string, document: unknown) {
      mkdirSync(dirname(workspace.at(name)), { recursive: true });
      writeFileSync(workspace.at(name), JSON.stringify(document));
    },
    async username(wanted: AuthKey = key, file?: string) {
      const path = file === undefined ? undefined : workspace.at(file);
      const choice = path === undefined ? "usual" : ({ path, format: "containers" } as const);
      const found = await finder.find(wanted, choice);
      return found?.kind === "basic" ? found.username : found?.kind;
    },
    [Symbol.dispose]: () => workspace[Symbol.dispose](),
  };
}

describe("CredentialFinder, in files", () => {
  const places = [
    "run/containers/auth.json",
    ".config/containers/auth.json",
    ".docker/config.json",
    ".dockercfg",
  ];

  test("takes the first of the usual files that knows", async () => {
    for (let count = 1; count <= places.length; count++) {
      using here = scene();
      for (const place of places.slice(-count)) {
        const entries = { "r.example": auth(place) };
        here.hold(place, place === ".dockercfg" ? entries : { auths: entries });
      }
      expect(await here.username()).toBe(places.at(-count));
    }
  });

  test("goes on to the next file where one knows others only, or holds no more than a marker", async () => {
    using here = scene();
    here.hold("run/containers/auth.json", { auths: { "other.example": auth("other") } });
    here.hold(".config/containers/auth.json", { auths: { "r.example": {} } });
    here.hold(".docker/config.json", { auths: { "r.example": auth("docker") } });
    expect(await here.username()).toBe("docker");
  });

  test("reads nothing but the file that was named, which need not exist", async () => {
    using here = scene();
    here.hold("run/containers/auth.json", { auths: { "r.example": auth("usual") } });
    here.hold("named.json", { auths: { "r.example/a": auth("named") } });
    expect(await here.username(key, "named.json")).toBe("named");
    expect(await here.username(key, "none.json")).toBeUndefined();
  });

  test("warns, once, of half an entry, and fails on one that is no base64", async () => {
    using here = scene();
    const file = here.at("f.json");
    here.hold("f.json", {
      auths: { "r.example": { auth: btoa("half") }, "x.example": { auth: "!!" } },
    });
    expect(await here.username(key, "f.json")).toBeUndefined();
    await here.username(keyOfRepository("r.example", ""), "f.json");
    expect(here.warnings()).toEqual([
      `warn Error parsing the "auth" field of a credential entry "r.example" in "${file}", missing semicolon`,
    ]);
    const failure = await rejection(here.username(keyOfRepository("x.example", ""), "f.json"));
    expect(failure.message).toBe(
      `decoding the "auth" field of a credential entry "x.example" in "${file}": illegal base64 data`,
    );
  });

  test("warns that the directory of the session is not there, and goes on", async () => {
    using here = scene();
    using workspace = new Workspace();
    const variables = { XDG_RUNTIME_DIR: workspace.at("none") };
    const warnings: string[] = [];
    const finder = new CredentialFinder({
      environment: environmentAt(here.at("."), variables),
      signal: new AbortController().signal,
      log: { debug() {}, warn: (line) => warnings.push(line) },
      helpers: async () => [filesHelper],
    });
    here.hold(".docker/config.json", { auths: { "r.example": auth("docker") } });
    expect(await finder.find(key, "usual")).toMatchObject({ username: "docker" });
    expect(warnings).toEqual([
      `"${workspace.at("none")}" directory set by $XDG_RUNTIME_DIR does not exist. Either create the directory or unset $XDG_RUNTIME_DIR.: faccessat ${workspace.at("none")}: no such file or directory: Trying to pull image in the event that it is a public image.`,
    ]);
  });

  test("gives all who come by one entry the same identity token", async () => {
    using here = scene();
    here.hold("f.json", { auths: { "r.example": { ...auth("jo"), identitytoken: "secret" } } });
    const choice = { path: here.at("f.json"), format: "containers" } as const;
    const one = await here.finder.find(key, choice);
    const other = await here.finder.find(keyOfRepository("r.example", "c"), choice);
    if (one?.kind !== "identity" || other?.kind !== "identity") throw new Error("no identity");
    expect(one.token).toBe(other.token);
  });

  test("reads a file once, whoever asks", async () => {
    using here = scene();
    here.hold("f.json", { auths: { "r.example": auth("jo") } });
    await here.username(key, "f.json");
    writeFileSync(here.at("f.json"), "broken");
    expect(await here.username(keyOfRepository("r.example", "c"), "f.json")).toBe("jo");
  });
});

describe("CredentialFinder, with helpers of a file", () => {
  test("asks the helper of a registry, whose answer is final for that file", async () => {
    using here = scene();
    here.programs.add("x", answeringScript("helped", "p"));
    here.programs.add("none", "echo 'credentials not found in native keychain'; exit 1");
    here.hold("f.json", {
      credHelpers: { "r.example": "x", "s.example": "none" },
      auths: { "r.example": auth("file"), "s.example": auth("file") },
    });
    expect(await here.username(key, "f.json")).toBe("helped");
    expect(await here.username(keyOfRepository("s.example", "a"), "f.json")).toBeUndefined();
  });

  test("fails if the helper does", async () => {
    using here = scene();
    here.programs.add("x", failing);
    here.hold("f.json", { credHelpers: { "r.example": "x" } });
    const failure = await rejection(here.username(key, "f.json"));
    expect(failure.message).toContain("error getting credentials - err: exit status 1");
    expect(Bun.inspect(failure)).not.toContain("PLANTED");
  });

  test("asks the credsStore about what the file does not know, in Docker's words", async () => {
    using here = scene();
    here.programs.add("x", answeringScript("stored", "p"));
    here.hold("f.json", { credsStore: "x", auths: { "r.example": {}, "s.example": auth("file") } });
    expect(await here.username(key, "f.json")).toBe("stored");
    expect(await here.username(keyOfRepository("s.example", "a"), "f.json")).toBe("file");
    expect(await here.username(keyOfRepository("docker.io", "library/x"), "f.json")).toBe("stored");
    expect(here.programs.asked()).toEqual(["x get r.example", "x get https://index.docker.io/v1/"]);
  });

  test("warns of a credsStore that fails, and goes on without", async () => {
    using here = scene();
    here.hold(".docker/config.json", { credsStore: "gone" });
    here.hold(".dockercfg", { "r.example": auth("old") });
    expect(await here.username()).toBe("old");
    expect(here.warnings()).toEqual([
      `warn Going on without the "credsStore" of "${here.at(".docker/config.json")}": error getting credentials - err: exec: "docker-credential-gone": executable file not found in $PATH`,
    ]);
  });

  test("runs no helper twice for one registry", async () => {
    using here = scene();
    here.programs.add("x", answeringScript("helped", "p"));
    here.hold("f.json", { credHelpers: { "r.example": "x" } });
    const repositories = ["a", "b", "c"].map((name) => keyOfRepository("r.example", name));
    await Promise.all(repositories.map((each) => here.username(each, "f.json")));
    expect(here.programs.asked()).toEqual(["x get r.example"]);
  });
});

describe("CredentialFinder, with helpers of registries.conf", () => {
  test("asks one after the other until one knows, about the registry", async () => {
    using here = scene(["none", "x", "y"]);
    here.programs.add("none", "echo 'credentials not found in native keychain'; exit 1");
    here.programs.add("x", answeringScript("x", "p"));
    here.programs.add("y", answeringScript("y", "p"));
    expect(await here.username()).toBe("x");
    expect(here.programs.asked()).toEqual(["none get r.example", "x get r.example"]);
  });

  test("tells of failures only if nobody knows", async () => {
    using here = scene(["bad", filesHelper, "gone"]);
    here.programs.add("bad", failing);
    here.hold("f.json", { auths: { "r.example": auth("file") } });
    expect(await here.username(key, "f.json")).toBe("file");
    const failure = await rejection(here.username(keyOfRepository("s.example", "a"), "f.json"));
    expect(failure.message).toBe(
      'errors looking up credentials:\n\t* error getting credentials - err: exit status 1 (docker-credential-bad)\n\t* error getting credentials - err: exec: "docker-credential-gone": executable file not found in $PATH',
    );
  });
});

describe("CredentialFinder, renewing", () => {
  test("runs helpers and reads files anew, and gives all who ask later what it found", async () => {
    using here = scene();
    const count = here.at("count");
    here.programs.add(
      "x",
      `echo . >> "${count}"; printf '{"Username":"u%s","Secret":"p"}' $(wc -l < "${count}")`,
    );
    here.hold("f.json", { credHelpers: { "r.example": "x" } });
    const choice = { path: here.at("f.json"), format: "containers" } as const;
    const first = await here.finder.find(key, choice);
    if (first === undefined) throw new Error("nothing found");
    const second = await here.finder.renew(key, choice, first);
    expect(second).toMatchObject({ username: "u2" });
    expect(await here.finder.find(key, choice)).toBe(second);
    // Whoever comes later with the old ones gets the new ones, too.
    expect(await here.finder.renew(key, choice, first)).toBe(second);
    expect(here.programs.asked().length).toBe(2);
  });

  test("finds nothing where nothing has changed", async () => {
    using here = scene();
    here.hold("f.json", { auths: { "r.example": auth("jo") } });
    const choice = { path: here.at("f.json"), format: "containers" } as const;
    const first = await here.finder.find(key, choice);
    if (first === undefined) throw new Error("nothing found");
    expect(await here.finder.renew(key, choice, first)).toBeUndefined();
    here.hold("f.json", { auths: { "r.example": auth("mo") } });
    expect(await here.finder.renew(key, choice, first)).toMatchObject({ username: "mo" });
  });
});
