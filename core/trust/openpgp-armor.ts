// OpenPGP armor: keys and messages as text.
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
  return blocksIn(file, /^PGP (?:PUBLIC|PRIVATE) KEY BLOCK$/);
}

/** Returns the one message in a file, binary or armored; undefined if there is none, or there are several. */
export function messageIn(file: Uint8Array): Uint8Array | undefined {
  const [first = 0] = file;
  if ((first & 0x80) !== 0) return file;
  const messages = blocksIn(file, /^PGP MESSAGE$/);
  return messages.length === 1 ? messages[0] : undefined;
}

/** Returns what the armored blocks of a kind hold. Those that cannot be read are passed over. */
function blocksIn(file: Uint8Array, kind: RegExp): readonly Uint8Array[] {
  const text = new TextDecoder("latin1").decode(file);
  const blocks: Uint8Array[] = [];
  let lines: string[] | undefined;
  for (const line of text.split(/\r?\n|\r/).map((each) => each.trim())) {
    const [, word, what = ""] = /^-----(BEGIN|END) ([A-Z ]+)-----$/.exec(line) ?? [];
    if (word === "BEGIN" && kind.test(what)) {
      lines = [];
    } else if (word === "END" && kind.test(what) && lines !== undefined) {
      const block = contentOf(lines);
      if (block !== undefined) blocks.push(block);
      lines = undefined;
    } else {
      lines?.push(line);
    }
  }
  return blocks;
}

function isByteOrderMark([first, second, third]: Uint8Array): boolean {
  return first === 0xef && second === 0xbb && third === 0xbf;
}

/** Headers come first, up to an empty line; a checksum that nobody needs comes last. */
function contentOf(lines: readonly string[]): Uint8Array | undefined {
  const blank = lines.indexOf("");
  const data = lines.slice(blank + 1).filter((line) => line !== "" && !line.startsWith("="));
  const base64 = data.join("");
  const bytes = Buffer.from(base64, "base64");
  // The runtime's reader stops or goes on wherever it likes.
  return bytes.length > 0 && bytes.toString("base64") === base64 ? bytes : undefined;
}
