import { expect, test } from "bun:test";

import { Turns } from "../../../core/sync/turns.ts";

test("Turns lets everybody be heard in order, whoever speaks first", () => {
  const heard: string[] = [];
  const turns = new Turns<string>((event) => heard.push(event));
  const [one, two, three] = [0, 1, 2].map((number) => turns.speaker(number));
  three?.say("3a");
  two?.say("2a");
  one?.say("1a");
  expect(heard).toEqual(["1a"]);
  two?.end();
  one?.say("1b");
  one?.end();
  expect(heard).toEqual(["1a", "1b", "2a", "3a"]);
  three?.say("3b");
  expect(heard.at(-1)).toBe("3b");
});

test("Turns merges what waits, as far as nothing else was said between", () => {
  const heard: string[] = [];
  const turns = new Turns<string>(
    (event) => heard.push(event),
    (earlier, later) => {
      if (!/^[ab]\d+$/.test(earlier) || !/^[ab]\d+$/.test(later)) return "apart";
      if (earlier[0] !== later[0]) return "before";
      return `${earlier[0]}${Number(earlier.slice(1)) + Number(later.slice(1))}`;
    },
  );
  const [one, two] = [turns.speaker(0), turns.speaker(1)];
  for (const event of ["a1", "b1", "a2", "b2", "end", "a4"]) two.say(event);
  one.end();
  expect(heard).toEqual(["a3", "b3", "end", "a4"]);
});

test("Turns lets nobody be heard who stands behind one that failed", () => {
  const heard: string[] = [];
  const turns = new Turns<string>((event) => heard.push(event));
  const [one, two, three] = [turns.speaker(0), turns.speaker(1), turns.speaker(2)];
  three.say("3");
  three.fail();
  three.end();
  two.say("2");
  two.fail();
  two.end();
  expect(heard).toEqual([]);
  one.say("1");
  one.end();
  expect(heard).toEqual(["1", "2"]);
});
