import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { AuthFileFormat } from "../../../core/config/auth-file-places.ts";
import { parseAuthKey } from "../../../core/config/auth-key.ts";
import { CredentialStorage } from "../../../core/config/credential-storage.ts";
import { filesHelper } from "../../../core/config/credentials.ts";
import { environmentAt, helperPrograms, keepingScript } from "../../support/helper-programs.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const login = { username: "jo", password: "p:w" };
const kept = { auth: Buffer.from("jo:p:w").toString("base64") };
const quay = parseAuthKey("quay.io");

function scene(format: AuthFileFormat = "containers", helpers: readonly string[] = [filesHelper]) {
  const workspace = new Workspace();
  const programs = helperPrograms(workspace.at("bin"));
  programs.add("keep", keepingScript(workspace.at("kept")));
  programs.add("bad", "echo PLANTED-SECRET; exit 1");
  const path = workspace.at("auth.json");
  const options = {
    environment: environmentAt(workspace.path, { PATH: programs.path }),
    signal: new AbortController().signal,
    log: { debug() {}, warn() {} },
    helpers: async () => helpers,
  };
  return {
    path,
    programs,
    options,
    storage: new CredentialStorage({ path, format }, options),
    hold: (document: unknown) => writeFileSync(path, JSON.stringify(document)),
    document: () => JSON.parse(readFileSync(path, "utf8")),
    [Symbol.dispose]: () => workspace[Symbol.dispose](),
  };
}

describe("CredentialStorage, in a file", () => {
  test("keeps a login under its key, in place of all that stood there", async () => {
    using here = scene();
    here.hold({ auths: { "quay.io": { auth: "eDp5", identitytoken: "old" }, z: {} }, more: 1 });
    expect(await here.storage.store(quay, login)).toBe(here.path);
    expect(await here.storage.store(parseAuthKey("quay.io/team"), login)).toBe(here.path);
    expect(here.document()).toEqual({
      auths: { "quay.io": kept, "quay.io/team": kept, z: {} },
      more: 1,
    });
  });

  test("forgets exactly what is named", async () => {
    using here = scene();
    here.hold({ auths: { "quay.io": kept, "quay.io/team": kept }, more: 1 });
    expect(await here.storage.remove(quay)).toBe(true);
    expect(await here.storage.remove(quay)).toBe(false);
    expect(here.document()).toEqual({ auths: { "quay.io/team": kept }, more: 1 });
    expect(await here.storage.remove(parseAuthKey("quay.io/team/app"))).toBe(false);
  });

  test("forgets nothing where there is no file, and makes none", async () => {
    using here = scene();
    expect(await here.storage.remove(quay)).toBe(false);
    expect(() => here.document()).toThrow();
  });

  test("forgets all, and keeps what is none of its own", async () => {
    using here = scene();
    here.hold({ auths: { "quay.io": kept }, more: 1 });
    await here.storage.removeAll();
    expect(here.document()).toEqual({ auths: {}, more: 1 });
  });

  test("writes into Docker's files what Docker reads", async () => {
    using here = scene("docker");
    await here.storage.store(parseAuthKey("docker.io"), login);
    await here.storage.store(quay, login);
    expect(here.document()).toEqual({
      auths: { "https://index.docker.io/v1/": kept, "quay.io": kept },
    });
    expect(await here.storage.remove(parseAuthKey("docker.io"))).toBe(true);
    const failure = await rejection(here.storage.store(parseAuthKey("quay.io/team"), login));
    expect(failure.message).toBe(
      'Credentials cannot be recorded in Docker-compatible format with namespaced key "quay.io/team"',
    );
  });

  test("fails where the directory of the session is not there", async () => {
    using here = scene();
    using workspace = new Workspace();
    const environment = environmentAt("/", { XDG_RUNTIME_DIR: workspace.at("none") });
    const storage = new CredentialStorage("usual", { ...here.options, environment });
    expect(await rejection(storage.store(quay, login))).toMatchObject({
      message: `"${workspace.at("none")}" directory set by $XDG_RUNTIME_DIR does not exist. Either create the directory or unset $XDG_RUNTIME_DIR.: faccessat ${workspace.at("none")}: no such file or directory`,
    });
    mkdirSync(workspace.at("none"));
    expect(await storage.store(quay, login)).toBe(workspace.at("none/containers/auth.json"));
  });
});

describe("CredentialStorage, with helpers", () => {
  test("has the helper that a file names for a registry keep and forget, and leaves the file", async () => {
    using here = scene();
    here.hold({ credHelpers: { "quay.io": "keep" }, auths: { "quay.io": kept, z: {} } });
    const before = here.document();
    expect(await here.storage.store(quay, login)).toBe("credential helper: keep");
    expect(here.document()).toEqual(before);
    expect(await here.storage.remove(quay)).toBe(true);
    expect(here.document()).toEqual({ credHelpers: { "quay.io": "keep" }, auths: { z: {} } });
    expect(here.programs.asked()).toEqual([
      'keep store {"ServerURL":"quay.io","Username":"jo","Secret":"p:w"}',
      "keep erase quay.io",
    ]);
  });

  test.each([
    ["containers", { auths: {} }],
    ["docker", { auths: {}, credHelpers: { "quay.io": "keep" } }],
  ] as const)("forgets all that helpers of a file keep (%s)", async (format, left) => {
    using here = scene(format);
    here.hold({ credHelpers: { "quay.io": "keep" } });
    await here.storage.store(quay, login);
    await here.storage.removeAll();
    expect(here.document()).toEqual(left);
    expect(here.programs.asked().at(-1)).toBe("keep erase quay.io");
  });

  test("keeps a login in the first place that takes it", async () => {
    using here = scene("containers", ["bad", "keep", filesHelper]);
    expect(await here.storage.store(quay, login)).toBe("credential helper: keep");
    expect(await here.storage.store(parseAuthKey("quay.io/team"), login)).toBe(here.path);
  });

  test("tells what each place had against it", async () => {
    using here = scene("containers", ["bad", "gone"]);
    const failure = await rejection(here.storage.store(quay, login));
    expect(failure.message).toBe(
      'Errors storing credentials:\n\t* error storing credentials - err: exit status 1 (docker-credential-bad)\n\t* error storing credentials - err: exec: "docker-credential-gone": executable file not found in $PATH',
    );
    expect(Bun.inspect(failure)).not.toContain("PLANTED");
  });

  test("forgets at each place, and all that helpers list", async () => {
    using here = scene("containers", ["keep", filesHelper]);
    await here.storage.store(quay, login);
    here.hold({ auths: { "quay.io": kept } });
    expect(await here.storage.remove(quay)).toBe(true);
    expect(here.document()).toEqual({ auths: {} });
    await here.storage.store(quay, login);
    await here.storage.removeAll();
    expect(here.programs.asked().slice(-2)).toEqual(["keep list ", "keep erase quay.io"]);
  });

  test("does not say that it forgot what a helper would not forget", async () => {
    using here = scene("containers", ["bad"]);
    expect((await rejection(here.storage.remove(quay))).message).toBe(
      "removing credentials for quay.io from credential helper bad: error erasing credentials - err: exit status 1 (docker-credential-bad)",
    );
  });
});
