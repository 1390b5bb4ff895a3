import { describe, expect, test } from "bun:test";

import { type Digest, digestOf } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import type { Glance, ImageReference } from "../../../core/image/transport.ts";
import { currentImages, type Look } from "../../../core/sync/unchanged.ts";
import { Gate } from "../../../core/trust/gate.ts";
import { acceptEverything } from "../../../core/trust/requirements/basic.ts";
import { reject } from "../../../core/trust/requirements/basic.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { transportContext } from "../../support/transport-context.ts";

const one = digestOf(new Uint8Array([1]));
const other = digestOf(new Uint8Array([2]));
const now = () => new Date();

function named(name: string, glance: Glance | undefined, asked: string[]): ImageReference {
  const reference = new MemoryTransport().parseReference(name);
  return {
    ...reference,
    async glance() {
      asked.push(name);
      return glance;
    },
  };
}

async function look(source: Glance | undefined, target: Glance | undefined, wish?: Partial<Look>) {
  const asked: string[] = [];
  const context = transportContext();
  const found = await currentImages({
    source: { reference: named("source", source, asked), context },
    destination: { reference: named("target", target, asked), context },
    gate: new Gate(acceptEverything, { requireSigned: false, now }),
    signatures: "copy",
    images: "system",
    platform: { os: "linux", architecture: "amd64" },
    preserveDigests: false,
    ...wish,
  });
  return { ...found, asked };
}

const at = (digest: Digest, more: Partial<Glance> = {}): Glance => {
  return { digest, perhapsSigned: false, ...more };
};

const [oci, index] = [manifestTypes.oci, manifestTypes.ociIndex];
const recipe = "edition 1, for linux/amd64, system, as it is, signatures copy";

describe("currentImages", () => {
  test("finds an image unchanged where both ends have it", async () => {
    const found = await look(at(one), at(one));
    expect(found).toMatchObject({
      unchanged: { digest: one, source: one },
      asked: ["target", "source"],
    });
  });

  test("asks the source nothing where the destination has nothing", async () => {
    expect(await look(at(one), undefined)).toEqual({ asked: ["target"] });
  });

  test("finds what was made of the source by the same recipe", async () => {
    const there = at(other, { making: `${one} by ${recipe}` });
    expect((await look(at(one), there)).unchanged).toEqual({ digest: other, source: one });
    for (const wish of [
      { format: oci },
      { images: "all" },
      { preserveDigests: true },
      { signatures: "remove" },
      { platform: { os: "linux", architecture: "arm64" } },
      { images: { platforms: [{ os: "linux", architecture: "amd64" }], others: "strip" } },
    ] satisfies Partial<Look>[]) {
      expect((await look(at(one), there, wish)).unchanged).toBeUndefined();
    }
    const elsewhere = at(other, { making: `${other} by ${recipe}` });
    expect((await look(at(one), elsewhere)).unchanged).toBeUndefined();
  });

  test.each<[string, Glance | undefined, Glance, Partial<Look>]>([
    ["they differ", at(other), at(one), {}],
    ["the source does not say", undefined, at(one), {}],
    ["signatures may have to travel", at(one, { perhapsSigned: true }), at(one), {}],
    [
      "the policy has to see it",
      at(one),
      at(one),
      { gate: new Gate({ requirementsFor: () => [reject] }, { requireSigned: false, now }) },
    ],
    [
      "signatures are required",
      at(one),
      at(one),
      { gate: new Gate(acceptEverything, { requireSigned: true, now }) },
    ],
    [
      "it is to have another format",
      at(one, { mediaType: oci }),
      at(one),
      { format: manifestTypes.schema2 },
    ],
    ["one image of a list is wanted", at(one, { mediaType: index }), at(one), {}],
    [
      "images of a list are missing",
      at(one),
      at(one, { mediaType: index, lacksImages: true }),
      { images: "all" },
    ],
  ])("has it read where %s", async (_, source, target, wish) => {
    expect((await look(source, target, wish)).unchanged).toBeUndefined();
  });

  test.each<[string, Glance, Partial<Look>]>([
    [
      "no signatures that are not to travel",
      at(one, { perhapsSigned: true }),
      { signatures: "remove" },
    ],
    ["a format that the image has", at(one, { mediaType: oci }), { format: oci }],
    ["a list that is wanted as a whole", at(one, { mediaType: index }), { images: "all" }],
    [
      "missing images of a list that is wanted alone",
      at(one, { mediaType: index, lacksImages: true }),
      { images: "index-only" },
    ],
  ])("minds %s", async (_, both, wish) => {
    expect((await look(both, both, wish)).unchanged?.digest).toBe(one);
  });

  test("looks at nothing where the image is to be signed, encrypted or compressed anew", async () => {
    const signers = { signers: [] };
    expect(await look(at(one), at(one), { signing: signers })).toEqual({ asked: [] });
  });
});
