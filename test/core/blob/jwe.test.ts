import { describe, expect, test } from "bun:test";

import { jweOpening, jweWrapping } from "../../../core/blob/jwe.ts";
import { parseOwnKey, parseRecipientKey } from "../../../core/blob/layer-key.ts";
import { layerKeyPair, privatePem, publicPem } from "../../support/layer-keys.ts";

const message = new TextEncoder().encode("the key of a layer");
const pairs = [layerKeyPair(2048), layerKeyPair("P-256"), layerKeyPair("P-521")];
const recipients = pairs.map((pair) => parseRecipientKey(publicPem(pair)));
const own = pairs.map((pair) => jweOpening(parseOwnKey(privatePem(pair))));

describe("jweWrapping", () => {
  test("lets each recipient read the message", async () => {
    const wrapped = await jweWrapping(recipients).wrap(message);
    for (const { open } of own) expect(await open(wrapped)).toEqual(message);
  });

  test("lets nobody else read it", async () => {
    const wrapped = await jweWrapping(recipients.slice(1)).wrap(message);
    expect(await own[0]?.open(wrapped)).toBeUndefined();
  });
});

describe("jweOpening", () => {
  const encode = (text: string) => new TextEncoder().encode(text);

  test("takes messages for one recipient as the original writes them", async () => {
    const wrapped = await jweWrapping(recipients.slice(1, 2)).wrap(message);
    const { recipients: [only = {}] = [], ...rest } = JSON.parse(new TextDecoder().decode(wrapped));
    expect(await own[1]?.open(encode(JSON.stringify({ ...rest, ...only })))).toEqual(message);
  });

  test("tells for how many a message is", async () => {
    const count = (bytes: Uint8Array) => own[0]?.recipientsOf(bytes);
    expect(await count(await jweWrapping(recipients).wrap(message))).toBe(3);
    for (const text of ["", "[]", "{", `{"recipients":1}`]) {
      expect(await count(encode(text))).toBe(0);
    }
    expect(await count(encode(`{"ciphertext":"x"}`))).toBe(1);
  });

  test.each([``, `[]`, `{}`, `{"recipients":[]}`, `{"recipients":1,"ciphertext":"x"}`])(
    "finds nothing in %p",
    async (text) => {
      expect(await own[1]?.open(encode(text))).toBeUndefined();
    },
  );
});
