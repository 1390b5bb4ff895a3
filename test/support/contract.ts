// Contract: what every source and every destination promises, as one suite for all transports.

import { describe, expect } from "bun:test";
import { collect } from "../../core/blob/collect.ts";
import type { Stage } from "../../core/blob/stream.ts";
import { parseDigest } from "../../core/content/digest.ts";
import { encodeSignatureBlob, type SignatureForm } from "../../core/content/signature-blob.ts";
import { whyFormsRefused } from "../../core/copy/holding.ts";
import { asFailure, Failure } from "../../core/failure.ts";
import type { ImageDestination } from "../../core/image/destination.ts";
import type { ImageSource } from "../../core/image/source.ts";
import type { ImageReference, Transport, TransportContext } from "../../core/image/transport.ts";
import { admitted, descriptorOf, putBlobs, putSample, roleOf } from "./carry.ts";
import { FaultyTransport } from "./faulty.ts";
import { type Need, testWith } from "./needs.ts";
import { randomBytes } from "./random.ts";
import {
  blobsOf,
  type Sample,
  type SampleBlob,
  type SampleFormat,
  type SampleImage,
  type SampleWish,
  sampleImage,
  sampleList,
} from "./sample-images.ts";

/** Where one test of the suite keeps its images. */
export interface ContractPlace extends AsyncDisposable {
  readonly transport: Transport;
  readonly context: TransportContext;
  /** Returns the text behind the colon of an image that is not there yet; equal for equal names. */
  textOf(name: string): string;
  /** Returns everything that is kept, by name, so that what a failure leaves can be seen. */
  tree?(): unknown;
}

/** How the suite is run for one transport. */
export interface ContractWish {
  /** The media types of the images that are put; `oci` if absent. */
  readonly format?: SampleFormat;
  /** What makes an image visible under its name; `commit` if absent. */
  readonly namedBy?: "commit" | "manifest";
  /** Makes an image that the transport gives back as it was put; any image is one if absent. */
  readonly imageOf?: (layers: readonly SampleBlob[]) => SampleImage;
  /** Makes a layer of about so many bytes; any bytes are one if absent. */
  readonly layerOf?: (seed: string, size: number) => SampleBlob;
  /** Whether layers may hold devices, names that are no text and the like; they may if absent. */
  readonly odd?: boolean;
  /** Whether configs are sent with every image, because they are small. */
  readonly sendsConfigs?: boolean;
  /** What the machine has to have. */
  readonly needs?: readonly Need[];
  /**
   * Each image is sent whole, by itself: nothing of it is there before, and nothing can follow a part that
   * went wrong.
   */
  readonly streams?: boolean;
}

