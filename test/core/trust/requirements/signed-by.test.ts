import { describe, expect, test } from "bun:test";

import type { Json, JsonObject } from "../../../../core/json.ts";
import { Candidate } from "../../../../core/trust/gate.ts";
import { parseSignedBy } from "../../../../core/trust/requirements/signed-by.ts";
import { failureOf } from "../../../support/failure-of.ts";
import { judging } from "../../../support/judging.ts";
import { sourceOf } from "../../../support/source-of.ts";

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

test("G4: signedBy refuses what it cannot judge, and says that it is to verify signatures", async () => {
  const requirement = parseGpg({ keyPath: "/k" });
  expect(requirement.verifiesSignatures).toBe(true);
  expect(await requirement.decide(new Candidate(sourceOf()), judging())).toEqual({
    allowed: false,
    reason: "Requirement signedBy cannot be met: this version verifies no OpenPGP signatures",
  });
});
