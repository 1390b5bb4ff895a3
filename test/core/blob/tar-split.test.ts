import { describe, expect, test } from "bun:test";
import { collect } from "../../../core/blob/collect.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import {
  cleanPath,
  parseTarSplit,
  TarSplitEncoder,
  type TarSplitRecord,
} from "../../../core/blob/tar-split.ts";
import { chunked } from "../../support/chunks.ts";
import { rejection } from "../../support/rejection.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const checksum = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);

async function parse(bytes: Uint8Array, size = bytes.length): Promise<TarSplitRecord[]> {
  return Array.fromAsync(parseTarSplit(chunked(bytes, Math.max(size, 1))));
}

describe("TarSplitEncoder", () => {
  test("writes one line for each record", () => {
    const encoder = new TarSplitEncoder();
    encoder.raw(bytesOf("head"));
    encoder.raw(bytesOf("er"));
    encoder.file(bytesOf("etc/passwd"), { size: 12, checksum });
    encoder.raw(bytesOf("x"));
    encoder.file(bytesOf("etc/"));
    encoder.file(new Uint8Array([0x66, 0xff]), { size: 0, checksum });
    encoder.raw(bytesOf("end"));
    expect(new TextDecoder().decode(encoder.take("all"))).toBe(
      [
        `{"type":2,"payload":"aGVhZGVy","position":0}`,
        `{"type":1,"name":"etc/passwd","size":12,"payload":"AQIDBAUGBwg=","position":1}`,
        `{"type":2,"payload":"eA==","position":2}`,
        `{"type":1,"name":"etc/","payload":null,"position":3}`,
        `{"type":1,"name_raw":"Zv8=","payload":null,"position":4}`,
        `{"type":2,"payload":"ZW5k","position":5}`,
        "",
      ].join("\n"),
    );
    expect(encoder.take("all")).toBeUndefined();
  });

  test.each([
    ["a", "./a"],
    ["a/", "a"],
    ["x/../a", "/a"],
  ])("refuses the path of %p, that was there as %p", (one, other) => {
    const encoder = new TarSplitEncoder();
    encoder.file(bytesOf(other));
    expect(() => encoder.file(bytesOf(one))).toThrow("duplicates of file paths not supported");
  });

  test("gives out what is enough, and cuts long runs of raw bytes", async () => {
    const encoder = new TarSplitEncoder();
    encoder.raw(bytesOf("a"));
    encoder.file(bytesOf("a"));
    expect(encoder.take("enough")).toBeUndefined();
    encoder.raw(new Uint8Array(2_500_000));
    const first = encoder.take("enough") ?? new Uint8Array();
    const last = encoder.take("all") ?? new Uint8Array();
    const records = await parse(Buffer.concat([first, last]));
    expect(records.map((each) => (each.kind === "raw" ? each.bytes.length : "file"))).toEqual([
      1,
      "file",
      1024 * 1024,
      1024 * 1024,
      2_500_000 - 2 * 1024 * 1024,
    ]);
  });
});

describe("parseTarSplit", () => {
  const text = [
    `{"type":2,"payload":"aGVhZGVy","position":0}`,
    `{"type":1,"name":"ü","size":3,"payload":"AQIDBAUGBwg=","position":1}`,
    `{"type":1,"name_raw":"Zv8=","payload":null,"position":2}`,
  ].join("\n");

  test.each([1, 7, 1000])("reads what others wrote, %d bytes at a time", async (size) => {
    const expected: TarSplitRecord[] = [
      { kind: "raw", bytes: Buffer.from("header") },
      { kind: "file", name: Buffer.from("ü"), size: 3, checksum: Buffer.from(checksum) },
      { kind: "file", name: Buffer.from([0x66, 0xff]), size: 0 },
    ];
    expect(await parse(bytesOf(text), size)).toEqual(expected);
    expect(await parse(bytesOf(`${text}\n`), size)).toEqual(expected);
  });

  test.each([
    ["no JSON", `{"type":`, /not JSON/],
    ["no object", `[1]`, /not an object/],
    ["an unknown type", `{"type":3,"position":0}`, /record of type "3"/],
    ["a negative size", `{"type":1,"name":"a","size":-1,"position":0}`, /file of size "-1"/],
    ["no checksum", `{"type":1,"name":"a","size":1,"payload":null,"position":0}`, /checksum/],
    ["a name of another kind", `{"type":1,"name":{},"position":0}`, /without a name/],
    ["a gap", `{"type":2,"payload":"","position":1}`, /record 1 in the place of 0/],
  ])("refuses %s", async (_, line, message) => {
    const failure = await rejection(parse(bytesOf(line)));
    expect(failure).toMatchObject({ code: "corrupt", message: expect.stringMatching(message) });
  });

  test("refuses a line without end", async () => {
    async function* endless() {
      for (;;) yield new Uint8Array(1024 * 1024).fill(0x20);
    }
    const failure = await rejection(Array.fromAsync(parseTarSplit(endless())));
    expect(failure.message).toContain("has a longer line than 16777216 bytes");
  });

  test("reads nothing from nothing", async () => {
    expect(await collect(streamOf(), 1)).toEqual(new Uint8Array());
    expect(await parse(new Uint8Array())).toEqual([]);
  });
});

test.each([
  ["", ""],
  ["./", ""],
  ["/a//b/./c/", "a/b/c"],
  ["a/../b", "b"],
  ["../a", "../a"],
  ["a/../../b", "../b"],
  ["ü", "Ã¼"],
])("cleanPath of %p is %p", (name, path) => {
  expect(cleanPath(bytesOf(name))).toBe(path);
});
