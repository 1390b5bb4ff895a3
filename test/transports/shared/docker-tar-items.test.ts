import { describe, expect, test } from "bun:test";
import {
  choosePosition,
  type DockerTarItem,
  encodeItems,
  parseItems,
  type WantedItem,
} from "../../../transports/shared/docker-tar-items.ts";
import { failureOf } from "../../support/failure-of.ts";

const parse = (text: string) => parseItems(new TextEncoder().encode(text));
const text = (items: readonly DockerTarItem[]) => new TextDecoder().decode(encodeItems(items));

describe("parseItems", () => {
  test.each([
    ["[]", []],
    ["null", []],
    ["[null]", [{ config: "", tags: [], layers: [] }]],
    [
      '[{"Config":"c","RepoTags":null,"Layers":["a","b"],"Parent":"p"}]',
      [{ config: "c", tags: [], layers: ["a", "b"] }],
    ],
    ['[{"config":"c","REPOTAGS":["x:1"]}]', [{ config: "c", tags: ["x:1"], layers: [] }]],
    ['[{"Config":"a","Config":"c"}]', [{ config: "c", tags: [], layers: [] }]],
  ])("reads %p as the original does", (json, items) => {
    expect(parse(json)).toEqual(items);
  });

  test.each([
    ["[{", "decoding tar manifest.json: unexpected end of JSON input"],
    ["[]x", "decoding tar manifest.json: invalid character 'x' after top-level value"],
    ["{}", "decoding tar manifest.json: it is no array"],
    ["[1]", "decoding tar manifest.json: an item is no object"],
    ['[{"Config":3}]', "decoding tar manifest.json: Config holds what is no string"],
    ['[{"Layers":"a"}]', "decoding tar manifest.json: Layers is no array"],
    ['[{"RepoTags":[1]}]', "decoding tar manifest.json: RepoTags holds what is no string"],
  ])("refuses %p", (json, message) => {
    expect(failureOf(() => parse(json))).toMatchObject({ code: "corrupt", message });
  });
});

describe("encodeItems", () => {
  test("writes one line, with empty arrays where there is nothing", () => {
    expect(text([{ config: "c.json", tags: [], layers: [] }])).toBe(
      '[{"Config":"c.json","RepoTags":[],"Layers":[]}]',
    );
  });

  test("what is written is read back", () => {
    const items = [
      { config: "c", tags: ["x:1", "y:2"], layers: ["a", "b"] },
      { config: "d", tags: [], layers: ["a"] },
    ];
    expect(parseItems(encodeItems(items))).toEqual(items);
  });
});

describe("choosePosition", () => {
  const items: readonly DockerTarItem[] = [
    { config: "a", tags: ["x:1", "docker.io/library/y:2"], layers: [] },
    { config: "b", tags: ["z", "localhost/z:1"], layers: [] },
  ];

  test.each<[WantedItem, number]>([
    [{ by: "position", position: 1 }, 1],
    [{ by: "tag", tag: "docker.io/library/x:1" }, 0],
    [{ by: "tag", tag: "docker.io/library/y:2" }, 0],
    [{ by: "tag", tag: "localhost/z:1" }, 1],
  ])("finds %j", (wanted, position) => {
    expect(choosePosition(items, wanted)).toBe(position);
  });

  test("finds the only one there is", () => {
    expect(choosePosition(items.slice(1), { by: "itself" })).toBe(0);
  });

  test.each<[WantedItem, string]>([
    [{ by: "itself" }, "Unexpected tar manifest.json: expected 1 item, got 2"],
    [{ by: "position", position: 2 }, "Invalid source index @2, only 2 manifest items available"],
    // No tag is not the tag `latest`.
    [
      { by: "tag", tag: "docker.io/library/z:latest" },
      'Tag "docker.io/library/z:latest" not found',
    ],
  ])("refuses %j, and says what there is", (wanted, message) => {
    expect(failureOf(() => choosePosition(items, wanted))).toMatchObject({
      // Not `not-found`, which ends with 2: the original ends with 1.
      code: "refused",
      message,
      hint: "the archive has x:1, docker.io/library/y:2, z, localhost/z:1",
    });
  });

  test("says of an empty archive that it is one", () => {
    expect(failureOf(() => choosePosition([], { by: "itself" }))).toMatchObject({
      hint: "the archive is empty",
    });
  });

  test("refuses to look for a tag among names that are none", () => {
    const odd = [{ config: "a", tags: ["UPPER:1"], layers: [] }];
    expect(failureOf(() => choosePosition(odd, { by: "tag", tag: "x" }))).toMatchObject({
      message:
        'Invalid tag "UPPER:1" in manifest.json item @0: invalid reference format: repository name must be lowercase',
    });
  });
});
