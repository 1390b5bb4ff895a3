import { writeFileSync } from "node:fs";
import { dir } from "../../../transports/dir/reference.ts";
import { probeSuite } from "../../support/probe-suite.ts";
import { sampleImage } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";

probeSuite("dir", async () => place(), {
  image: sampleImage({ seed: "probe" }),
  other: sampleImage({ seed: "other" }),
  async refused(here) {
    writeFileSync(here.textOf("notes"), "not an image");
    return here.textOf("");
  },
});

// Layers are written anew where they may be kept otherwise.
probeSuite("dir", async () => place("decompress"), {
  image: sampleImage({ seed: "probe" }),
  other: sampleImage({ seed: "other" }),
});

function place(layers?: "decompress") {
  const workspace = new Workspace();
  return {
    transport: dir,
    context: transportContext({ settings: { dir: layers === undefined ? {} : { layers } } }),
    textOf: (name: string) => (name === "" ? workspace.path : workspace.at(name)),
    tree: () => treeOf(workspace.path),
    [Symbol.asyncDispose]: async () => workspace[Symbol.dispose](),
  };
}
