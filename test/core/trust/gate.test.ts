import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { type Digest, digestOf } from "../../../core/content/digest.ts";
import { Failure } from "../../../core/failure.ts";
import type { Pipes } from "../../../cli/proxy/pipes.ts";
import type { ImageDestination } from "../../../core/image/destination.ts";
import type { ImageName } from "../../../core/image/name.ts";
import type { ProxyContent } from "../../../core/proxy/images.ts";
import type { ImageSource, RawManifest, SignedManifest } from "../../../core/image/source.ts";
import { limits } from "../../../core/limits.ts";
import {
  AdmittedImage,
  Candidate,
  Gate,
  OutgoingBlob,
  OutgoingManifest,
  type Policy,
  type PolicyRequirement,
  type Verdict,
} from "../../../core/trust/gate.ts";
import type { Decision, SignatureTrial } from "../../../core/trust/decision.ts";
import { acceptEverything } from "../../../core/trust/requirements/basic.ts";
import { reject } from "../../../core/trust/requirements/basic.ts";
import { sourceOf } from "../../support/source-of.ts";

const layer = Buffer.from("the bytes of a layer");
const layerDescriptor = {
  mediaType: "application/vnd.oci.image.layer.v1.tar",
  digest: digestOf(layer),
  size: layer.length,
};

const imageType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";

/** Manifests that differ by one annotation each. */
function manifestOf(mark: string): RawManifest {
  const manifest = {
    schemaVersion: 2,
    mediaType: imageType,
    config: { ...layerDescriptor, mediaType: "application/vnd.oci.image.config.v1+json" },
    layers: [layerDescriptor],
    annotations: { mark },
  };
  return { bytes: Buffer.from(JSON.stringify(manifest)), mediaType: imageType };
}

function listOf(instances: readonly RawManifest[]): RawManifest {
  const manifests = instances.map(({ bytes }) => ({
    mediaType: imageType,
    digest: digestOf(bytes),
    size: bytes.length,
  }));
  const index = { schemaVersion: 2, mediaType: indexType, manifests };
  return { bytes: Buffer.from(JSON.stringify(index)), mediaType: indexType };
}

/** Holds manifests under their digests; the first is what the name leads to. */
function holding(manifests: readonly RawManifest[], name: Partial<ImageName> = {}): ImageSource {
  const byDigest = new Map(manifests.map((raw) => [digestOf(raw.bytes), raw]));
  return sourceOf(name, {
    readManifest: async (instance) => {
      const found = instance === undefined ? manifests[0] : byDigest.get(instance);
      if (found === undefined) throw new Failure("not-found", "No such manifest");
      return found;
    },
    openBlob: async () => streamOf(layer),
  });
}

function requirement(
  decide: (candidate: Candidate) => Verdict | Promise<Verdict>,
  verifiesSignatures = false,
): PolicyRequirement {
  return { type: "test", verifiesSignatures, decide: async (candidate) => decide(candidate) };
}

const yes = requirement(() => ({ allowed: true }));
const no = requirement(() => ({ allowed: false, reason: "because" }));
const throwing = (error: unknown) =>
  requirement(() => {
    throw error;
  });

function gateOf(requirements: readonly PolicyRequirement[], requireSigned = false): Gate {
  return new Gate(
    { requirementsFor: () => requirements },
    { requireSigned, now: () => new Date() },
  );
}

const accepting = new Gate(acceptEverything, { requireSigned: false, now: () => new Date() });
const image = manifestOf("image");

function digestAt(raw: RawManifest): Digest {
  return digestOf(raw.bytes);
}