/** Declares the suite for a transport. `open` makes a place where no image is. */
export function contractSuite(
  transport: string,
  open: () => Promise<ContractPlace>,
  {
    format = "oci",
    namedBy = "commit",
    streams = false,
    imageOf,
    layerOf = blobOf,
    odd = true,
    sendsConfigs = false,
    needs = [],
  }: ContractWish = {},
): void {
  const test = testWith(...needs);
  const sampled = (wish: SampleWish): SampleImage =>
    imageOf?.(
      sampleImage({ ...wish, format, odd, layers: wish.layers?.map(() => "none") ?? [] }).layers,
    ) ?? sampleImage({ ...wish, format, odd });
  /** Returns a sample with one more blob. Where its manifest does not mention it, nobody minds. */
  const withLayer = (sample: SampleImage, layer: SampleBlob): SampleImage => {
    const layers = [...sample.layers, layer];
    return imageOf?.(layers) ?? { ...sample, layers };
  };
  const image = sampled({ seed: "contract", layers: ["gzip", "none", "zstd"] });
  const other = sampled({ seed: "another", layers: ["gzip", "gzip", "gzip"] });
  const [layer] = image.layers;
  if (layer === undefined) throw new Error("the sample has no layer");

  describe(`${transport} keeps the contract`, () => {
    test("what is put is read back byte for byte", async () => {
      await using place = await open();
      await keep(place, "a", image);
      await expectKept(place, "a", image);
    });

    test("a list is read back with all of its images", async () => {
      await using place = await open();
      if (!(await holdsLists(place))) return;
      const list = sampleList({ seed: "contract", format });
      await keep(place, "a", list);
      await expectKept(place, "a", list);
      await using source = await openSource(place, "a");
      for (const { manifest } of list.images) {
        const read = await source.readManifest(parseDigest(manifest.digest));
        expect(read.bytes).toEqual(new Uint8Array(manifest.bytes));
      }
    });

    test("an image that is not there is a Failure", async () => {
      await using place = await open();
      const failure = await rejectionOf(async () => {
        await using source = await openSource(place, "nothing");
        await source.readManifest();
      });
      expect(failure).toBeInstanceOf(Failure);
    });

    test("a blob that is not there is a Failure", async () => {
      await using place = await open();
      await keep(place, "a", image);
      await using source = await openSource(place, "a");
      const failure = await rejectionOf(() => readBlob(source, missing));
      expect(failure).toBeInstanceOf(Failure);
    });

    test("a chunk belongs to whoever received it", async () => {
      await using place = await open();
      const big = layerOf("big", 3_000_000);
      await keep(place, "a", withLayer(image, big));
      await using source = await openSource(place, "a");
      const chunks: Uint8Array[] = [];
      for await (const chunk of await source.openBlob(descriptorOf(big))) chunks.push(chunk);
      expect(Buffer.compare(Buffer.concat(chunks), big.bytes)).toBe(0);
    });

    test("memory that a source gives away is nobody else's", async () => {
      await using place = await open();
      const big = layerOf("big", 3_000_000);
      await keep(place, "a", withLayer(image, big));
      await using source = await openSource(place, "a");
      if (source.givesMemory !== true) return;
      // The second reading would notice what the first has taken.
      for (const _ of ["once", "twice"]) {
        const copies: Uint8Array[] = [];
        for await (const chunk of await source.openBlob(descriptorOf(big))) {
          copies.push(Uint8Array.from(chunk));
          const { buffer } = chunk;
          if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.length) {
            buffer.transfer(0);
          }
        }
        expect(Buffer.compare(Buffer.concat(copies), big.bytes)).toBe(0);
      }
    });

    test("C2: wrong bytes publish nothing under the digest", async () => {
      await using place = await open();
      const before = place.tree?.();
      const { image: carried, memory } = await admitted(image);
      memory.blobs.set(parseDigest(layer.digest), randomBytes("wrong", layer.bytes.length));
      {
        await using destination = await openDestination(place, "a");
        const failure = await rejectionOf(() =>
          destination.putBlob(carried.blob(descriptorOf(layer)), "layer"),
        );
        expect(failure).toMatchObject({ code: "corrupt" });
        expect(await destination.reuseBlob(descriptorOf(layer), "layer")).toBeUndefined();
      }
      expect(place.tree?.()).toEqual(before);
    });

    test("a blob that failed may be put again", async () => {
      await using place = await open();
      const { image: carried, memory } = await admitted(image);
      memory.blobs.set(parseDigest(layer.digest), layer.bytes.subarray(1));
      await using destination = await openDestination(place, "a");
      const blob = carried.blob(descriptorOf(layer));
      await rejectionOf(() => destination.putBlob(blob, "layer"));
      memory.blobs.set(parseDigest(layer.digest), layer.bytes);
      if (streams) {
        const failure = await rejectionOf(() => destination.putBlob(blob, "layer"));
        expect(failure).toMatchObject({ code: "corrupt" });
        return;
      }
      const stored = await destination.putBlob(blob, "layer");
      expect(stored).toMatchObject({ digest: layer.digest, size: layer.bytes.length });
    });

    test("an image that was not committed has no name and leaves nothing", async () => {
      await using place = await open();
      const before = place.tree?.();
      {
        await using destination = await openDestination(place, "a");
        await (namedBy === "commit" ? putSample : putBlobs)(destination, image);
      }
      await rejectionOf(async () => {
        await using source = await openSource(place, "a");
        await source.readManifest();
      });
      if (place.tree !== undefined) expect(place.tree()).toEqual(before);
    });

    test("F5: an earlier image stays until the next one is committed", async () => {
      await using place = await open();
      await keep(place, "a", image);
      {
        await using destination = await openDestination(place, "a");
        await (namedBy === "commit" ? putSample : putBlobs)(destination, other);
        await expectKept(place, "a", image);
      }
      await expectKept(place, "a", image);
      await keep(place, "a", other);
      await expectKept(place, "a", other);
    });

    test("F5: whichever step fails, the earlier image stays, and a new one leaves nothing", async () => {
      await using place = await open();
      await keep(place, "a", image);
      const small = sampled({ seed: "small", layers: ["gzip"], ballastBytes: 10 });
      let failAt = 1;
      for (; ; failAt++) {
        const transport = new FaultyTransport(place.transport, failAt);
        const failure = await keep({ ...place, transport }, "a", small).catch((e: unknown) => e);
        if (!transport.failed) break;
        expect(asFailure(failure).message).toEndWith("was made to fail");
        // Failing after the last manifest, a registry has the image already.
        if (namedBy === "manifest" && transport.operations.at(-1) === "commit") continue;
        await expectKept(place, "a", image);
        await using fresh = await open();
        const empty = fresh.tree?.();
        const again = new FaultyTransport(fresh.transport, failAt);
        await rejectionOf(() => keep({ ...fresh, transport: again }, "a", small));
        expect(fresh.tree?.()).toEqual(empty);
      }
      expect(failAt).toBeGreaterThan(5);
      await expectKept(place, "a", small);
    });

    test("what is there already is not sent again", async () => {
      if (streams) return;
      await using place = await open();
      await keep(place, "a", image);
      {
        await using destination = await openDestination(place, "a");
        const { image: carried } = await admitted(image);
        for (const blob of blobsOf(image)) {
          const role = roleOf(image, blob);
          const stored = await destination.reuseBlob(descriptorOf(blob), role);
          if (role === "config" && sendsConfigs) {
            await destination.putBlob(carried.blob(descriptorOf(blob)), role);
            continue;
          }
          expect(stored).toMatchObject({ digest: blob.digest, size: blob.bytes.length });
          expect(stored?.by).not.toBe("sending");
        }
        await destination.putManifest(carried.publish());
        await destination.commit();
      }
      await expectKept(place, "a", image);
    });

    test("what is not there is not reused", async () => {
      await using place = await open();
      await using destination = await openDestination(place, "a");
      expect(await destination.reuseBlob(descriptorOf(layer), "layer")).toBeUndefined();
    });

    test("a blob of another size is not reused", async () => {
      await using place = await open();
      await keep(place, "a", image);
      await using destination = await openDestination(place, "a");
      const wanted = { ...descriptorOf(layer), size: layer.bytes.length + 1 };
      expect(await destination.reuseBlob(wanted, "layer")).toBeUndefined();
    });

    test("an open digest is computed from what is written", async () => {
      await using place = await open();
      await using destination = await openDestination(place, "a");
      const { image: carried } = await admitted(image);
      const blob = carried.blob(descriptorOf(layer)).through(unchanged, { mediaType: "a/b" });
      const stored = await destination.putBlob(blob, "layer");
      expect(stored).toEqual({
        digest: parseDigest(layer.digest),
        size: layer.bytes.length,
        by: "sending",
      });
    });

    test("a blob may be empty, or come in many pieces", async () => {
      await using place = await open();
      const sample = withLayer(withLayer(image, layerOf("nothing", 0)), layerOf("much", 300_000));
      {
        await using destination = await openDestination(place, "a");
        await putSample(destination, sample, { chunkBytes: 777 });
        await destination.commit();
      }
      await expectKept(place, "a", sample);
    });

    test("the same blob may be put twice at once", async () => {
      await using place = await open();
      await using destination = await openDestination(place, "a");
      if (!destination.traits.concurrent) return;
      const { image: carried } = await admitted(image, { chunkBytes: 1000 });
      const put = () => destination.putBlob(carried.blob(descriptorOf(layer)), "layer");
      const stored = await Promise.all([put(), put()]);
      for (const each of stored) expect(each.size).toBe(layer.bytes.length);
    });

    test("an abort ends the writing of a blob", async () => {
      await using place = await open();
      const before = place.tree?.();
      const abort = new AbortController();
      const aborting: Stage = async function* (bytes) {
        for await (const chunk of bytes) {
          yield chunk;
          abort.abort();
        }
      };
      {
        await using destination = await openDestination(place, "a");
        const { image: carried } = await admitted(image, { chunkBytes: 100 });
        const blob = carried.blob(descriptorOf(layer)).through(aborting, descriptorOf(layer));
        const failure = await rejectionOf(() => destination.putBlob(blob, "layer", abort.signal));
        expect(asFailure(failure).code).toBe("canceled");
      }
      expect(place.tree?.()).toEqual(before);
    });

    for (const form of ["simple-signing", "sigstore"] as const) {
      test(`signatures by ${form} are read back, or refused in words`, async () => {
        await using place = await open();
        const signatures = ["one", "two"].map((seed) => signatureOf(form, randomBytes(seed, 100)));
        const of = { digest: parseDigest(image.manifest.digest) };
        {
          await using destination = await openDestination(place, "a");
          const why = whyFormsRefused(destination.traits, [form]);
          if (why !== undefined) {
            expect(why).toMatch(/^[A-Za-z].*\w$/);
            return;
          }
          await putSample(destination, image);
          await destination.putSignatures(signatures, of);
          await destination.commit();
        }
        await using source = await openSource(place, "a");
        expect((await source.readSignatures(of)).map(hexOf).toSorted()).toEqual(
          signatures.map(hexOf).toSorted(),
        );
      });
    }
  });
}

