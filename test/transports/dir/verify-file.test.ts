// Files that are what they are named for, and others.

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { digestOf } from "../../../core/content/digest.ts";
import { isBlob } from "../../../transports/dir/verify-file.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const bytes = new TextEncoder().encode("a layer");
const blob = { mediaType: "", digest: digestOf(bytes), size: bytes.length };

test.each<[string, Uint8Array | undefined, boolean]>([
  ["what it promises", bytes, true],
  ["another byte", bytes.with(0, 0), false],
  ["a byte less", bytes.subarray(1), false],
  ["nothing, as there is no such file", undefined, false],
])("isBlob tells of a file that has %s", async (_, content, expected) => {
  using workspace = new Workspace();
  const path = workspace.at("file");
  if (content !== undefined) writeFileSync(path, content);
  expect(await isBlob(path, blob, transportContext())).toBe(expected);
});
