import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { tryLockFile } from "../../../transports/containers-storage/lock-file.ts";
import { StorePlace } from "../../../transports/containers-storage/store-place.ts";
import { lockContainers, readUsers } from "../../../transports/containers-storage/users.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

function write(workspace: Workspace, file: string, records: readonly object[]): void {
  mkdirSync(dirname(workspace.at(file)), { recursive: true });
  writeFileSync(workspace.at(file), JSON.stringify(records));
}

describe("readUsers", () => {
  test("finds containers and their layers wherever they are recorded", () => {
    using workspace = new Workspace();
    const place = new StorePlace(workspace.at("g"), "vfs");
    expect(readUsers(place, workspace.at("r"))).toEqual({ containers: [], layers: [] });
    write(workspace, "g/vfs-containers/containers.json", [{ id: "a" }]);
    write(workspace, "g/vfs-containers/volatile-containers.json", [{ id: "b" }]);
    write(workspace, "r/vfs-containers/volatile-containers.json", [{ id: "c" }]);
    write(workspace, "r/overlay-containers/volatile-containers.json", [{ id: "of another" }]);
    write(workspace, "g/vfs-layers/volatile-layers.json", [{ id: "d" }]);
    write(workspace, "r/vfs-layers/volatile-layers.json", [{ id: "e" }]);
    const { containers, layers } = readUsers(place, workspace.at("r"));
    expect(containers.map(({ id }) => id)).toEqual(["a", "b", "c"]);
    expect(layers.map(({ id }) => id)).toEqual(["d", "e"]);
  });
});

describe("lockContainers", () => {
  test("locks both places, if there are two", async () => {
    using workspace = new Workspace();
    const place = new StorePlace(workspace.at("g"), "overlay");
    const locks = ["g", "r"].map((root) =>
      workspace.at(root, "overlay-containers/containers.lock"),
    );
    const free = async () => {
      const found: boolean[] = [];
      for (const path of locks) {
        await using lock = await tryLockFile(path);
        found.push(lock !== undefined);
      }
      return found;
    };
    {
      await using _ = await lockContainers(place, workspace.at("r"), transportContext());
      // Nothing is made there.
      expect(await free()).toEqual([false, false]);
    }
    expect(await free()).toEqual([true, false]);
    mkdirSync(workspace.at("r/overlay-containers"), { recursive: true });
    {
      await using _ = await lockContainers(place, workspace.at("r"), transportContext());
      expect(await free()).toEqual([false, false]);
    }
    expect(await free()).toEqual([true, true]);
  });
});
