import { expect, test } from "bun:test";

import type { JsonObject } from "../../../../core/json.ts";
import { parseSigstoreAttestation } from "../../../../core/trust/requirements/sigstore-attestation.ts";
import { failureOf } from "../../../support/failure-of.ts";

const parse = (members: JsonObject) =>
  parseSigstoreAttestation({
    value: { type: "sigstoreAttestation", identity: "digestOnly", keyPath: "/k", ...members },
    at: "",
  });

test("parseSigstoreAttestation asks for a type and for values", () => {
  const assertions = { "/predicate/builder/id": "b", "/predicate/n": 1, "/predicate/ok": true };
  expect(parse({ predicateType: "p", assertions })).toMatchObject({
    type: "sigstoreAttestation",
    predicateType: "p",
    subjects: "several",
    assertions: new Map<string, unknown>(Object.entries(assertions)),
    // An attestation is no approval: --require-signed wants more.
    verifiesSignatures: false,
  });
  expect(parse({ predicateType: "p" }).assertions.size).toBe(0);
});

test.each<[JsonObject, string]>([
  [{}, "predicateType not specified"],
  [{ predicateType: "" }, "predicateType not specified"],
  [{ predicateType: "p", identity: "x" }, '"identity": "digestOnly" must be specified'],
  [{ predicateType: "p", assertions: [] }, "JSON object expected"],
  [
    { predicateType: "p", assertions: { "/a": null } },
    'assertion "/a" is neither text, number nor truth value',
  ],
  [{ predicateType: "p", assertions: { "/a": {} } }, 'assertion "/a" is neither'],
  [{ predicateType: "p", assertions: { a: 1 } }, '"a" is no JSON pointer'],
  [{ predicateType: "p", more: 1 }, 'Unknown key "more"'],
])("G5: parseSigstoreAttestation refuses %j", (members, why) => {
  expect(failureOf(() => parse(members))).toMatchObject({
    code: "config",
    message: expect.stringContaining(why),
  });
});
