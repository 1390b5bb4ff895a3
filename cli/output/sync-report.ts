// The report of a sync: what came of each image, for people and for programs.

import type { SurveyedImage } from "../../core/sync/survey.ts";
import type { SyncResult } from "../../core/sync/sync.ts";
import { encodePretty } from "./json.ts";
import { harmless } from "./quote.ts";
import { renderSize } from "./size.ts";

/** Returns the images that failed as lines of a table; empty if there are none. */
export function failureTable(results: readonly SyncResult[]): readonly string[] {
  const failed = results.flatMap(({ from, failure }) =>
    failure === undefined ? [] : [[from, failure.message] as const],
  );
  if (failed.length === 0) return [];
  const width = Math.max(...failed.map(([from]) => from.length));
  const of = `${failed.length} of ${results.length} images failed:`;
  return [of, ...failed.map(([from, why]) => `  ${from.padEnd(width)}  ${harmless(why)}`)];
}

/** Returns what a run would do as a table, and what it comes to. */
export function surveyTable(images: readonly SurveyedImage[]): readonly string[] {
  const width = Math.max(0, ...images.map(({ from }) => from.length));
  const lines = images.map(({ from, to, state, bytes, failure }) => {
    const size = state === "missing" || state === "changed" ? ` (${renderSize(bytes)})` : "";
    const why = failure === undefined ? "" : `: ${harmless(failure.message)}`;
    return `${state.padEnd(7)}  ${from.padEnd(width)}  ${to}${size}${why}`;
  });
  const { copied, total, blobs, bytes } = totalOf(images);
  const sum = `${copied} of ${total} images to copy, ${renderSize(bytes)} in ${blobs} blobs to move`;
  return [...lines, sum];
}

/** Returns the same as JSON. */
export function surveyAsJson(images: readonly SurveyedImage[]): string {
  const count = (state: SurveyedImage["state"]) =>
    images.filter((image) => image.state === state).length;
  const { blobs, bytes } = totalOf(images);
  return encodePretty({
    v: 1,
    command: "sync",
    dryRun: true,
    images: images.map(({ from, to, state, blobs: own, bytes: size, failure }) => ({
      from,
      to,
      state,
      blobs: own,
      bytes: size,
      ...(failure !== undefined && { error: failure.message, code: failure.code }),
    })),
    total: {
      images: images.length,
      missing: count("missing"),
      changed: count("changed"),
      present: count("present"),
      failed: count("failed"),
      blobs,
      bytes,
    },
  });
}

function totalOf(images: readonly SurveyedImage[]) {
  const sum = (of: (image: SurveyedImage) => number) =>
    images.reduce((all, image) => all + of(image), 0);
  return {
    total: images.length,
    copied: images.filter(({ state }) => state === "missing" || state === "changed").length,
    blobs: sum(({ blobs }) => blobs),
    bytes: sum(({ bytes }) => bytes),
  };
}
