// oci-archive references.

import { expect, test } from "bun:test";
import { ociArchive } from "../../../../transports/oci/archive/reference.ts";
import { failureOf } from "../../../support/failure-of.ts";
import { Workspace } from "../../../support/workspace.ts";

test("a reference of oci-archive is its name, and can neither delete nor list tags", () => {
  using workspace = new Workspace();
  const reference = ociArchive.parseReference(`${workspace.at("archive")}:a`);
  expect(reference).toMatchObject({
    transport: "oci-archive",
    text: `${workspace.at("archive")}:a`,
    takesStandardOutput: false,
  });
  expect(reference.deleteImage).toBeUndefined();
  expect(reference.listTags).toBeUndefined();
  expect(ociArchive.listTags).toBeUndefined();
});

test("a reference says when it takes standard output", () => {
  expect(ociArchive.parseReference("-").takesStandardOutput).toBe(true);
  expect(ociArchive.parseReference("/dev/stdout:a").takesStandardOutput).toBe(true);
});

test.each([
  ["relative", "Invalid scope relative: must be an absolute path"],
  ["/", 'Invalid scope "/": Use the generic default scope ""'],
  ["/a/../b", "Invalid scope /a/../b: Uses non-canonical path format, perhaps try with path /b"],
])("refuses the policy scope %s", (scope, message) => {
  expect(failureOf(() => ociArchive.checkPolicyScope(scope))).toMatchObject({
    code: "config",
    message,
  });
  ociArchive.checkPolicyScope("/some/archive");
});
