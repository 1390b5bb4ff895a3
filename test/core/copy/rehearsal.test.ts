import { describe, expect, test } from "bun:test";

import { copyImages } from "../../../core/copy/copy.ts";
import { copyToSeveral } from "../../../core/copy/copy-to-several.ts";
import { ForecastKeeper, type RunForecast } from "../../../core/copy/forecast.ts";
import { Rehearsal } from "../../../core/copy/rehearsal.ts";
import type { CopyRequest } from "../../../core/copy/request.ts";
import { ResultKeeper, type RunResult } from "../../../core/copy/result.ts";
import type { BlobFact } from "../../../core/cache/blob-info.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import { parseDigest } from "../../../core/content/digest.ts";
import type { DestinationTraits } from "../../../core/image/destination.ts";
import { Gate } from "../../../core/trust/gate.ts";
import { acceptEverything } from "../../../core/trust/requirements/basic.ts";
import { failureOf, holding, rejecting } from "../../support/engine.ts";
import { FaultyTransport } from "../../support/faulty.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { randomBytes } from "../../support/random.ts";
import { blobsOf, type Sample, sampleImage, sampleList } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";

type Wish = Partial<Omit<CopyRequest, "source" | "destination" | "gate" | "tell">>;

function requestOf(from: MemoryTransport, into: MemoryTransport, wish: Wish): CopyRequest {
  return {
    source: { reference: from.parseReference("a"), context: transportContext() },
    destination: { reference: into.parseReference("b"), context: transportContext() },
    gate: new Gate(acceptEverything, { requireSigned: false, now: () => new Date(0) }),
    platform: { os: "linux", architecture: "amd64" },
    images: "all",
    preserveDigests: false,
    signatures: "copy",
    parallelBlobs: 3,
    now: () => new Date(0),
    tell: () => {},
    ...wish,
  };
}

async function foreseen(request: CopyRequest): Promise<RunForecast> {
  const keeper = new ForecastKeeper();
  const rehearsal = new Rehearsal();
  const rehearsed = rehearsal.request({ ...request, tell: (event) => keeper.note(event) });
  await copyImages({ ...rehearsed, destination: rehearsal.destination(request.destination) });
  return keeper.forecast;
}

async function done(request: CopyRequest): Promise<RunResult> {
  const keeper = new ResultKeeper();
  await copyImages({ ...request, tell: (event) => keeper.note(event) });
  return keeper.result;
}

/** Copies for show and then in earnest, and holds the one against the other. */
async function expectForeseen(
  sample: Sample,
  traits: Partial<DestinationTraits>,
  there: readonly number[],
  wish: Wish = {},
): Promise<void> {
  const from = holding(sample);
  const into = new MemoryTransport({ traits });
  for (const [index, { digest, bytes }] of blobsOf(sample).entries()) {
    if (there.includes(index)) into.blobs.set(parseDigest(digest), bytes);
  }
  const before = [into.images.size, ...into.blobs.keys()];
  const { copies, totals } = await foreseen(requestOf(from, into, wish));
  expect([into.images.size, ...into.blobs.keys()]).toEqual(before);

  const result = await done(requestOf(from, into, wish));
  const [said] = copies[0]?.destinations ?? [];
  const [is] = result.copies[0]?.destinations ?? [];
  const blobs = said?.images.flatMap((image) => image.blobs) ?? [];
  expect(blobs.map(({ digest, outcome }) => `${outcome} ${digest}`).toSorted()).toEqual(
    (is?.blobs ?? []).map(({ digest, outcome }) => `${outcome} ${digest}`).toSorted(),
  );
  for (const { size, storedAs, digest } of blobs) {
    if (size === undefined) continue;
    expect(is?.blobs).toContainEqual(expect.objectContaining({ digest, size }));
    if (storedAs !== undefined) {
      expect(is?.blobs).toContainEqual(expect.objectContaining({ digest, storedAs }));
    }
  }
  const hidden = is?.blobs.filter((blob) => blobs.some(isHidden(blob.digest))) ?? [];
  const unknown = hidden.reduce((sum, { size }) => sum + size, 0);
  expect(totals.bytes).toEqual({
    ...result.summary.bytes,
    sent: result.summary.bytes.sent - unknown,
  });
  expect(totals.blobs).toEqual(result.summary.blobs);
  if (totals.unknown === 0) expect(said?.digest).toEqual(is?.digest);
  else expect(said).not.toHaveProperty("digest");
  expect(said?.mediaType).toBe(is?.mediaType);
}

