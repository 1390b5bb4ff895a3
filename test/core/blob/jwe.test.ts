import { describe, expect, test } from "bun:test";

import { decryptJwe, encryptJwe } from "../../../core/blob/jwe.ts";
import { parseOwnKey, parseRecipientKey } from "../../../core/blob/layer-key.ts";
import { layerKeyPair, privatePem, publicPem } from "../../support/layer-keys.ts";

const message = new TextEncoder().encode("the key of a layer");
const pairs = [layerKeyPair(2048), layerKeyPair("P-256"), layerKeyPair("P-521")];
const recipients = pairs.map((pair) => parseRecipientKey(publicPem(pair)));
const own = pairs.map((pair) => parseOwnKey(privatePem(pair)));

describe("encryptJwe", () => {
  test("lets each recipient read the message", async () => {
    const text = await encryptJwe(message, recipients);
    for (const key of own) expect(await decryptJwe(text, key)).toEqual(message);
  });

  test("lets nobody else read it", async () => {
    const text = await encryptJwe(message, recipients.slice(1));
    const [first] = own;
    expect(first && (await decryptJwe(text, first))).toBeUndefined();
  });
});

describe("decryptJwe", () => {
  const [, key = own[0]] = own;

  test("takes messages for one recipient as the original writes them", async () => {
    const { recipients: [only = {}] = [], ...rest } = JSON.parse(
      await encryptJwe(message, recipients.slice(1, 2)),
    );
    const flat = JSON.stringify({ ...rest, ...only });
    expect(key && (await decryptJwe(flat, key))).toEqual(message);
  });

  test.each([`[]`, `{}`, `{"recipients":[]}`, `{"recipients":1,"ciphertext":"x"}`])(
    "finds nothing in %s",
    async (text) => {
      expect(key && (await decryptJwe(text, key))).toBeUndefined();
    },
  );
});
