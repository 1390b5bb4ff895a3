import { describe, expect } from "bun:test";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import {
  newOverlayForm,
  readOverlayForm,
  writeOverlayForm,
} from "../../../transports/containers-storage/overlay-form.ts";
import { StorePlace } from "../../../transports/containers-storage/store-place.ts";
import { readXattrs } from "../../../transports/shared/libc/xattrs.ts";
import { failureOf } from "../../support/failure-of.ts";
import { testWith } from "../../support/needs.ts";
import { Workspace } from "../../support/workspace.ts";

const rootTest = testWith("root");

describe("the form of a layer of overlay", () => {
  rootTest("is read as it was written, and names the layers below, nearest first", () => {
    using workspace = new Workspace();
    const place = new StorePlace(workspace.path, "overlay");
    const base = newOverlayForm(undefined);
    for (const id of ["base", "middle", "top"]) {
      mkdirSync(place.filesDirectory(id), { recursive: true });
    }
    writeOverlayForm(place.layerDirectory("base"), base);
    expect(readOverlayForm(place, "base")).toEqual(base);
    expect(base.lower).toBeUndefined();
    expect(statSync(place.filesDirectory("base")).mode & 0o7777).toBe(0o555);
    const middle = newOverlayForm({ ...base, root: { mode: 0o751, uid: 3, gid: 4 } });
    writeOverlayForm(place.layerDirectory("middle"), middle);
    const top = newOverlayForm(readOverlayForm(place, "middle"));
    expect(top).toMatchObject({
      lower: `l/${middle.link}:l/${base.link}`,
      root: { mode: 0o751, uid: 3, gid: 4 },
    });
    expect(readFileSync(workspace.at("overlay/middle/lower"), "utf8")).toBe(`l/${base.link}`);
    expect(() => statSync(workspace.at("overlay/middle/empty"))).toThrow();
    expect(statSync(workspace.at("overlay/base/empty")).mode & 0o7777).toBe(0o700);
  });

  rootTest("says what the mode should be, where all files have one", () => {
    using workspace = new Workspace();
    const place = new StorePlace(workspace.path, "overlay");
    mkdirSync(place.filesDirectory("a"), { recursive: true });
    writeOverlayForm(place.layerDirectory("a"), newOverlayForm(undefined), 0o711);
    expect(statSync(place.filesDirectory("a")).mode & 0o7777).toBe(0o711);
    const xattrs = readXattrs(Buffer.from(`${place.filesDirectory("a")}\0`));
    const value = xattrs.get("user.containers.override_stat");
    expect(Buffer.from(value ?? []).toString()).toBe("0:0:0755:dir");
  });

  rootTest("is refused where it is none, or too deep to be mounted", () => {
    using workspace = new Workspace();
    const place = new StorePlace(workspace.path, "overlay");
    mkdirSync(place.filesDirectory("a"), { recursive: true });
    writeFileSync(workspace.at("overlay/a/link"), "../../etc");
    expect(failureOf(() => readOverlayForm(place, "a"))).toMatchObject({ code: "corrupt" });
    const root = { mode: 0o555, uid: 0, gid: 0 };
    const lower = Array(500).fill("l/A").join(":");
    expect(failureOf(() => newOverlayForm({ link: "A", lower, root }))).toMatchObject({
      code: "unsupported",
    });
  });
});
