// DER: the encoding of certificates and keys, read strictly.
//
// One value has one encoding: lengths that are longer than they need be, indefinite lengths, tags of
// several bytes and bytes behind the end are refused.

import { Failure } from "../../failure.ts";

/** One value as it stands: what it is, what it holds, and all its bytes. */
export interface DerValue {
  /** Class, whether it is constructed, and number, as one byte. */
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly bytes: Uint8Array;
}

/** The tags that certificates are made of. */
export const derTags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

/** Reads values that stand one behind the other. All of it fails with `corrupt`. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether all has been read. */
  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Returns the tag of the next value; undefined at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** Returns the next value, which has to have this tag, if one is given. */
  next(tag?: number): DerValue {
    const start = this.#at;
    const found = this.#byte();
    if ((found & 0x1f) === 0x1f) throw malformed("a tag of several bytes");
    if (tag !== undefined && found !== tag) {
      throw malformed(`tag ${found} where ${tag} was expected`);
    }
    const length = this.#length();
    const begin = this.#at;
    if (length > this.#bytes.length - begin) throw malformed("a value that exceeds its place");
    this.#at = begin + length;
    return {
      tag: found,
      content: this.#bytes.subarray(begin, this.#at),
      bytes: this.#bytes.subarray(start, this.#at),
    };
  }

  /** Returns the next value if it has this tag. */
  maybe(tag: number): DerValue | undefined {
    return this.peek() === tag ? this.next(tag) : undefined;
  }

  /** Fails unless all has been read. */
  end(): void {
    if (!this.ended) throw malformed("bytes behind the end");
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first - 0x80;
    if (count === 0 || count > 4) throw malformed("a length that is none");
    let length = 0;
    for (let index = 0; index < count; index++) length = length * 256 + this.#byte();
    if (length < 0x80 || length < 256 ** (count - 1)) throw malformed("a length that is too long");
    return length;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw malformed("an early end");
    return byte;
  }
}

/** Returns the only value of some bytes. */
export function derValue(bytes: Uint8Array, tag: number): DerValue {
  const reader = new DerReader(bytes);
  const value = reader.next(tag);
  reader.end();
  return value;
}

/** Returns all values inside of one. */
export function derItems({ content }: DerValue): readonly DerValue[] {
  const reader = new DerReader(content);
  const items: DerValue[] = [];
  while (!reader.ended) items.push(reader.next());
  return items;
}

/** Returns an object identifier as dotted numbers. */
export function derOid({ content }: DerValue): string {
  if (content.length === 0 || content.length > 64) throw malformed("an odd object identifier");
  const arcs: number[] = [];
  let arc = 0;
  let open = false;
  for (const byte of content) {
    if (!open && byte === 0x80) throw malformed("an object identifier that is too long");
    arc = arc * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(arc)) throw malformed("an odd object identifier");
    open = (byte & 0x80) !== 0;
    if (open) continue;
    arcs.push(arc);
    arc = 0;
  }
  if (open) throw malformed("an object identifier that does not end");
  const [first = 0, ...rest] = arcs;
  const top = Math.min(Math.floor(first / 40), 2);
  return [top, first - top * 40, ...rest].join(".");
}

/** Returns a truth, of which there are two. */
export function derBoolean({ content }: DerValue): boolean {
  const [byte] = content;
  if (content.length !== 1 || (byte !== 0 && byte !== 0xff)) throw malformed("an odd truth value");
  return byte === 0xff;
}

/** Returns a number that is not negative and not large. */
export function derSmallInteger({ content }: DerValue): number {
  const [first = 0x80, second = 0x80] = content;
  if (content.length === 0 || content.length > 6 || first >= 0x80) {
    throw malformed("a number that is out of bounds");
  }
  if (content.length > 1 && first === 0 && second < 0x80) throw malformed("an odd number");
  return content.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** Returns the bytes of a string of whole bytes. */
export function derBitString({ content }: DerValue): Uint8Array {
  if (content[0] !== 0) throw malformed("a string of odd bits");
  return content.subarray(1);
}

/** Returns a moment, of either kind. */
export function derTime({ tag, content }: DerValue): Date {
  const text = new TextDecoder("latin1").decode(content);
  const digits = tag === derTags.utcTime ? 2 : 4;
  if (tag !== derTags.utcTime && tag !== derTags.generalizedTime) throw malformed("an odd time");
  const parts = new RegExp(`^(\\d{${digits}})(\\d\\d)(\\d\\d)(\\d\\d)(\\d\\d)(\\d\\d)Z$`).exec(
    text,
  );
  if (parts === null) throw malformed("an odd time");
  const [, year = "", month = "", day = "", hour = "", minute = "", second = ""] = parts;
  // https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5.1
  const century = digits === 4 ? "" : Number(year) >= 50 ? "19" : "20";
  const spelled = `${century}${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = new Date(spelled);
  if (Number.isNaN(time.getTime()) || time.toISOString() !== spelled)
    throw malformed("an odd time");
  return time;
}

function malformed(what: string): Failure {
  return new Failure("corrupt", `malformed DER: ${what}`);
}
