// Recorded input: an archive that is read while none of its bytes is lost.

import { Failure } from "../failure.ts";
import type { ByteStream } from "./stream.ts";
import { StreamInput, type TarInput } from "./tar-input.ts";

/** Headers are small. What is recorded and not asked for grows no larger. */
const limitBytes = 8 * 1024 * 1024;

/** An archive on its way, which keeps what was read of it until it is asked for. */
export class RecordedInput implements TarInput, AsyncDisposable {
  readonly #input: StreamInput;
  #parts: Uint8Array[] = [];
  #recordedBytes = 0;
  #failed = false;

  constructor(bytes: ByteStream) {
    const watched = async function* (fails: () => void): AsyncGenerator<Uint8Array> {
      try {
        yield* bytes;
      } catch (error) {
        fails();
        throw error;
      }
    };
    this.#input = new StreamInput(watched(() => (this.#failed = true)));
  }

  get position(): number {
    return this.#input.position;
  }

  /** Whether the stream itself has failed, rather than what was made of it. */
  get failed(): boolean {
    return this.#failed;
  }

  async take(count: number): Promise<Uint8Array> {
    const bytes = await this.#input.take(count);
    this.#record(bytes);
    return bytes;
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0;) {
      const part = await this.#input.some(left);
      this.#record(part);
      left -= part.length;
    }
  }

  /** Returns all that was read since it was last asked for. */
  recorded(): Uint8Array {
    const [only] = this.#parts;
    const bytes =
      this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
    this.#forget();
    return bytes;
  }

  /** Does the same, and puts the bytes into `memory`, which has to be large enough. */
  recordedInto(memory: Uint8Array): Uint8Array {
    const bytes = memory.subarray(0, this.#recordedBytes);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#forget();
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input[Symbol.asyncDispose]();
  }

  #forget(): void {
    this.#parts = [];
    this.#recordedBytes = 0;
  }

  #record(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#parts.push(bytes);
    this.#recordedBytes += bytes.length;
    if (this.#recordedBytes <= limitBytes) return;
    throw new Failure("unsupported", "Tar archive has more than 8 MiB of headers in a row");
  }
}
