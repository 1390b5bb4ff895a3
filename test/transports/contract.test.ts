// The contract suite, run for the transports that need no server.

import type { Transport } from "../../core/image/transport.ts";
import { dir } from "../../transports/dir/reference.ts";
import { oci } from "../../transports/oci/reference.ts";
import { type ContractPlace, contractSuite } from "../support/contract.ts";
import { MemoryTransport } from "../support/memory-transport.ts";
import { transportContext } from "../support/transport-context.ts";
import { treeOf } from "../support/trees.ts";
import { Workspace } from "../support/workspace.ts";

contractSuite("memory", async () => ({
  transport: new MemoryTransport(),
  context: transportContext(),
  textOf: (name) => name,
  [Symbol.asyncDispose]: async () => {},
}));

contractSuite("dir", async () => inWorkspace(dir, (workspace, name) => workspace.at(name)));

contractSuite("oci", async () =>
  inWorkspace(oci, (workspace, name) => `${workspace.at("layout")}:${name}`),
);

contractSuite("oci with shared blobs", async () => {
  const place = inWorkspace(oci, (workspace, name) => `${workspace.at(name)}:1`, "shared");
  return place;
});

function inWorkspace(
  transport: Transport,
  textOf: (workspace: Workspace, name: string) => string,
  shared?: string,
): ContractPlace {
  const workspace = new Workspace();
  const settings =
    shared === undefined ? {} : { oci: { sharedBlobDirectory: workspace.at(shared) } };
  return {
    transport,
    context: transportContext({ settings }),
    textOf: (name) => textOf(workspace, name),
    // Blobs in a directory that layouts share may stay after a failure.
    ...(shared === undefined && { tree: () => treeOf(workspace.path) }),
    [Symbol.asyncDispose]: async () => workspace[Symbol.dispose](),
  };
}
