// Outlets: the descriptors that lines leave by, at once where there is room, and in order.
//
// Lines are written synchronously, so that nothing is lost however the program ends: the runtime's own
// streams take long to load and lose what they hold, and its console paints errors red on a terminal. But
// a reader that has stopped reading must not keep the program from hearing a signal. So what a pipe or a
// socket has no room for waits here, and the event loop goes on.

import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";

import { limits } from "../../core/limits.ts";

/** One descriptor that is written to. */
export class Outlet implements Disposable {
  readonly #descriptor: number;
  #way: Way | undefined;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #pumping: Promise<void> | undefined;
  #hurried = false;
  #error: Error | undefined;
  /** Is told once what keeps the outlet from being written to any more. */
  failed: ((error: Error) => void) | undefined;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Why nothing is written any more; undefined while it is. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Whether more waits here than should. */
  get isCrowded(): boolean {
    return this.#waitingBytes > limits.unreadBytes && !this.#hurried;
  }

  /** Writes bytes, now or later. After an error nothing is written any more: nobody else could be told. */
  write(bytes: Uint8Array): void {
    const rest = this.#waitingBytes > 0 ? bytes : this.#writeSome(bytes);
    if (rest.length === 0) return;
    this.#waiting.push(rest);
    this.#waitingBytes += rest.length;
    this.#pumping ??= this.#pump();
  }

  /** Resolves when all is written, or given up; tells whether it is written. */
  async written(): Promise<boolean> {
    await this.#pumping;
    return this.#waitingBytes === 0 && this.#error === undefined;
  }

  /** From now on, a reader who does not read for a moment is not waited for. */
  hurry(): void {
    this.#hurried = true;
  }

  [Symbol.dispose](): void {
    this.#way?.[Symbol.dispose]();
    this.#way = undefined;
  }

  /** Returns what there is no room for. */
  #writeSome(bytes: Uint8Array): Uint8Array {
    if (this.#error !== undefined) return nothing;
    try {
      this.#way ??= wayTo(this.#descriptor);
      for (let written = 0; written < bytes.length;) {
        const count = this.#way.write(bytes.subarray(written));
        if (count === 0) return bytes.subarray(written);
        written += count;
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#error = error;
      this.failed?.(error);
    }
    return nothing;
  }

  async #pump(): Promise<void> {
    let pauseMs = 0;
    let idleMs = 0;
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined) break;
      const rest = this.#writeSome(first);
      this.#waitingBytes -= first.length - rest.length;
      if (rest.length === 0) {
        this.#waiting.shift();
        continue;
      }
      this.#waiting[0] = rest;
      if (rest.length < first.length) [pauseMs, idleMs] = [0, 0];
      if (this.#hurried && idleMs >= limits.unreadMs) return;
      pauseMs = Math.min(pauseMs + 1, longestPauseMs);
      await Bun.sleep(pauseMs);
      if (this.#hurried) idleMs += pauseMs;
    }
    this.#pumping = undefined;
  }
}

const nothing = new Uint8Array();

const longestPauseMs = 20;

const outlets = new Map<number, Outlet>();

/** Returns the outlet of a descriptor: the same for all who write there. */
export function outletAt(descriptor: number): Outlet {
  const known = outlets.get(descriptor);
  if (known !== undefined) return known;
  const made = new Outlet(descriptor);
  outlets.set(descriptor, made);
  return made;
}

/** Forgets an outlet, because nobody will write there any more. */
export function forgetOutlet(descriptor: number): void {
  outlets.get(descriptor)?.[Symbol.dispose]();
  outlets.delete(descriptor);
}

/** Waits until readers have taken some of what waits for them; undefined if there is little of that. */
export function roomInOutlets(): Promise<void> | undefined {
  return isAnyCrowded() ? roomInAll() : undefined;
}

async function roomInAll(): Promise<void> {
  while (isAnyCrowded()) await Bun.sleep(longestPauseMs);
}

function isAnyCrowded(): boolean {
  for (const { isCrowded } of outlets.values()) if (isCrowded) return true;
  return false;
}

/** Waits until all is written that can be, and tells whether all is. */
export async function allWritten(): Promise<boolean> {
  const written = await Promise.all([...outlets.values()].map((each) => each.written()));
  return written.every((each) => each);
}

/** The program is to end: from now on nobody waits for readers who do not read. */
export function hurryOutlets(): void {
  for (const each of outlets.values()) each.hurry();
}

/** A way to write that never waits. */
interface Way extends Disposable {
  /** Writes some of the bytes, and returns how many: none if there is no room now. */
  write(bytes: Uint8Array): number;
}

function wayTo(descriptor: number): Way {
  const kind = fstatSync(descriptor);
  if (kind.isSocket() && process.platform === "linux") return socketWay(descriptor);
  const again = kind.isFIFO() ? reopened(descriptor) : undefined;
  return {
    write: (bytes) => writeNow(again ?? descriptor, bytes),
    [Symbol.dispose]: () => void (again !== undefined && closeSync(again)),
  };
}

function writeNow(descriptor: number, bytes: Uint8Array): number {
  try {
    return writeSync(descriptor, bytes);
  } catch (error) {
    // Whoever shares a pipe with us may have asked not to be kept waiting.
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return 0;
    throw error;
  }
}

/** Loaded for sockets only, and until then they have no room. */
function socketWay(descriptor: number): Way {
  let send: ((socket: number, bytes: Uint8Array) => number) | undefined;
  const load = async () => void (send = (await import("../proxy/descriptors.ts")).sendNow);
  void load();
  return { write: (bytes) => send?.(descriptor, bytes) ?? 0, [Symbol.dispose]: () => {} };
}

/**
 * Opens a pipe once more, so as to be told when it is full: its own descriptor is shared with others, who
 * would be told, too. Undefined where that does not work; then it is written to as it is.
 */
function reopened(descriptor: number): number | undefined {
  try {
    const { O_WRONLY, O_NONBLOCK } = constants;
    return openSync(`/proc/self/fd/${descriptor}`, O_WRONLY | O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}
