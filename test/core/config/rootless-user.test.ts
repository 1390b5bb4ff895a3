import { expect, test } from "bun:test";
import { rootlessUser } from "../../../core/config/rootless-user.ts";

const environment = { home: "", os: "linux", architecture: "amd64" };

test.each([
  [0, {}, undefined],
  [1000, {}, 1000],
  [0, { _CONTAINERS_ROOTLESS_UID: "1001" }, 1001],
  [0, { _CONTAINERS_ROOTLESS_UID: "0" }, undefined],
  [0, { _CONTAINERS_ROOTLESS_UID: "x" }, undefined],
  [0, { _CONTAINERS_ROOTLESS_UID: "" }, undefined],
] as const)("user %d with %j is %p outside", (userId, variables, expected) => {
  expect(rootlessUser({ ...environment, userId, variables })).toBe(expected as number);
});
