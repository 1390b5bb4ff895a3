import { oci } from "../../../transports/oci/reference.ts";
import { probeSuite } from "../../support/probe-suite.ts";
import { sampleImage } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";

probeSuite(
  "oci",
  async () => {
    const workspace = new Workspace();
    return {
      transport: oci,
      context: transportContext(),
      textOf: (name) => `${workspace.at("layout")}:${name}`,
      tree: () => treeOf(workspace.path),
      [Symbol.asyncDispose]: async () => workspace[Symbol.dispose](),
    };
  },
  {
    image: sampleImage({ seed: "probe", format: "oci" }),
    other: sampleImage({ seed: "other", format: "oci" }),
    refused: async (place) => place.textOf("@1"),
  },
);
