// sif references.

import { describe, expect, test } from "bun:test";
import { realpathSync } from "node:fs";
import { sif } from "../../../transports/sif/reference.ts";
import { failureOf } from "../../support/failure-of.ts";
import { rejection } from "../../support/rejection.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

describe("sif", () => {
  test("keeps the path as it was given, and goes by the resolved one in policies", () => {
    using workspace = new Workspace();
    const real = realpathSync(workspace.path);
    const reference = sif.parseReference(workspace.at("a:b.sif"));
    expect(reference).toMatchObject({
      transport: "sif",
      text: workspace.at("a:b.sif"),
      policyIdentity: `${real}/a:b.sif`,
    });
    expect(reference.policyNamespaces[0]).toBe(real);
    expect(reference.policyNamespaces).not.toContain("/");
  });

  test("wants the parent to be there", () => {
    expect(() => sif.parseReference("/no/such/x.sif")).toThrow("lstat /no: no such file");
  });

  test("takes absolute paths for scopes of a policy", () => {
    sif.checkPolicyScope("/images");
    expect(failureOf(() => sif.checkPolicyScope("images"))).toMatchObject({
      code: "config",
      message: "Invalid scope images: Must be an absolute path",
    });
  });

  test("can only be read", async () => {
    const reference = sif.parseReference("x.sif");
    expect(reference.deleteImage).toBeUndefined();
    expect(await rejection(reference.openDestination(transportContext()))).toMatchObject({
      code: "unsupported",
      message: '"sif:" locations can only be read from, not written to',
    });
  });
});
