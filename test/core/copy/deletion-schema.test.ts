import { expect, test } from "bun:test";

import { deletionSchema, deletionVersion } from "../../../core/copy/deletion-schema.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { schemaFaults } from "../../support/json-schema-check.ts";

const digest = digestOf(new Uint8Array([1]));
const told = {
  v: deletionVersion,
  command: "delete",
  dryRun: true,
  ok: true,
  seconds: 0.1,
  image: "oci:a:1",
  tagOnly: false,
};

test.each([
  ["what nobody can tell more of", told],
  [
    "what goes",
    { ...told, digest, removals: [{ kind: "blob", name: digest, size: 3 }], notes: [] },
  ],
  ["a failure", { ...told, ok: false, failure: { code: "io", message: "no" } }],
])("deletionSchema fits %s", (_, value) => {
  expect(schemaFaults(value, deletionSchema())).toEqual([]);
});

test.each([
  [{ ...told, v: 2 }],
  [{ ...told, command: "copy" }],
  [{ ...told, removals: [{ kind: "planet", name: "x" }] }],
  [{ ...told, more: 1 }],
])("deletionSchema does not fit %j", (value) => {
  expect(schemaFaults(value, deletionSchema())).toHaveLength(1);
});
