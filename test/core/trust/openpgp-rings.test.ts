import { expect, test } from "bun:test";

import { keysIn } from "../../../core/trust/openpgp-rings.ts";

// Packets of no content: a public key, a user ID, a secret key.
const [publicKey, userId, secretKey] = [
  [0xc6, 0],
  [0xcd, 0],
  [0xc5, 0],
];

test("keysIn cuts a ring where keys begin", () => {
  const ring = new Uint8Array([publicKey, userId, userId, secretKey, userId].flat() as number[]);
  expect(keysIn(ring).map(({ length }) => length)).toEqual([6, 4]);
});

test.each([[], [0x00], [0xc6], [0xcd, 0]])("keysIn finds no key in %p", (...bytes) => {
  expect(keysIn(new Uint8Array(bytes))).toEqual([]);
});
