import { beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";

import { digestOf } from "../../../../core/content/digest.ts";
import type { Json, JsonObject } from "../../../../core/json.ts";
import { Candidate, type PolicyRequirement } from "../../../../core/trust/gate.ts";
import { parseSignedBy } from "../../../../core/trust/requirements/signed-by.ts";
import { encodeSimpleSigning } from "../../../../core/trust/simple-signing.ts";
import { failureOf } from "../../../support/failure-of.ts";
import { judging } from "../../../support/judging.ts";
import { judgingDate, signedMessage, type TestKey, testKey } from "../../../support/openpgp.ts";
import { sourceOf } from "../../../support/source-of.ts";
import { Workspace } from "../../../support/workspace.ts";

const parse = (members: JsonObject) =>
  parseSignedBy({ value: { type: "signedBy", ...members }, at: "" });
const parseGpg = (members: JsonObject) => parse({ keyType: "GPGKeys", ...members });

const exactlyOne = "xactly one of keyPath, keyPaths and keyData must be specified";

describe("parseSignedBy", () => {
  test.each<[JsonObject, object]>([
    [{ keyPath: "/k" }, { kind: "files", paths: ["/k"] }],
    [{ keyPaths: ["/k", "/l"] }, { kind: "files", paths: ["/k", "/l"] }],
    [{ keyData: "YQ==" }, { kind: "contents", contents: [Buffer.from("a")] }],
  ])("takes keys from %j", (members, keys) => {
    expect(parseGpg(members)).toMatchObject({
      type: "signedBy",
      keyType: "GPGKeys",
      keys,
      signedIdentity: { kind: "matchRepoDigestOrExact" },
    });
  });

  test.each(["signedByGPGKeys", "X509Certificates", "signedByX509CAs"])(
    "takes the keyType %s, which nobody can use",
    (keyType) => {
      expect(parse({ keyType, keyPath: "/k" })).toMatchObject({ keyType });
    },
  );

  test("takes a signedIdentity", () => {
    expect(parseGpg({ keyPath: "/k", signedIdentity: { type: "matchExact" } })).toMatchObject({
      signedIdentity: { kind: "matchExact" },
    });
  });

  test.each<[JsonObject, string]>([
    [{}, `E${exactlyOne}, none of them present`],
    [{ keyPath: "/k", keyPaths: ["/k"] }, `E${exactlyOne}, more than one present`],
    [{ keyPath: "", keyData: "YQ==" }, `E${exactlyOne}, more than one present`],
    [{ keyPath: "" }, `e${exactlyOne}`],
    [{ keyPath: 1 }, "JSON string expected, got a number"],
    [{ keyPaths: "/k" }, "JSON array expected, got a string"],
    [{ keyData: "!" }, "illegal base64 data"],
    [{ keyPath: "/k", keyDatas: [] }, 'Unknown key "keyDatas"'],
    [{ keyPath: "/k", keyType: "x" }, 'Unrecognized keyType value "x"'],
    [{ keyPath: "/k", keyType: "" }, 'Unrecognized keyType value ""'],
    [{ keyPath: "/k", keyType: 1 }, "JSON string expected, got a number"],
    [{ keyPath: "/k", signedIdentity: {} }, 'Unknown policy reference match type ""'],
    [{ keyPath: "/k", signedIdentity: null }, "JSON object expected, got null"],
  ])("G5: refuses the members %j", (members, message) => {
    expect(failureOf(() => parseGpg(members))).toMatchObject({ code: "config", message });
  });

  test("G5: refuses to do without a keyType", () => {
    expect(failureOf(() => parse({ keyPath: "/k" } satisfies Json))).toMatchObject({
      message: 'invalid keyType ""',
    });
  });
});

describe("signedBy", () => {
  const manifest = Buffer.from('{"schemaVersion":2}');
  const digest = digestOf(manifest);
  const reference = "docker.io/library/busybox:1";
  const payload = { digest, reference, creator: "test", timestamp: 0 };
  let key: TestKey;
  let stranger: TestKey;

  beforeAll(async () => {
    key = await testKey();
    stranger = await testKey();
  });

  const signed = (by: TestKey, changes: Partial<typeof payload> = {}) =>
    signedMessage(by, encodeSimpleSigning({ ...payload, ...changes }));

  function candidateOf(signatures: readonly Uint8Array[]): Candidate {
    const name = { transport: "docker", text: "//busybox:1", docker: reference };
    const parts = {
      readManifest: async () => ({ bytes: manifest, mediaType: "" }),
      readSignatures: async () => signatures,
    };
    return new Candidate(sourceOf(name, parts));
  }

  const wanting = (by: TestKey, members: JsonObject = {}) =>
    parseGpg({ keyData: Buffer.from(by.ring).toString("base64"), ...members });
  const decide = (requirement: PolicyRequirement, ...signatures: readonly Uint8Array[]) =>
    requirement.decide(candidateOf(signatures), judging(judgingDate));

  test("accepts a good signature, and says whose", async () => {
    const watched = judging(judgingDate);
    const requirement = wanting(key);
    const verdict = await requirement.decide(candidateOf([await signed(key)]), watched);
    expect(verdict).toEqual({ allowed: true });
    expect(requirement.verifiesSignatures).toBe(true);
    expect(watched.trials).toEqual([
      {
        number: 1,
        form: "simple signing",
        outcome: { kind: "accepted", by: `key ${key.fingerprint}`, reference },
      },
    ]);
  });

  test("names the subkey that signed", async () => {
    const primary = await testKey({ subkeys: [{ sign: true }] });
    const watched = judging(judgingDate);
    await wanting(primary).decide(candidateOf([await signed(primary)]), watched);
    expect(watched.trials).toMatchObject([
      { outcome: { by: `key ${primary.subkey} of ${primary.fingerprint}` } },
    ]);
  });

  test("accepts a key of any of several files", async () => {
    using workspace = new Workspace();
    const keyPaths = [stranger, key].map(({ ring, fingerprint }) => {
      const path = workspace.at(fingerprint);
      writeFileSync(path, ring);
      return path;
    });
    const requirement = parseGpg({ keyPaths });
    expect(await decide(requirement, await signed(key))).toEqual({ allowed: true });
    expect(requirement.wants).toEqual({
      keys: keyPaths.join(", "),
      identity: "matchRepoDigestOrExact",
    });
  });

  test.each<[string, () => Promise<Uint8Array>, string | RegExp]>([
    ["another key", () => signed(stranger), /^Key not found for key ID [0-9A-F]{16} in signature$/],
    [
      "another digest, and another name that is not mentioned",
      () => signed(key, { digest: digestOf(Buffer.from("x")), reference: "a/b:c" }),
      `Signature for digest ${digestOf(Buffer.from("x"))} does not match`,
    ],
    [
      "another name",
      () => signed(key, { reference: "docker.io/library/busybox:2" }),
      'Signature for identity "docker.io/library/busybox:2" is not accepted',
    ],
    [
      "a name that is none",
      () => signed(key, { reference: "UPPER CASE" }),
      'Signature for identity "UPPER CASE" is not accepted',
    ],
    [
      "another document",
      () => signedMessage(key, Buffer.from('{"critical":{},"critical":{}}')),
      'Duplicate key "critical"',
    ],
  ])("G8: refuses a signature with %s", async (_, make, expected) => {
    const verdict = await decide(wanting(key), await make());
    const reason = typeof expected === "string" ? expected : expect.stringMatching(expected);
    expect(verdict).toEqual({ allowed: false, reason });
  });

  test("G6: reads no document before its signature was verified", async () => {
    const forged = Buffer.from(await signedMessage(stranger, Buffer.from('{"secret":1}')));
    const verdict = await decide(wanting(key), forged);
    expect(verdict).toMatchObject({ reason: expect.stringMatching(/^Key not found/) });
  });

  test.each<[string, () => PolicyRequirement, RegExp]>([
    [
      "a key file that is not there",
      () => parseGpg({ keyPath: "/proc/no-such-key" }),
      /^open \/proc\/no-such-key: no such file or directory$/,
    ],
    ["a file without keys", () => parseGpg({ keyPath: "/dev/null" }), /^No public keys imported$/],
    [
      "a type of keys that has no meaning",
      () => parse({ keyType: "X509Certificates", keyPath: "/k" }),
      /^Unimplemented "keyType" value "X509Certificates"$/,
    ],
  ])("G4: refuses with %s", async (_, make, reason) => {
    const verdict = await decide(make(), await signed(key));
    expect(verdict).toEqual({ allowed: false, reason: expect.stringMatching(reason) });
  });

  test("says that there is no signature, rather than what is wrong with the keys", async () => {
    const reason = "A signature was required, but no signature exists";
    const sigstore = Buffer.from("\0sigstore-json\n{}");
    for (const signatures of [[], [sigstore]]) {
      expect(await decide(parseGpg({ keyPath: "/proc/no-such-key" }), ...signatures)).toEqual({
        allowed: false,
        reason,
      });
    }
  });
});
