// Changing auth files: one entry at a time, everything else stays as it is.
//
// Between looking and replacing nothing waits, so no signal can end the program in the middle of it.

import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

import { asFailure, Failure } from "../failure.ts";
import { foldName } from "../json.ts";
import { limits } from "../limits.ts";
import { parseAuthFile } from "./auth-file.ts";
import type { AuthFilePlace } from "./auth-file-places.ts";

/** The two members that are changed, each as it stands in the file. */
export interface AuthMembers {
  readonly auths: AuthMember;
  readonly credHelpers: AuthMember;
}

/** A member by key. What the values are is the affair of whoever wrote them. */
export type AuthMember = Readonly<Record<string, unknown>>;

/**
 * Changes a file, or makes it. Other members stay; undefined from `change` means that there is nothing
 * to do, and the file is not touched.
 *
 * Others of this program that change the file wait for each other. A file that somebody else replaced
 * meanwhile is read anew. Fails with `config` if the file cannot be understood, and with `io`.
 */
export async function changeAuthFile(
  place: AuthFilePlace,
  change: (members: AuthMembers) => AuthMembers | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    mkdirSync(dirname(place.path), { recursive: true, mode: 0o700 });
    using _ = await lock(place.path, signal);
    replace(place, change);
  } catch (error) {
    throw asFailure(error);
  }
}

function replace(
  place: AuthFilePlace,
  change: (members: AuthMembers) => AuthMembers | undefined,
): void {
  for (;;) {
    const before = contentOf(place.path);
    const changed = changedContent(before, place, change);
    if (changed === undefined) return;
    const temporary = join(dirname(place.path), `.${basename(place.path)}.${crypto.randomUUID()}`);
    try {
      writeDown(temporary, changed);
      // Programs that do not know our lock change such files too.
      if (contentOf(place.path) !== before) continue;
      renameSync(temporary, place.path);
      return;
    } finally {
      rmSync(temporary, { force: true });
    }
  }
}

function changedContent(
  before: string | undefined,
  place: AuthFilePlace,
  change: (members: AuthMembers) => AuthMembers | undefined,
): string | undefined {
  const document = before === undefined ? {} : parseDocument(before, place);
  const { auths, credHelpers } = membersOf(document);
  const changed = change({ auths, credHelpers });
  if (changed === undefined) return undefined;
  const others = Object.entries(document).filter(([name]) => !changedNames.has(foldName(name)));
  const helpers = Object.entries(changed.credHelpers);
  const result = sorted([
    ...others,
    ["auths", sorted(Object.entries(changed.auths))],
    ...(helpers.length === 0 ? [] : [["credHelpers", sorted(helpers)] as const]),
  ]);
  return JSON.stringify(result, null, "\t");
}

const changedNames: ReadonlySet<string> = new Set(["auths", "credhelpers"]);

/** Parses a file such that writing it again gives every number as it was spelled. */
function parseDocument(content: string, place: AuthFilePlace): AuthMember {
  // Everything that could be wrong with it is found here.
  parseAuthFile(content, place);
  const { rawJSON } = JSON as typeof JSON & NumberSpelling;
  return JSON.parse(content, (_name, value: unknown, context?: { readonly source?: string }) =>
    typeof value === "number" && context?.source !== undefined ? rawJSON(context.source) : value,
  );
}

/** What the runtime knows and its types do not. See https://github.com/tc39/proposal-json-parse-with-source */
interface NumberSpelling {
  rawJSON(text: string): unknown;
}

function membersOf(document: AuthMember): AuthMembers {
  const member = (wanted: string): AuthMember => {
    const found = Object.entries(document).filter(([name]) => foldName(name) === wanted);
    return Object.fromEntries(found.flatMap(([, value]) => Object.entries(value ?? {})));
  };
  return { auths: member("auths"), credHelpers: member("credhelpers") };
}

function sorted(entries: Iterable<readonly [string, unknown]>): AuthMember {
  return Object.fromEntries([...entries].sort(([one], [other]) => (one < other ? -1 : 1)));
}

function contentOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (found.size > limits.configFileBytes) {
    throw new Failure(
      "config",
      `read ${path}: exceeded maximum allowed size of ${limits.configFileBytes} bytes`,
    );
  }
  return readFileSync(path, "utf8");
}

/** A link at `path` itself is replaced later, not followed; here there was nothing before. */
function writeDown(path: string, content: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    const bytes = new TextEncoder().encode(content);
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A lock is held for milliseconds; one this old was left by a run that was killed. */
const staleMs = 10_000;
const longestDelayMs = 20;

async function lock(path: string, signal: AbortSignal): Promise<Disposable> {
  const lockPath = join(dirname(path), `.${basename(path)}.lock`);
  for (let delayMs = 1; ; delayMs = Math.min(2 * delayMs, longestDelayMs)) {
    signal.throwIfAborted();
    if (tryLock(lockPath)) return { [Symbol.dispose]: () => rmSync(lockPath, { force: true }) };
    await Bun.sleep(delayMs);
    removeStale(lockPath);
  }
}

function tryLock(path: string): boolean {
  try {
    closeSync(openSync(path, "wx", 0o600));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Asks the file system for the time, because it is the one that dated the lock. */
function removeStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  const probe = `${path}.${crypto.randomUUID()}`;
  try {
    closeSync(openSync(probe, "wx", 0o600));
    if (lstatSync(probe).mtimeMs - found.mtimeMs > staleMs) rmSync(path, { force: true });
  } finally {
    rmSync(probe, { force: true });
  }
}