describe("Gate.admit", () => {
  test("admits what all requirements allow, and asks them in order", async () => {
    const asked: string[] = [];
    const asking = (name: string) =>
      requirement(() => {
        asked.push(name);
        return { allowed: true };
      });
    const gate = gateOf([asking("first"), asking("second")]);
    const admitted = await gate.admit(new Candidate(holding([image])));
    expect(admitted).toBeInstanceOf(AdmittedImage);
    expect(asked).toEqual(["first", "second"]);
  });

  test("G4: refuses for the first requirement that says no, and asks no further", async () => {
    const gate = gateOf([yes, no, throwing(new Error("asked too much"))]);
    await expect(gate.admit(new Candidate(holding([image])))).rejects.toMatchObject({
      code: "rejected",
      message: "Source image rejected: because",
    });
  });

  test.each<[string, readonly PolicyRequirement[], string]>([
    ["there is no requirement", [], "List of policy requirements must not be empty"],
    ["one says no", [no], "because"],
    ["the last one says no", [yes, yes, no], "because"],
    [
      "one fails",
      [throwing(new Failure("config", "open /k: permission denied"))],
      "open /k: permission denied",
    ],
    ["one contradicts itself", [throwing(new Failure("bug", "impossible"))], "impossible"],
    ["one throws an error", [throwing(new TypeError("x is undefined"))], "x is undefined"],
    ["one throws a text", [throwing("crashed")], "crashed"],
    ["one throws nothing", [throwing(undefined)], "undefined"],
    ["one runs out of time", [throwing(new DOMException("too late", "TimeoutError"))], "too late"],
    [
      "one cannot read a signature",
      [requirement(async (c) => (await c.signatures(), { allowed: true }))],
      "lookaside is down",
    ],
    [
      "one cannot look at the config",
      [requirement(async (c) => (await c.look(layerDescriptor, 1), { allowed: true }))],
      "exceeded maximum allowed size of 1 bytes",
    ],
  ])("G4: refuses if %s", async (_, requirements, reason) => {
    const source = {
      ...holding([image]),
      readSignatures: async () => {
        throw new Failure("unavailable", "lookaside is down");
      },
    };
    await expect(gateOf(requirements).admit(new Candidate(source))).rejects.toMatchObject({
      code: "rejected",
      message: `Source image rejected: ${reason}`,
    });
  });

  test("G4: does not admit if the user stopped it, and does not call that a refusal", async () => {
    const gate = gateOf([throwing(new Failure("canceled", "canceled"))]);
    await expect(gate.admit(new Candidate(holding([image])))).rejects.toMatchObject({
      code: "canceled",
    });
  });

  test("G4: does not admit if the policy itself fails", async () => {
    const policy: Policy = {
      requirementsFor: () => {
        throw new Failure("config", "broken policy");
      },
    };
    const gate = new Gate(policy, { requireSigned: false, now: () => new Date() });
    await expect(gate.admit(new Candidate(holding([image])))).rejects.toThrow("broken policy");
  });

  test("does not admit an image whose manifest cannot be read", async () => {
    await expect(accepting.admit(new Candidate(sourceOf()))).rejects.toMatchObject({
      code: "not-found",
    });
  });

  test("asks the policy for the name that the user typed, also for an image of a list", async () => {
    const asked: ImageName[] = [];
    const policy: Policy = {
      requirementsFor: (name) => {
        asked.push(name);
        return [yes];
      },
    };
    const source = holding([listOf([image]), image]);
    const gate = new Gate(policy, { requireSigned: false, now: () => new Date() });
    await gate.admit(new Candidate(source).pick(digestAt(image)));
    expect(asked).toEqual([source.name]);
  });

  describe("where signatures are required", () => {
    const verifying = requirement(() => ({ allowed: true }), true);

    test("refuses an image that no requirement verified", async () => {
      const name = { transport: "docker", policyIdentity: "docker.io/library/busybox:latest" };
      const admission = gateOf([yes], true).admit(new Candidate(holding([image], name)));
      await expect(admission).rejects.toMatchObject({
        code: "rejected",
        message:
          "Source image rejected: No signature verification policy found for image docker:docker.io/library/busybox:latest",
      });
    });

    test("admits an image that one of the requirements verified", async () => {
      const gate = gateOf([yes, verifying], true);
      expect((await gate.admit(new Candidate(holding([image])))).digest).toBe(digestAt(image));
    });

    test("gives the reason of a requirement first", async () => {
      const admission = gateOf([no], true).admit(new Candidate(holding([image])));
      await expect(admission).rejects.toThrow("Source image rejected: because");
    });
  });
});