function isHidden(digest: string) {
  return (blob: { readonly digest: string; readonly size?: number }) =>
    blob.digest === digest && blob.size === undefined;
}

describe("Rehearsal", () => {
  const ociOnly = [manifestTypes.oci, manifestTypes.ociIndex];
  const dockerOnly = [manifestTypes.schema2, manifestTypes.dockerList];
  const wanting = [
    ["takes all", {}],
    ["compresses", { layers: "compress" }],
    ["decompresses", { layers: "decompress" }],
    ["takes OCI only", { manifestTypes: ociOnly, layers: "compress" }],
    ["takes Docker only", { manifestTypes: dockerOnly }],
  ] as const;

  test.each(wanting)(
    "foresees what happens, whatever is there: a destination that %s",
    async (_, traits) => {
      for (let seed = 0; seed < 12; seed++) {
        const random = randomBytes(`rehearsal ${seed}`, 16);
        const format = random[0]! % 2 === 0 ? "docker" : "oci";
        const kinds = ["gzip", "none"] as const;
        const layers = [...random.subarray(1, 2 + (random[1]! % 4))].map(
          (byte) => kinds[byte % 2]!,
        );
        const image = sampleImage({ seed: `rehearsal ${seed}`, format, layers });
        const there = [...random.subarray(8, 8 + (random[7]! % 5))].map((byte) => byte % 6);
        await expectForeseen(image, traits, there);
      }
    },
  );

  test.each(wanting)(
    "foresees what becomes of a list: a destination that %s",
    async (_, traits) => {
      for (const format of ["docker", "oci"] as const) {
        const list = sampleList({ seed: "rehearsal", format, layers: ["gzip", "gzip"] });
        // What is no image of a kind that Docker knows cannot become one.
        if (format === "oci" && traits === wanting[4][1]) continue;
        for (const there of [[], [0, 3], [1, 2, 5]]) await expectForeseen(list, traits, there);
      }
    },
  );

  test("says what is changed on the way, and what stays", async () => {
    const image = sampleImage({ seed: "changes", format: "docker", layers: ["gzip", "none"] });
    const traits = { manifestTypes: ociOnly, layers: "compress" } as const;
    const into = new MemoryTransport({ traits });
    const { copies } = await foreseen(requestOf(holding(image), into, {}));
    const [there] = copies[0]?.destinations ?? [];
    const blobs = there?.images[0]?.blobs ?? [];
    expect(blobs.map(({ role, changes }) => [role, ...changes])).toEqual([
      ["layer"],
      ["layer", "compress"],
      ["config", "convert"],
    ]);
    const [packed, plain, config] = blobs;
    expect(packed?.size).toBe(image.layers[0]?.bytes.length ?? -1);
    expect(plain).not.toHaveProperty("size");
    expect(plain?.read).toBe(image.layers[1]?.bytes.length ?? -1);
    expect(config?.read).toBe(0);
  });

  test("reads no blob further than to see how it is compressed", async () => {
    const image = sampleImage({ seed: "far", layers: ["none"], ballastBytes: 1_000_000 });
    const from = new FaultyTransport(holding(image, { chunkBytes: 1000 }));
    const into = new MemoryTransport({ traits: { layers: "compress" } });
    const request = requestOf(holding(image), into, {});
    await foreseen({
      ...request,
      source: { ...request.source, reference: from.parseReference("a") },
    });
    // The config, which names what the layer is, is read to its end.
    expect(from.operations.filter((each) => each === "openBlob")).toHaveLength(2);
    expect(from.operations.filter((each) => each === "openBlob ended")).toHaveLength(1);
  });

  test("fails as the copy would, before anything is written", async () => {
    const list = sampleList({ seed: "fails", format: "oci" });
    const request = () =>
      requestOf(holding(list), new MemoryTransport({ traits: { manifestTypes: dockerOnly } }), {});
    const [said, is] = [await failureOf(foreseen(request())), await failureOf(done(request()))];
    expect(said).toMatchObject({ code: is.code, message: is.message });
  });

  test("says what the policy rejects, and fails as the copy would", async () => {
    const image = sampleImage({ seed: "rejected" });
    const keeper = new ForecastKeeper();
    const rehearsal = new Rehearsal();
    const policy = rejecting(image.manifest.digest);
    const request = {
      ...requestOf(holding(image), new MemoryTransport(), {}),
      gate: new Gate(policy, { requireSigned: false, now: () => new Date(0) }),
      tell: keeper.note.bind(keeper),
    };
    const failure = await failureOf(copyImages(rehearsal.request(request)));
    expect(failure.code).toBe("rejected");
    expect(keeper.forecast.copies).toMatchObject([
      {
        ok: false,
        policy: [{ verdict: "rejected" }],
        destinations: [{ ok: false, images: [] }],
        failure: { code: "rejected" },
      },
    ]);
  });

  test("asks nobody to sign, but whether that could succeed", async () => {
    let prepared = 0;
    const signer = {
      form: "simple-signing" as const,
      activity: "Signing",
      prepare: async () => void prepared++,
      sign: async () => {
        throw new Error("signed");
      },
    };
    const identity = { host: "a.example", repository: "b", tag: "1" };
    const wish = { signing: { signers: [signer], identity } };
    const image = sampleImage({ seed: "signed" });
    await foreseen(requestOf(holding(image), new MemoryTransport(), wish));
    expect(prepared).toBe(1);
    const lasting = { signers: [{ ...signer, preparesForGood: true }], identity };
    await foreseen(requestOf(holding(image), new MemoryTransport(), { signing: lasting }));
    expect(prepared).toBe(1);
  });

  test("notes nothing of blobs for later", async () => {
    const noted: BlobFact[] = [];
    const blobInfo = {
      note: (fact: BlobFact) => void noted.push(fact),
      candidates: async () => [],
    };
    const image = sampleImage({ seed: "noted", layers: ["none"] });
    const into = new MemoryTransport({ traits: { layers: "compress" } });
    const request = requestOf(holding(image), into, { blobInfo });
    const { context } = request.destination;
    const docker = { ...context.settings.docker, blobInfo };
    const settings = { ...context.settings, docker };
    const destination = { ...request.destination, context: { ...context, settings } };
    await foreseen({ ...request, destination });
    expect(noted).toEqual([]);
  });

  test("is refused where nobody can be asked without writing", async () => {
    const image = sampleImage({ seed: "unasked" });
    const request = requestOf(holding(image), new MemoryTransport(), {});
    const { openProbe: _, ...reference } = request.destination.reference;
    const destination = { ...request.destination, reference };
    const failure = await failureOf(foreseen({ ...request, destination }));
    expect(failure).toMatchObject({ code: "unsupported" });
    expect(failure.message).toContain("A dry run to memory:b is not possible");
  });

  test("foresees several destinations, and that the source is read once for all", async () => {
    const image = sampleImage({ seed: "several", format: "oci", layers: ["gzip", "none"] });
    const keeper = new ForecastKeeper();
    const rehearsal = new Rehearsal();
    const request = requestOf(holding(image), new MemoryTransport(), {});
    const intos = [
      new MemoryTransport(),
      new MemoryTransport({ traits: { layers: "compress" } }),
      holding(image),
    ];
    const destinations = intos.map((into, number) => ({
      ...rehearsal.destination({
        reference: into.parseReference("b"),
        context: transportContext(),
      }),
      number,
    }));
    const rehearsed = rehearsal.request({ ...request, tell: keeper.note.bind(keeper) });
    await copyToSeveral({ ...rehearsed, destinations, again: false });
    const { copies, totals } = keeper.forecast;
    const sizes = blobsOf(image).map(({ bytes }) => bytes.length);
    const all = sizes.reduce((sum, size) => sum + size, 0);
    const each = copies[0]?.destinations ?? [];
    expect(each.map(({ totals: own }) => own.bytes.read)).toEqual([all, all, 0]);
    expect(each.map(({ totals: own }) => own.unknown)).toEqual([0, 1, 0]);
    expect(totals.bytes.read).toBe(all);
    expect(intos.map(({ images }) => images.size)).toEqual([0, 0, 1]);
  });
});
