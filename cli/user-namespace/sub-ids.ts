// Sub-ids: which ids of this machine a user may give to others in a namespace of their own.

/** So many ids from here on. */
export interface IdRange {
  readonly start: number;
  readonly count: number;
}

/** Returns the ranges that a file such as `/etc/subuid` sets aside for a user, who is named by any of `names`. */
export function parseSubIds(text: string, names: readonly string[]): readonly IdRange[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", start = "", count = "", ...rest] = line.trim().split(":");
    if (!names.includes(name) || rest.length > 0) return [];
    const numbers = [start, count].every((each) => /^\d{1,10}$/.test(each));
    return numbers && Number(count) > 0 ? [{ start: Number(start), count: Number(count) }] : [];
  });
}

/** Returns the ranges that getsubids(1) tells of a user, a line each: `0: NAME START COUNT`. */
export function parseToldIds(text: string, name: string): readonly IdRange[] {
  const lines = text
    .split("\n")
    .map((line) => line.replace(/^\d+:\s*/, "").replaceAll(/\s+/g, ":"));
  return parseSubIds(lines.join("\n"), [name]);
}

/** Returns the name of a user by a file such as `/etc/passwd`; undefined if it does not say. */
export function parseUserName(text: string, userId: number): string | undefined {
  for (const line of text.split("\n")) {
    const [name, , id] = line.split(":");
    if (name !== undefined && name !== "" && id === String(userId)) return name;
  }
  return undefined;
}

/**
 * Returns the map of a namespace, as newuidmap takes it: 0 is the user, and the ranges follow one another
 * from 1 on.
 */
export function idMap(own: number, ranges: readonly IdRange[]): readonly string[] {
  const map = [0, own, 1];
  let next = 1;
  for (const { start, count } of ranges) {
    map.push(next, start, count);
    next += count;
  }
  return map.map(String);
}
