// Sizes: numbers of bytes as people read them.

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Returns a number of bytes such as `1.5MiB`. */
export function renderSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)}${units[unit]}`;
}
