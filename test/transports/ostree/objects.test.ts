import { describe, expect, test } from "bun:test";
import {
  checksumOf,
  encodeCommit,
  encodeFileHeader,
  encodeMeta,
  encodePackedHeader,
  encodeTree,
  parseChecksum,
  parseCommit,
  parseMeta,
  parsePackedHeader,
  parseTree,
} from "../../../transports/ostree/objects.ts";
import { failureOf } from "../../support/failure-of.ts";

const meta = { uid: 0, gid: 0, mode: 0o100644, xattrs: [] };
const [a, b] = ["a".repeat(64), "b".repeat(64)].map(parseChecksum);
if (a === undefined || b === undefined) throw new Error("no names");

describe("objects of ostree", () => {
  test("have the names that ostree gives them", () => {
    // Of `ostree commit` over a file "a" of "hi\n", a link "l" to it, and a directory.
    const header = encodeFileHeader(meta, "");
    const file = Buffer.concat([header, Buffer.from("hi\n")]);
    expect<string>(checksumOf(file)).toBe(
      "fbf7cf77a1b50d9f074cb6e9ef6ddb65b6532ea89e4f4ca1b07a05b4cd1be259",
    );
    const link = encodeFileHeader({ ...meta, mode: 0o120777 }, "a");
    expect<string>(checksumOf(link)).toBe(
      "438802d990f25270d36f902bc9ce9d0737b88f9ae0b41ed59ec9e47c28523e0a",
    );
    expect<string>(checksumOf(encodeMeta({ ...meta, mode: 0o040755 }))).toBe(
      "446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488",
    );
    const tree = {
      files: [
        ["l", checksumOf(link)],
        ["a", checksumOf(file)],
      ],
      directories: [
        [
          "sub",
          parseChecksum("608062e311d9d38bc8bebf68914ae86aba588992cb1445266ed328df5f307107"),
          parseChecksum("14459da305874fb8bc83dc96eeb4208cdb404233b5eb86e1cc1ca17884f5092d"),
        ],
      ],
    } as const;
    expect<string>(checksumOf(encodeTree(tree))).toBe(
      "dada314c331339ca4c2c28a1538d2a14a7bf5c4f803b16455d0d17e237fad3e1",
    );
  });

  test("have packed headers as ostree writes them", () => {
    expect(Buffer.from(encodePackedHeader(meta, "", 3)).toString("hex")).toBe(
      "0000001a0000000000000000000000030000000000000000000081a4000000000019",
    );
    const link = encodePackedHeader({ ...meta, mode: 0o120777 }, "a", 0);
    expect(parsePackedHeader(link.subarray(8))).toEqual({ mode: 0o120777, size: 0, target: "a" });
  });

  test("are read as they were written", () => {
    const xattrs = [
      ["user.b", Buffer.from([0, 255])],
      ["user.a", Buffer.from("x")],
    ] as const;
    const described = { uid: 4_000_000_000, gid: 7, mode: 0o100755, xattrs };
    expect(parseMeta(encodeMeta(described))).toEqual({
      ...described,
      xattrs: [xattrs[1], xattrs[0]],
    });
    const tree = {
      files: [
        ["a", a],
        ["ü", b],
      ],
      directories: [["d", a, b]],
    } as const;
    expect(parseTree(encodeTree(tree))).toEqual(tree);
    const commit = { metadata: new Map([["k", "v".repeat(70_000)]]), tree: a, meta: b, time: 5n };
    expect(parseCommit(encodeCommit(commit))).toEqual(commit);
  });

  test.each(["", "a", "A".repeat(64), `${"a".repeat(63)}/`])("are not named %p", (name) => {
    expect(failureOf(() => parseChecksum(name))).toMatchObject({ code: "corrupt" });
  });
});
