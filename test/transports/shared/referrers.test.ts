import { expect, test } from "bun:test";

import { digestOf, parseDigest } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import { limits } from "../../../core/limits.ts";
import {
  isPossible,
  possibleReferrers,
  readListed,
  referrersTag,
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
