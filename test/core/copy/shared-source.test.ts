import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import type { Descriptor } from "../../../core/content/descriptor.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { SharedSource } from "../../../core/copy/shared-source.ts";
import { Spools } from "../../../core/copy/spool.ts";
import type { ImageSource } from "../../../core/image/source.ts";
import { Workspace } from "../../support/workspace.ts";

const bytes = new TextEncoder().encode("a blob of some length");
const blob: Descriptor = { mediaType: "text/plain", digest: digestOf(bytes), size: bytes.length };

/** A source of one blob that counts how often it is opened and disposed of. */
function countingSource(nearby?: boolean) {
  const seen = { opened: 0, disposed: 0 };
  const source: ImageSource = {
    name: { transport: "test", text: "a", policyIdentity: "a", policyNamespaces: [] },
    concurrent: true,
    ...(nearby !== undefined && { nearby }),
    readManifest: async () => ({ bytes, mediaType: "" }),
    readSignatures: async () => [bytes],
    openBlob: async () => {
      seen.opened += 1;
      return streamOf(bytes.subarray(0, 5), bytes.subarray(5));
    },
    [Symbol.asyncDispose]: async () => void seen.disposed++,
  };
  return { source, seen };
}

async function read(source: ImageSource, fresh = false): Promise<Uint8Array> {
  return collect(await source.openBlob(blob, { fresh }), 1000);
}

describe("SharedSource", () => {
  test("is the source in all but blobs, and leaves it to whoever opened it", async () => {
    using workspace = new Workspace();
    const { source, seen } = countingSource();
    {
      await using shared = new SharedSource(source, new Spools(workspace.path));
      await using view = shared.view().source;
      expect(view.name).toBe(source.name);
      expect(view.concurrent).toBe(true);
      expect(await view.readManifest()).toEqual({ bytes, mediaType: "" });
      expect(await view.readSignatures({ digest: blob.digest })).toEqual([bytes]);
    }
    expect(seen.disposed).toBe(0);
  });

  test("asks for what refers to an image where that can be asked for", async () => {
    using workspace = new Workspace();
    const { source } = countingSource();
    await using without = new SharedSource(source, new Spools(workspace.path));
    expect(without.source.readReferrers).toBeUndefined();
    const referrer = { bytes, mediaType: "text/plain" };
    const readReferrers = async () => [referrer];
    await using shared = new SharedSource({ ...source, readReferrers }, new Spools(workspace.path));
    expect(await shared.source.readReferrers?.(blob.digest, "text/plain")).toEqual([referrer]);
  });

  test("keeps a blob until everybody has it", async () => {
    using workspace = new Workspace();
    const { source, seen } = countingSource();
    await using shared = new SharedSource(source, new Spools(workspace.path));
    const [one, other] = [shared.view(), shared.view()];
    expect(await read(one.source)).toEqual(bytes);
    one.settle(blob.digest);
    expect(await read(other.source)).toEqual(bytes);
    // It may fail to write it, and ask again.
    expect(await read(other.source)).toEqual(bytes);
    expect(seen.opened).toBe(1);
    other.settle(blob.digest);
    expect(await read(other.source)).toEqual(bytes);
    expect(seen.opened).toBe(2);
  });

  test("keeps nothing for those who have left", async () => {
    using workspace = new Workspace();
    const { source, seen } = countingSource();
    let made = 0;
    class CountingSpools extends Spools {
      override make() {
        made += 1;
        return super.make();
      }
    }
    await using shared = new SharedSource(source, new CountingSpools(workspace.path));
    const [one, other] = [shared.view(), shared.view()];
    other.leave();
    expect(await read(one.source)).toEqual(bytes);
    expect(await read(one.source)).toEqual(bytes);
    expect([made, seen.opened]).toEqual([0, 2]);
  });

  test("reads for nobody in particular what others will want", async () => {
    using workspace = new Workspace();
    const { source, seen } = countingSource();
    await using shared = new SharedSource(source, new Spools(workspace.path));
    const view = shared.view();
    expect(await read(shared.source)).toEqual(bytes);
    expect(await read(view.source)).toEqual(bytes);
    expect(seen.opened).toBe(1);
  });

  test("gives to those who want it fresh what is fresh, once", async () => {
    using workspace = new Workspace();
    const { source, seen } = countingSource();
    await using shared = new SharedSource(source, new Spools(workspace.path));
    const [one, other] = [shared.view(), shared.view()];
    await Promise.all([read(one.source), read(other.source)]);
    await Promise.all([read(one.source, true), read(other.source, true)]);
    expect(seen.opened).toBe(2);
  });

  test("keeps nothing of what lies nearby", async () => {
    using workspace = new Workspace();
    const { source, seen } = countingSource(true);
    await using shared = new SharedSource(source, new Spools(workspace.path));
    const [one, other] = [shared.view(), shared.view()];
    expect([await read(one.source), await read(other.source)]).toEqual([bytes, bytes]);
    expect(seen.opened).toBe(2);
  });
});
