// IP addresses: read, and compared with ranges.

/** An address in 16 bytes; IPv4 stands as the part of IPv6 that is mapped to it. */
export type IpAddress = Uint8Array;

/**
 * Parses an IPv4 or IPv6 address, with or without brackets. Returns undefined for anything else, such
 * as a name. IPv4 addresses are expected as four decimal numbers, which is how URLs spell them.
 */
export function parseIp(text: string): IpAddress | undefined {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  const four = parseFour(bare);
  if (four !== undefined) return Uint8Array.of(...mapped, ...four);
  return parseSix(bare);
}

/** Tells whether an address lies in one of `ranges`, given as `10.0.0.0/8` or `fe80::/10`. */
export function isWithin(address: IpAddress, ranges: readonly string[]): boolean {
  return ranges.some((range) => liesIn(address, range));
}

const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

function liesIn(address: IpAddress, range: string): boolean {
  const [base = "", length = ""] = range.split("/");
  const start = parseIp(base);
  if (start === undefined || !/^\d{1,3}$/.test(length)) return false;
  const bits = Number(length) + (base.includes(":") ? 0 : 96);
  if (bits > 128) return false;
  for (let bit = 0; bit < bits; bit++) {
    const mask = 0x80 >> (bit % 8);
    const at = bit >> 3;
    if (((address[at] ?? 0) & mask) !== ((start[at] ?? 0) & mask)) return false;
  }
  return true;
}

function parseFour(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part))) return undefined;
  const numbers = parts.map(Number);
  return numbers.every((number) => number < 256) ? numbers : undefined;
}

function parseSix(text: string): IpAddress | undefined {
  // An IPv4 tail counts for two groups.
  const dotted = /^(.*:)(\d[\d.]*\.\d+)$/.exec(text);
  const four = dotted === null ? undefined : parseFour(dotted[2] ?? "");
  if (dotted !== null && four === undefined) return undefined;
  const whole = four === undefined ? text : `${dotted?.[1]}${hex(four, 0)}:${hex(four, 2)}`;

  const halves = whole.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const given = [...(head ?? []), ...(tail ?? [])];
  const missing = 8 - given.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  if (!given.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const groups = [...(head ?? []), ...Array<string>(missing).fill("0"), ...(tail ?? [])];
  return Uint8Array.from(
    groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]),
  );
}

function hex(bytes: readonly number[], at: number): string {
  return (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16);
}
