import { describe, expect, test } from "bun:test";

import { type Digest, digestOf } from "../../../core/content/digest.ts";
import { checkPinned, whyFrozen } from "../../../core/copy/frozen.ts";
import type { CopyRequest } from "../../../core/copy/request.ts";
import type { ImageDestination } from "../../../core/image/destination.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { transportContext } from "../../support/transport-context.ts";

const manifest = { bytes: new Uint8Array([1]), mediaType: "" };
const list = { bytes: new Uint8Array([2]), mediaType: "" };
const digest = digestOf(manifest.bytes);
const other = digestOf(list.bytes);

async function writerFor(pinned?: Digest): Promise<ImageDestination> {
  const reference = new MemoryTransport().parseReference("b");
  const writer = await reference.openDestination(transportContext());
  return Object.assign(writer, { name: { ...writer.name, ...(pinned && { digest: pinned }) } });
}

function request(preserveDigests: boolean): CopyRequest {
  return { preserveDigests } as CopyRequest;
}

describe("whyFrozen", () => {
  const invalidating = "Would invalidate signatures";

  test.each([
    ["nothing", false, undefined, false, undefined],
    ["signatures", false, undefined, true, invalidating],
    ["a pinned destination", false, digest, true, "Destination specifies a digest"],
    ["the user", true, digest, true, "Instructed to preserve digests"],
  ])("names %s, the last reason that applies", async (_, preserve, pinned, signed, expected) => {
    const writer = await writerFor(pinned);
    const why = whyFrozen({ writer, request: request(preserve), signed, invalidating });
    expect(why).toBe(expected);
  });
});

describe("checkPinned", () => {
  test.each([
    ["no digest", undefined, [manifest]],
    ["the image's digest", digest, [manifest, list]],
    ["the digest of its list", other, [manifest, list]],
    ["a digest of another algorithm", digestOf(manifest.bytes, "sha512"), [manifest]],
  ])("lets %s pass", async (_, pinned, manifests) => {
    const writer = await writerFor(pinned);
    expect(() => checkPinned(writer, manifests)).not.toThrow();
  });

  test("refuses any other, and says which the source has", async () => {
    const writer = await writerFor(other);
    expect(() => checkPinned(writer, [manifest])).toThrow("would not match destination reference");
  });
});
