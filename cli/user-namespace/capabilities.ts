// Capabilities: whether this process may do with files what unpacking images takes.

/** Their numbers: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SYS_ADMIN, MKNOD, SETFCAP. See capabilities(7). */
const needed = [0, 1, 3, 4, 21, 27, 31];

/** Tells whether the process has all that it takes; `status` is its file of that name below `/proc`. */
export function mayUnpack(status: string): boolean {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return needed.every((number) => ((effective >> BigInt(number)) & 1n) === 1n);
}
