import { expect, test } from "bun:test";

import { digestOf, parseDigest } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import { limits } from "../../../core/limits.ts";
import {
  isPossible,
  manifestMembers,
  possibleReferrers,
  readListed,
  referrerEntry,
  referrersTag,
  withReferrers,
} from "../../../transports/shared/referrers.ts";
import { rejection } from "../../support/rejection.ts";

const bytes = new TextEncoder().encode("{}");
const digest = digestOf(bytes);
const raw = { bytes, mediaType: manifestTypes.oci };

test("referrersTag spells a digest as a tag", () => {
  expect(referrersTag(digest)).toBe(digest.replace(":", "-"));
  const long = parseDigest(`sha512:${"a".repeat(128)}`);
  expect(referrersTag(long)).toBe(`sha512-${"a".repeat(64)}`);
});

test("possibleReferrers passes over what is of another type for sure", () => {
  const entry = { mediaType: manifestTypes.oci, digest, size: 2 };
  const manifests = [
    { ...entry, artifactType: "wanted/x" },
    { ...entry, artifactType: "other/x" },
    { ...entry, artifactType: "application/vnd.oci.empty.v1+json" },
    entry,
    { ...entry, mediaType: manifestTypes.ociIndex },
  ];
  const index = { schemaVersion: 2, mediaType: manifestTypes.ociIndex, manifests };
  const found = possibleReferrers(
    { bytes: new TextEncoder().encode(JSON.stringify(index)), mediaType: "" },
    "wanted/x",
  );
  expect(found.map(({ artifactType }) => artifactType ?? "none")).toEqual([
    "wanted/x",
    "application/vnd.oci.empty.v1+json",
    "none",
  ]);
  expect(isPossible("", "wanted/x")).toBe(true);
});

test("readListed takes each for what its digest promises, and not for ever", async () => {
  const listed = { mediaType: manifestTypes.oci, digest };
  expect(await readListed([listed], async () => raw)).toEqual([raw]);
  const other = async () => ({ ...raw, bytes: bytes.with(0, 0) });
  expect((await rejection(readListed([listed], other))).message).toContain(
    "does not match its digest",
  );
  const many = Array(limits.referrers + 1).fill(listed);
  expect((await rejection(readListed(many, async () => raw))).message).toContain(
    "Too many referrers",
  );
});

const referrer = (text: string) => {
  const own = new TextEncoder().encode(text);
  const manifest = { mediaType: manifestTypes.oci, digest: digestOf(own), bytes: own };
  return { manifest, artifactType: "some/type", blobs: [] };
};

test("referrerEntry repeats the annotations of a manifest", () => {
  const entry = referrerEntry(referrer('{"annotations":{"a":"b"}}'));
  expect(entry).toMatchObject({ size: 25, artifactType: "some/type", annotations: { a: "b" } });
  expect(referrerEntry(referrer("{}"))).not.toHaveProperty("annotations");
});

test("withReferrers begins an index, adds to one, and adds nothing twice", () => {
  const mediaType = manifestTypes.ociIndex;
  const [one, two] = [referrer("{}"), referrer('{"a":1}')];
  const first = withReferrers(undefined, [one], "x") ?? new Uint8Array();
  expect(withReferrers({ bytes: first, mediaType }, [one], "x")).toBeUndefined();
  const both = withReferrers({ bytes: first, mediaType }, [one, two], "x") ?? new Uint8Array();
  const { manifests, ...rest } = manifestMembers(both);
  expect(rest).toEqual({ schemaVersion: 2, mediaType });
  expect(manifests).toEqual([one, two].map(referrerEntry));
});

test.each([
  ["what is no index", "{}", manifestTypes.oci, "is no index"],
  ["what lists nothing", '{"manifests":1}', manifestTypes.ociIndex, "lists nothing"],
  ["what is no JSON object", "[]", manifestTypes.ociIndex, "no JSON object"],
  [
    "what is full",
    JSON.stringify({ annotations: { a: "b".repeat(limits.manifestBytes) } }),
    manifestTypes.ociIndex,
    "no room",
  ],
])("withReferrers leaves alone %s", (_, text, mediaType, why) => {
  const found = { bytes: new TextEncoder().encode(text), mediaType };
  expect(() => withReferrers(found, [referrer("{}")], "x")).toThrow(why);
});
