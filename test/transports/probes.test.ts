// Whoever can be written to can be asked without being written to: dry runs rest on it.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "../../transports");
const faces = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
  path.endsWith("reference.ts"),
);

test.each(faces)("%s has a probe beside its destination, if it has one", (path) => {
  const face = readFileSync(join(root, path), "utf8");
  expect(face.includes("./probe.ts")).toBe(face.includes("./destination.ts"));
});

test("most transports can be written to", () => {
  expect(faces.length).toBeGreaterThan(9);
});
