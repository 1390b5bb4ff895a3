// StuckPipe: a named pipe that somebody holds open and does not read, and that is full but for some room.

import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";

const { O_NONBLOCK, O_RDWR } = constants;

/** A pipe without a reader who reads, until `take` is called. */
export class StuckPipe implements Disposable {
  readonly #descriptor: number;
  #filledBytes = 0;

  /** Makes it at a path where nothing is. Room comes in pages of 4 KiB. */
  constructor(path: string, pagesOfRoom = 0) {
    const made = Bun.spawnSync(["mkfifo", path]);
    if (!made.success) throw new Error(made.stderr.toString());
    this.#descriptor = openSync(path, O_RDWR | O_NONBLOCK);
    while (this.#push(4096)) this.#filledBytes += 4096;
    for (let page = 0; page < pagesOfRoom; page++) {
      readSync(this.#descriptor, new Uint8Array(4096));
      this.#filledBytes -= 4096;
    }
  }

  /** Waits until others have written into all of the room that was left. */
  async filled(): Promise<void> {
    while (this.#push(4096)) {
      readSync(this.#descriptor, new Uint8Array(4096));
      await Bun.sleep(5);
    }
  }

  /** Takes what is there but for what filled it, and all that comes until `ended` resolves. */
  async take(ended: Promise<unknown>): Promise<string> {
    let over = false;
    void ended.finally(() => (over = true));
    const chunks: Uint8Array[] = [];
    for (;;) {
      const wasOver = over;
      const chunk = this.#pull();
      if (chunk !== undefined) chunks.push(chunk);
      else if (wasOver) break;
      else await Bun.sleep(5);
    }
    return Buffer.concat(chunks).subarray(this.#filledBytes).toString();
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  #push(count: number): boolean {
    try {
      return writeSync(this.#descriptor, new Uint8Array(count)) === count;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EAGAIN") return false;
      throw error;
    }
  }

  #pull(): Uint8Array | undefined {
    const chunk = new Uint8Array(65_536);
    try {
      return chunk.subarray(0, readSync(this.#descriptor, chunk));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EAGAIN") return undefined;
      throw error;
    }
  }
}
