// dray delete: an image, from where it is kept.

import { type ToldDeletion, deletionVersion } from "../../core/copy/deletion-schema.ts";
import { toldOf } from "../../core/copy/told-copy.ts";
import { asFailure, during, Failure } from "../../core/failure.ts";
import type { Deletion } from "../../core/image/deletion.ts";
import { spelled } from "../../core/image/name.ts";
import { listedTransports, parseImageName } from "../../core/image/parse-name.ts";
import type { ImageReference, TransportContext } from "../../core/image/transport.ts";
import { transports } from "../../transports/table.ts";
import { defineTool } from "../command.ts";
import { contextOf } from "../compose.ts";
import { toggle } from "../flags/flag.ts";
import { imageFlags, retryFlags } from "../flags/image.ts";
import { dryRunFlag, outputFlag } from "../flags/reporting.ts";
import { imageNames } from "../help.ts";
import { encodePretty, harmlessJson } from "../output/json.ts";
import { print } from "../output/print.ts";
import { harmless } from "../output/quote.ts";
import { renderSize } from "../output/size.ts";
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
    dryRun: dryRunFlag,
    output: outputFlag,
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
    const { tagOnly, dryRun } = flags;
    const once = () => (tagOnly ? untag(reference, context) : remove(reference, context));
    if (!dryRun && flags.output === "text") return retrying(call, flags.retry, once);
    const deletion = { reference, context, tagOnly, dryRun };
    await tellDeletion(call, deletion, async () => {
      const plan = await retrying(call, flags.retry, () => planOf(deletion));
      if (!dryRun) await retrying(call, flags.retry, once);
      return plan;
    });
  },
});

interface WantedDeletion {
  readonly reference: ImageReference;
  readonly context: TransportContext;
  readonly tagOnly: boolean;
  readonly dryRun: boolean;
}

/** Returns what will be taken away; undefined if nobody can tell, but a dry run fails then. */
async function planOf(wanted: WantedDeletion): Promise<Deletion | undefined> {
  const { reference, context, tagOnly, dryRun } = wanted;
  checkDeletable(reference, tagOnly);
  if (reference.planDeletion !== undefined) return reference.planDeletion(context, tagOnly);
  if (!dryRun) return undefined;
  throw new Failure("unsupported", `A dry run is not possible for ${reference.transport}: images`);
}

/** Does the work, and prints what was taken away, or would be. */
async function tellDeletion(
  { flags }: { readonly flags: { readonly output: "text" | "json" } },
  { reference, tagOnly, dryRun }: WantedDeletion,
  work: () => Promise<Deletion | undefined>,
): Promise<void> {
  const beganMs = performance.now();
  const tell = (told: Pick<ToldDeletion, "ok" | "failure"> & Partial<Deletion>) => {
    if (flags.output === "text") return told.ok ? print(deletionText(reference, told)) : undefined;
    const seconds = Math.round(performance.now() - beganMs) / 1000;
    const head = { v: deletionVersion, command: "delete", dryRun, ok: told.ok, seconds };
    const image = spelled(reference);
    return print(harmlessJson(encodePretty({ ...head, image, tagOnly, ...told })));
  };
  let done: Deletion | undefined;
  try {
    done = await work();
  } catch (error) {
    await tell({ ok: false, failure: toldOf(asFailure(error)) });
    throw error;
  }
  await tell({ ok: true, ...done });
}

function deletionText(
  reference: ImageReference,
  { digest, removals = [], notes = [] }: Partial<Deletion>,
): string {
  const lines = [
    `Deleting ${spelled(reference)}${digest === undefined ? "" : `, which is ${digest}`}`,
    ...removals.map(({ kind, name, size }) => {
      const bytes = size === undefined ? "" : renderSize(size);
      return `  ${kind.padEnd(8)} ${bytes.padStart(9)}  ${name}`;
    }),
    ...notes.map((note) => `  ${note}`),
    "Nothing was deleted.",
  ];
  return `${lines.map(harmless).join("\n")}\n`;
}

function checkDeletable(reference: ImageReference, tagOnly: boolean): void {
  if (tagOnly ? reference.deleteTag === undefined : reference.deleteImage === undefined) {
    throw tagOnly ? noUntagging(reference) : noDeleting(reference);
  }
}

function noDeleting({ transport }: ImageReference): Failure {
  return new Failure("unsupported", `Deleting images not implemented for ${transport}: images`);
}

function noUntagging({ transport }: ImageReference): Failure {
  return new Failure(
    "unsupported",
    `Removing only the tag is not possible for ${transport}: images`,
    { hint: "leave out --tag-only" },
  );
}

async function remove(reference: ImageReference, context: TransportContext): Promise<void> {
  if (reference.deleteImage === undefined) throw noDeleting(reference);
  await reference.deleteImage(context);
}

async function untag(reference: ImageReference, context: TransportContext): Promise<void> {
  if (reference.deleteTag === undefined) throw noUntagging(reference);
  await reference.deleteTag(context);
}
