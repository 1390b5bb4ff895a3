// dray delete: an image, from where it is kept.

import { during, Failure } from "../../core/failure.ts";
import { listedTransports, parseImageName } from "../../core/image/parse-name.ts";
import type { ImageReference, TransportContext } from "../../core/image/transport.ts";
import { transports } from "../../transports/table.ts";
import { defineTool } from "../command.ts";
import { contextOf } from "../compose.ts";
import { toggle } from "../flags/flag.ts";
import { imageFlags, retryFlags } from "../flags/image.ts";
import { imageNames } from "../help.ts";
import { retrying } from "../retrying.ts";

/** Deletes one image. Says nothing when that worked. */
export const deleteImage = defineTool({
  name: "delete",
  usage: "delete [command options] IMAGE-NAME",
  summary: "Delete image IMAGE-NAME",
  // The original has no empty line here; keep.
  description: (program) =>
    `Delete an "IMAGE_NAME" from a transport\n${imageNames(listedTransports(transports), program).replace("\n\n", "\n")}`,
  examples: ["delete docker://registry.example.com/example/pause:latest"],
  flags: {
    image: imageFlags(""),
    retry: retryFlags,
    tagOnly: toggle(
      "tag-only",
      "Remove the tag and keep the image; fails where a registry cannot do that",
    ),
  },
  async run(call) {
    const { operands, flags } = call;
    const [text] = operands;
    if (text === undefined || operands.length !== 1) {
      throw new Failure("usage", "Usage: delete imageReference");
    }
    const reference = await during(`Invalid source name ${text}`, () =>
      parseImageName(text, transports),
    );
    const context = contextOf(call, { flags: flags.image });
    await retrying(call, flags.retry, () =>
      flags.tagOnly ? untag(reference, context) : remove(reference, context),
    );
  },
});

async function remove(reference: ImageReference, context: TransportContext): Promise<void> {
  if (reference.deleteImage === undefined) {
    throw new Failure(
      "unsupported",
      `Deleting images not implemented for ${reference.transport}: images`,
    );
  }
  await reference.deleteImage(context);
}

async function untag(reference: ImageReference, context: TransportContext): Promise<void> {
  if (reference.deleteTag === undefined) {
    throw new Failure(
      "unsupported",
      `Removing only the tag is not possible for ${reference.transport}: images`,
      { hint: "leave out --tag-only" },
    );
  }
  await reference.deleteTag(context);
}
