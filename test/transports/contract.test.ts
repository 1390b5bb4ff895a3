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
import { containersStorage } from "../../transports/containers-storage/reference.ts";
import { ostree } from "../../transports/ostree/reference.ts";
import { type ContractPlace, contractSuite } from "../support/contract.ts";
import { dockerContext } from "../support/docker-context.ts";
import { madeUpImage } from "../support/docker-tars.ts";
import { storeContext } from "../support/made-store.ts";
import { MemoryTransport } from "../support/memory-transport.ts";
import { emptyRepository } from "../support/ostree-repository.ts";
import { startRegistry } from "../support/registry-server.ts";
import { plainImage, plainLayer } from "../support/sample-images.ts";
import { startScriptedEngine } from "../support/scripted-engine.ts";
import { transportContext } from "../support/transport-context.ts";
import { treeOf } from "../support/trees.ts";
import { memoryDirectory, Workspace } from "../support/workspace.ts";

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

for (const driver of ["overlay", "vfs"]) {
  contractSuite(
    `containers-storage by ${driver}`,
    async () => {
      const workspace = new Workspace(memoryDirectory);
      const context = storeContext(workspace.path, { driver });
      // What belongs to no image is there as soon as anybody has looked.
      for (const _ of ["makes the store", "makes its locks"]) {
        await using _store = await containersStorage.parseReference("a:1").openDestination(context);
      }
      return {
        transport: containersStorage,
        context,
        textOf: (name) => `contract/${name}:1`,
        tree: () => treeOf(workspace.path),
        [Symbol.asyncDispose]: async () => workspace[Symbol.dispose](),
      };
    },
    {
      imageOf: (layers) => plainImage("oci", layers),
      layerOf: (seed, size) => plainLayer("oci", seed, size),
      // With vfs, a layer that hides its own files is refused.
      odd: driver === "overlay",
      sendsConfigs: true,
      needs: ["root"],
    },
  );
}

for (const mode of ["archive", "bare"]) {
  contractSuite(
    `ostree by ${mode}`,
    async () => {
      const workspace = new Workspace(memoryDirectory);
      const repository = emptyRepository(workspace, mode);
      return {
        transport: ostree,
        context: transportContext(),
        textOf: (name) => `contract/${name}:1@${repository}`,
        // Content that no image needs may stay: it is taken for the next one.
        tree: () => ({
          images: readdirSync(workspace.at("repo/refs/heads"), { recursive: true }).filter(
            (each) => !/\/[0-9a-f]{64}$/.test(String(each)) && each !== "ociimage",
          ),
          underWay: readdirSync(workspace.at("repo/tmp")),
        }),
        [Symbol.asyncDispose]: async () => workspace[Symbol.dispose](),
      };
    },
    {
      format: "docker",
      imageOf: (layers) => plainImage("docker", layers),
      layerOf: (seed, size) => plainLayer("docker", seed, size),
      odd: false,
      // Files there have the owners that layers say.
      ...(mode === "bare" && { needs: ["root"] }),
    },
  );
}

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
