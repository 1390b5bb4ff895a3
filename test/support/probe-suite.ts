// Probes: what every one of them promises, as one suite for all transports.

import { describe, expect, test } from "bun:test";
import type { DestinationProbe } from "../../core/image/destination.ts";
import { asFailure } from "../../core/failure.ts";
import { descriptorOf, putSample, roleOf } from "./carry.ts";
import type { ContractPlace } from "./contract.ts";
import { blobsOf, type SampleImage } from "./sample-images.ts";

/** A place where images can be kept, and all that is there seen. */
export interface ProbePlace extends ContractPlace {
  tree(): unknown;
}

/** Which images are put there, and which name a destination refuses. */
export interface ProbeWish {
  readonly image: SampleImage;
  readonly other: SampleImage;
  /** The text of a name that cannot be written to. */
  refused?(place: ProbePlace): Promise<string>;
}

/** Declares the suite for a transport. `open` makes a place where no image is. */
export function probeSuite(
  transport: string,
  open: () => Promise<ProbePlace>,
  { image, other, refused }: ProbeWish,
): void {
  describe(`${transport} can be asked before it is written to`, () => {
    test("says what the destination would say", async () => {
      await using place = await open();
      await keep(place, image);
      const blobs = [...blobsOf(image), ...blobsOf(other)];
      const said: unknown[] = [];
      {
        await using probe = await probeOf(place);
        for (const blob of blobs) {
          said.push(await probe.findBlob(descriptorOf(blob), roleOf(image, blob)));
        }
      }
      await using destination = await referenceIn(place).openDestination(place.context);
      const done: unknown[] = [];
      for (const blob of blobs) {
        done.push(await destination.reuseBlob(descriptorOf(blob), roleOf(image, blob)));
      }
      expect(said).toEqual(done);
    });

    test("wants what the destination wants", async () => {
      await using place = await open();
      await using probe = await probeOf(place);
      await using destination = await referenceIn(place).openDestination(place.context);
      expect(probe.traits).toEqual(destination.traits);
      expect(probe.name).toMatchObject({ transport, text: destination.name.text });
    });

    test("changes nothing, whether an image is there or not", async () => {
      await using place = await open();
      for (const there of [false, true]) {
        if (there) await keep(place, image);
        const before = place.tree();
        {
          await using probe = await probeOf(place);
          for (const blob of blobsOf(image)) {
            await probe.findBlob(descriptorOf(blob), roleOf(image, blob));
          }
        }
        expect(place.tree()).toEqual(before);
      }
    });

    // Some take whatever name there is.
    if (refused === undefined) return;
    test("refuses what the destination refuses", async () => {
      await using place = await open();
      const reference = place.transport.parseReference(await refused(place));
      const [probing, writing] = await Promise.all([
        reference.openProbe?.(place.context).then(() => undefined, asFailure),
        reference.openDestination(place.context).then(() => undefined, asFailure),
      ]);
      expect(probing).toBeDefined();
      expect(probing).toMatchObject({ code: writing?.code, message: writing?.message });
    });
  });
}

function referenceIn(place: ProbePlace) {
  return place.transport.parseReference(place.textOf("a"));
}

async function probeOf(place: ProbePlace): Promise<DestinationProbe> {
  const probe = await referenceIn(place).openProbe?.(place.context);
  if (probe === undefined) throw new Error("nobody can ask it");
  return probe;
}

async function keep(place: ProbePlace, image: SampleImage): Promise<void> {
  await using destination = await referenceIn(place).openDestination(place.context);
  await putSample(destination, image);
  await destination.commit();
}
