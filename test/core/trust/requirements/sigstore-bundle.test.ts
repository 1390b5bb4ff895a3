import { expect, test } from "bun:test";

import type { JsonObject } from "../../../../core/json.ts";
import { Candidate } from "../../../../core/trust/gate.ts";
import { parseSigstoreBundle } from "../../../../core/trust/requirements/sigstore-bundle.ts";
import { failureOf } from "../../../support/failure-of.ts";
import { judging } from "../../../support/judging.ts";
import { sampleImage } from "../../../support/sample-images.ts";
import { sourceOf } from "../../../support/source-of.ts";

const parse = (members: JsonObject) =>
  parseSigstoreBundle({
    value: { type: "sigstoreBundle", identity: "digestOnly", ...members },
    at: "",
  });

test("parseSigstoreBundle asks for what cosign states, unless something else is said", () => {
  expect(parse({ keyPath: "/k" })).toMatchObject({
    type: "sigstoreBundle",
    verifiesSignatures: true,
    predicateType: "https://sigstore.dev/cosign/sign/v1",
    subjects: "one",
  });
  expect(parse({ keyPath: "/k", predicateType: "p" }).predicateType).toBe("p");
});

test("G5: parseSigstoreBundle knows no other members", () => {
  for (const name of ["signedIdentity", "assertions", "fulcio"]) {
    expect(failureOf(() => parse({ keyPath: "/k", [name]: {} }))).toMatchObject({
      message: `Unknown key "${name}"`,
    });
  }
});

test("G4: sigstoreBundle refuses an image without bundles, and reads no key for it", async () => {
  const source = sourceOf({}, { readManifest: async () => sampleImage({ layers: [] }).manifest });
  expect(await parse({ keyPath: "/missing" }).decide(new Candidate(source), judging())).toEqual({
    allowed: false,
    reason: "A Sigstore bundle was required, but none exists",
  });
});
