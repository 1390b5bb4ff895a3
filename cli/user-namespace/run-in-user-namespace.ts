// User namespaces: where somebody who is not root may own the files of images.
//
// A process with threads cannot enter one, so the program is run once more inside: unshare(1) makes the
// namespace and waits, the set-uid programs of `uidmap` write its maps, and then it goes on as our program.

import { existsSync, readFileSync, readlinkSync, writeSync } from "node:fs";
import { Failure } from "../../core/failure.ts";
import { idMap, type IdRange, parseSubIds, parseToldIds, parseUserName } from "./sub-ids.ts";

/** Who is to own what in the namespace, and what runs there. */
export interface NamespaceWish {
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly userId: number;
  readonly groupId: number;
  readonly warn: (message: string) => void;
  /** Aborted when the command is to end. */
  readonly signal: AbortSignal;
  /** The signal that is passed on then, by its number. */
  readonly endedBy: () => number;
}

/**
 * Runs a command as root of a namespace of its own, and returns its exit code.
 *
 * Fails with `unsupported` if this system has no such thing for this user.
 */
export async function runInUserNamespace(wish: NamespaceWish): Promise<number> {
  const { userId, groupId, variables } = wish;
  const ranges = { user: rangesIn("/etc/subuid", wish), group: rangesIn("/etc/subgid", wish) };
  const mapped = ranges.user.length > 0 && ranges.group.length > 0;
  const inherited = descriptorsIn(wish.command);
  const wait = waitDescriptor(inherited);
  const child = Bun.spawn(
    [
      "unshare",
      mapped ? "--user" : "--map-root-user",
      "/bin/sh",
      "-c",
      `read -r _ <&${wait} && exec ${wait}<&- && exec "$@"`,
      "sh",
      ...wish.command,
    ],
    {
      env: {
        ...variables,
        BUILDAH_ISOLATION: variables["BUILDAH_ISOLATION"] ?? "rootless",
        _CONTAINERS_USERNS_CONFIGURED: "1",
        _CONTAINERS_ROOTLESS_UID: String(userId),
        _CONTAINERS_ROOTLESS_GID: String(groupId),
      },
      stdio: ["inherit", "inherit", "inherit", ...descriptorsFor(inherited, wait)],
    },
  );
  wish.signal.addEventListener("abort", () => child.kill(wish.endedBy()));
  try {
    await namespaceOf(child);
    if (mapped) {
      await setMap("newuidmap", [String(child.pid), ...idMap(userId, ranges.user)]);
      await setMap("newgidmap", [String(child.pid), ...idMap(groupId, ranges.group)]);
    }
    // The types know of no further descriptors.
    writeSync(Number(child.stdio[wait]), "\n");
  } catch (error) {
    child.kill("SIGKILL");
    await child.exited;
    // What was told to end is no longer there to be given a namespace.
    wish.signal.throwIfAborted();
    throw error;
  }
  return await child.exited;
}

/**
 * Returns the descriptors that words name, such as `fd:3` or `/dev/fd/63`, as far as they are open. Which others
 * we were started with cannot be told: the runtime has some of its own.
 */
function descriptorsIn(words: readonly string[]): ReadonlySet<number> {
  const found = words.flatMap((word) => [
    ...word.matchAll(/(?:\bfd[:=]|\/(?:dev|proc\/self)\/fd\/)(\d{1,4})(?!\d)/g),
  ]);
  const named = found.map(([, number]) => Number(number));
  return new Set(named.filter((each) => each > 2 && existsSync(`/proc/self/fd/${each}`)));
}

/**
 * Returns the descriptor by which the program learns that its maps are there: without them, it would be nobody
 * who runs it. Shells know those of one digit only.
 */
function waitDescriptor(inherited: ReadonlySet<number>): number {
  const free = [3, 4, 5, 6, 7, 8, 9].find((number) => !inherited.has(number));
  if (free !== undefined) return free;
  throw new Failure("unsupported", "Cannot make a user namespace: too many files are open");
}

/** Returns what the descriptors from 3 on are. */
function descriptorsFor(inherited: ReadonlySet<number>, wait: number) {
  const last = Math.max(wait, ...inherited);
  return Array.from({ length: last - 2 }, (_, index) => {
    const number = index + 3;
    if (number === wait) return "pipe";
    return inherited.has(number) ? number : "ignore";
  });
}

const pollMs = 2;

/** Waits until a child is in a namespace of its own. */
async function namespaceOf(child: Bun.Subprocess): Promise<void> {
  const own = readlinkSync("/proc/self/ns/user");
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw refused("unshare failed");
    try {
      if (readlinkSync(`/proc/${child.pid}/ns/user`) !== own) return;
    } catch (error) {
      // It has ended, or is about to.
      if (!(error instanceof Error)) throw error;
    }
    await Bun.sleep(pollMs);
  }
}

async function setMap(program: string, args: readonly string[]): Promise<void> {
  if (Bun.which(program) === null) throw refused(`${program} is not installed`);
  const child = Bun.spawn([program, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  const said = await child.stderr.text();
  if ((await child.exited) !== 0) throw refused(said.trim());
}

function refused(why: string): Failure {
  return new Failure("unsupported", `Cannot make a user namespace: ${why}`, {
    hint: "install the packages util-linux and uidmap, and allow this user namespaces",
  });
}

function rangesIn(path: string, { userId, warn }: NamespaceWish): readonly IdRange[] {
  const name = parseUserName(readIfThere("/etc/passwd"), userId) ?? String(userId);
  const own = parseSubIds(readIfThere(path), [name, String(userId)]);
  const found = own.length > 0 ? own : rangesOfDirectory(name, path);
  const kind = path.endsWith("gid") ? "GID" : "UID";
  if (found.length === 0) {
    warn(`Found no ${kind} ranges set aside for user ${JSON.stringify(name)} in ${path}.`);
  }
  return found;
}

/** Where users are kept in a directory of the network, so are their ids, and no file names them. */
function rangesOfDirectory(name: string, path: string): readonly IdRange[] {
  if (Bun.which("getsubids") === null || name.startsWith("-")) return [];
  const words = path.endsWith("gid") ? ["-g", name] : [name];
  const told = Bun.spawnSync(["getsubids", ...words], { stdio: ["ignore", "pipe", "ignore"] });
  return told.exitCode === 0 ? parseToldIds(told.stdout.toString(), name) : [];
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
