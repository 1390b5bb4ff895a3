import { describe, expect, test } from "bun:test";

import type { JsonObject } from "../../../../core/json.ts";
import { Candidate } from "../../../../core/trust/gate.ts";
import { parseSigstoreSigned } from "../../../../core/trust/requirements/sigstore-signed.ts";
import { failureOf } from "../../../support/failure-of.ts";
import { judging } from "../../../support/judging.ts";
import { sampleImage } from "../../../support/sample-images.ts";
import { sourceOf } from "../../../support/source-of.ts";

const parse = (members: JsonObject) =>
  parseSigstoreSigned({ value: { type: "sigstoreSigned", ...members }, at: "" });

const fulcio = { caPath: "/c", oidcIssuer: "i", subjectEmail: "e" };
const pki = { caRootsPath: "/c", subjectEmail: "e" };
const rekor = { rekorPublicKeyPath: "/r" };

const files = (...paths: string[]) => ({ kind: "files", paths });
const contents = (...texts: string[]) => ({
  kind: "contents",
  contents: texts.map((text) => Buffer.from(text)),
});

const exactlyOne =
  "exactly one of keyPath, keyPaths, keyData, keyDatas, fulcio, and pki must be specified";
const rekorNames =
  "rekorPublickeyPath, rekorPublicKeyPaths, rekorPublickeyData and rekorPublicKeyDatas";

describe("parseSigstoreSigned", () => {
  test.each<[JsonObject, object]>([
    [{ keyPath: "/k" }, { kind: "keys", keys: files("/k") }],
    [{ keyPaths: ["/k", "/l"] }, { kind: "keys", keys: files("/k", "/l") }],
    [{ keyData: "YQ==" }, { kind: "keys", keys: contents("a") }],
    [{ keyDatas: ["YQ==", "Yg=="] }, { kind: "keys", keys: contents("a", "b") }],
    [
      { keyPath: "", keyData: "YQ==" },
      { kind: "keys", keys: contents("a") },
    ],
    [
      { fulcio, ...rekor },
      { kind: "fulcio", authorities: files("/c"), oidcIssuer: "i", subjectEmail: "e" },
    ],
    [
      { fulcio: { ...fulcio, caPath: "", caData: "YQ==" }, ...rekor },
      { authorities: contents("a") },
    ],
    [{ pki }, { kind: "pki", roots: files("/c"), subjectEmail: "e" }],
    [
      { pki: { caRootsData: "YQ==", caIntermediatesPath: "/i", subjectHostname: "h" } },
      { roots: contents("a"), intermediates: files("/i"), subjectHostname: "h" },
    ],
    [{ pki, rekorPublicKeyPath: "" }, { kind: "pki" }],
  ])("takes the trust %j", (members, trust) => {
    expect(parse(members)).toMatchObject({
      type: "sigstoreSigned",
      trust,
      signedIdentity: { kind: "matchRepoDigestOrExact" },
    });
  });

  test.each<[JsonObject, object]>([
    [{ rekorPublicKeyPath: "/r" }, files("/r")],
    [{ rekorPublicKeyPaths: ["/r", "/s"] }, files("/r", "/s")],
    [{ rekorPublicKeyData: "YQ==" }, contents("a")],
    [{ rekorPublicKeyDatas: ["YQ=="] }, contents("a")],
  ])("takes keys of a log from %j", (members, rekorKeys) => {
    expect(parse({ keyPath: "/k", ...members })).toMatchObject({ rekorKeys });
  });

  test("wants no log where none is named", () => {
    expect(parse({ keyPath: "/k", rekorPublicKeyPath: "" }).rekorKeys).toBeUndefined();
  });

  test("takes a signedIdentity", () => {
    expect(parse({ keyPath: "/k", signedIdentity: { type: "matchRepository" } })).toMatchObject({
      signedIdentity: { kind: "matchRepository" },
    });
  });

  test.each<[JsonObject, string]>([
    [{}, exactlyOne],
    [{ keyPath: "" }, exactlyOne],
    [{ keyPath: "/k", keyData: "YQ==" }, exactlyOne],
    [{ keyPath: "/k", pki }, exactlyOne],
    [{ keyPath: "/k", fulcio, ...rekor }, exactlyOne],
    [{ keyPaths: [] }, '"keyPaths" contains no entries'],
    [{ keyPath: "/k", keyDatas: [] }, '"keyDatas" contains no entries'],
    [{ keyPath: "/k", rekorPublicKeyPaths: [] }, '"rekorPublickeyPaths" contains no entries'],
    [{ keyPath: "/k", rekorPublicKeyDatas: [] }, '"rekorPublickeyDatas" contains no entries'],
    [{ keyDatas: ["!"] }, "illegal base64 data"],
    [
      { keyPath: "/k", ...rekor, rekorPublicKeyData: "YQ==" },
      `at most one of ${rekorNames} can be used simultaneously`,
    ],
    [{ fulcio }, `At least one of ${rekorNames} must be specified if fulcio is used`],
    [{ pki, ...rekor }, `${rekorNames} are not supported for pki`],
    [{ fulcio: null }, "JSON object expected, got null"],
    [{ fulcio: {}, ...rekor }, "At least one of caPath and caData must be specified"],
    [
      { fulcio: { ...fulcio, caData: "YQ==" }, ...rekor },
      "caPath and caData cannot be used simultaneously",
    ],
    [{ fulcio: { caPath: "/c", oidcIssuer: "" }, ...rekor }, "oidcIssuer not specified"],
    [{ fulcio: { caPath: "/c", oidcIssuer: "i" }, ...rekor }, "subjectEmail not specified"],
    [{ fulcio: { ...fulcio, x: 1 }, ...rekor }, 'Unknown key "x"'],
    [{ pki: {} }, "At least one of caRootsPath and caRootsData must be specified"],
    [
      { pki: { ...pki, caRootsData: "YQ==" } },
      "caRootsPath and caRootsData cannot be used simultaneously",
    ],
    [
      { pki: { ...pki, caIntermediatesPath: "/i", caIntermediatesData: "YQ==" } },
      "caIntermediatesPath and caIntermediatesData cannot be used simultaneously",
    ],
    [
      { pki: { caRootsPath: "/c", subjectEmail: "" } },
      "At least one of subjectEmail, subjectHostname must be specified",
    ],
    [{ pki: { ...pki, x: 1 } }, 'Unknown key "x"'],
    [{ keyPath: "/k", keyType: "GPGKeys" }, 'Unknown key "keyType"'],
    [{ keyPath: "/k", rekorPublickeyPath: "/r" }, 'Unknown key "rekorPublickeyPath"'],
    [{ keyPath: "/k", signedIdentity: {} }, 'Unknown policy reference match type ""'],
  ])("G5: refuses the members %j", (members, message) => {
    expect(failureOf(() => parse(members))).toMatchObject({ code: "config", message });
  });
});

test("sigstoreSigned reads no key where there is no signature, and says that it verifies some", async () => {
  const requirement = parse({ keyPath: "/missing" });
  const source = sourceOf({}, { readManifest: async () => sampleImage({ layers: [] }).manifest });
  expect(requirement.verifiesSignatures).toBe(true);
  expect(await requirement.decide(new Candidate(source), judging())).toEqual({
    allowed: false,
    reason: "A signature was required, but no signature exists",
  });
});
