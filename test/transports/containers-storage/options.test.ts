import { describe, expect, test } from "bun:test";
import { composefs, parseOptions } from "../../../transports/containers-storage/options.ts";
import { failureOf } from "../../support/failure-of.ts";

describe("parseOptions", () => {
  test("takes what concerns images, and passes over what concerns mounting", () => {
    const options = [
      "imagestore=/a",
      "overlay.additionalimagestore=/b",
      "overlay.mountopt=nodev,metacopy=on",
      "size=10G",
      "overlay.force_mask=0755",
      "mount_program=/usr/bin/fuse-overlayfs",
      ".ignore_chown_errors=true",
      "overlay.use_composefs=false",
      "vfs.anything=1",
    ];
    expect(parseOptions("overlay", options)).toEqual({
      additionalStores: ["/a", "/b"],
      forceMask: 0o755,
      mountProgram: "/usr/bin/fuse-overlayfs",
      ignoreChownErrors: true,
    });
  });

  test.each([
    ["shared", 0o755],
    ["private", 0o700],
    ["0711", 0o711],
  ])("knows the mask %s", (mask, mode) => {
    expect(parseOptions("overlay", [`force_mask=${mask}`]).forceMask).toBe(mode);
  });

  test.each([
    "overlay.surprise=1",
    "overlay.use_composefs=true",
    "force_mask=rwx",
    "imagestore=relative",
  ])("refuses %s", (option) => {
    expect(failureOf(() => parseOptions("overlay", [option]))).toMatchObject({
      code: "unsupported",
    });
  });

  test("says who can do what we cannot", () => {
    expect(composefs().hint).toContain("podman");
  });
});
