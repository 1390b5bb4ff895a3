// GVariant: the serialization that ostree's objects are in, as far as they use it.
//
// Members stand one after the other, aligned, and a container with members of variable size ends with
// the offsets of their ends. Numbers are big-endian, which is ostree's own convention; offsets are
// little-endian. See https://docs.gtk.org/glib/gvariant-specification-1.0.html.

import { Failure } from "../../core/failure.ts";

/** A type: how its values are written and read. */
export interface GType<T> {
  readonly alignment: 1 | 4 | 8;
  /** In bytes; absent where it depends on the value. */
  readonly size?: number;
  encode(value: T): Uint8Array;
  /** Fails with `corrupt` if the bytes cannot be such a value. */
  decode(bytes: Uint8Array): T;
}

/** The value of a type. */
export type GValue<G> = G extends GType<infer T> ? T : never;

/** `u`: a number of 32 bits. */
export const uint32: GType<number> = {
  alignment: 4,
  size: 4,
  encode(value) {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value);
    return bytes;
  },
  decode: (bytes) => viewOf(bytes, 4).getUint32(0),
};

/** `t`: a number of 64 bits. */
export const uint64: GType<bigint> = {
  alignment: 8,
  size: 8,
  encode(value) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value);
    return bytes;
  },
  decode: (bytes) => viewOf(bytes, 8).getBigUint64(0),
};

/** `ay`: bytes. */
export const bytes: GType<Uint8Array> = {
  alignment: 1,
  encode: (value) => value,
  decode: (encoded) => encoded,
};

/** `s`: text. */
export const string: GType<string> = {
  alignment: 1,
  encode: (value) => Buffer.from(`${value}\0`),
  decode(encoded) {
    if (encoded.at(-1) !== 0) throw corrupt("text that does not end");
    return utf8.decode(encoded.subarray(0, -1));
  },
};

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** `v`: a value with its type beside it. Text and bytes are known; others are read as undefined. */
export const variant: GType<string | Uint8Array | undefined> = {
  alignment: 8,
  encode(value) {
    if (value === undefined) throw new Failure("bug", "A variant has no value");
    return typeof value === "string"
      ? Buffer.concat([string.encode(value), Buffer.from("\0s")])
      : Buffer.concat([value, Buffer.from("\0ay")]);
  },
  decode(encoded) {
    const end = encoded.lastIndexOf(0);
    if (end < 0) throw corrupt("a variant without a type");
    const type = utf8.decode(encoded.subarray(end + 1));
    const value = encoded.subarray(0, end);
    if (type === "s") return string.decode(value);
    return type === "ay" ? value : undefined;
  },
};

/** `a…`: values of one type, which is one of variable size. */
export function array<T>(of: GType<T>): GType<readonly T[]> {
  return {
    alignment: of.alignment,
    encode(values) {
      const frame = new Frame();
      for (const value of values) {
        frame.add(of.alignment, of.encode(value));
        frame.mark();
      }
      return frame.end("in order");
    },
    decode(encoded) {
      if (encoded.length === 0) return [];
      const width = offsetWidth(encoded.length);
      const first = offsetAt(encoded, encoded.length - width, width);
      const count = (encoded.length - first) / width;
      if (!Number.isInteger(count)) throw corrupt("a list with a broken frame");
      let start = 0;
      return Array.from({ length: count }, (_, index) => {
        const end = offsetAt(encoded, first + index * width, width);
        const from = aligned(start, of.alignment);
        if (end < from || end > first) throw corrupt("a list with a broken frame");
        start = end;
        return of.decode(encoded.subarray(from, end));
      });
    },
  };
}

/** The types of the members of a tuple. */
type Members<T extends readonly unknown[]> = { readonly [K in keyof T]: GType<T[K]> };

/** `(…)`, or `{…}`: values of several types, some of them of variable size. */
export function tuple<T extends readonly unknown[]>(...members: Members<T>): GType<Readonly<T>> {
  const types: readonly GType<unknown>[] = members;
  const alignment = types.reduce((most, { alignment: own }) => Math.max(most, own), 1);
  return {
    alignment: alignment as GType<T>["alignment"],
    encode(values) {
      const frame = new Frame();
      for (const [index, type] of types.entries()) {
        frame.add(type.alignment, type.encode(values[index]));
        if (type.size === undefined && index < types.length - 1) frame.mark();
      }
      return frame.end("backwards");
    },
    decode(encoded) {
      const width = offsetWidth(encoded.length);
      let frame = encoded.length;
      let start = 0;
      const variable = types.slice(0, -1).filter(({ size }) => size === undefined).length;
      const limit = encoded.length - variable * width;
      const values = types.map((type, index) => {
        const from = aligned(start, type.alignment);
        let end = limit;
        if (type.size !== undefined) {
          end = from + type.size;
        } else if (index < types.length - 1) {
          frame -= width;
          end = offsetAt(encoded, frame, width);
        }
        if (end < from || end > limit) throw corrupt("a tuple with a broken frame");
        start = end;
        return type.decode(encoded.subarray(from, end));
      });
      return values as readonly unknown[] as T;
    },
  };
}

/** Members of a container, and where they end. */
class Frame {
  readonly #parts: Uint8Array[] = [];
  readonly #ends: number[] = [];
  #length = 0;

  add(alignment: number, part: Uint8Array): void {
    const padding = aligned(this.#length, alignment) - this.#length;
    this.#parts.push(new Uint8Array(padding), part);
    this.#length += padding + part.length;
  }

  /** Notes that a member of variable size ends here. */
  mark(): void {
    this.#ends.push(this.#length);
  }

  end(order: "in order" | "backwards"): Uint8Array {
    const count = this.#ends.length;
    const width = [1, 2, 4].find((each) => offsetWidth(this.#length + count * each) === each);
    if (width === undefined) throw new Failure("unsupported", "An object of ostree is too large");
    const offsets = Buffer.alloc(count * width);
    const ends = order === "in order" ? this.#ends : this.#ends.toReversed();
    for (const [index, end] of ends.entries()) offsets.writeUIntLE(end, index * width, width);
    return Buffer.concat([...this.#parts, offsets]);
  }
}

/** Offsets are as wide as it takes to tell the size of the whole container. */
function offsetWidth(size: number): number {
  if (size <= 0xff) return 1;
  return size <= 0xffff ? 2 : 4;
}

function offsetAt(encoded: Uint8Array, at: number, width: number): number {
  const end = at + width;
  if (at < 0 || end > encoded.length) throw corrupt("a frame outside of it");
  const offset = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length).readUIntLE(
    at,
    width,
  );
  if (offset > at) throw corrupt("a frame that points beyond its end");
  return offset;
}

function aligned(at: number, alignment: number): number {
  return Math.ceil(at / alignment) * alignment;
}

function viewOf(encoded: Uint8Array, size: number): DataView {
  if (encoded.length !== size) throw corrupt("a number of the wrong size");
  return new DataView(encoded.buffer, encoded.byteOffset, size);
}

function corrupt(what: string): Failure {
  return new Failure("corrupt", `Object of ostree has ${what}`);
}
