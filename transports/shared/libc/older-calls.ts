// Older calls: what C libraries before glibc 2.33 and musl 1.2.5 have in the place of functions of today.

import { arch } from "node:os";
import { openLibrary } from "./library.ts";

/** As mknodat(2), and -1 after a failure. */
export type MakeNode = (
  directory: number,
  name: Uint8Array,
  mode: number,
  device: bigint,
) => number;

/** As statx(2), and -1 after a failure. */
export type ReadStatus = (
  directory: number,
  name: Uint8Array,
  flags: number,
  mask: number,
  status: Uint8Array,
) => number;

/** Returns mknodat by the name that glibc had for it before 2.33; undefined where that is not to be had. */
export function olderMakeNode(): MakeNode | undefined {
  const library = openLibrary({
    __xmknodat: { args: ["i32", "i32", "ptr", "u32", "ptr"], returns: "i32" },
  });
  if (library === undefined) return undefined;
  const { calls } = library;
  // The only version that there is on 64 bits.
  return (directory, name, mode, device) =>
    calls.__xmknodat(0, directory, name, mode, new BigUint64Array([device]));
}

/** The numbers of statx on the machines that we build for. */
const statxNumbers: Readonly<Record<string, number>> = { x64: 332, arm64: 291 };

/** Returns statx by its number, which older libraries have no name for; undefined on other machines. */
export function olderReadStatus(): ReadStatus | undefined {
  const number = statxNumbers[arch()];
  const library = openLibrary({
    syscall: { args: ["i64", "i32", "ptr", "i32", "u32", "ptr"], returns: "i32" },
  });
  if (library === undefined || number === undefined) return undefined;
  const { calls } = library;
  return (directory, name, flags, mask, status) =>
    calls.syscall(number, directory, name, flags, mask, status);
}
