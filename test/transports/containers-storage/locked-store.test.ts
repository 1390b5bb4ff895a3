import { describe, expect, test } from "bun:test";
import { tryLockFile } from "../../../transports/containers-storage/lock-file.ts";
import { LockedStore } from "../../../transports/containers-storage/locked-store.ts";
import { chosenStore } from "../../support/made-store.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

/** Returns which records of a store nobody has locked. */
async function free(workspace: Workspace): Promise<readonly string[]> {
  const found: string[] = [];
  for (const kind of ["layers", "images", "containers"]) {
    const path = workspace.at(`overlay-${kind}/${kind}.lock`);
    await using lock = await tryLockFile(path);
    if (lock !== undefined) found.push(kind);
  }
  return found;
}

describe("LockedStore", () => {
  test("keeps others from layers and images and, if wished, from containers", async () => {
    using workspace = new Workspace();
    const store = chosenStore(workspace.path);
    {
      await using locked = await LockedStore.lock(store, transportContext(), "containers");
      expect(await free(workspace)).toEqual([]);
      expect(locked.place.root).toBe(workspace.path);
      expect([locked.layers.read(), locked.images.read()]).toEqual([[], []]);
    }
    expect(await free(workspace)).toEqual(["layers", "images", "containers"]);
    await using _ = await LockedStore.lock(store, transportContext());
    expect(await free(workspace)).toEqual(["containers"]);
  });

  test("holds nothing when it is given up", async () => {
    using workspace = new Workspace();
    const store = chosenStore(workspace.path);
    {
      await using _ = await LockedStore.lock(store, transportContext(), "containers");
    }
    await using images = await tryLockFile(workspace.at("overlay-images/images.lock"));
    expect(images).toBeDefined();
    const abort = new AbortController();
    const waiting = LockedStore.lock(store, transportContext({ signal: abort.signal }));
    setTimeout(() => abort.abort(), 10);
    expect(waiting).rejects.toThrow();
    await waiting.catch(() => undefined);
    expect(await free(workspace)).toEqual(["layers", "containers"]);
  });
});
