import { describe, expect, test } from "bun:test";
import { findImages, resolveStart } from "../../../transports/containers-storage/find-image.ts";
import { parseStorageName } from "../../../transports/containers-storage/name.ts";
import { imageRecord } from "../../../transports/containers-storage/records.ts";
import { StorePlace } from "../../../transports/containers-storage/store-place.ts";
import { failureOf } from "../../support/failure-of.ts";

const place = new StorePlace("/g", "overlay");
const list = `sha256:${"e".repeat(64)}`;

function kept(id: string, ...names: readonly string[]) {
  const json = {
    id: id.padEnd(64, "0"),
    names,
    "big-data-digests": { [`manifest-${list}`]: list },
  };
  return { place, record: imageRecord(json) };
}

const images = [
  kept("abc1", "docker.io/library/x:1"),
  kept("abd2", "docker.io/library/x:2", "a name of another kind"),
  kept("beef"),
];

function found(text: string): readonly string[] {
  const name = parseStorageName(text);
  const wanted = resolveStart(name, images);
  return findImages(wanted, images, name).map(({ record }) => record.id.slice(0, 4));
}

describe("finding an image", () => {
  test.each([
    ["x:1", ["abc1"]],
    ["abc", ["abc1"]],
    ["abd2", ["abd2"]],
    ["@beef", ["beef"]],
    [`@${"abc1".padEnd(64, "0")}`, ["abc1"]],
    ["abc1".padEnd(64, "0"), ["abc1"]],
    ["x@abd", ["abd2"]],
    // Chosen from one list, for two platforms.
    [`x@${list}`, ["abc1", "abd2"]],
  ])("%s leads to %j", (text, ids) => {
    expect(found(text)).toEqual(ids);
  });

  test.each([
    ["x:3", "not-found", "does not resolve to an image ID"],
    ["y:1@abc1", "not-found", "no image matching reference"],
    [`y@${list}`, "not-found", "does not resolve to an image ID"],
    // Not one image's alone, so it is a name like another.
    ["bee/abc", "not-found", "does not resolve to an image ID"],
    ["x@dead", "usage", '"dead" does not look like an image ID or digest'],
    ["d".repeat(64), "usage", "cannot specify 64-byte hexadecimal strings"],
  ])("%s fails with %s: %s", (text, code, message) => {
    const failure = failureOf(() => found(text));
    expect(failure).toMatchObject({ code, message: expect.stringContaining(message) });
  });
});
