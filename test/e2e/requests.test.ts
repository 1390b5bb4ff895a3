// Requests: what a copy of many small layers asks of a registry, and how often.

import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { limits } from "../../core/limits.ts";
import { type CopyKind, countedCopies, type CountedCopy } from "../support/counted-copies.ts";

setDefaultTimeout(180_000);

let copies: readonly CountedCopy[] = [];
beforeAll(async () => {
  copies = await countedCopies();
});

function copyOf(what: CopyKind): CountedCopy {
  const found = copies.find((copy) => copy.what === what);
  if (found === undefined) throw new Error(`nothing was counted of ${what}`);
  return found;
}

/** How often each method was used, pings and tokens by their own names. */
function counts({ requests }: CountedCopy): Readonly<Record<string, number>> {
  const names = requests.map((line) => {
    if (line === "GET /v2/") return "ping";
    return line === "GET /token" ? "token" : (line.split(" ")[0] ?? "");
  });
  return Object.fromEntries(
    [...new Set(names)].map((name) => [name, names.filter((each) => each === name).length]),
  );
}

describe("copy of 40 small layers", () => {
  test.each<[CopyKind, Readonly<Record<string, number>>]>([
    // 40 layers and a config; the last PUT is the manifest's.
    ["push", { ping: 1, token: 1, HEAD: 41, POST: 41, PATCH: 41, PUT: 42 }],
    ["push again", { ping: 1, token: 1, HEAD: 41, PUT: 1 }],
    ["pull", { ping: 1, token: 1, GET: 42 }],
    // One token to read, one to write, and one for both repositories.
    ["registry to itself", { ping: 1, token: 3, GET: 1, HEAD: 41, POST: 41, PUT: 1 }],
  ])("%s: asks for everything once", (what, expected) => {
    expect(counts(copyOf(what))).toEqual(expected);
  });

  test.each<CopyKind>(["push", "push again", "pull", "registry to itself"])(
    "%s: asks nothing twice",
    (what) => {
      const once = copyOf(what).requests.filter((line) => !/^POST|\/token$/.test(line));
      const twice = once.filter((line, index) => once.indexOf(line) !== index);
      // A session is sent to and committed at one address.
      expect(twice).toEqual([]);
    },
  );

  test.each<CopyKind>(["push", "push again", "pull", "registry to itself"])(
    "%s: uses its connections again",
    (what) => {
      // One more for the ping by https, which is tried first, and one for what overlaps.
      expect(copyOf(what).connections).toBeLessThanOrEqual(limits.parallelBlobs + 2);
    },
  );
});