describe("Gate", () => {
  const now = new Date("2024-03-01T12:00:00Z");
  const trial: SignatureTrial = {
    number: 1,
    form: "simple signing",
    outcome: { kind: "refused", reason: "not yours" },
  };
  const trying: PolicyRequirement = {
    type: "trying",
    verifiesSignatures: true,
    wants: { key: "k" },
    decide: async (_, { now: time, tried }) => {
      expect(time).toBe(now);
      tried(trial);
      return { allowed: false, reason: "none was accepted" };
    },
  };

  test("tells how each rule that was asked came to its answer, and by which signatures", async () => {
    const told: Decision[] = [];
    const gate = new Gate(
      { requirementsFor: () => [yes, trying, no] },
      { requireSigned: false, now: () => now },
    );
    const admission = gate.admit(new Candidate(holding([image])), (each) => told.push(each));
    await expect(admission).rejects.toThrow("Source image rejected: none was accepted");
    expect(told[0]?.answers).toEqual([
      { rule: "test", allowed: true, trials: [] },
      {
        rule: "trying",
        wants: { key: "k" },
        allowed: false,
        reason: "none was accepted",
        trials: [trial],
      },
    ]);
  });

  test("tells of rules that could not decide, and of signatures they had tried", async () => {
    const told: Decision[] = [];
    const failing: PolicyRequirement = {
      type: "failing",
      verifiesSignatures: true,
      decide: async (_, { tried }) => {
        tried(trial);
        throw new Failure("io", "disk on fire");
      },
    };
    const gate = gateOf([failing]);
    const admission = gate.admit(new Candidate(holding([image])), (each) => told.push(each));
    await expect(admission).rejects.toThrow("disk on fire");
    expect(told[0]?.answers).toEqual([
      { rule: "failing", allowed: false, reason: "disk on fire", trials: [trial] },
    ]);
  });
});

describe("Gate.admitList", () => {
  const amd64 = manifestOf("amd64");
  const arm64 = manifestOf("arm64");
  const list = listOf([amd64, arm64]);
  const source = holding([list, amd64, arm64]);
  const gate = new Gate(
    {
      requirementsFor: () => [
        requirement(({ instance }) =>
          instance === undefined ? { allowed: false, reason: "a list alone" } : { allowed: true },
        ),
      ],
    },
    { requireSigned: false, now: () => new Date() },
  );
  const candidate = new Candidate(source);
  const admit = (raw: RawManifest) => gate.admit(candidate.pick(digestAt(raw)));

  test("G1: admits a list by all of its images", async () => {
    const admitted = await gate.admitList(candidate, [await admit(arm64), await admit(amd64)]);
    expect(admitted.manifest).toBe(list);
    expect(admitted.digest).toBe(digestAt(list));
  });

  test("G1: asks the policy about a list that travels without one of its images", async () => {
    await expect(gate.admitList(candidate, [await admit(amd64)])).rejects.toThrow("a list alone");
    const admitted = await accepting.admitList(candidate, [await admit(amd64)]);
    expect(admitted.digest).toBe(digestAt(list));
  });

  test("G1: asks the policy about a list that travels alone", async () => {
    await expect(gate.admitList(candidate, [])).rejects.toThrow(
      "Source image rejected: a list alone",
    );
  });

  test("G1: asks the policy about a list without images", async () => {
    const empty = new Candidate(holding([listOf([])]));
    await expect(gate.admitList(empty, [])).rejects.toThrow("a list alone");
  });

  test("G1: takes no image for another one of the list", async () => {
    const other = new Candidate(holding([listOf([amd64, image]), amd64, image]));
    const images = [await admit(amd64), await gate.admit(other.pick(digestAt(image)))];
    await expect(gate.admitList(candidate, images)).rejects.toThrow("a list alone");
  });

  test("G1: takes no image that was admitted under another name", async () => {
    const elsewhere = new Candidate(holding([list, amd64, arm64], { text: "/elsewhere" }));
    const images = [
      await gate.admit(elsewhere.pick(digestAt(amd64))),
      await gate.admit(elsewhere.pick(digestAt(arm64))),
    ];
    await expect(gate.admitList(candidate, images)).rejects.toThrow("a list alone");
  });

  test("G1: asks the policy about what is no list", async () => {
    const single = new Candidate(holding([image]));
    await expect(gate.admitList(single, [])).rejects.toThrow("a list alone");
  });
});

