// Crc64: the checksum by which tar-split knows the content of a file.
//
// CRC-64 with the polynomial of ISO 3309, x⁶⁴ + x⁴ + x³ + x + 1, reflected. It is so sparse that words
// of 32 bits can be taken at once without a table.

/** Computes the checksum of content that comes in pieces. */
export class Crc64 {
  #low = ~0;
  #high = ~0;

  /** Adds the next piece. */
  update(bytes: Uint8Array): void {
    const { buffer, byteOffset, length } = bytes;
    const before = Math.min((4 - (byteOffset % 4)) % 4, length);
    const words = (length - before) >>> 2;
    this.#bytes(bytes, 0, before);
    this.#words(new Int32Array(buffer, words === 0 ? 0 : byteOffset + before, words));
    this.#bytes(bytes, before + 4 * words, length);
  }

  /** Returns the checksum of all pieces: 8 bytes, the highest first. */
  digest(): Uint8Array {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setInt32(0, ~this.#high);
    view.setInt32(4, ~this.#low);
    return bytes;
  }

  /** Every machine this runs on is little-endian, as the words have to be. */
  #words(words: Int32Array): void {
    let low = this.#low;
    let high = this.#high;
    for (let at = 0; at < words.length; at += 1) {
      const x = low ^ (words[at] ?? 0);
      low = high ^ (x << 31) ^ (x << 29) ^ (x << 28);
      high = x ^ (x >>> 1) ^ (x >>> 3) ^ (x >>> 4);
    }
    this.#low = low;
    this.#high = high;
  }

  #bytes(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at += 1) {
      const x = (this.#low ^ (bytes[at] ?? 0)) << 24;
      this.#low = (this.#low >>> 8) | (this.#high << 24);
      this.#high = (this.#high >>> 8) ^ x ^ (x >>> 1) ^ (x >>> 3) ^ (x >>> 4);
    }
  }
}
