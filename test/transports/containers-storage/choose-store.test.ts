import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { chooseStore } from "../../../transports/containers-storage/choose-store.ts";
import { storeContext } from "../../support/made-store.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

describe("chooseStore", () => {
  test("takes what is configured where a name says nothing", async () => {
    const conf = { driver: "vfs", imageStore: "/i", options: ["imagestore=/a"] };
    expect(await chooseStore({}, storeContext("/g", conf))).toEqual({
      driver: "vfs",
      graphRoot: "/g",
      runRoot: "/g/run",
      imageRoot: "/i",
      options: { additionalStores: ["/a"], ignoreChownErrors: false },
    });
  });

  test("takes no options of another store", async () => {
    const conf = { driver: "vfs", imageStore: "/i", options: ["surprise=1"] };
    const wish = { driver: "overlay", graphRoot: "/g2" };
    expect(await chooseStore(wish, storeContext("/g", conf))).toEqual({
      driver: "overlay",
      graphRoot: "/g2",
      runRoot: "/g/run",
      imageRoot: "/g2",
      options: { additionalStores: [], ignoreChownErrors: false },
    });
  });

  test.each([
    [["overlay"], "overlay"],
    [["vfs"], "vfs"],
    [["overlay", "vfs"], "overlay"],
  ])("finds %j to be a store of %s", async (directories, driver) => {
    using workspace = new Workspace();
    for (const directory of directories) mkdirSync(workspace.at(directory));
    const store = await chooseStore({ graphRoot: workspace.path }, storeContext("/g"));
    expect(store.driver).toBe(driver as "overlay");
  });

  test("asks which one where there are several", async () => {
    using workspace = new Workspace();
    for (const directory of ["overlay", "vfs"]) mkdirSync(workspace.at(directory));
    const conf = { driver: "", driverPriority: ["overlay", "vfs"] };
    const failure = await rejection(chooseStore({}, storeContext(workspace.path, conf)));
    expect(failure).toMatchObject({
      code: "config",
      message: `${workspace.path} contains several valid graphdrivers: overlay, vfs; Please cleanup or explicitly choose storage driver (-s <DRIVER>)`,
    });
  });

  test.each(["btrfs", "zfs", "aufs"])("refuses %s with a sentence", async (driver) => {
    const failure = await rejection(chooseStore({}, storeContext("/g", { driver })));
    expect(failure).toMatchObject({
      code: "unsupported",
      message: `Storage driver "${driver}" is not supported`,
    });
  });

  test("refuses a store that is found to be of a driver it does not know", async () => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("btrfs"));
    const conf = { driver: "" };
    expect(await rejection(chooseStore({}, storeContext(workspace.path, conf)))).toMatchObject({
      code: "unsupported",
    });
  });
});
