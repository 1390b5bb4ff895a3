import { describe, expect, test } from "bun:test";

import { blobInfoPath } from "../../../core/config/blob-info-path.ts";

const user = { home: "/home/user", userId: 1000, os: "linux", architecture: "amd64" };
const file = "blob-info-cache-v1.sqlite";

describe("blobInfoPath", () => {
  test.each([
    ["a user", {}, user, `/home/user/.local/share/containers/cache/${file}`],
    [
      "a user with a place for data",
      { XDG_DATA_HOME: "/data" },
      user,
      `/data/containers/cache/${file}`,
    ],
    [
      "a user with an empty place",
      { XDG_DATA_HOME: "" },
      user,
      `/home/user/.local/share/containers/cache/${file}`,
    ],
    [
      "root",
      { XDG_DATA_HOME: "/data" },
      { ...user, userId: 0 },
      `/var/lib/containers/cache/${file}`,
    ],
    [
      "root of a namespace",
      { _CONTAINERS_ROOTLESS_UID: "1000" },
      { ...user, userId: 0 },
      `/home/user/.local/share/containers/cache/${file}`,
    ],
    ["nobody", {}, { ...user, home: "" }, undefined],
  ])("finds that of %s", (_, variables, environment, path) => {
    expect(blobInfoPath({ ...environment, variables })).toBe(path as string);
  });
});
