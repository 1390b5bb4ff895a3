// Composing: from flags to what core asks for, and the contradictions on the way.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { contextOf, gateOf, platformWish } from "../../cli/compose.ts";
import { imageFlags } from "../../cli/flags/image.ts";
import type { Environment } from "../../core/environment.ts";
import type { ImageSource } from "../../core/image/source.ts";
import { Candidate } from "../../core/trust/gate.ts";
import { failureOf } from "../support/failure-of.ts";
import { callOf } from "../support/tool-call.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "dray-compose-"));
});
afterAll(() => rmSync(root, { recursive: true }));

const image = imageFlags("");

function said(words: readonly string[], environment: Partial<Environment> = {}) {
  const { call, warnings } = callOf(image, words, environment);
  return { call, flags: call.flags, warnings };
}

async function connection(words: readonly string[], tlsVerify?: boolean) {
  const { call, flags } = said(words);
  const { settings } = contextOf(call, { flags, tlsVerify });
  return settings.docker.access.connectionTo("r.example", "a");
}

describe("contextOf", () => {
  test.each([
    [[], { kind: "anonymous" }],
    [["--no-creds"], { kind: "anonymous" }],
    [["--creds=u:p:q"], { kind: "basic", username: "u", password: "p:q" }],
    [["--creds=u"], { kind: "basic", username: "u", password: "" }],
    [["--creds=u:"], { kind: "basic", username: "u", password: "" }],
    [["--username=u", "--password="], { kind: "basic", username: "u", password: "" }],
    [["--username=", "--password=p"], { kind: "basic", username: "", password: "p" }],
    [["--registry-token=t"], { kind: "token", token: "t" }],
    [["--registry-token=t", "--no-creds"], { kind: "token", token: "t" }],
    [["--registry-token="], { kind: "anonymous" }],
  ])("knows who we are from %j", async (words, credentials) => {
    expect((await connection(words)).credentials).toMatchObject(credentials);
  });

  test.each([
    [["--creds=", "--no-creds"], "creds and no-creds cannot be specified at the same time"],
    [["--username=u", "--no-creds"], "username and no-creds cannot be specified at the same time"],
    [["--creds=u", "--username=u"], "creds and username cannot be specified at the same time"],
    [["--username=u"], "password must be specified when username is specified"],
    [["--password=p"], "username must be specified when password is specified"],
    [["--creds="], "credentials can't be empty"],
    [["--creds=:p"], "username can't be empty"],
    // The first of several, in this order.
    [
      ["--creds=", "--no-creds", "--username=u"],
      "creds and no-creds cannot be specified at the same time",
    ],
    [["--no-creds", "--username=u"], "username and no-creds cannot be specified at the same time"],
    [["--creds=", "--username=u"], "creds and username cannot be specified at the same time"],
    [["--creds=", "--password=p"], "username must be specified when password is specified"],
  ])("refuses %j", (words, message) => {
    const { call, flags } = said(words);
    expect(failureOf(() => contextOf(call, { flags }))).toMatchObject({ code: "usage", message });
  });

  test.each([
    [[], undefined, false],
    [[], false, true],
    [["--tls-verify=false"], undefined, true],
    [["--tls-verify"], false, false],
    [["--tls-verify=false"], true, true],
  ])(
    "lets %j, and %p for the whole command, decide about verification",
    async (words, all, insecure) => {
      expect((await connection(words, all)).insecure).toBe(insecure);
    },
  );

  test("fills the drawers", () => {
    const { call, flags } = said(["--shared-blob-dir=/s", "--tmpdir=/t", "--user-agent-prefix=me"]);
    const context = contextOf(call, {
      flags,
      dir: { layers: "compress" },
      oci: { acceptsUncompressedLayers: true },
    });
    expect(context.temporaryDirectory).toBe("/t");
    expect(context.settings.dir).toEqual({ layers: "compress" });
    expect(context.settings.oci).toEqual({
      acceptsUncompressedLayers: true,
      sharedBlobDirectory: "/s",
    });
    expect(context.settings.docker.userAgent).toMatch(/^me dray\/\S+$/);
  });

  test("keeps big files out of what may be memory", () => {
    const { call, flags } = said([]);
    expect(contextOf(call, { flags }).temporaryDirectory).toBe("/var/tmp");
  });

  test("refuses a user agent that would begin another header", () => {
    const { call, flags } = said(["--user-agent-prefix=a\r\nAuthorization: x"]);
    expect(failureOf(() => contextOf(call, { flags }))).toMatchObject({ code: "usage" });
  });
});

