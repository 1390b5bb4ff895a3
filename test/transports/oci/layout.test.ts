// Layouts: where things are, and changes by several at a time.

import { describe, expect, test } from "bun:test";
import { chmodSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { mkdirSync } from "node:fs";
import { digestHex, digestOf } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import { limits } from "../../../core/limits.ts";
import { withImage } from "../../../transports/oci/index-json.ts";
import { Layout } from "../../../transports/oci/layout.ts";
import { temporaryPath } from "../../../transports/shared/temporary.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const [a, b] = [digestOf(new Uint8Array([1])), digestOf(new Uint8Array([2]))];
const image = (digest: typeof a) => ({ mediaType: manifestTypes.oci, digest, size: 1 });

describe("Layout", () => {
  test("knows where blobs are, its own and shared ones", () => {
    const hex = digestHex(a);
    expect(new Layout("l", transportContext()).blobPath(a)).toBe(`l/blobs/sha256/${hex}`);
    expect(new Layout("", transportContext()).blobPath(a)).toBe(`blobs/sha256/${hex}`);
    const settings = { oci: { sharedBlobDirectory: "/s" } };
    const shared = new Layout("l", transportContext({ settings }));
    expect(shared.blobPath(a)).toBe(`/s/sha256/${hex}`);
    expect(shared.ownBlobs).toBe("l/blobs");
  });

  test("says which index is missing, or cannot be read", async () => {
    using workspace = new Workspace();
    const layout = new Layout(workspace.path, transportContext());
    expect(await rejection(layout.readIndex())).toMatchObject({
      code: "io",
      message: `open ${layout.indexPath}: no such file or directory`,
    });
    writeFileSync(layout.indexPath, "broken");
    expect(await rejection(layout.readIndex())).toMatchObject({
      code: "corrupt",
      message: `parsing ${layout.indexPath}: invalid character 'b' looking for beginning of value`,
    });
  });

  test("P1: reads no index beyond its limit", async () => {
    using workspace = new Workspace();
    const layout = new Layout(workspace.path, transportContext());
    writeFileSync(layout.indexPath, Buffer.alloc(limits.indexJsonBytes + 1, " "));
    expect(await rejection(layout.readIndex())).toMatchObject({ code: "corrupt" });
  });

  test("keeps the mode of an index, and gives a new one the usual mode", async () => {
    using workspace = new Workspace();
    const layout = new Layout(workspace.path, transportContext());
    await layout.changeIndex((index) => index);
    expect(statSync(layout.indexPath).mode & 0o777).toBe(0o644);
    chmodSync(layout.indexPath, 0o640);
    await layout.changeIndex((index) => withImage(index, image(a)));
    expect(statSync(layout.indexPath).mode & 0o777).toBe(0o640);
  });

  test("F7: loses no change of several made at once", async () => {
    using workspace = new Workspace();
    const layout = new Layout(workspace.path, transportContext());
    const names = Array.from({ length: 8 }, (_, number) => `n${number}`);
    await Promise.all(
      names.map((name) => layout.changeIndex((index) => withImage(index, image(a), name))),
    );
    const { entries } = await layout.readIndex();
    expect(entries.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    expect(readdirSync(workspace.path)).toEqual(["index.json"]);
  });

  test("F7: notices a program that writes without asking", async () => {
    using workspace = new Workspace();
    const layout = new Layout(workspace.path, transportContext());
    let calls = 0;
    await layout.changeIndex(async (index) => {
      calls++;
      if (calls === 1) {
        const entry = { ...image(b), annotations: { "org.opencontainers.image.ref.name": "b" } };
        writeFileSync(layout.indexPath, JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
      }
      return withImage(index, image(a), "a");
    });
    expect(calls).toBe(2);
    expect((await layout.readIndex()).entries.map(({ name }) => name)).toEqual(["b", "a"]);
  });

  test("F7: gives up on a program that never stops", async () => {
    using workspace = new Workspace();
    const layout = new Layout(workspace.path, transportContext());
    let calls = 0;
    const change = layout.changeIndex((index) => {
      writeFileSync(layout.indexPath, `{"manifests":[],"call":${++calls}}`);
      return index;
    });
    expect(await rejection(change)).toMatchObject({ code: "io" });
    expect(JSON.parse(readFileSync(layout.indexPath, "utf8"))).toMatchObject({ call: calls });
    expect(readdirSync(workspace.path)).toEqual(["index.json"]);
  });

  test("F5: a change that fails leaves the index as it was", async () => {
    using workspace = new Workspace();
    const layout = new Layout(workspace.path, transportContext());
    await layout.changeIndex((index) => withImage(index, image(a), "a"));
    const before = readFileSync(layout.indexPath, "utf8");
    const change = layout.changeIndex(() => {
      throw new Error("changed my mind");
    });
    expect(await rejection(change)).toMatchObject({ message: "changed my mind" });
    expect(readFileSync(layout.indexPath, "utf8")).toBe(before);
    expect(readdirSync(workspace.path)).toEqual(["index.json"]);
  });

  test("F11: a change removes old leftovers, beside the index and beside the blobs", async () => {
    using workspace = new Workspace();
    const layout = new Layout(workspace.path, transportContext());
    mkdirSync(layout.blobRoot);
    const old = [temporaryPath(layout.path), temporaryPath(layout.blobRoot)];
    const fresh = [temporaryPath(layout.path), temporaryPath(layout.blobRoot)];
    for (const path of [...old, ...fresh]) writeFileSync(path, "x");
    const longAgo = (statSync(workspace.path).mtimeMs - 2 * limits.leftoverMs) / 1000;
    for (const path of old) utimesSync(path, longAgo, longAgo);
    await layout.changeIndex((index) => index);
    const left = readdirSync(workspace.path, { recursive: true, encoding: "utf8" });
    expect(left.map((name) => workspace.at(name)).toSorted()).toEqual(
      [layout.indexPath, layout.blobRoot, ...fresh].toSorted(),
    );
  });
});

function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
