// DER bytes: certificates and their parts, right or wrong as a test wants them.

/** Returns one value: tag, length and content. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const { length } = content;
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  const spelled = length < 0x80 ? [length] : [0x80 + digits.length, ...digits];
  return Uint8Array.from([tag, ...spelled, ...content]);
}

/** Returns a sequence. */
export function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return der(0x30, ...parts);
}

/** Returns an object identifier, from dotted numbers. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      groups.unshift((left & 0x7f) | 0x80);
    }
    return groups;
  });
  return der(0x06, Uint8Array.from(bytes));
}

/** Returns a small number that is not negative. */
export function integer(value: number): Uint8Array {
  const digits: number[] = [value % 256];
  for (let rest = Math.floor(value / 256); rest > 0; rest = Math.floor(rest / 256)) {
    digits.unshift(rest % 256);
  }
  return der(0x02, Uint8Array.from((digits[0] ?? 0) >= 0x80 ? [0, ...digits] : digits));
}

/** Returns text in ASCII or UTF-8 under any tag. */
export function text(tag: number, value: string): Uint8Array {
  return der(tag, new TextEncoder().encode(value));
}

/** Returns a string of whole bytes. */
export function bitString(bytes: Uint8Array, unused = 0): Uint8Array {
  return der(0x03, Uint8Array.of(unused), bytes);
}

/** Returns a moment with four digits for the year. */
export function time(at: Date): Uint8Array {
  return text(
    0x18,
    `${at
      .toISOString()
      .replace(/\.\d+Z$/, "")
      .replace(/[-:T]/g, "")}Z`,
  );
}
