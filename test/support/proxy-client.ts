// Proxy client: a program that starts an image proxy and asks it for things.

import { closeSync, readSync } from "node:fs";
import { dlopen, ptr } from "bun:ffi";

import { executable } from "./run.ts";

const { symbols: libc } = dlopen("libc.so.6", {
  socketpair: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  send: { args: ["i32", "ptr", "usize", "i32"], returns: "i64" },
  recvmsg: { args: ["i32", "ptr", "i32"], returns: "i64" },
});

/** What the proxy answers. */
export interface ProxyAnswer {
  readonly success: boolean;
  readonly value: unknown;
  readonly pipeid: number;
  readonly error_code: string;
  readonly error: string;
  /** Descriptors that came with it; whoever reads them to their end closes them. */
  readonly descriptors: readonly number[];
}

/** How the proxy is to be started. */
export interface ProxyClientOptions {
  readonly cwd: string;
  readonly program?: string;
  /** Stand before the command. */
  readonly flags?: readonly string[];
}

/** A proxy that runs, until it is disposed of. */
export class ProxyClient implements AsyncDisposable {
  readonly #socket: number;
  readonly #child: Bun.Subprocess;
  #open = true;

  constructor({ cwd, program = executable, flags = [] }: ProxyClientOptions) {
    const pair = new Int32Array(2);
    const unix = 1;
    const packets = 5;
    if (libc.socketpair(unix, packets, 0, ptr(pair)) !== 0) throw new Error("no pair of sockets");
    const [ours = -1, theirs = -1] = pair;
    this.#socket = ours;
    this.#child = Bun.spawn([program, ...flags, "experimental-image-proxy"], {
      cwd,
      env: { PATH: "/usr/bin:/bin", HOME: "/proc/no-home" },
      stdin: theirs,
      stdout: "ignore",
      stderr: "ignore",
    });
    closeSync(theirs);
  }

  /** Asks for something and waits for the answer. */
  async ask(method: string, ...args: readonly unknown[]): Promise<ProxyAnswer> {
    this.send(JSON.stringify({ method, args }));
    return await this.receive();
  }

  /** Sends one packet, whatever it says. */
  send(text: string): void {
    const bytes = new TextEncoder().encode(text);
    if (Number(libc.send(this.#socket, ptr(bytes), bytes.length, 0)) !== bytes.length) {
      throw new Error("the packet could not be sent");
    }
  }

  /** Waits for one packet. */
  async receive(): Promise<ProxyAnswer> {
    for (let tries = 0; tries < 20_000; tries++) {
      const answer = this.#tryReceiving();
      if (answer !== undefined) return answer;
      await Bun.sleep(1);
    }
    throw new Error("no answer");
  }

  #tryReceiving(): ProxyAnswer | undefined {
    const bytes = new Uint8Array(1 << 20);
    const control = new Uint8Array(64);
    const vector = new BigUint64Array([BigInt(ptr(bytes)), BigInt(bytes.length)]);
    const message = new BigUint64Array([
      0n,
      0n,
      BigInt(ptr(vector)),
      1n,
      BigInt(ptr(control)),
      BigInt(control.length),
      0n,
    ]);
    const doNotWait = 0x40;
    const size = Number(libc.recvmsg(this.#socket, ptr(message), doNotWait));
    if (size < 0) return undefined;
    if (size === 0) throw new Error("the proxy has left");
    const view = new DataView(control.buffer);
    const length = message[5] === 0n ? 16 : Number(view.getBigUint64(0, true));
    const descriptors: number[] = [];
    for (let at = 16; at < length; at += 4) descriptors.push(view.getInt32(at, true));
    return { ...JSON.parse(new TextDecoder().decode(bytes.subarray(0, size))), descriptors };
  }

  /** Asks for content by a pipe, reads `count` bytes, and says so. The last answer is returned, too. */
  async fetch(
    count: number,
    method: string,
    ...args: readonly unknown[]
  ): Promise<{
    readonly answer: ProxyAnswer;
    readonly bytes: Uint8Array;
    readonly finished: ProxyAnswer;
  }> {
    const answer = await this.ask(method, ...args);
    const [descriptor] = answer.descriptors;
    if (descriptor === undefined) throw new Error(`${method}: ${answer.error}`);
    const bytes = await readBytes(descriptor, count);
    const finished = await this.ask("FinishPipe", answer.pipeid);
    closeSync(descriptor);
    return { answer, bytes, finished };
  }

  /** Hangs up. */
  leave(): void {
    if (this.#open) closeSync(this.#socket);
    this.#open = false;
  }

  /** Ends with the exit code of the proxy. */
  get exited(): Promise<number> {
    return this.#child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.leave();
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

/** Reads a descriptor to its end, and closes it. */
export async function readAll(descriptor: number): Promise<Uint8Array> {
  const bytes = await Bun.file(descriptor).bytes();
  closeSync(descriptor);
  return bytes;
}

/** Reads as many bytes of a pipe, without waiting for its end. */
async function readBytes(descriptor: number, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count;) {
    await Bun.sleep(0);
    const read = readSync(descriptor, bytes, at, count - at, null);
    if (read === 0) return bytes.subarray(0, at);
    at += read;
  }
  return bytes;
}
