// From schema 1: the config that a schema 1 image has in later formats.

import type { Digest } from "../content/digest.ts";
import { encodeJson } from "../json.ts";
import { zeroTime } from "./go-schema.ts";
import { readMemberTexts, writeMemberTexts } from "./member-texts.ts";
import { completedConfig, isOldVersion } from "./old-config.ts";
import type { Schema1Manifest, Schema1Step } from "./schema1.ts";

/**
 * Returns the config of an image, as schema 2 keeps it and byte for byte as the original writes it:
 * what its newest layer says, with the history and the uncompressed layers that were spread over all.
 *
 * `diffIds` are the digests of the uncompressed layers, base first, without those that hold nothing.
 * Fails with `corrupt`.
 */
export function configFromSchema1(
  { newest, history }: Schema1Manifest,
  diffIds: readonly Digest[],
): Uint8Array {
  const dockerVersion = history.at(-1)?.dockerVersion ?? "";
  const complete = isOldVersion(dockerVersion) ? completedConfig(newest) : newest;
  const members = readMemberTexts(complete);
  for (const name of ofOneLayer) members.delete(name);
  members.set("rootfs", encodeJson({ type: "layers", diff_ids: diffIds }));
  members.set("history", encodeJson(history.map(historyEntry)));
  return new TextEncoder().encode(writeMemberTexts(members));
}

/** What a step of schema 1 says of its own layer, and a config of an image does not. */
const ofOneLayer = ["id", "parent", "parent_id", "layer_id", "throwaway", "Size"];

function historyEntry(step: Schema1Step): object {
  return {
    created: step.created ?? zeroTime,
    author: step.author || undefined,
    created_by: step.command.join(" ") || undefined,
    comment: step.comment || undefined,
    empty_layer: step.throwaway || undefined,
  };
}
