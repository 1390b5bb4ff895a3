// The header and the descriptors of Singularity images.

import { describe, expect, test } from "bun:test";
import { limits } from "../../../core/limits.ts";
import { readContainer } from "../../../transports/sif/container.ts";
import { rejection } from "../../support/rejection.ts";
import { primary, sifOf } from "../../support/sif-bytes.ts";
import { withWindow } from "../../support/sif-files.ts";

const body = new TextEncoder().encode("content");

describe("readContainer", () => {
  test("reads what the image is, and where its objects are", async () => {
    const bytes = sifOf([
      { kind: "definition", body },
      { kind: "labels", body, unused: true },
      { kind: "json", body },
      { kind: "partition", body, partition: primary },
      { kind: "partition", body, partition: { role: 3 } },
    ]);
    const container = await withWindow(bytes, readContainer);
    expect(container).toEqual({
      id: "00112233-4455-6677-8899-aabbccddeeff",
      architecture: "amd64",
      modified: 1_700_000_000,
      objects: [
        { kind: "definition", start: 4096, size: 7, primary: false },
        { kind: "other", start: 12288, size: 7, primary: false },
        { kind: "partition", start: 16384, size: 7, primary: true },
        { kind: "partition", start: 20480, size: 7, primary: false },
      ],
    });
  });

  test.each([
    ["another magic", sifOf([], { magic: "SIF_MAGIX" }), "invalid SIF magic"],
    ["another version", sifOf([], { version: "02" }), "incompatible SIF version"],
    ["too little", sifOf([]).subarray(0, 127), "reading global header: unexpected EOF"],
    ["nothing", new Uint8Array(), "reading global header: unexpected EOF"],
    [
      "descriptors beyond the end",
      sifOf([], { total: 100 }),
      "reading descriptors: unexpected EOF",
    ],
    [
      "descriptors before the start",
      sifOf([], { total: 1, descriptorsOffset: -585n }),
      "reading descriptors: unexpected EOF",
    ],
    [
      "numbers beyond reason",
      sifOf([], { descriptorsOffset: 1n << 62n }),
      "a number is out of range",
    ],
  ])("refuses %s", async (_, bytes, message) => {
    expect(await rejection(withWindow(bytes, readContainer))).toMatchObject({
      code: "corrupt",
      message,
    });
  });

  test("P1: refuses more descriptors than anybody needs", async () => {
    const total = limits.sifObjects + 1;
    const bytes = sifOf([], { total });
    expect(await rejection(withWindow(bytes, readContainer))).toMatchObject({
      message: `${total} descriptors are too many`,
    });
  });
});
