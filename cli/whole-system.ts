// Whole system: whether this process acts for all users, or in a user namespace that has only some of them.

import { existsSync, readFileSync } from "node:fs";

/** Every user there can be. */
const allIds = 2 ** 32 - 1;

/** Tells whether a process is in no user namespace but the first, by its file `uid_map` below `/proc`. */
export function coversAllIds(uidMap: string): boolean {
  const [line = "", ...others] = uidMap.trim().split("\n");
  const [inside, outside, count] = line.trim().split(/\s+/).map(Number);
  return others.length === 0 && inside === 0 && outside === 0 && count === allIds;
}

/** Tells whether this process is root of all of the system. */
export function ownsWholeSystem(userId: number): boolean {
  const path = "/proc/self/uid_map";
  return userId === 0 && (!existsSync(path) || coversAllIds(readFileSync(path, "utf8")));
}
