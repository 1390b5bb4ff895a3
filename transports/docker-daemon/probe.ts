// Probe: what an engine is asked before an image is loaded into it.

import { type DockerName, fullName } from "../../core/content/docker-name.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { during, Failure } from "../../core/failure.ts";
import type { DestinationProbe, DestinationTraits } from "../../core/image/destination.ts";
import type { ImageName } from "../../core/image/name.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { noSignatures, onlySchema2 } from "../shared/docker-tar-refusals.ts";
import { type Engine, openEngine } from "./engine.ts";

/** What engines want. */
export const engineTraits: DestinationTraits = {
  manifestTypes: [manifestTypes.schema2],
  refusesOtherTypes: onlySchema2,
  layers: "preserve",
  keepsForeignUrls: false,
  holdsLists: false,
  refusesSignatures: noSignatures,
  concurrent: false,
};

/** An engine that has answered, and what the new image is to be called there, in full. */
export interface GreetedEngine {
  readonly engine: Engine;
  readonly tag: string;
}

/** Opens an engine for one image. `name` is absent where the image has only an ID. */
export async function greetEngine(
  image: ImageName,
  name: DockerName | undefined,
  context: TransportContext,
): Promise<GreetedEngine> {
  if (name?.tag === undefined) {
    throw new Failure(
      "usage",
      `Invalid destination docker-daemon:${image.text}: a destination must be a name:tag`,
    );
  }
  await using opening = new AsyncDisposableStack();
  const engine = opening.use(await openEngine(context));
  await during("starting a load operation in docker engine", () => engine.greet());
  opening.move();
  // In full: engines differ in what they add to a short name.
  return { engine, tag: fullName(name) };
}

/** Asks an engine. It is there, and wants to be sent everything. */
export async function openProbe(
  image: ImageName,
  name: DockerName | undefined,
  context: TransportContext,
): Promise<DestinationProbe> {
  const { engine } = await greetEngine(image, name, context);
  return {
    name: image,
    traits: engineTraits,
    findBlob: async () => undefined,
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}
