// Policy cases: a table of images and what a policy is expected to say of them.

import { Failure } from "../failure.ts";
import { quoted } from "../foreign-text.ts";

/** One line of the table. */
export interface PolicyCase {
  /** Its number in the file, counted from one. */
  readonly line: number;
  /** The image's name, as the user may write it. */
  readonly image: string;
  readonly expected: "accept" | "reject";
  /** What has to stand in the reason of a rejection; empty if any reason will do. */
  readonly because: string;
}

/**
 * Parses a table: on each line an image, blanks, and `accept` or `reject`, and behind `reject` perhaps
 * words of the reason. Empty lines and those that begin with `#` are passed over. Fails with `config`.
 */
export function parsePolicyCases(text: string): readonly PolicyCase[] {
  return text.split("\n").flatMap((content, index) => {
    const line = content.trim();
    return line === "" || line.startsWith("#") ? [] : [parseCase(line, index + 1)];
  });
}

function parseCase(text: string, line: number): PolicyCase {
  const [image = "", expected = "", ...words] = text.split(/[ \t]+/);
  const because = words.join(" ");
  if (expected === "reject") return { line, image, expected, because };
  if (expected === "accept" && because === "") return { line, image, expected, because };
  throw new Failure("config", `Line ${line} is no case: ${quoted(text)}`, {
    hint: "write IMAGE accept, IMAGE reject, or IMAGE reject WORDS-OF-THE-REASON",
  });
}

/** What a policy said of an image. */
export type CaseOutcome =
  { readonly kind: "accepted" } | { readonly kind: "rejected"; readonly reason: string };

/** Returns what is wrong with an outcome; undefined if it is what was expected. */
export function mismatchOf(
  { expected, because }: PolicyCase,
  outcome: CaseOutcome,
): string | undefined {
  if (outcome.kind === "accepted") {
    return expected === "accept" ? undefined : "is accepted, but is to be rejected";
  }
  if (expected === "accept") return `is rejected, but is to be accepted: ${outcome.reason}`;
  if (outcome.reason.includes(because)) return undefined;
  return `is rejected for another reason than ${quoted(because)}: ${outcome.reason}`;
}