describe("Candidate", () => {
  test("G2: reads a manifest once, and carries the bytes that were judged", async () => {
    let reads = 0;
    const moving = sourceOf({}, { readManifest: async () => manifestOf(`answer ${++reads}`) });
    let judged: RawManifest | undefined;
    const gate = gateOf([
      requirement(async (candidate) => {
        judged = await candidate.manifest();
        return { allowed: true };
      }),
    ]);
    const candidate = new Candidate(moving);
    await Promise.all([candidate.manifest(), candidate.digest()]);
    const admitted = await gate.admit(candidate);
    expect(reads).toBe(1);
    expect(admitted.manifest).toBe(judged as unknown as RawManifest);
    expect(admitted.publish().bytes).toBe(admitted.manifest.bytes);
    expect(admitted.digest).toBe(digestAt(manifestOf("answer 1")));
  });

  test("G3: reads signatures once, for the digest of the bytes that are judged", async () => {
    let reads = 0;
    const asked: SignedManifest[] = [];
    const moving = sourceOf(
      {},
      {
        readManifest: async () => manifestOf(`answer ${++reads}`),
        readSignatures: async (of) => {
          asked.push(of);
          return [layer];
        },
      },
    );
    const candidate = new Candidate(moving);
    expect(await candidate.signatures()).toBe(await candidate.signatures());
    const admitted = await accepting.admit(candidate);
    expect(asked).toEqual([{ digest: digestAt(manifestOf("answer 1")) }]);
    expect(admitted.manifest).toEqual(manifestOf("answer 1"));
  });

  test("G3: says which image of a list the signatures are for", async () => {
    const asked: SignedManifest[] = [];
    const source = {
      ...holding([listOf([image]), image]),
      readSignatures: async (of: SignedManifest) => {
        asked.push(of);
        return [];
      },
    };
    await new Candidate(source).pick(digestAt(image)).signatures();
    expect(asked).toEqual([{ digest: digestAt(image), instance: digestAt(image) }]);
  });

  test("G3: reads no signatures for a manifest that is not what it was asked for by", async () => {
    const parts = { readManifest: async () => image, readSignatures: async () => [layer] };
    const wrong = sourceOf({ digest: digestAt(manifestOf("other")) }, parts);
    await expect(new Candidate(wrong).signatures()).rejects.toMatchObject({ code: "corrupt" });
  });

  test.each<[string, Partial<ImageName>, Digest | undefined]>([
    ["the digest in its name", { digest: layerDescriptor.digest }, undefined],
    ["the digest in its list", {}, layerDescriptor.digest],
  ])("C3: fails on a manifest that does not match %s", async (_, name, instance) => {
    const source = sourceOf(name, { readManifest: async () => image });
    const failure = { code: "corrupt", message: expect.stringContaining("does not match") };
    await expect(new Candidate(source, instance).manifest()).rejects.toMatchObject(failure);
    await expect(new Candidate(source, instance).digest()).rejects.toMatchObject(failure);
    await expect(accepting.admit(new Candidate(source, instance))).rejects.toMatchObject(failure);
  });

  test("P1: fails on a manifest beyond the limit", async () => {
    const bytes = new Uint8Array(limits.manifestBytes + 1);
    const source = sourceOf({}, { readManifest: async () => ({ bytes, mediaType: "" }) });
    await expect(new Candidate(source).manifest()).rejects.toMatchObject({ code: "corrupt" });
  });

  test("C2: looks at no blob that is not what it should be", async () => {
    const source = { ...holding([image]), openBlob: async () => streamOf(layer.subarray(1)) };
    await expect(new Candidate(source).look(layerDescriptor, 100)).rejects.toMatchObject({
      code: "corrupt",
    });
  });
});

