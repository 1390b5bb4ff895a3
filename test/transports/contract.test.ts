// The contract suite, run for every transport.

import { readdirSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Transport } from "../../core/image/transport.ts";
import { dir } from "../../transports/dir/reference.ts";
import { docker } from "../../transports/docker/reference.ts";
import { dockerArchive } from "../../transports/docker-archive/reference.ts";
import { dockerDaemon } from "../../transports/docker-daemon/reference.ts";
import { ociArchive } from "../../transports/oci/archive/reference.ts";
import { oci } from "../../transports/oci/reference.ts";
import { type ContractPlace, contractSuite } from "../support/contract.ts";
import { dockerContext } from "../support/docker-context.ts";
import { madeUpImage } from "../support/docker-tars.ts";
import { MemoryTransport } from "../support/memory-transport.ts";
import { startRegistry } from "../support/registry-server.ts";
import { startScriptedEngine } from "../support/scripted-engine.ts";
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

contractSuite("oci-archive", async () =>
  inWorkspace(ociArchive, (workspace, name) => `${workspace.at(`${name}.tar`)}:1`),
);

// Without the wish to append, an archive is written once.
contractSuite(
  "docker-archive",
  async () => ({
    ...inWorkspace(
      dockerArchive,
      (workspace, name) => `${workspace.at("images.tar")}:contract/${name}:1`,
    ),
    context: transportContext({ settings: { dockerArchive: { appends: true } } }),
  }),
  { format: "docker", imageOf: madeUpImage },
);

// An engine keeps no part of an archive that broke off.
contractSuite(
  "docker-daemon",
  async () => {
    const engine = startScriptedEngine({ keeps: true });
    return {
      transport: dockerDaemon,
      context: engine.context(),
      textOf: (name) => `contract/${name}:1`,
      tree: () => readdirSync(engine.workspace.path),
      [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
    };
  },
  { format: "docker", imageOf: madeUpImage, streams: true },
);

// A registry knows an image by its tag as soon as it has the manifest.
contractSuite(
  "docker",
  async () => {
    const registry = startRegistry();
    const workspace = new Workspace();
    const lookaside = pathToFileURL(workspace.path).href;
    return {
      transport: docker,
      context: dockerContext({ signatures: { sigstoreAttachments: true, lookaside } }),
      textOf: (name) => `//${registry.host}/contract/${name}:1`,
      async [Symbol.asyncDispose]() {
        workspace[Symbol.dispose]();
        await registry[Symbol.asyncDispose]();
      },
    };
  },
  { namedBy: "manifest" },
);

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
