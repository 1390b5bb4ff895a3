import { expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { simpleSigner } from "../../../core/trust/simple-signer.ts";
import { parseSimpleSigning } from "../../../core/trust/simple-signing.ts";

test("simpleSigner has a document signed that says which image it is", async () => {
  const documents: Uint8Array[] = [];
  let prepared = 0;
  const message = Uint8Array.of(0x90, 1);
  const signer = simpleSigner(
    {
      prepare: async () => void prepared++,
      async signDocument(document) {
        documents.push(document);
        return message;
      },
    },
    { creator: "dray test", now: () => new Date("2024-03-01T12:00:00.900Z") },
  );
  await signer.prepare?.();
  const wish = { digest: digestOf(new Uint8Array()), reference: "a.example/b:1" };
  expect(await signer.sign(wish)).toBe(message);
  expect(prepared).toBe(1);
  expect(documents.map(parseSimpleSigning)).toEqual([
    { ...wish, creator: "dray test", timestamp: 1_709_294_400 },
  ]);
});
