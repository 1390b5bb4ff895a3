import { describe, expect, test } from "bun:test";

import { Failure } from "../../../../core/failure.ts";
import { parseBundle } from "../../../../core/trust/sigstore/bundle.ts";
import { authority, fulcioLeaf } from "../../../support/authority.ts";
import { type BundleJson, bundleOf } from "../../../support/bundles.ts";
import { randomBytes } from "../../../support/random.ts";
import { logKeys } from "../../../support/sigstore.ts";
import { TestLog } from "../../../support/test-log.ts";

const root = authority("root");
const leaf = fulcioLeaf(root);

const changed = (part: "verificationMaterial" | "dsseEnvelope", change: object) =>
  bundleOf({
    logged: true,
    change: (bundle) => ({ ...bundle, [part]: { ...bundle[part], ...change } }),
  });
const entry = (change: object) =>
  bundleOf({
    logged: true,
    change: (bundle: BundleJson) => ({
      ...bundle,
      verificationMaterial: {
        ...bundle.verificationMaterial,
        tlogEntries: [{ ...bundle.verificationMaterial.tlogEntries?.[0], ...change }],
      },
    }),
  });

function proofWith(change: object): object {
  const log = new TestLog(logKeys.privateKey);
  return { inclusionProof: { ...log.prove(log.add(Buffer.from("x"))), ...change } };
}

describe("parseBundle", () => {
  test("reads bundles by keys, by certificates and by chains", () => {
    expect(parseBundle(bundleOf()).certificates).toBeUndefined();
    expect(parseBundle(bundleOf({ leaf })).certificates?.between).toEqual([]);
    const chained = parseBundle(bundleOf({ leaf, chain: [root] })).certificates;
    expect(chained?.leaf.bytes).toEqual(leaf.bytes);
    expect(chained?.between.map(({ bytes }) => bytes)).toEqual([root.bytes]);
  });

  test("reads what a log says, with numbers as texts or not, and perhaps without a promise", () => {
    expect(parseBundle(bundleOf()).entries).toEqual([]);
    expect(parseBundle(bundleOf({ logged: true })).entries).toMatchObject([
      { integratedTime: 1781524800, logIndex: 0, promise: expect.anything() },
    ]);
    const [plain] = parseBundle(
      entry({ logIndex: 8, integratedTime: undefined, inclusionPromise: undefined }),
    ).entries;
    expect(plain).toMatchObject({ logIndex: 8, integratedTime: 0 });
    expect(plain?.promise).toBeUndefined();
  });

  test("reads the proof of an entry, if its log has signed something", () => {
    const log = new TestLog(logKeys.privateKey);
    for (const other of ["1", "2", "3"]) log.add(Buffer.from(other));
    const [found] = parseBundle(bundleOf({ logged: true, log })).entries;
    const { hashes, rootHash } = log.prove(3);
    expect(found?.proof).toEqual({
      index: 3,
      size: 4,
      root: Buffer.from(rootHash, "base64"),
      path: hashes.map((hash) => Buffer.from(hash, "base64")),
      checkpoint: expect.stringContaining(rootHash),
    });
    const older = entry({ inclusionProof: { ...log.prove(3), checkpoint: undefined } });
    expect(parseBundle(older).entries[0]?.proof).toBeUndefined();
  });

  test.each<[string, object, string]>([
    ["a proof that is none", { inclusionProof: 1 }, "inclusionProof is no object"],
    ["a path that is none", proofWith({ hashes: 1 }), "odd hashes"],
    ["a path without end", proofWith({ hashes: Array(65).fill("AAAA") }), "odd hashes"],
    ["a short hash", proofWith({ hashes: ["AAAA"] }), "a hash of odd length"],
    ["a hash that is none", proofWith({ hashes: [1] }), "JSON string expected"],
    ["a size that is none", proofWith({ treeSize: "x" }), "treeSize is no number"],
    ["no root", proofWith({ rootHash: undefined }), "rootHash is no text"],
    ["a checkpoint that is none", proofWith({ checkpoint: {} }), "envelope is no text"],
  ])("fails on %s", (_, change, why) => {
    expect(() => parseBundle(entry(change))).toThrow(why);
  });

  test.each<[string, Uint8Array, string]>([
    ["no JSON", Buffer.from("{"), "unexpected end"],
    ["a list", Buffer.from("[]"), "the bundle is no object"],
    [
      "another version",
      bundleOf({
        change: (bundle) => ({
          ...bundle,
          mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.1",
        }),
      }),
      "media type",
    ],
    ["no version", bundleOf({ change: ({ mediaType: _, ...bundle }) => bundle }), "media type"],
    [
      "no material",
      bundleOf({ change: (bundle) => ({ ...bundle, verificationMaterial: undefined }) }),
      "verificationMaterial is no object",
    ],
    [
      "neither key nor certificate",
      changed("verificationMaterial", { publicKey: undefined }),
      "not exactly one of key and certificate",
    ],
    [
      "key and certificate",
      changed("verificationMaterial", { certificate: {} }),
      "not exactly one of key and certificate",
    ],
    [
      "a certificate that is none",
      changed("verificationMaterial", { publicKey: undefined, certificate: { rawBytes: "YQ==" } }),
      "malformed",
    ],
    [
      "an empty chain",
      changed("verificationMaterial", {
        publicKey: undefined,
        x509CertificateChain: { certificates: [] },
      }),
      "empty chain",
    ],
    ["no signature", changed("dsseEnvelope", { signatures: [] }), "without exactly one signature"],
    [
      "two signatures",
      changed("dsseEnvelope", { signatures: [{ sig: "" }, { sig: "" }] }),
      "without exactly one signature",
    ],
    ["a payload that is no base64", changed("dsseEnvelope", { payload: "!" }), "illegal base64"],
    [
      "no envelope",
      bundleOf({
        change: (bundle) => ({ ...bundle, dsseEnvelope: undefined, messageSignature: {} }),
      }),
      "dsseEnvelope is no object",
    ],
    ["entries that are none", changed("verificationMaterial", { tlogEntries: {} }), "no list"],
    [
      "many entries",
      changed("verificationMaterial", { tlogEntries: Array(33).fill({}) }),
      "too many tlogEntries",
    ],
    ["an odd time", entry({ integratedTime: "1e9" }), "integratedTime is no number"],
    ["an odd index", entry({ logIndex: 1.5 }), "logIndex is no number"],
    ["no body", entry({ canonicalizedBody: undefined }), "canonicalizedBody is no text"],
  ])("refuses %s", (_, bytes, why) => {
    expect(() => parseBundle(bytes)).toThrow(why);
  });

  test("fails, and never in another way, on whatever is changed or cut", () => {
    const good = bundleOf({ logged: true, leaf });
    const noise = randomBytes("bundle", 6000);
    for (let round = 0; round < 2000; round++) {
      const [high = 0, low = 0, value = 0] = noise.subarray(round * 3);
      const at = (high * 256 + low) % good.length;
      const changed = round % 5 === 0 ? good.subarray(0, at) : good.with(at, value);
      try {
        parseBundle(changed);
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
        expect((error as Failure).code).not.toBe("bug");
      }
    }
  });

  test("G6: refuses a member that stands there twice", () => {
    const text = new TextDecoder().decode(bundleOf()).replace("{", '{"dsseEnvelope":{},');
    expect(() => parseBundle(new TextEncoder().encode(text))).toThrow(
      'Duplicate key "dsseEnvelope"',
    );
  });
});
