// tarball references.

import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { tarball } from "../../../transports/tarball/reference.ts";
import { failureOf } from "../../support/failure-of.ts";
import { rejection } from "../../support/rejection.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

describe("tarball", () => {
  test("keeps its name, and has none in policies", () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("a"), "");
    writeFileSync(workspace.at("b"), "");
    const text = `${workspace.at("a")}:${workspace.at("b")}`;
    expect(tarball.parseReference(text)).toMatchObject({
      transport: "tarball",
      text,
      policyIdentity: "",
      policyNamespaces: [],
    });
  });

  test("takes no scope in a policy", () => {
    expect(failureOf(() => tarball.checkPolicyScope("/x"))).toMatchObject({
      code: "config",
      message: 'tarball: does not support any scopes except the default "" one',
    });
  });

  test("cannot be written to", async () => {
    expect(
      await rejection(tarball.parseReference("-").openDestination(transportContext())),
    ).toMatchObject({
      code: "unsupported",
      message: '"tarball:" locations can only be read from, not written to',
    });
  });

  test("has no tags", () => {
    expect(tarball.listTags).toBeUndefined();
    expect(tarball.parseReference("-").deleteTag).toBeUndefined();
  });
});
