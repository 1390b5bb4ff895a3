// Needs: tests that ask for more than the machine may have.

import { test } from "bun:test";
import { newerHas } from "./newer-debian.ts";

/** Something a test asks for: a program on the PATH, `newer:PROGRAM` of a newer Debian, or `root`. */
export type Need = string;

type Body = () => void | Promise<unknown>;

/** Declares one test; `limitMs` is for those that are slow by nature. */
export type DeclareTest = (name: string, body: Body, limitMs?: number) => void;

const required = process.env["DRAY_REQUIRE_PEERS"] === "1";

/**
 * Returns a `test` for tests that need all of these programs (`root` stands for the user).
 *
 * Where one is missing the test is skipped, and its name says why. With `DRAY_REQUIRE_PEERS=1` in
 * the environment it fails instead: a machine that should have everything cannot pass without.
 */
export function testWith(...needs: readonly Need[]): DeclareTest {
  const missing = needs.filter((need) => !isHere(need));
  const reason = `needs ${missing.join(", ")}`;
  if (missing.length === 0) return (name, body, limitMs = 180_000) => test(name, body, limitMs);
  if (required) {
    return (name) =>
      test(name, () => {
        throw new Error(`${reason}, and DRAY_REQUIRE_PEERS=1 says that it must be here`);
      });
  }
  return (name, body) => test.skip(`${name} (${reason})`, body);
}

/** Returns the program that stands for the original in comparisons. */
export function original(): string {
  return process.env["DRAY_SKOPEO"] ?? "skopeo";
}

function isHere(need: Need): boolean {
  if (need === "root") return process.getuid?.() === 0;
  return need.startsWith("newer:") ? newerHas(need.slice(6)) : Bun.which(need) !== null;
}
