// index.json: read as the original reads it, changed as it changes it, and nothing lost.

import { describe, expect, test } from "bun:test";
import { digestOf } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import { Failure } from "../../../core/failure.ts";
import {
  emptyIndex,
  encodeIndex,
  type LayoutIndex,
  parseIndex,
  selectEntry,
  selectImage,
  withImage,
  withoutEntry,
  withoutNamed,
} from "../../../transports/oci/index-json.ts";
import type { WantedEntry } from "../../../transports/oci/name.ts";
import { failureOf } from "../../support/failure-of.ts";
import { randomBytes } from "../../support/random.ts";

const [a, b] = [digestOf(new Uint8Array([1])), digestOf(new Uint8Array([2]))];
const refName = "org.opencontainers.image.ref.name";

const entryOf = (digest: string, name?: string, mediaType: string = manifestTypes.oci) => ({
  mediaType,
  digest,
  size: 1,
  ...(name !== undefined && { annotations: { [refName]: name } }),
});

const parse = (text: string): LayoutIndex => parseIndex(new TextEncoder().encode(text));
const indexOf = (...manifests: readonly unknown[]): LayoutIndex =>
  parse(JSON.stringify({ schemaVersion: 2, manifests }));
const written = (index: LayoutIndex): string => new TextDecoder().decode(encodeIndex(index));
const image = (digest: typeof a) => ({ mediaType: manifestTypes.oci, digest, size: 1 });

