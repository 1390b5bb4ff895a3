// Entry times: when a file was changed and looked at, by its header, as far as engines believe it.

import type { TarEntry } from "../../../core/blob/tar-reader.ts";
import { timeRecord } from "../../../core/blob/tar-records.ts";

/** In nanoseconds since 1970. */
export interface EntryTimes {
  readonly accessedNs: bigint;
  readonly modifiedNs: bigint;
}

/** Returns the times that an entry is unpacked with. */
export function timesOf({ modifiedNs, records }: TarEntry): EntryTimes {
  const modified = bounded(modifiedNs);
  const accessed = bounded(timeRecord(records, "atime") ?? 0n);
  return { accessedNs: accessed > modified ? accessed : modified, modifiedNs: modified };
}

/** What fits into 64 bits: up to a day in April of 2262. */
const latestNs = 2n ** 63n - 1n;

/** Times out of bounds become 1970. */
function bounded(time: bigint): bigint {
  return time < 0n || time > latestNs ? 0n : time;
}
