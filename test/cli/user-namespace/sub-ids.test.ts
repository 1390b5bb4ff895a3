import { expect, test } from "bun:test";
import {
  idMap,
  parseSubIds,
  parseToldIds,
  parseUserName,
} from "../../../cli/user-namespace/sub-ids.ts";

const text = `# comment
alice:100000:65536
bob:200000:10

1000:300000:5
alice:400000:x
alice:500000:0
alice:600000:1:more
`;

test("parseSubIds finds a user by name and by number", () => {
  expect(parseSubIds(text, ["alice", "1000"])).toEqual([
    { start: 100_000, count: 65_536 },
    { start: 300_000, count: 5 },
  ]);
  expect(parseSubIds(text, ["carol"])).toEqual([]);
});

test("parseToldIds reads what getsubids says", () => {
  const told = "0: alice 100000 65536\n1: alice 300000 5\n2: bob 1 1\nError fetching ranges\n";
  expect(parseToldIds(told, "alice")).toEqual([
    { start: 100_000, count: 65_536 },
    { start: 300_000, count: 5 },
  ]);
});

test("parseUserName finds the name of a number", () => {
  const users = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n";
  expect([parseUserName(users, 1000), parseUserName(users, 1)]).toEqual(["alice", undefined]);
});

test("idMap packs ranges one after the other", () => {
  const ranges = [
    { start: 100_000, count: 65_536 },
    { start: 300_000, count: 5 },
  ];
  expect(idMap(1000, ranges).join(" ")).toBe("0 1000 1 1 100000 65536 65537 300000 5");
});
