import { beforeAll, describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { checkDocument, type DocumentCheck } from "../../../core/trust/document-check.ts";
import { readKeyRing } from "../../../core/trust/openpgp.ts";
import { encodeSimpleSigning } from "../../../core/trust/simple-signing.ts";
import { judgingDate, signedMessage, type TestKey, testKey } from "../../support/openpgp.ts";
import { rejection } from "../../support/rejection.ts";

const manifest = Buffer.from('{"schemaVersion":2}');
const payload = {
  digest: digestOf(manifest),
  reference: "docker.io/library/busybox:1",
  creator: "test",
  timestamp: 0,
};
let key: TestKey;
let good: DocumentCheck;

beforeAll(async () => {
  key = await testKey({ subkeys: [{ sign: true }] });
  good = {
    signature: await signed({}),
    manifest,
    reference: "busybox:1",
    ring: await readKeyRing([key.ring]),
    fingerprints: [key.fingerprint],
    now: judgingDate,
  };
});

const signed = (changes: Partial<typeof payload>) =>
  signedMessage(key, encodeSimpleSigning({ ...payload, ...changes }));

describe("checkDocument", () => {
  test("returns the fingerprint that was looked for, of the key or its subkey", async () => {
    const { digest } = payload;
    expect(await checkDocument(good)).toEqual({ fingerprint: key.fingerprint, digest });
    const fingerprints = ["X", key.subkey, key.fingerprint];
    expect(await checkDocument({ ...good, fingerprints })).toEqual({
      fingerprint: key.subkey,
      digest,
    });
  });

  test.each<[string, () => Promise<Partial<DocumentCheck>>, RegExp]>([
    ["no key", async () => ({ fingerprints: [] }), /^signature by key \w+ of \w+ is not accepted$/],
    [
      "a key in small letters",
      async () => ({ fingerprints: [key.fingerprint.toLowerCase()] }),
      /^signature by key \w+ of \w+ is not accepted$/,
    ],
    [
      "another manifest",
      async () => ({ manifest: Buffer.from("{}") }),
      /^Signature for docker digest "sha256:[0-9a-f]{64}" does not match$/,
    ],
    [
      "another tag",
      async () => ({ reference: "busybox:2" }),
      /^Docker reference "docker.io\/library\/busybox:1" does not match "docker.io\/library\/busybox:2"$/,
    ],
    [
      "no tag",
      async () => ({ reference: "busybox" }),
      /does not match "docker.io\/library\/busybox"$/,
    ],
    ["a name that is none", async () => ({ reference: "BUSYBOX" }), /^invalid reference format/],
    [
      "a signature for a name that is none",
      async () => ({ signature: await signed({ reference: "BUSYBOX" }) }),
      /^Invalid docker reference "BUSYBOX" in signature: /,
    ],
    [
      "a sigstore signature",
      async () => ({ signature: Buffer.from("\0sigstore-json\n{}") }),
      /sigstore signature, not an OpenPGP message$/,
    ],
  ])("refuses %s", async (_, make, message) => {
    const failure = await rejection(checkDocument({ ...good, ...(await make()) }));
    expect(failure.message).toMatch(message);
  });
});
