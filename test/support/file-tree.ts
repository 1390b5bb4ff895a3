// File trees: all that can be known of the files below a directory, as text that can be compared.

import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readXattrs } from "../../transports/shared/libc/xattrs.ts";

/** One file as the system describes it. */
type Status = ReturnType<typeof statusOf>;

/**
 * Returns what each file below `path` is, by its path: type, mode, owner, size, times to the nanosecond, extended
 * attributes, other names of it, and content. Names are a character a byte.
 *
 * Times since `startNs` are "now", and when directories were looked at is left out, as it is for all files
 * with `unread`.
 */
export function fileTreeOf(
  path: string,
  startNs: bigint,
  unread?: "unread",
): Readonly<Record<string, string>> {
  const inodes = new Map<bigint, string>();
  const all: (readonly [name: string, full: Buffer, status: Status])[] = [];
  const visit = (name: string): void => {
    const full = Buffer.from(name === "" ? path : `${path}/${name}`, "latin1");
    const status = statusOf(full);
    all.push([name, full, status]);
    if (!status.isDirectory()) return;
    const names = readdirSync(full, { encoding: "buffer" }).map((each) =>
      Buffer.from(each).toString("latin1"),
    );
    for (const each of names.toSorted()) visit(name === "" ? each : `${name}/${each}`);
  };
  visit("");
  // Content comes last: to read a file is to change when it was looked at.
  return Object.fromEntries(
    all.map(([name, full, status]) => {
      const first = inodes.get(status.ino) ?? name;
      inodes.set(status.ino, first);
      const same = first === name ? [] : [`same as ${first}`];
      const looked = status.isDirectory() || unread !== undefined ? undefined : status.atimeNs;
      return [name, [...describe(full, status, { startNs, looked }), ...same].join(" ")];
    }),
  );
}

function statusOf(path: Buffer) {
  return lstatSync(path, { bigint: true });
}

interface Times {
  readonly startNs: bigint;
  /** Absent where it does not count. */
  readonly looked: bigint | undefined;
}

function describe(path: Buffer, status: Status, { startNs, looked }: Times): readonly string[] {
  const time = (ns: bigint) => (ns >= startNs ? "now" : `${ns}`);
  const xattrs = [...readXattrs(Buffer.concat([path, new Uint8Array(1)]))]
    .map(([key, value]) => `${key}=${Buffer.from(value).toString("hex")}`)
    .toSorted();
  return [
    status.mode.toString(8),
    `${status.uid}:${status.gid}`,
    time(status.mtimeNs),
    ...(looked === undefined ? [] : [time(looked)]),
    ...(status.isDirectory() ? [] : [`${status.size} bytes`]),
    ...(status.isCharacterDevice() || status.isBlockDevice() ? [`device ${status.rdev}`] : []),
    ...xattrs,
    ...(status.isSymbolicLink() ? [`-> ${readlinkSync(path, { encoding: "latin1" })}`] : []),
    ...(status.isFile() ? [Bun.CryptoHasher.hash("md5", readFileSync(path), "hex")] : []),
  ];
}
