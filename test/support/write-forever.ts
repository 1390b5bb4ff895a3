// A program of its own that writes blobs to an image until it is killed: `write-forever.ts IMAGE`.

import { transports } from "../../transports/table.ts";
import { parseImageName } from "../../core/image/parse-name.ts";
import { putSample } from "./carry.ts";
import { sampleImage } from "./sample-images.ts";
import { transportContext } from "./transport-context.ts";

const [image = ""] = process.argv.slice(2);
const reference = parseImageName(image, transports);

for (let round = 0; ; round++) {
  await using destination = await reference.openDestination(transportContext());
  const sample = sampleImage({ seed: `forever/${round}`, format: "oci", ballastBytes: 300_000 });
  await putSample(destination, sample, { chunkBytes: 10_000 });
  await destination.commit();
  console.log(round);
}
