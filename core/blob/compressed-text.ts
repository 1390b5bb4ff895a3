// Compressed text: text that becomes one zstd frame while it grows, so that it is never held whole.

/** A zstd frame, and how much is in it. */
export interface CompressedTextFrame {
  readonly frame: Uint8Array;
  readonly contentBytes: number;
}

/** Such text is full of repetitions. From level 9 on it would take eight times the memory. */
const level = 6;

/** So much text is compressed at a time: what comes out must not depend on how it came in. */
const pieceBytes = 64 * 1024;

/** Compresses text that comes in pieces. */
export class CompressedText {
  readonly #machine = new CompressionStream("zstd", { level });
  readonly #writer = (this.#machine.writable as WritableStream<Uint8Array>).getWriter();
  readonly #compressed: Promise<Uint8Array>;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #contentBytes = 0;

  constructor() {
    this.#compressed = new Response(this.#machine.readable).bytes();
    // Whoever does not come to the end does not care.
    this.#compressed.catch(() => undefined);
  }

  /** Adds a piece. */
  async add(text: Uint8Array): Promise<void> {
    this.#pending.push(text);
    this.#pendingBytes += text.length;
    this.#contentBytes += text.length;
    if (this.#pendingBytes >= pieceBytes) await this.#write(pieceBytes);
  }

  /** Returns all of it. Nothing can be added any more. */
  async end(): Promise<CompressedTextFrame> {
    await this.#write(1);
    await this.#writer.close();
    return { frame: await this.#compressed, contentBytes: this.#contentBytes };
  }

  /** Writes what is pending in whole pieces and, if `least` allows it, the rest. */
  async #write(least: number): Promise<void> {
    const text = Buffer.concat(this.#pending);
    let at = 0;
    for (; text.length - at >= pieceBytes; at += pieceBytes) {
      await this.#writer.write(text.subarray(at, at + pieceBytes));
    }
    const rest = text.subarray(at);
    if (rest.length >= least) await this.#writer.write(rest);
    const kept = rest.length >= least ? [] : [rest];
    this.#pending = kept;
    this.#pendingBytes = kept.length === 0 ? 0 : rest.length;
  }
}
