import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { decryptLayer, encryptLayer } from "../../../core/blob/encrypt.ts";
import { jweOpening, jweWrapping } from "../../../core/blob/jwe.ts";
import { parseOwnKey, parseRecipientKey } from "../../../core/blob/layer-key.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import type { Descriptor } from "../../../core/content/descriptor.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { chunked } from "../../support/chunks.ts";
import { failureOf } from "../../support/engine.ts";
import { layerKeyPair, privatePem, publicPem } from "../../support/layer-keys.ts";

const pair = layerKeyPair();
const recipient = jweWrapping([parseRecipientKey(publicPem(pair))]);
const key = jweOpening(parseOwnKey(privatePem(pair)));
const other = jweOpening(parseOwnKey(privatePem(layerKeyPair())));
const plain = new TextEncoder().encode("a layer ".repeat(1000));
const keyAnnotation = "org.opencontainers.image.enc.keys.";
const publicOptions = "org.opencontainers.image.enc.pubopts";

interface Locked {
  readonly bytes: Uint8Array;
  readonly layer: Descriptor;
}

async function locked(size = plain.length): Promise<Locked> {
  const encryption = encryptLayer([recipient]);
  const bytes = await collect(encryption.stage(chunked(plain, size)), 100_000);
  const annotations = await encryption.annotations();
  return { bytes, layer: { mediaType: "x+encrypted", digest: digestOf(bytes), annotations } };
}

describe("encryptLayer", () => {
  test.each([1, 7, plain.length])("is undone by its key, %d bytes at a time", async (size) => {
    const { bytes, layer } = await locked(size);
    expect(bytes).toHaveLength(plain.length);
    expect(bytes).not.toEqual(plain);
    const open = await decryptLayer(layer, [other, key]);
    expect(await collect(open(chunked(bytes, size)), 100_000)).toEqual(plain);
  });

  test("makes other bytes each time", async () => {
    expect((await locked()).bytes).not.toEqual((await locked()).bytes);
  });

  test("says nothing before the end", async () => {
    const encryption = encryptLayer([recipient]);
    expect(await failureOf(encryption.annotations())).toMatchObject({ code: "bug" });
  });
});

describe("decryptLayer", () => {
  test("fails at the end of bytes that were changed", async () => {
    const { bytes, layer } = await locked();
    const open = await decryptLayer(layer, [key]);
    const failure = await failureOf(collect(open(streamOf(bytes.with(5, 0))), 100_000));
    expect(failure).toMatchObject({
      code: "corrupt",
      message: `Layer ${layer.digest} does not match the HMAC of its encryption`,
    });
  });

  test.each([
    ["no key", [], "missing private key needed for decryption"],
    ["another key", [other], "none of the private keys could be used for decryption"],
  ])("fails with %s", async (_, keys, message) => {
    const { layer } = await locked();
    const failure = await failureOf(decryptLayer(layer, keys));
    expect(failure.code).toBe("unauthorized");
    expect(failure.message).toContain(message);
  });

  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");
  test.each([
    ["no options", undefined, "has no public options"],
    ["options that are no base64", "*", "has a value that is no base64"],
    ["options that are no object", base64([]), "has public options that are no JSON object"],
    ["no cipher", base64({}), "has no cipher"],
    ["another cipher", base64({ cipher: "ROT13" }), 'is encrypted by "ROT13", which is not known'],
    [
      "an HMAC that is too short",
      base64({ cipher: "AES_256_CTR_HMAC_SHA256", hmac: "AAAA" }),
      "of the wrong length",
    ],
  ])("fails on %s", async (_, options, message) => {
    const { layer } = await locked();
    const { [publicOptions]: _dropped, ...rest } = layer.annotations ?? {};
    const annotations = { ...rest, ...(options !== undefined && { [publicOptions]: options }) };
    const failure = await failureOf(decryptLayer({ ...layer, annotations }, [key]));
    expect(failure.message).toContain(message);
  });

  const keysOf = ({ annotations = {} }: Descriptor) => annotations[`${keyAnnotation}jwe`] ?? "";
  const withKeys = (layer: Descriptor, keys: string): Descriptor => ({
    ...layer,
    annotations: { ...layer.annotations, [`${keyAnnotation}jwe`]: keys },
  });

  test("finds its key among those of many recipients", async () => {
    const { bytes, layer } = await locked();
    const strange = keysOf((await locked()).layer).replace(/^.{8}/, "AAAAAAAA");
    const keys = [...Array(200).fill(strange), keysOf(layer)].join(",");
    const open = await decryptLayer(withKeys(layer, keys), [key]);
    expect(await collect(open(streamOf(bytes)), 100_000)).toEqual(plain);
  });

  test.each([
    ["in one message", () => base64({ recipients: Array(257).fill({}) })],
    ["in many messages", () => Array(257).fill(base64({})).join(",")],
    ["of which most are none", () => ",".repeat(257)],
  ])("does not try as many recipients as a stranger names: %s", async (_, keys) => {
    const { layer } = await locked();
    const opened: number[] = [];
    const counting = { ...key, open: async () => void opened.push(1) };
    const failure = await failureOf(decryptLayer(withKeys(layer, keys()), [counting]));
    expect(failure).toMatchObject({
      code: "corrupt",
      message: `decrypting layer ${layer.digest}: its encryption is for more than 256 recipients`,
    });
    expect(opened.length).toBeLessThanOrEqual(256);
  });

  test("tells nothing of a message that is no key", async () => {
    const { layer } = await locked();
    const secret = Buffer.from(await recipient.wrap(new TextEncoder().encode("TOP SECRET")));
    const failure = await failureOf(
      decryptLayer(withKeys(layer, secret.toString("base64")), [key]),
    );
    expect(failure.message).toBe(
      `decrypting layer ${layer.digest}: its encryption has a key message that is no JSON object`,
    );
  });

  test("says whom a layer is encrypted for, if that is nobody of ours", async () => {
    const { layer } = await locked();
    const { [publicOptions]: open = "" } = layer.annotations ?? {};
    const annotations = { [publicOptions]: open, "org.opencontainers.image.enc.keys.pgp": "AA==" };
    const failure = await failureOf(decryptLayer({ ...layer, annotations }, [key]));
    expect(failure.message).toEndWith("needed for decryption: it is encrypted for pgp");
  });
});
