// Newer Debian: programs of a Debian that is newer than the machine's, in a directory beside it.

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Workspace } from "./workspace.ts";

/** Where `.ci/run` puts it; `$DRAY_NEWER_DEBIAN` names another one. */
export const newerDebian = process.env["DRAY_NEWER_DEBIAN"] ?? "/var/cache/dray-peers/forky";

/** Tells whether the newer Debian has a program, and this user may enter it. */
export function newerHas(program: string): boolean {
  return process.getuid?.() === 0 && existsSync(join(newerDebian, "usr/bin", program));
}

const wrappers = new Map<string, string>();
let directory: Workspace | undefined;

/**
 * Returns a program on this machine that runs `program` of the newer Debian with the arguments, the
 * environment and the working directory that it is given. It sees the machine's /tmp, /proc, /dev and
 * /sys; tests ask for it with `testWith("newer:PROGRAM")`.
 */
export function newerProgram(program: string): string {
  const known = wrappers.get(program);
  if (known !== undefined) return known;
  directory ??= ownDirectory();
  const path = directory.at(program);
  writeFileSync(path, wrapperOf(program), { mode: 0o755 });
  wrappers.set(program, path);
  return path;
}

function ownDirectory(): Workspace {
  const made = new Workspace();
  process.on("exit", () => made[Symbol.dispose]());
  return made;
}

/**
 * Mounts live in a name space of the program's own, and end with it. Its root is a mount, because programs
 * that unpack layers mount their root anew.
 */
function wrapperOf(program: string): string {
  return `#!/bin/sh
exec unshare --mount --propagation private -- /bin/sh -c '
  mount --bind "${newerDebian}" "${newerDebian}" || exit 125
  for each in tmp proc dev sys; do mount --rbind "/$each" "${newerDebian}/$each" || exit 125; done
  exec /usr/sbin/chroot "${newerDebian}" /bin/sh -c "cd \\"\\$0\\" && exec \\"\\$@\\"" "$PWD" "$@"
' sh ${program} "$@"
`;
}
