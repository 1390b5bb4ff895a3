import { expect, test } from "bun:test";
import { ostree } from "../../../transports/ostree/reference.ts";
import { rejection } from "../../support/rejection.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

test("ostree opens nothing where there is no repository", async () => {
  using workspace = new Workspace();
  const reference = ostree.parseReference(`a@${workspace.path}`);
  const context = transportContext();
  for (const open of [reference.openSource, reference.openDestination]) {
    expect(await rejection(open(context))).toMatchObject({ code: "io" });
  }
  expect(() => ostree.checkPolicyScope("/r:a")).not.toThrow();
});
