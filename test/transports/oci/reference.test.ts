// oci references.

import { expect, test } from "bun:test";
import { oci } from "../../../transports/oci/reference.ts";
import { Workspace } from "../../support/workspace.ts";

test("a reference of oci is its name, and can delete but has no tags", () => {
  using workspace = new Workspace();
  const reference = oci.parseReference(`${workspace.at("layout")}:a`);
  expect(reference).toMatchObject({ transport: "oci", text: `${workspace.at("layout")}:a` });
  expect(reference.deleteImage).toBeDefined();
  expect(reference.listTags).toBeUndefined();
  expect(oci.listTags).toBeUndefined();
});
