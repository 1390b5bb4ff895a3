import { expect, test } from "bun:test";

import { TagLists } from "../../../core/sync/tag-lists.ts";

test("TagLists asks once for each repository, and not for too many at a time", async () => {
  const lists = new TagLists(2);
  let [running, most, asked] = [0, 0, 0];
  const list = async () => {
    asked++;
    most = Math.max(most, ++running);
    await Bun.sleep(1);
    running--;
    return ["1"];
  };
  const names = ["a", "b", "c", "a", "d"];
  const found = await Promise.all(names.map((name) => lists.of(name, list)));
  expect(found).toEqual(names.map(() => ["1"]));
  expect([asked, most]).toEqual([4, 2]);
});

test("TagLists tells everybody who asks why it failed, and nobody who does not", async () => {
  const lists = new TagLists(2);
  const fail = async () => {
    throw new Error("no");
  };
  const first = lists.of("a", fail);
  await Promise.allSettled([first]);
  await expect(lists.of("a", fail)).rejects.toThrow("no");
  void lists.of("b", fail);
  await Bun.sleep(1);
});