describe("platformWish", () => {
  test.each([
    ["amd64", [], { os: "linux", architecture: "amd64" }],
    ["arm64", [], { os: "linux", architecture: "arm64", variant: "v8" }],
    ["arm64", ["--override-arch=arm"], { os: "linux", architecture: "arm" }],
    [
      "amd64",
      ["--override-arch=arm", "--override-variant=v7"],
      { os: "linux", architecture: "arm", variant: "v7" },
    ],
    ["arm64", ["--override-variant=v9"], { os: "linux", architecture: "arm64", variant: "v9" }],
    ["amd64", ["--override-os=windows"], { os: "windows", architecture: "amd64" }],
  ])("on %s with %j", (architecture, words, wish) => {
    expect(platformWish(said(words, { architecture }).call)).toEqual(wish);
  });
});

describe("gateOf", () => {
  const source: ImageSource = {
    name: { transport: "dir", text: "/x", policyIdentity: "/x", policyNamespaces: [] },
    concurrent: true,
    readManifest: async () => ({ bytes: new TextEncoder().encode("{}"), mediaType: "" }),
    readSignatures: async () => [],
    openBlob: async () => (async function* () {})(),
    [Symbol.asyncDispose]: async () => {},
  };
  const policy = (name: string, text: string) => {
    writeFileSync(join(root, name), text);
    return join(root, name);
  };

  test("rejects what the named policy rejects", async () => {
    const file = policy("reject.json", '{"default":[{"type":"reject"}]}');
    const { call, warnings } = said([`--policy=${file}`]);
    const gate = await gateOf(call);
    expect(gate.admit(new Candidate(source))).rejects.toMatchObject({ code: "rejected" });
    expect(warnings).toEqual([]);
  });

  test("reads no policy at all with --insecure-policy", async () => {
    const { call, warnings } = said(["--insecure-policy", `--policy=${root}/none.json`]);
    expect((await (await gateOf(call)).admit(new Candidate(source))).name).toBe(source.name);
    expect(warnings).toEqual([]);
  });

  test("finds the policy that the environment names", async () => {
    const file = policy("variable.json", '{"default":[{"type":"reject"}]}');
    const { call } = said([], { variables: { CONTAINERS_POLICY_JSON: file } });
    const gate = await gateOf(call);
    expect(gate.admit(new Candidate(source))).rejects.toMatchObject({ code: "rejected" });
  });

  test.each([
    [
      "that does not exist",
      () => join(root, "none.json"),
      /^Error loading trust policy: open .*none\.json: no such file or directory$/,
    ],
    [
      "that is broken",
      () => policy("broken.json", "{"),
      /^Error loading trust policy: invalid policy in ".*broken\.json": /,
    ],
  ])("fails with a policy %s", async (_, file, message) => {
    const { call } = said([`--policy=${file()}`]);
    expect(gateOf(call)).rejects.toMatchObject({
      code: "config",
      message: expect.stringMatching(message),
    });
  });

  test("admits nothing with --require-signed that no signature was asked for", async () => {
    const file = policy("accept.json", '{"default":[{"type":"insecureAcceptAnything"}]}');
    const { call } = said([`--policy=${file}`, "--require-signed"]);
    const gate = await gateOf(call);
    expect(gate.admit(new Candidate(source))).rejects.toMatchObject({
      code: "rejected",
      message: expect.stringContaining("No signature verification policy found for image dir:/x"),
    });
  });
});
