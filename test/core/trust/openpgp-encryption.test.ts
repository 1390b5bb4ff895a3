import { describe, expect, test } from "bun:test";
import { generateKey } from "openpgp";

import { pgpOpening, pgpWrapping } from "../../../core/trust/openpgp-encryption.ts";
import { failureOf } from "../../support/engine.ts";

const made = new Date("2024-03-01T12:00:00Z");
const now = new Date("2024-03-02T12:00:00Z");
const message = new TextEncoder().encode("the key of a layer");

async function pairOf(passphrase?: string, keyExpirationTime = 0) {
  const { privateKey, publicKey } = await generateKey({
    type: "ecc",
    userIDs: [{ email: "somebody@example.com" }],
    date: made,
    format: "binary",
    keyExpirationTime,
    ...(passphrase !== undefined && { passphrase }),
  });
  return { own: new Uint8Array(privateKey), open: new Uint8Array(publicKey) };
}

describe("pgpWrapping", () => {
  test("lets everybody in the ring read the message, and nobody else", async () => {
    const [one, two, other] = [await pairOf(), await pairOf("secret"), await pairOf()];
    const { wrap } = await pgpWrapping(Buffer.concat([one.open, two.open]), now);
    const wrapped = await wrap(message);
    expect(await (await pgpOpening(one.own)).open(wrapped)).toEqual(message);
    expect(await (await pgpOpening(two.own, "secret")).open(wrapped)).toEqual(message);
    expect(await (await pgpOpening(other.own)).open(wrapped)).toBeUndefined();
  });

  test("refuses an empty ring, and keys that have expired", async () => {
    expect((await failureOf(pgpWrapping(new Uint8Array(), now))).message).toBe(
      "No OpenPGP key fits",
    );
    const { open } = await pairOf(undefined, 3600);
    expect((await failureOf(pgpWrapping(open, now))).message).toMatch(/^Key [0-9A-F]{40} cannot/);
  });
});

describe("pgpOpening", () => {
  test("tells for how many a message is", async () => {
    const [one, two] = [await pairOf(), await pairOf()];
    const { wrap } = await pgpWrapping(Buffer.concat([one.open, two.open]), now);
    const { recipientsOf } = await pgpOpening(one.own);
    expect(await recipientsOf(await wrap(message))).toBe(2);
    expect(await recipientsOf(new Uint8Array([1, 2, 3]))).toBe(0);
  });

  test("opens nothing that is no message", async () => {
    const { own } = await pairOf();
    expect(await (await pgpOpening(own)).open(new Uint8Array([1, 2, 3]))).toBeUndefined();
  });

  test("refuses what is no private key, and a password that is wrong or missing", async () => {
    const { own, open } = await pairOf("secret");
    const said = async (bytes: Uint8Array, password?: string) =>
      (await failureOf(pgpOpening(bytes, password))).message;
    expect(await said(new Uint8Array())).toBe("File provided is not a private key");
    expect(await said(open)).toBe("File provided is not a private key");
    expect(await said(own)).toBe("The private key is encrypted, and no password was given");
    expect(await said(own, "x")).toBe("The private key cannot be decrypted with this password");
  });
});
