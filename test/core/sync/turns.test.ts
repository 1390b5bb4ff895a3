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
