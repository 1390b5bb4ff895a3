import { expect, test } from "bun:test";
import { needsUserNamespace } from "../../../cli/user-namespace/needs-user-namespace.ts";

const somebody = "CapEff:\t0000000000000000\n";
const root = "CapEff:\t000001ffffffffff\n";
const image = "containers-storage:x";

test.each([
  ["somebody copies", "copy", ["oci:a", image], 1000, {}, somebody, true],
  ["somebody inspects", "inspect", [image], 1000, {}, somebody, true],
  ["somebody syncs", "sync", [image], 1000, {}, somebody, false],
  ["somebody copies elsewhere", "copy", ["oci:a", "oci:b"], 1000, {}, somebody, false],
  ["root copies", "copy", [image], 0, {}, root, false],
  ["root of a container copies", "copy", [image], 0, {}, somebody, true],
  ["it is done already", "copy", [image], 0, { _CONTAINERS_ROOTLESS_UID: "7" }, somebody, false],
  ["there is no such thing", "copy", [image], 1000, {}, "", false],
])("needsUserNamespace when %s", (_, command, operands, userId, variables, status, expected) => {
  const environment = { userId, variables, home: "/", os: "linux", architecture: "amd64" };
  expect(needsUserNamespace({ command, operands }, environment, () => status)).toBe(expected);
});
