// Refusals: what the program says where a policy keeps an image out, and that it names what has decided.

import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import type { RunResult } from "./run.ts";

/** What a policy may want; of what type, decisions tell. */
export interface SomeRequirement {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** Returns why an image was refused; undefined if it was not. */
export function refusalIn({ stderr }: RunResult): string | undefined {
  const words = /level=fatal msg="(?:[^"]*: )?Source image rejected: ((?:[^"\\]|\\.)*)"/;
  return words.exec(stderr)?.[1]?.replaceAll(/\\(.)/g, "$1");
}

/** Fails unless the last decision among a copy's events names the type of the requirement, and the reason. */
export function expectRefusalIn(events: string, type: string, reason: string): void {
  const lines = readFileSync(events, "utf8").trim().split("\n");
  const told = lines.map((line) => JSON.parse(line));
  expectRefusal(
    told.findLast(({ event }) => event === "policy-decided"),
    type,
    reason,
  );
}

/** Fails unless a decision names the type of the requirement, which was asked last, and the reason. */
export function expectRefusal(decision: unknown, type: string, reason: string): void {
  expect(decision).toMatchObject({ verdict: "rejected", refusedBy: type, reason });
  const { answers } = decision as { readonly answers?: readonly object[] };
  if (answers === undefined) return;
  expect(answers.at(-1)).toMatchObject({ rule: type, allowed: false, reason });
}

/** Returns what kind of reason it is: the same for all that differ in names, digests and numbers only. */
export function kindOfReason(reason: string): string {
  const [first = ""] = reason
    .replace(/^None of the signatures were accepted, reasons: /, "")
    .split(/[:;(,]/);
  return first.replace(/"[^"]*"|[0-9A-Fa-f]{8,}|\d+/g, "_");
}