describe("AdmittedImage", () => {
  test("G9: stays what was judged, whatever is written on its behalf", async () => {
    const admitted = await accepting.admit(new Candidate(holding([image])));
    const rewritten = manifestOf("rewritten");
    expect(admitted.publish(rewritten).bytes).toBe(rewritten.bytes);
    expect(admitted.manifest).toBe(image);
    expect(admitted.digest).toBe(digestAt(image));
  });

  test("G1: carries a list as where it was chosen from only if the list names it", async () => {
    const admitted = await accepting.admit(new Candidate(holding([image])));
    const list = listOf([manifestOf("another"), image]);
    expect(admitted.publishOrigin(list).bytes).toBe(list.bytes);
    for (const other of [listOf([manifestOf("another")]), listOf([]), image]) {
      expect(() => admitted.publishOrigin(other)).toThrow(Failure);
    }
  });

  test("tells how its layers are kept, if its source knows", async () => {
    const admitted = await accepting.admit(new Candidate(holding([image])));
    expect(await admitted.keptLayers()).toBeUndefined();
    const kept = { image: "i", layers: [] };
    const asked: Digest[] = [];
    const source = {
      ...holding([image]),
      readLayers: async (manifest: Digest) => {
        asked.push(manifest);
        return kept;
      },
    };
    const other = await accepting.admit(new Candidate(source));
    expect(await other.keptLayers()).toBe(kept);
    expect(asked).toEqual([digestAt(image)]);
  });

  test("C2: reads only the rest of what is held in part, and verifies it all", async () => {
    const skips: number[] = [];
    const source = {
      ...holding([image]),
      openRest: async (_: unknown, skipped: number) => {
        skips.push(skipped);
        return streamOf(layer.subarray(skipped));
      },
    };
    const admitted = await accepting.admit(new Candidate(source));
    const heldAs = (start: Uint8Array) => ({ size: start.length, open: () => streamOf(start) });
    const read = (start: Uint8Array) =>
      collect(admitted.blob(layerDescriptor, {}, heldAs(start)).open(), 100);
    expect(await read(layer.subarray(0, 7))).toEqual(layer);
    expect(skips).toEqual([7]);
    await expect(read(Buffer.from("another"))).rejects.toMatchObject({ code: "corrupt" });
    // Whoever cannot skip anything is read from the start.
    const plain = await accepting.admit(new Candidate(holding([image])));
    const whole = plain.blob(layerDescriptor, {}, heldAs(Buffer.from("another")));
    expect(await collect(whole.open(), 100)).toEqual(layer);
  });

  test("opens no blob before it is wanted, and opens it anew each time", async () => {
    let opened = 0;
    const source = {
      ...holding([image]),
      openBlob: async () => {
        opened++;
        return streamOf(layer);
      },
    };
    const blob = (await accepting.admit(new Candidate(source))).blob(layerDescriptor);
    expect(opened).toBe(0);
    expect(blob).toMatchObject(layerDescriptor);
    for (const times of [1, 2]) {
      expect(Buffer.from(await collect(blob.open(), 100))).toEqual(layer);
      expect(opened).toBe(times);
    }
  });

  test("C2: carries no blob that is not what it should be", async () => {
    const source = { ...holding([image]), openBlob: async () => streamOf(Buffer.from("else")) };
    const blob = (await accepting.admit(new Candidate(source))).blob(layerDescriptor);
    await expect(collect(blob.open(), 100)).rejects.toMatchObject({ code: "corrupt" });
  });

  test("G9: stays what was judged, wherever its blobs are read from", async () => {
    const admitted = await accepting.admit(new Candidate(holding([image])));
    const elsewhere = (bytes: Uint8Array) =>
      admitted.readFrom({ ...holding([]), openBlob: async () => streamOf(bytes) });
    const moved = elsewhere(layer);
    expect([moved.manifest, moved.digest]).toEqual([image, digestAt(image)]);
    const blob = moved.blob(layerDescriptor);
    expect(Buffer.from(await collect(blob.open(), 100))).toEqual(layer);
    const wrong = elsewhere(Buffer.from("else")).blob(layerDescriptor);
    await expect(collect(wrong.open(), 100)).rejects.toMatchObject({ code: "corrupt" });
  });

  test("names the digest and size of what is written on its behalf", async () => {
    const admitted = await accepting.admit(new Candidate(holding([image])));
    const blob = admitted.generate(layer, layerDescriptor.mediaType);
    expect(blob).toMatchObject(layerDescriptor);
    expect(Buffer.from(await collect(blob.open(), 100))).toEqual(layer);
  });

  test("leaves the digest of a changed blob open", async () => {
    const admitted = await accepting.admit(new Candidate(holding([image])));
    const doubled = admitted.blob(layerDescriptor).through(
      async function* (bytes) {
        for await (const chunk of bytes) yield* [chunk, chunk];
      },
      { mediaType: "doubled" },
    );
    expect(doubled.mediaType).toBe("doubled");
    expect([doubled.digest, doubled.size]).toEqual([undefined, undefined]);
    expect(Buffer.from(await collect(doubled.open(), 100))).toEqual(Buffer.concat([layer, layer]));
  });
});

