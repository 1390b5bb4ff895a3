// Copying to all destinations of a command, and saying which of them failed.

import {
  copyToSeveral,
  type DestinationResult,
  type NumberedSide,
  type SeveralRequest,
} from "../core/copy/copy-to-several.ts";
import type { CopyOutcome, CopySide } from "../core/copy/request.ts";
import { Failure } from "../core/failure.ts";
import { spelled } from "../core/image/name.ts";
import type { ImageReference } from "../core/image/transport.ts";
import { isPassingFailure } from "../core/retry.ts";
import type { Call } from "./command.ts";
import type { RetryValues } from "./flags/image.ts";
import { harmless } from "./output/quote.ts";
import { retrying } from "./retrying.ts";

/** A copy to several destinations, as a command wants it. */
export interface CopyToAll {
  readonly request: Omit<SeveralRequest, "destinations" | "again">;
  readonly destinations: readonly [CopySide, ...CopySide[]];
  readonly retry: RetryValues;
  /** Takes what was written to the first destination, as soon as all that are tried have ended. */
  writtenFirst(outcome: CopyOutcome): Promise<void>;
}

/**
 * Copies to all destinations, and again to those that failed of what may pass. Fails with `incomplete`
 * where some have failed in the end and others have not.
 */
export async function copyToAll(call: Call, copy: CopyToAll): Promise<void> {
  const { request, retry } = copy;
  const all = copy.destinations.map((side, number) => ({ ...side, number }));
  const results = new Map<NumberedSide, DestinationResult>();
  const failures = () =>
    [...results.values()].flatMap((each) => (each.kind === "failed" ? [each.failure] : []));
  const attempt = async (): Promise<void> => {
    const destinations = all.filter((side) => results.get(side)?.kind !== "written");
    const again = results.size > 0;
    const found = await copyToSeveral({ ...request, destinations, again });
    for (const [index, result] of found.entries()) {
      const side = destinations[index];
      if (side === undefined) throw new Failure("bug", "There are results of no destination");
      results.set(side, result);
      if (side.number === 0 && result.kind === "written") await copy.writtenFirst(result.outcome);
    }
    const passing = failures().find(isPassingFailure);
    if (passing !== undefined) throw passing;
  };
  try {
    await retrying({ ...call, tell: request.tell }, retry, attempt);
  } catch (error) {
    // What is about one destination is told below, with all others.
    if (!(error instanceof Failure && failures().includes(error))) throw error;
  }
  if (failures().length > 0) call.signal.throwIfAborted();
  reportFailures(call, results);
}

function reportFailures(
  { log, screen }: Call,
  results: ReadonlyMap<NumberedSide, DestinationResult>,
): void {
  const failed = [...results].flatMap(([side, result]) =>
    result.kind === "failed" ? [{ name: side.reference, failure: result.failure }] : [],
  );
  const [first] = failed;
  if (first === undefined) return;
  for (const { name, failure } of failed) {
    log.error(`copying to ${spelled(name)}: ${failure.message}`);
    if (failure.hint !== undefined) screen.line(`hint: ${harmless(failure.hint)}`);
  }
  const all = failed.length === results.size;
  throw new Failure(
    all ? first.failure.code : "incomplete",
    `Copying to ${failed.length} of ${results.size} destinations failed`,
    { cause: first.failure, ...(!all && { hint: "the other destinations are complete" }) },
  );
}

/** Fails with `usage` if one of these destinations would write over another. */
export function checkApart(destinations: readonly ImageReference[]): void {
  for (const [index, one] of destinations.entries()) {
    const other = destinations.slice(0, index).find((each) => collide(one, each));
    if (other === undefined) continue;
    throw new Failure(
      "usage",
      `Cannot copy to ${spelled(other)} and ${spelled(one)} at the same time: they are in the same place`,
    );
  }
}

function collide(one: ImageReference, other: ImageReference): boolean {
  if (isWithin(one, other) || isWithin(other, one)) return true;
  if (one.archiveFile !== undefined || other.archiveFile !== undefined) {
    return one.archiveFile === other.archiveFile;
  }
  return one.transport === other.transport && one.text === other.text;
}

/** Tells whether an image is to be where a directory is to have one: what else lies there goes. */
function isWithin(one: ImageReference, other: ImageReference): boolean {
  if (other.transport !== "dir") return false;
  const path = one.archiveFile ?? (inDirectories.includes(one.transport) ? one.policyIdentity : "");
  return `${path}/`.startsWith(`${other.policyIdentity}/`);
}

/** A layout holds many images, and its policy sees but one. */
const inDirectories: readonly string[] = ["dir", "oci"];
