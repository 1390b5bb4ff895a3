import { describe, expect, test } from "bun:test";

import { type Digest, digestOf } from "../../../core/content/digest.ts";
import type { Glance, ImageReference } from "../../../core/image/transport.ts";
import { currentDigests, type Look } from "../../../core/sync/unchanged.ts";
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
  const found = await currentDigests({
    source: { reference: named("source", source, asked), context },
    destination: { reference: named("target", target, asked), context },
    gate: new Gate(acceptEverything, { requireSigned: false, now }),
    signatures: "copy",
    ...wish,
  });
  return { ...found, asked };
}

const at = (digest: Digest, perhapsSigned = false): Glance => ({ digest, perhapsSigned });

describe("currentDigests", () => {
  test("finds an image unchanged where both ends have it", async () => {
    const found = await look(at(one), at(one));
    expect(found).toEqual({ destination: one, unchanged: one, asked: ["target", "source"] });
  });

  test("asks the source nothing where the destination has nothing", async () => {
    expect(await look(at(one), undefined)).toEqual({ asked: ["target"] });
  });

  test.each([
    ["they differ", at(other), {}],
    ["the source does not say", undefined, {}],
    ["signatures may have to travel", at(one, true), {}],
    [
      "the policy has to see it",
      at(one),
      { gate: new Gate({ requirementsFor: () => [reject] }, { requireSigned: false, now }) },
    ],
    [
      "signatures are required",
      at(one),
      { gate: new Gate(acceptEverything, { requireSigned: true, now }) },
    ],
  ])("has it read where %s", async (_, source, wish) => {
    expect((await look(source, at(one), wish)).unchanged).toBeUndefined();
  });

  test("minds no signatures that are not to travel", async () => {
    const found = await look(at(one, true), at(one), { signatures: "remove" });
    expect(found.unchanged).toBe(one);
  });

  test("looks at nothing where the image is to be changed", async () => {
    const found = await look(at(one), at(one), {
      format: "application/vnd.oci.image.manifest.v1+json",
    });
    expect(found).toEqual({ asked: [] });
  });
});
