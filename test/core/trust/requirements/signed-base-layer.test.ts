import { expect, test } from "bun:test";

import type { Json } from "../../../../core/json.ts";
import { Candidate } from "../../../../core/trust/gate.ts";
import { parseSignedBaseLayer } from "../../../../core/trust/requirements/signed-base-layer.ts";
import { failureOf } from "../../../support/failure-of.ts";
import { judging } from "../../../support/judging.ts";
import { sourceOf } from "../../../support/source-of.ts";

const parse = (value: Json) => parseSignedBaseLayer({ value, at: "" });
const baseLayerIdentity = { type: "matchExact" };

test("G4: signedBaseLayer refuses every image, in the original's words", async () => {
  const requirement = parse({ type: "signedBaseLayer", baseLayerIdentity });
  expect(requirement.verifiesSignatures).toBe(false);
  expect(await requirement.decide(new Candidate(sourceOf()), judging())).toEqual({
    allowed: false,
    reason: "signedBaseLayer not implemented yet!",
  });
});

test.each<[Json, string]>([
  [{}, 'Key "baseLayerIdentity" missing in a JSON object'],
  [{ baseLayerIdentity: null }, "JSON object expected, got null"],
  [{ baseLayerIdentity: { type: "x" } }, 'Unknown policy reference match type "x"'],
  [{ baseLayerIdentity, x: 1 }, 'Unknown key "x"'],
])("G5: signedBaseLayer refuses the members %j", (value, message) => {
  expect(failureOf(() => parse(value))).toMatchObject({ code: "config", message });
});
