// The screen: stderr, where lines that stay and lines that change share one place.

/** Takes lines for a person, or for a log file, to read. */
export interface Screen {
  /** Writes a line that stays, above those that change. */
  line(text: string): void;
  /** Replaces the lines that change. Only for a terminal. */
  draw(lines: readonly string[]): void;
}

/** Creates a screen. `write` is given whole lines, without the end of the last. */
export function createScreen(write: (text: string) => void): Screen {
  let drawn: readonly string[] = [];
  const replace = (lines: readonly string[]) => {
    // Back to the first of the changing lines, and nothing below it.
    const erase = drawn.length === 0 ? "" : `\x1b[${drawn.length}A\r\x1b[J`;
    if (lines.length > 0) write(erase + lines.join("\n"));
    else if (erase !== "") write(`${erase}\x1b[A`);
  };
  return {
    line(text) {
      replace([text, ...drawn]);
    },
    draw(lines) {
      replace(lines);
      drawn = lines;
    },
  };
}
