import { mkdirSync } from "node:fs";
import { ociArchive } from "../../../../transports/oci/archive/reference.ts";
import { probeSuite } from "../../../support/probe-suite.ts";
import { sampleImage } from "../../../support/sample-images.ts";
import { transportContext } from "../../../support/transport-context.ts";
import { treeOf } from "../../../support/trees.ts";
import { Workspace } from "../../../support/workspace.ts";

for (const appends of [false, true]) {
  probeSuite(
    "oci-archive",
    async () => {
      const workspace = new Workspace();
      return {
        transport: ociArchive,
        context: transportContext({ settings: { oci: { appends } } }),
        textOf: (name) => `${workspace.at(`${name}.tar`)}:1`,
        tree: () => treeOf(workspace.path),
        [Symbol.asyncDispose]: async () => workspace[Symbol.dispose](),
      };
    },
    {
      image: sampleImage({ seed: "probe", format: "oci" }),
      other: sampleImage({ seed: "other", format: "oci" }),
      async refused(place) {
        const path = place.textOf("directory").replace(/:1$/, "");
        mkdirSync(path);
        return path;
      },
    },
  );
}
