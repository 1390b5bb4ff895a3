// Descriptors: pipes, and packets that carry descriptors, which the runtime lacks.

import { closeSync, read as readDescriptor, writeSync } from "node:fs";
import { getSystemErrorName, promisify } from "node:util";
import { type FFIFunction, dlopen, ptr, read } from "bun:ffi";

import { Failure } from "../../core/failure.ts";

/** Two descriptors of ours: what is written to the one can be read from the other. */
export interface Pipe {
  readonly reader: number;
  /** Never makes the program wait. */
  readonly writer: number;
}

/** Linux numbers, the same on all machines that this program is built for. */
const linux = {
  closeOnExec: 0o2000000,
  nonBlocking: 0o4000,
  getFlags: 3,
  setFlags: 4,
  setPipeSize: 1031,
  socketLevel: 1,
  rights: 1,
  doNotRaiseSignal: 0x4000,
  doNotWait: 0x40,
} as const;

const pipeBytes = 1024 * 1024;

const declarations = {
  pipe2: { args: ["ptr", "i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  sendmsg: { args: ["i32", "ptr", "i32"], returns: "i64" },
  __errno_location: { args: [], returns: "ptr" },
} as const satisfies Record<string, FFIFunction>;

let loaded: ReturnType<typeof openLibrary> | undefined;

function openLibrary() {
  try {
    return dlopen("libc.so.6", declarations).symbols;
  } catch (error) {
    throw new Failure("unsupported", "Passing descriptors to other programs needs Linux", {
      cause: error,
    });
  }
}

function library() {
  loaded ??= openLibrary();
  return loaded;
}

function lastError(): number {
  const at = library().__errno_location();
  return at === null ? 0 : read.i32(at, 0);
}

const again = 11;

/** Opens a pipe that holds as much as the system allows, up to 1 MiB. */
export function openPipe(): Pipe {
  const pair = new Int32Array(2);
  const { pipe2, fcntl } = library();
  if (pipe2(ptr(pair), linux.closeOnExec) !== 0) {
    throw new Failure("io", `Cannot open a pipe: error ${lastError()} of the system`);
  }
  const [reader = -1, writer = -1] = pair;
  fcntl(writer, linux.setFlags, linux.nonBlocking);
  // Less will do.
  fcntl(writer, linux.setPipeSize, pipeBytes);
  return { reader, writer };
}

/** Writes to a pipe all of `bytes`, and waits while it is full. Fails with EPIPE if nobody reads. */
export async function writeToPipe(
  writer: number,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  let pauseMs = 0;
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(writer, bytes, written);
      pauseMs = 0;
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "EAGAIN") throw error;
      signal?.throwIfAborted();
      pauseMs = Math.min(pauseMs + 1, 10);
      await Bun.sleep(pauseMs);
    }
  }
}

/** No request is nearly as long. */
const packetBytes = 256 * 1024;

/**
 * Reads a socket of packets, each as it was sent: the runtime's own streams put together what has come. Ends when
 * the other side has left, and with the signal.
 */
export async function* packetsFrom(
  socket: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { fcntl } = library();
  // Somebody else's thread waits, not ours.
  fcntl(socket, linux.setFlags, fcntl(socket, linux.getFlags, 0) & ~linux.nonBlocking);
  const aborted = new Promise<undefined>((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  const buffer = new Uint8Array(packetBytes);
  while (!signal.aborted) {
    const size = await Promise.race([readPacket(socket, buffer), aborted]);
    if (size === undefined || size === 0) return;
    yield buffer.slice(0, size);
  }
}

/** Returns how long the next packet is; 0 if there will be none. */
async function readPacket(socket: number, buffer: Uint8Array): Promise<number> {
  try {
    return (await promisify(readDescriptor)(socket, buffer, 0, buffer.length, null)).bytesRead;
  } catch (error) {
    // The other side has left without having listened to the end.
    if (error instanceof Error && "code" in error && error.code === "ECONNRESET") return 0;
    throw error;
  }
}

/**
 * Sends some of `bytes` through a socket without ever waiting, and returns how many: none if there is no
 * room. Fails as the system does.
 */
export function sendNow(socket: number, bytes: Uint8Array): number {
  const flags = linux.doNotRaiseSignal | linux.doNotWait;
  const sent = Number(library().send(socket, ptr(bytes), bytes.length, flags));
  if (sent >= 0) return sent;
  const error = lastError();
  if (error === again) return 0;
  const code = getSystemErrorName(-error);
  throw Object.assign(new Error(`${code}: cannot send`), { code });
}

/** Sends one packet, with descriptors that the other side may use from then on. */
export async function sendPacket(
  socket: number,
  bytes: Uint8Array,
  descriptors: readonly number[],
): Promise<void> {
  for (;;) {
    const error = trySending(socket, bytes, descriptors);
    if (error === 0) return;
    if (error !== again) {
      throw new Failure("io", `Cannot answer: error ${error} of the system`);
    }
    await Bun.sleep(1);
  }
}

/** Returns 0, or the number of the error. */
function trySending(socket: number, bytes: Uint8Array, descriptors: readonly number[]): number {
  const vector = new BigUint64Array([BigInt(ptr(bytes)), BigInt(bytes.length)]);
  const control = controlOf(descriptors);
  const message = new BigUint64Array(7);
  message[2] = BigInt(ptr(vector));
  message[3] = 1n;
  if (descriptors.length > 0) {
    message[4] = BigInt(ptr(control));
    message[5] = BigInt(control.length);
  }
  const sent = library().sendmsg(socket, ptr(message), linux.doNotRaiseSignal | linux.doNotWait);
  return Number(sent) < 0 ? lastError() : 0;
}

/** Returns the descriptors as sendmsg(2) wants them, on machines of 64 bits. */
function controlOf(descriptors: readonly number[]): Uint8Array {
  const control = new DataView(new ArrayBuffer(16 + Math.ceil(descriptors.length / 2) * 8));
  control.setBigUint64(0, BigInt(16 + 4 * descriptors.length), true);
  control.setInt32(8, linux.socketLevel, true);
  control.setInt32(12, linux.rights, true);
  for (const [index, each] of descriptors.entries()) control.setInt32(16 + 4 * index, each, true);
  return new Uint8Array(control.buffer);
}

/** Closes descriptors of ours. */
export function closeAll(...descriptors: readonly number[]): void {
  for (const each of descriptors) closeSync(each);
}
