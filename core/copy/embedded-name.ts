// Embedded names: which image a schema 1 manifest says it is, and which it is going to be.

import { parseDockerName } from "../content/docker-name.ts";
import { isSchema1 } from "../content/media-types.ts";
import type { DestinationTraits } from "../image/destination.ts";
import { type ImageName, spelled } from "../image/name.ts";
import { type EmbeddedName, schema1Of } from "../manifest/schema1.ts";
import type { ImageManifest } from "../manifest/types.ts";
import { wouldChange } from "./frozen.ts";

/** A destination, as far as it concerns names. */
interface NamedPlace {
  readonly name: ImageName;
  readonly traits: Pick<DestinationTraits, "ignoresEmbeddedNames">;
}

/** Returns what a schema 1 manifest says there, or undefined if no registry knows the name or nobody minds. */
export function embeddedNameOf({ name, traits }: NamedPlace): EmbeddedName | undefined {
  const { docker } = name;
  if (docker === undefined || traits.ignoresEmbeddedNames === true) return undefined;
  const { repository, tag = "" } = parseDockerName(docker);
  return { name: repository, tag };
}

/** Fails with `unsupported` if a manifest must not change, but says that it is another image. */
export function checkEmbeddedName(
  manifest: ImageManifest,
  writer: NamedPlace,
  frozenBecause: string | undefined,
): void {
  const wanted = embeddedNameOf(writer);
  if (frozenBecause === undefined || wanted === undefined) return;
  if (!isSchema1(manifest.mediaType)) return;
  const said = schema1Of(manifest);
  if (said.name === wanted.name && said.tag === wanted.tag) return;
  throw wouldChange(
    `Copying a schema1 image with an embedded Docker reference to ${spelled(writer.name)} (Docker reference ${writer.name.docker}) would change the manifest, which we cannot do: ${JSON.stringify(frozenBecause)}`,
    `it calls itself ${called(said)}, and would have to be ${called(wanted)}`,
    frozenBecause,
  );
}

function called({ name, tag }: EmbeddedName): string {
  return tag === "" ? `${name} without a tag` : `${name}:${tag}`;
}