describe("OutgoingBlob, and the memory of its chunks", () => {
  const blobOf = async (source: ImageSource) =>
    (await accepting.admit(new Candidate(source))).blob(layerDescriptor);

  test("gives it away where the source does, whoever counts or looks", async () => {
    const blob = await blobOf({ ...holding([image]), givesMemory: true });
    const sizes: number[] = [];
    const counted = blob.counted((bytes) => sizes.push(bytes));
    await using peek = await counted.peek(1);
    const named = blob.as("text/html");
    expect({ ...named }).toEqual({ ...blob, mediaType: "text/html" });
    expect([blob, counted, named, peek.blob].map(({ givesMemory }) => givesMemory)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([counted.digest, counted.size]).toEqual([blob.digest, blob.size]);
    expect(Buffer.from(await collect(peek.blob.open(), 100))).toEqual(Buffer.from(layer));
    expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBe(layer.length);
  });

  test("keeps it where a stage may, where it is one's own, and where nobody has said", async () => {
    const source = holding([image]);
    const giving = await blobOf({ ...source, givesMemory: true });
    const admitted = await accepting.admit(new Candidate({ ...source, givesMemory: true }));
    const kept = [
      await blobOf(source),
      giving.through((bytes) => bytes, { ...giving }),
      admitted.generate(layer, "text/plain"),
      admitted.readFrom(source).blob(layerDescriptor),
    ];
    for (const { givesMemory } of kept) expect(givesMemory).toBe(false);
  });
});

/** Whoever could call these functions could copy without asking. They must not even compile. */
describe("G1: without an admission", () => {
  const source = holding([image]);
  const likeKey = Symbol("admission");
  const open = () => streamOf(layer);

  const forgeries: readonly (readonly [string, () => unknown])[] = [
    [
      "a blob",
      // @ts-expect-error: no other symbol is the key.
      () => new OutgoingBlob(likeKey, open, layerDescriptor),
    ],
    [
      "a manifest",
      // @ts-expect-error: no other symbol is the key.
      () => new OutgoingManifest(likeKey, image),
    ],
    [
      "an admitted image",
      // @ts-expect-error: no other symbol is the key.
      () => new AdmittedImage(likeKey, source, image, digestAt(image)),
    ],
    [
      "a manifest, by no key at all",
      // @ts-expect-error: there is no default.
      () => new OutgoingManifest(undefined, image),
    ],
    [
      "a manifest of an heir",
      () =>
        new (class extends OutgoingManifest {
          constructor() {
            // @ts-expect-error: the heir has no key either.
            super(likeKey, image);
          }
        })(),
    ],
  ];

  test.each(forgeries)("nobody makes %s: that is a bug", (_, forge) => {
    expect(forge).toThrow(Failure);
    expect(forge).toThrow("without an admission");
  });

  test("nobody admits a candidate but the gate", async () => {
    // @ts-expect-error: no other symbol is the key.
    await expect(new Candidate(source).admit(likeKey)).rejects.toMatchObject({ code: "bug" });
  });

  test("nobody passes a look-alike", async () => {
    // @ts-expect-error: private fields make the class nominal.
    const blob: OutgoingBlob = { ...layerDescriptor, open, through: () => blob };
    // @ts-expect-error: private fields make the class nominal.
    const manifest: OutgoingManifest = { ...image, admitted: true };
    // @ts-expect-error: a candidate is not an admitted image.
    const candidate: AdmittedImage = new Candidate(source);
    const admitted = await accepting.admit(new Candidate(source));
    // @ts-expect-error: nor is a copy of one.
    const copied: AdmittedImage = { ...admitted };
    // @ts-expect-error: what a source reads is not for a destination.
    const raw: OutgoingManifest = await source.readManifest();
    expect([blob, manifest, candidate, copied, raw]).toHaveLength(5);
  });

  test("nobody writes to a destination, or to a client of the proxy, what was only found", () => {
    interface Found {
      readonly destination: ImageDestination;
      readonly pipes: Pipes;
      readonly bytes: AsyncIterable<Uint8Array>;
      readonly raw: RawManifest;
      readonly candidate: Candidate;
    }
    // It has to compile, and nobody calls it.
    const write = async ({ destination, pipes, bytes, raw, candidate }: Found) => {
      const blob = { ...layerDescriptor, open: () => bytes };
      // @ts-expect-error: bytes that flow are not on their way to a destination.
      await destination.putBlob(blob, "layer");
      // @ts-expect-error: nor is what a source opens.
      await destination.putBlob(await source.openBlob(layerDescriptor), "config");
      // @ts-expect-error: a manifest as it was read.
      await destination.putManifest(raw);
      // @ts-expect-error: likewise of one image of a list.
      await destination.putManifest(raw, digestAt(raw));
      // @ts-expect-error: a manifest that was looked at.
      await destination.putManifest(await candidate.manifest());
      // @ts-expect-error: a blob is no manifest.
      await destination.putManifest(accepted.blob(layerDescriptor));
      // @ts-expect-error: a list as it was read.
      await destination.putOrigin?.(raw);
      // @ts-expect-error: bytes that flow are not on their way to a client.
      pipes.offer(bytes);
      // @ts-expect-error: nor by two pipes.
      pipes.offerRaw(bytes, () => "");
      // @ts-expect-error: nor what was looked at.
      pipes.offer(await candidate.look(layerDescriptor, 1));
      const content: ProxyContent = {
        value: null,
        // @ts-expect-error: nor can it be passed off as content.
        content: blob,
      };
      return content;
    };
    expect(write).toBeFunction();
    let accepted: AdmittedImage;
  });

  test("a destination has no other ways to be written to", () => {
    // One that is new stands here once somebody has seen that it takes nothing but what was admitted.
    const known = [
      ...(["name", "traits", "rehearses", "heldStart"] as const),
      ...(["reuseBlob", "reuseStandIn"] as const),
      ...(["putBlob", "putManifest", "putOrigin", "putSignatures", "putReferrers"] as const),
      // Words about where an image came from, made by core.
      ...(["noteMaking"] as const),
      ...(["commit", Symbol.asyncDispose] as const),
    ];
    // Neither compiles unless there is nothing to be listed.
    const unknown: never[] = [] as Exclude<keyof ImageDestination, (typeof known)[number]>[];
    const surplus: never[] = [] as Exclude<(typeof known)[number], keyof ImageDestination>[];
    expect([...unknown, ...surplus]).toEqual([]);
  });

  test("the brand of a manifest is no member that could be copied", async () => {
    const admitted = (await accepting.admit(new Candidate(source))).publish();
    expect(admitted.admitted).toBe(true);
    expect(Object.keys(admitted)).toEqual(["bytes", "mediaType"]);
    const copied: OutgoingManifest = Object.setPrototypeOf(
      { ...admitted },
      OutgoingManifest.prototype,
    );
    expect(() => copied.admitted).toThrow(TypeError);
  });

  test("no key leaves the module", async () => {
    const names = Object.keys(await import("../../../core/trust/gate.ts")).sort();
    expect(names).toEqual([
      "AdmittedImage",
      "Candidate",
      "Gate",
      "OutgoingBlob",
      "OutgoingManifest",
    ]);
    const admitted = await accepting.admit(new Candidate(source));
    for (const object of [
      admitted,
      admitted.publish(),
      admitted.blob(layerDescriptor),
      accepting,
    ]) {
      expect(Object.getOwnPropertySymbols(object)).toEqual([]);
    }
  });
});

test("reject keeps everything out", async () => {
  await expect(gateOf([reject]).admit(new Candidate(holding([image])))).rejects.toMatchObject({
    code: "rejected",
    message: "Source image rejected: Running image dir:/image is rejected by policy.",
  });
});

describe("Gate, as heard", () => {
  const heard = async (gate: Gate, candidate: Candidate): Promise<readonly Decision[]> => {
    const decisions: Decision[] = [];
    await gate.admit(candidate, (decision) => decisions.push(decision)).catch(() => undefined);
    return decisions;
  };
  const named = { transport: "test", text: "a" };

  test("says which rules were asked, and which image they let in", async () => {
    expect(await heard(gateOf([yes, yes]), new Candidate(holding([image], named)))).toEqual([
      {
        verdict: "admitted",
        image: "test:a",
        by: "rules",
        rules: ["test", "test"],
        answers: [
          { rule: "test", allowed: true, trials: [] },
          { rule: "test", allowed: true, trials: [] },
        ],
        digest: digestAt(image),
      },
    ]);
  });

  test.each([
    ["a rule that says no", gateOf([yes, no]), { refusedBy: "test", reason: "because" }],
    ["a rule that breaks", gateOf([throwing(new Error("broke"))]), { reason: "broke" }],
    ["no rule at all", gateOf([]), { rules: [] }],
    [
      "a signature that has to be asked for",
      gateOf([yes], true),
      { reason: expect.stringContaining("No signature verification policy found") },
    ],
  ])("says why an image is refused: %s", async (_, gate, expected) => {
    const [decision, ...others] = await heard(gate, new Candidate(holding([image], named)));
    expect(decision).toMatchObject({ verdict: "rejected", image: "test:a", ...expected });
    expect(others).toEqual([]);
  });

  test("says in which entry of the policy the rules stand", async () => {
    const scope = { transport: "test", name: "a" };
    const gate = new Gate(
      { requirementsFor: () => [yes], scopeFor: () => scope },
      { requireSigned: false, now: () => new Date() },
    );
    expect(await heard(gate, new Candidate(holding([image])))).toMatchObject([{ scope }]);
  });

  test("says that a list was let in by its images, or by rules where some stay", async () => {
    const two = [manifestOf("1"), manifestOf("2")];
    const candidate = new Candidate(holding([listOf(two), ...two], named));
    const images = [];
    for (const each of two) images.push(await accepting.admit(candidate.pick(digestAt(each))));
    const decisions: Decision[] = [];
    const hear = (decision: Decision) => decisions.push(decision);
    await accepting.admitList(candidate, images, hear);
    await accepting.admitList(candidate, images.slice(1), hear);
    expect(decisions.map(({ by, rules }) => [by, ...rules])).toEqual([
      ["images"],
      ["rules", "insecureAcceptAnything"],
    ]);
  });
});