describe("parseIndex", () => {
  test.each([
    ["nothing", "", "unexpected end of JSON input"],
    ["no JSON", "broken", "invalid character 'b' looking for beginning of value"],
    ["no object", "[]", "index.json is no JSON object"],
    ["manifests that are no list", '{"manifests":{}}', "manifests in index.json is no list"],
    ["an entry that is none", '{"manifests":[1]}', "index.json lists what is no descriptor"],
  ])("refuses %s", (_, text, message) => {
    expect(failureOf(() => parse(text))).toMatchObject({ code: "corrupt", message });
  });

  test.each([
    ['{"manifests":[]}'],
    ['{"manifests":null}'],
    ["{}"],
    ['{"manifests":[]} trailing garbage'],
    [' {"a":"}\\"{","manifests":[]}}}'],
  ])("reads %s", (text) => {
    expect(parse(text).entries).toEqual([]);
  });

  test("crashes on no text with anything but a Failure", () => {
    const pieces = ['{"manifests":[', "{", "}", "]", '"', "\\", ",", ":", "1", "digest", "null"];
    for (let round = 0; round < 500; round++) {
      const dice = randomBytes(`index/${round}`, 12);
      const text = [...dice].map((die) => pieces[die % pieces.length]).join("");
      try {
        parse(text);
      } catch (error) {
        if (!(error instanceof Failure)) throw new Error(`round ${round}: ${text}`);
        expect(error.code).toBe("corrupt");
      }
    }
  });

  test("P6: hostile text is read quickly", () => {
    const start = performance.now();
    for (const piece of ['"', '\\"', '"\\"', "{", "}"]) {
      const text = `{${piece.repeat(1024 * 1024)}`;
      if (piece === "}") parse(text);
      else failureOf(() => parse(text));
    }
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test("P4: takes names for names", () => {
    const text = `{"__proto__":{"x":1},"manifests":[{"digest":"${a}","annotations":{"__proto__":"y"}}]}`;
    const index = parse(text);
    expect(written(index)).toBe(text);
    expect(index.entries[0]?.name).toBeUndefined();
  });
});

describe("selectEntry", () => {
  const index = indexOf(
    entryOf(a, "x"),
    entryOf(b, "y", "text/plain"),
    entryOf(b, "y", manifestTypes.schema2),
    entryOf(a, "z", "text/plain"),
    entryOf("sha256:../../etc/passwd", "traversal"),
    entryOf(a.toUpperCase(), "upper"),
  );

  test.each<[string, WantedEntry, number]>([
    ["a name", { by: "name", name: "x" }, 0],
    ["the first usable entry of a name", { by: "name", name: "y" }, 2],
    ["a position", { by: "position", position: 1 }, 1],
  ])("finds %s", (_, wanted, position) => {
    expect(selectEntry(index, wanted).position).toBe(position);
  });

  test("finds the only entry, of whatever type", () => {
    expect(selectEntry(indexOf(entryOf(a, "x", "text/plain")), { by: "itself" }).digest).toBe(a);
  });

  test.each<[string, WantedEntry, object]>([
    [
      "no such name",
      { by: "name", name: "no" },
      { code: "not-found", message: 'no descriptor found for reference "no"' },
    ],
    [
      "a name of something else",
      { by: "name", name: "z" },
      { message: 'reference "z" matches unsupported manifest MIME types ["text/plain"]' },
    ],
    [
      "a position beyond the end",
      { by: "position", position: 9 },
      { message: "index 9 is too large, only 6 entries available" },
    ],
    [
      "no choice among several",
      { by: "itself" },
      { message: "more than one image in oci, choose an image" },
    ],
    [
      "C1: a digest that leads elsewhere",
      { by: "name", name: "traversal" },
      {
        code: "corrupt",
        message: expect.stringMatching(
          /^unexpected digest reference sha256:..\/..\/etc\/passwd: invalid checksum digest /,
        ),
      },
    ],
    ["C1: a digest in upper case", { by: "name", name: "upper" }, { code: "corrupt" }],
  ])("fails on %s", (_, wanted, failure) => {
    expect(failureOf(() => selectEntry(index, wanted))).toMatchObject(failure);
  });

  test("fails on no choice where there is nothing", () => {
    expect(failureOf(() => selectEntry(emptyIndex, { by: "itself" }))).toMatchObject({
      message: "more than one image in oci, choose an image",
      hint: "the layout is empty",
    });
  });
});

describe("selectImage", () => {
  const attestation = {
    ...entryOf(b),
    annotations: { "vnd.docker.reference.type": "attestation-manifest" },
  };
  const engine = (digest: string, tag: string, fullName: string) => ({
    ...entryOf(digest),
    annotations: { [refName]: tag, "io.containerd.image.name": fullName },
  });

  test.each<[string, LayoutIndex, number]>([
    ["the only one", indexOf(entryOf(a)), 0],
    ["one of several names", indexOf(entryOf(a, "x"), entryOf(a, "y")), 0],
    ["the one that is attested", indexOf(attestation, entryOf(a)), 1],
  ])("needs no name for %s", (_, index, position) => {
    expect(selectImage(index, { by: "itself" }).position).toBe(position);
  });

  test.each<[string, LayoutIndex]>([
    ["nothing", emptyIndex],
    ["two images", indexOf(entryOf(a, "x"), entryOf(b, "y"))],
    ["nothing but attestations", indexOf(attestation, attestation)],
  ])("needs a name for %s", (_, index) => {
    expect(failureOf(() => selectImage(index, { by: "itself" }))).toMatchObject({
      message: "more than one image in oci, choose an image",
    });
  });

  test("finds an image by the full name that engines give it, after all others", () => {
    const index = indexOf(
      engine(a, "1", "docker.io/library/x:1"),
      engine(b, "1", "docker.io/library/y:1"),
    );
    const named = (name: string) => selectImage(index, { by: "name", name }).position;
    expect(named("docker.io/library/y:1")).toBe(1);
    expect(named("1")).toBe(0);
    expect(failureOf(() => named("y:1"))).toMatchObject({ code: "not-found" });
    const both = indexOf(engine(a, "1", "x"), entryOf(b, "x"));
    expect(selectImage(both, { by: "name", name: "x" }).position).toBe(1);
  });
});

test("withoutNamed takes away a name with its images, and nothing else", () => {
  const index = indexOf(entryOf(a, "x"), entryOf(b), entryOf(b, "x"), entryOf(a, "y"));
  const { entries } = withoutNamed(index, "x");
  expect(entries.map(({ digest, name }) => [digest, name])).toEqual([
    [b, undefined],
    [a, "y"],
  ]);
});

describe("withImage", () => {
  test("begins an index as the original does", () => {
    expect(written(withImage(emptyIndex, image(a), "x"))).toBe(
      `{"schemaVersion":2,"mediaType":"${manifestTypes.ociIndex}","manifests":[{"mediaType":"${manifestTypes.oci}","digest":"${a}","size":1,"annotations":{"${refName}":"x"}}]}`,
    );
  });

  test.each([
    ["the same image under its name again", [[a, "x"]], [a, "x"], [[a, "x"]]],
    ["another image over a name", [[a, "x"]], [b, "x"], [[a], [b, "x"]]],
    [
      "an image under a second name",
      [[a, "x"]],
      [a, "y"],
      [
        [a, "x"],
        [a, "y"],
      ],
    ],
    ["a name for a nameless image", [[b], [a]], [a, "x"], [[b], [a, "x"]]],
    ["a nameless image", [[a, "x"]], [b], [[a, "x"], [b]]],
    ["a nameless image again", [[a]], [a], [[a]]],
    ["a nameless image that has a name already", [[a, "x"]], [a], [[a, "x"], [a]]],
    [
      "a name that stood twice",
      [
        [a, "x"],
        [b, "x"],
      ],
      [b, "x"],
      [[a], [b, "x"]],
    ],
  ] as const)("adds %s", (_, before, [digest, name], after) => {
    const index = indexOf(...before.map(([each, named]) => entryOf(each, named)));
    const { entries } = withImage(index, image(digest), name);
    expect(entries.map((entry) => [entry.digest, entry.name])).toEqual(
      after.map(([each, named]) => [each, named]),
    );
  });

  test("F7: keeps everything it does not know", () => {
    const text = `{"schemaVersion":2,"future":{"b":[1,{"c":null}]},"manifests":[{"mediaType":"x/y","digest":"sha256:zz","size":-1,"other":true,"annotations":{"k":"v","${refName}":"x"}}],"annotations":{"z":"y"}}`;
    const index = withImage(parse(text), image(a), "x");
    expect(JSON.parse(written(index))).toEqual({
      schemaVersion: 2,
      future: { b: [1, { c: null }] },
      manifests: [
        { mediaType: "x/y", digest: "sha256:zz", size: -1, other: true, annotations: { k: "v" } },
        entryOf(a, "x"),
      ],
      annotations: { z: "y" },
    });
  });
});

test("withoutEntry takes one entry out", () => {
  const index = indexOf(entryOf(a, "x"), entryOf(b, "y"), entryOf(a, "z"));
  expect(withoutEntry(index, 1).entries.map(({ name }) => name)).toEqual(["x", "z"]);
});
