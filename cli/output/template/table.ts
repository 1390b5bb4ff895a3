// Tables: cells in columns of equal width.

/** How wide a cell is at least, and what keeps it from its neighbour. */
const minimumWidth = 12;
const gap = "  ";

/**
 * Aligns text whose cells end with a tab.
 *
 * A column reaches over neighbouring lines that have it; what follows a line's last tab is in none.
 */
export function alignColumns(text: string): string {
  const lines = text.split("\n").map((line) => line.split("\t"));
  align(lines, 0);
  return lines.map((cells) => cells.join("")).join("\n");
}

/** Fills up the cells of a column, and of those to its right, in all lines that have it. */
function align(lines: string[][], column: number): void {
  let start = 0;
  while (start < lines.length) {
    let end = start;
    while (end < lines.length && hasColumn(lines[end], column)) end++;
    const block = lines.slice(start, end);
    if (block.length > 0) {
      fill(block, column);
      align(block, column + 1);
    }
    start = Math.max(end, start + 1);
  }
}

function hasColumn(line: readonly string[] | undefined, column: number): boolean {
  return line !== undefined && line.length > column + 1;
}

function fill(block: string[][], column: number): void {
  const widths = block.map((line) => widthOf(line[column]) + gap.length);
  const width = Math.max(minimumWidth, ...widths);
  for (const line of block) {
    const cell = line[column] ?? "";
    line[column] = cell + " ".repeat(width - widthOf(cell));
  }
}

function widthOf(cell = ""): number {
  return [...cell].length;
}
