import { describe, expect, test } from "bun:test";

import {
  amount,
  count,
  type Described,
  digest,
  either,
  flag,
  list,
  object,
  optional,
  record,
  text,
  word,
} from "../../core/json-schema.ts";
import { digestOf } from "../../core/content/digest.ts";
import { schemaFaults } from "../support/json-schema-check.ts";

interface Cart {
  readonly owner: string;
  readonly wheels: number;
  readonly kind: "hand" | "horse";
  readonly loads: readonly { readonly kg: number }[];
  readonly seal?: string;
  readonly open: boolean;
}

const cart = object<Cart>(
  {
    owner: text("who"),
    wheels: count("how many"),
    kind: word({ hand: true, horse: true }, "what pulls it"),
    loads: list(object<{ readonly kg: number }>({ kg: amount("how heavy") }), "what is on it"),
    seal: optional(digest("of the load")),
    open: flag("whether it is"),
  },
  "a cart",
);

const fine = { owner: "x", wheels: 2, kind: "hand", loads: [{ kg: 0.5 }], open: true };

describe("the schema of an object", () => {
  test.each([
    ["all that has to be there", fine],
    ["what may be there, too", { ...fine, seal: digestOf(new Uint8Array()) }],
  ])("fits %s", (_, value) => {
    expect(schemaFaults(value, cart.schema)).toEqual([]);
  });

  test.each([
    [{ ...fine, owner: undefined }, "$.owner: is no string"],
    [{ ...fine, wheels: 1.5 }, "$.wheels: is no integer"],
    [{ ...fine, wheels: -1 }, "$.wheels: is less than 0"],
    [{ ...fine, kind: "steam" }, "$.kind: is none of hand, horse"],
    [{ ...fine, loads: [{ kg: "1" }] }, "$.loads[0].kg: is no number"],
    [{ ...fine, loads: [{}] }, "$.loads[0]: has no kg"],
    [{ ...fine, seal: "sha256:" }, "$.seal: does not match ^[a-z0-9]+:[0-9a-f]+$"],
    [{ ...fine, color: "red" }, "$: nobody described color"],
  ])("does not fit %j", (value, fault) => {
    expect(schemaFaults(value, cart.schema)).toEqual([fault]);
  });

  test("tells objects apart by their kind, and takes members of any name where it may", () => {
    type Load = { readonly kind: "hay"; readonly kg: number } | { readonly kind: "none" };
    const { schema } = record(
      either<Load>({ hay: { kg: amount("how much") }, none: {} }, "what is on it"),
      "by cart",
    );
    expect(schemaFaults({ a: { kind: "hay", kg: 1 }, b: { kind: "none" } }, schema)).toEqual([]);
    expect(schemaFaults({ a: { kind: "hay" } }, schema).join()).toContain("$.a: has no kg");
    expect(schemaFaults({ a: { kind: "none", kg: 1 } }, schema)).toHaveLength(1);
  });

  test("does not compile unless it says of every member what that is", () => {
    const complete: Described<"a" | "b"> = word({ a: true, b: true });
    // @ts-expect-error A word is missing.
    const lacking: Described<"a" | "b"> = word<"a" | "b">({ a: true });
    // @ts-expect-error A member is missing.
    const empty = object<{ readonly a: string }>({});
    // @ts-expect-error A member may be absent, which is not said.
    const strict = object<{ readonly a?: string }>({ a: text("a") });
    // @ts-expect-error A member is of another type.
    const wrong = object<{ readonly a: string }>({ a: count("a") });
    expect([complete, lacking, empty, strict, wrong]).toHaveLength(5);
  });
});
