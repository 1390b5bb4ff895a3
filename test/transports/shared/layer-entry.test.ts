import { expect, test } from "bun:test";
import { streamOf } from "../../../core/blob/stream.ts";
import { StreamInput } from "../../../core/blob/tar-input.ts";
import { tarEntries } from "../../../core/blob/tar-reader.ts";
import { checkLayerEntry, entryXattrs } from "../../../transports/shared/layer-entry.ts";
import { failureOf } from "../../support/failure-of.ts";
import { type TarEntry, tarHeaderWith, tarOf } from "../../support/tar-bytes.ts";

async function firstOf(tar: Uint8Array) {
  for await (const entry of tarEntries(new StreamInput(streamOf(tar)))) return entry;
  throw new Error("no entry");
}

test.each<readonly [string, TarEntry, object]>([
  ["a sparse file", { path: "a", pax: { "GNU.sparse.major": "1" } }, { code: "unsupported" }],
  ["an impossible owner", { path: "a", pax: { uid: "4294967296" } }, { code: "corrupt" }],
  ["another one", { path: "a", pax: { gid: "-1" } }, { code: "corrupt" }],
])("checkLayerEntry refuses %s", async (_, entry, expected) => {
  const found = await firstOf(tarOf([entry]));
  expect(failureOf(() => checkLayerEntry(found))).toMatchObject(expected);
});

test("checkLayerEntry refuses unknown types, and takes others", async () => {
  const contiguous = await firstOf(tarHeaderWith({ path: "a" }, { 156: "7" }));
  expect(failureOf(() => checkLayerEntry(contiguous))).toMatchObject({
    message: 'unhandled tar header type 55: "a"',
  });
  checkLayerEntry(await firstOf(tarOf([{ path: "a", pax: { uid: "4294967295" } }])));
});

test("entryXattrs are what the records say, but for the label", async () => {
  const pax = {
    "SCHILY.xattr.user.a": Buffer.from([255]),
    "SCHILY.xattr.security.selinux": "label",
    mtime: "5",
  };
  const entry = await firstOf(tarOf([{ path: "a", pax }]));
  expect(entryXattrs(entry)).toEqual([["user.a", new Uint8Array([255])]]);
});