function signatureOf(form: SignatureForm, bytes: Uint8Array): Uint8Array {
  switch (form) {
    case "simple-signing":
      // What begins so is taken for an OpenPGP message.
      return Uint8Array.of(0x90, ...bytes);
    case "sigstore":
      return encodeSignatureBlob({
        kind: "sigstore",
        mediaType: "text/plain",
        payload: bytes,
        annotations: { said: Buffer.from(bytes).toString("base64") },
      });
  }
}

const unchanged: Stage = async function* (bytes) {
  yield* bytes;
};

const missing = blobOf("missing", 10);

function referenceOf(place: ContractPlace, name: string): ImageReference {
  return place.transport.parseReference(place.textOf(name));
}

function openSource(place: ContractPlace, name: string): Promise<ImageSource> {
  return referenceOf(place, name).openSource(place.context);
}

function openDestination(place: ContractPlace, name: string): Promise<ImageDestination> {
  return referenceOf(place, name).openDestination(place.context);
}

async function holdsLists(place: ContractPlace): Promise<boolean> {
  await using destination = await openDestination(place, "a");
  return destination.traits.holdsLists;
}

async function keep(place: ContractPlace, name: string, sample: Sample): Promise<void> {
  await using destination = await openDestination(place, name);
  await putSample(destination, sample);
  await destination.commit();
}

async function expectKept(place: ContractPlace, name: string, sample: Sample): Promise<void> {
  await using source = await openSource(place, name);
  const manifest = await source.readManifest();
  expect(Buffer.compare(manifest.bytes, sample.manifest.bytes)).toBe(0);
  expect(manifest.mediaType).toBe(sample.manifest.mediaType);
  for (const blob of blobsOf(sample)) {
    expect(Buffer.compare(await readBlob(source, blob), blob.bytes)).toBe(0);
  }
}

async function readBlob(source: ImageSource, blob: SampleBlob): Promise<Uint8Array> {
  return collect(await source.openBlob(descriptorOf(blob)), Infinity);
}

/** Returns what the work rejects with, and throws if it does not. */
async function rejectionOf(work: () => Promise<unknown>): Promise<unknown> {
  return work().then(
    () => {
      throw new Error("nothing failed");
    },
    (error: unknown) => error,
  );
}

function blobOf(seed: string, size: number): SampleBlob {
  const bytes = randomBytes(seed, size);
  const digest = `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;
  return { mediaType: "application/octet-stream", bytes, digest };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
