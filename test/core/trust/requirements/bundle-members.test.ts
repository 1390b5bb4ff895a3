import { describe, expect, test } from "bun:test";

import type { JsonObject } from "../../../../core/json.ts";
import {
  bundleMembers,
  describeBundleRule,
  parseBundleTrust,
} from "../../../../core/trust/requirements/bundle-members.ts";
import { membersOf } from "../../../../core/trust/strict-json.ts";
import { failureOf } from "../../../support/failure-of.ts";

const parse = (object: JsonObject) => {
  const placed = { value: { type: "x", identity: "digestOnly", ...object }, at: "" };
  return parseBundleTrust(placed, membersOf(placed, bundleMembers));
};
const certificate = { caPath: "/ca", oidcIssuer: "i", subjectUri: "u" };
const rekorPublicKeyPath = "/log";

describe("parseBundleTrust", () => {
  test("takes keys, with or without a log", () => {
    expect(parse({ keyPath: "/k" })).toEqual({
      signers: { kind: "keys", keys: { kind: "files", paths: ["/k"] } },
    });
    expect(parse({ keyDatas: ["YQ=="], rekorPublicKeyPath })).toMatchObject({
      signers: { keys: { kind: "contents" } },
      rekorKeys: { paths: ["/log"] },
    });
  });

  test("takes certificates, and what they are to say", () => {
    const said = {
      ...certificate,
      caIntermediatesPath: "/m",
      buildSignerUri: "b",
      sourceRepositoryUri: "s",
    };
    const rule = parse({ certificate: said, rekorPublicKeyPath });
    expect(rule.signers).toMatchObject({
      kind: "certificate",
      authorities: { paths: ["/ca"] },
      intermediates: { paths: ["/m"] },
      identity: {
        oidcIssuer: "i",
        subject: { kind: "uri", name: "u" },
        extensions: new Map([
          ["buildSignerUri", "b"],
          ["sourceRepositoryUri", "s"],
        ]),
      },
    });
    const whole = {
      ...rule,
      predicateType: "p",
      subjects: "one",
      assertions: new Map([["/a", 1]]),
    } as const;
    expect(describeBundleRule(whole)).toEqual({
      signer: "u",
      "known to": "i",
      buildSignerUri: "b",
      sourceRepositoryUri: "s",
      authorities: "/ca",
      "seen by a log of": "/log",
      predicate: "p",
      "/a": "1",
      identity: "digestOnly",
    });
  });

  test.each([
    [{ subjectEmail: "e" }, { kind: "email", name: "e" }],
    [{ subjectRegex: "a.*" }, { kind: "pattern", pattern: { source: "a.*" } }],
  ])("takes the subject %j", (subject, parsed) => {
    const { subjectUri: _, ...rest } = certificate;
    const rule = parse({ certificate: { ...rest, ...subject }, rekorPublicKeyPath });
    expect(rule.signers).toMatchObject({ identity: { subject: parsed } });
  });

  test("takes a timestamp authority instead of a log, or besides", () => {
    const timestampAuthority = { caPath: "/tsa", caIntermediatesData: "YQ==" };
    const rule = parse({ certificate, timestampAuthority });
    expect(rule).toMatchObject({
      signers: { timestampAuthority: { authorities: { paths: ["/tsa"] }, intermediates: {} } },
    });
    expect(rule.rekorKeys).toBeUndefined();
    expect(parse({ certificate, timestampAuthority, rekorPublicKeyPath }).rekorKeys).toBeDefined();
  });

  const { subjectUri: _, ...nobody } = certificate;
  const said = (change: JsonObject): JsonObject => ({
    certificate: { ...certificate, ...change },
    rekorPublicKeyPath,
  });
  test.each<[JsonObject, string]>([
    [{ keyPath: "/k", identity: "" }, '"identity": "digestOnly" must be specified'],
    [{ keyPath: "/k", identity: "matchExact" }, '"identity": "digestOnly" must be specified'],
    [{ keyPath: "/k", identity: true }, "JSON string expected"],
    [{}, "exactly one of keyPath, keyPaths, keyData, keyDatas, certificate must be specified"],
    [{ keyPath: "/k", keyData: "YQ==" }, "exactly one of keyPath"],
    [{ keyPath: "/k", certificate, rekorPublicKeyPath }, "exactly one of keyPath"],
    [{ keyPaths: [] }, '"keyPaths" contains no entries'],
    [
      { keyPath: "/k", rekorPublicKeyPath, rekorPublicKeyData: "YQ==" },
      "at most one of rekorPublicKeyPath",
    ],
    [{ certificate }, "must be specified with certificate, because it has to be known"],
    [
      { keyPath: "/k", timestampAuthority: { caPath: "/tsa" } },
      "timestampAuthority is supported with certificate only",
    ],
    [
      { certificate, timestampAuthority: {} },
      "At least one of caPath and caData must be specified",
    ],
    [{ certificate, timestampAuthority: { caPath: "/tsa", more: 1 } }, 'Unknown key "more"'],
    [said({ caPath: "" }), "At least one of caPath and caData must be specified"],
    [said({ caData: "YQ==" }), "caPath and caData cannot be used simultaneously"],
    [said({ oidcIssuer: "" }), "oidcIssuer not specified"],
    [said({ subjectEmail: "e" }), "exactly one of subjectEmail, subjectUri, subjectRegex"],
    [
      { certificate: nobody, rekorPublicKeyPath },
      "exactly one of subjectEmail, subjectUri, subjectRegex",
    ],
    [
      { certificate: { ...nobody, subjectRegex: "(" }, rekorPublicKeyPath },
      'regular expression "("',
    ],
    [said({ buildSignerUri: "" }), "buildSignerUri is empty"],
    [said({ buildSignerURI: "x" }), 'Unknown key "buildSignerURI"'],
    [{ certificate: null, rekorPublicKeyPath }, "JSON object expected"],
  ])("G5: refuses %j", (object, why) => {
    expect(failureOf(() => parse(object))).toMatchObject({
      code: "config",
      message: expect.stringContaining(why),
    });
  });
});
