// OpenPGP armor: keys as text, among other text.
//
// See https://www.rfc-editor.org/rfc/rfc4880#section-6.2

/**
 * Returns the key rings in a file: the file itself if it is binary, else what each armored block holds.
 * Whatever stands around the blocks is passed over, and so are blocks that cannot be read.
 */
export function keyRingsIn(file: Uint8Array): readonly Uint8Array[] {
  const [first = 0] = file;
  // No text begins so, and all binary keys do.
  if ((first & 0x80) !== 0 && !isByteOrderMark(file)) return [file];
  const text = new TextDecoder("latin1").decode(file);
  const rings: Uint8Array[] = [];
  let lines: string[] | undefined;
  for (const line of text.split(/\r?\n|\r/).map((each) => each.trim())) {
    if (begin.test(line)) {
      lines = [];
    } else if (lines !== undefined && end.test(line)) {
      const ring = ringOf(lines);
      if (ring !== undefined) rings.push(ring);
      lines = undefined;
    } else {
      lines?.push(line);
    }
  }
  return rings;
}

const begin = /^-----BEGIN PGP (?:PUBLIC|PRIVATE) KEY BLOCK-----$/;
const end = /^-----END PGP (?:PUBLIC|PRIVATE) KEY BLOCK-----$/;

function isByteOrderMark([first, second, third]: Uint8Array): boolean {
  return first === 0xef && second === 0xbb && third === 0xbf;
}

/** Headers come first, up to an empty line; a checksum that nobody needs comes last. */
function ringOf(lines: readonly string[]): Uint8Array | undefined {
  const blank = lines.indexOf("");
  const data = lines.slice(blank + 1).filter((line) => line !== "" && !line.startsWith("="));
  const base64 = data.join("");
  const bytes = Buffer.from(base64, "base64");
  // The runtime's reader stops or goes on wherever it likes.
  return bytes.length > 0 && bytes.toString("base64") === base64 ? bytes : undefined;
}
