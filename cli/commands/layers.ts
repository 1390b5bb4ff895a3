// dray layers: some layers of an image, into a directory.

import { parseDigest } from "../../core/content/digest.ts";
import { copyLayers } from "../../core/copy/copy-layers.ts";
import { during, Failure } from "../../core/failure.ts";
import { parseImageName } from "../../core/image/parse-name.ts";
import { transports } from "../../transports/table.ts";
import { defineTool } from "../command.ts";
import { beginOperation, contextOf, gateOf, platformWish } from "../compose.ts";
import { imageFlags, retryFlags } from "../flags/image.ts";
import { retrying } from "../retrying.ts";

/** Copies layers into a new directory `layers-…` in the current one, whose name is not printed. */
export const layers = defineTool({
  name: "layers",
  usage: "layers [command options] IMAGE-NAME [LAYER...]",
  summary: "Get layers of IMAGE-NAME",
  hidden: true,
  examples: ["layers docker://docker.io/library/busybox:1"],
  flags: { image: imageFlags(""), retry: retryFlags },
  async run(call) {
    const { operands, flags, screen } = call;
    // The same words whatever the program is called: scripts look for them.
    screen.line("DEPRECATED: skopeo layers is deprecated in favor of skopeo copy");
    const [name, ...wanted] = operands;
    if (name === undefined) throw new Failure("usage", "Usage: layers imageReference [layer...]");
    const gate = await gateOf(call);
    const reference = await during(`Invalid source name ${name}`, () =>
      parseImageName(name, transports),
    );
    await using operation = beginOperation(call);
    const context = contextOf(call, { flags: flags.image, operation });
    const request = {
      source: { reference, context },
      gate,
      platform: platformWish(call),
      wanted: wanted.map((text) => parseDigest(text.includes(":") ? text : `sha256:${text}`)),
    };
    await retrying(call, flags.retry, () => {
      const directory = transports.dir.parseReference(`./layers-${randomName()}`);
      return copyLayers({ ...request, destination: { reference: directory, context } });
    });
  },
});

/** Nobody else may have made a directory of this name. */
function randomName(): string {
  return crypto.getRandomValues(new Uint32Array(2)).join("");
}
