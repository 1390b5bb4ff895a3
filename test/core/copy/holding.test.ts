import { expect, test } from "bun:test";

import { whyFormsRefused, whySignaturesRefused } from "../../../core/copy/holding.ts";
import type { DestinationTraits } from "../../../core/image/destination.ts";

const traits = (refuses: Partial<DestinationTraits>): DestinationTraits => ({
  manifestTypes: [],
  layers: "preserve",
  keepsForeignUrls: false,
  holdsLists: true,
  concurrent: true,
  ...refuses,
});
const some = traits({ refusedForms: { sigstore: "no sigstore" } });
const none = traits({ refusesSignatures: "none" });

const sigstore = new TextEncoder().encode('\0sigstore-json\n{"mimeType":"x"}');
const openPgp = Uint8Array.of(0x90);
const unknown = Uint8Array.of(0x7b);

test("whyFormsRefused goes by the forms that are to be held", () => {
  expect(whyFormsRefused(traits({}), ["simple-signing", "sigstore"])).toBeUndefined();
  expect(whyFormsRefused(some, ["simple-signing"])).toBeUndefined();
  expect(whyFormsRefused(some, ["simple-signing", "sigstore"])).toBe("no sigstore");
  expect(whyFormsRefused(none, ["simple-signing"])).toBe("none");
  expect(whyFormsRefused(none, [])).toBeUndefined();
});

test("whySignaturesRefused looks at them only where that matters", () => {
  expect(whySignaturesRefused(traits({}), [unknown])).toBeUndefined();
  expect(whySignaturesRefused(none, [unknown])).toBe("none");
  expect(whySignaturesRefused(none, [])).toBeUndefined();
  expect(whySignaturesRefused(some, [openPgp])).toBeUndefined();
  expect(whySignaturesRefused(some, [openPgp, sigstore])).toBe("no sigstore");
  expect(() => whySignaturesRefused(some, [unknown])).toThrow("unrecognized signature format");
});
