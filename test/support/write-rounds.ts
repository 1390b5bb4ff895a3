// A program of its own that writes several images, one after the other: `write-rounds.ts IMAGE COUNT`.
//
// The images are called as IMAGE says, and numbered.

import { parseImageName } from "../../core/image/parse-name.ts";
import { transports } from "../../transports/table.ts";
import { putSample } from "./carry.ts";
import { sampleImage } from "./sample-images.ts";
import { transportContext } from "./transport-context.ts";

const [image = "", count = "1"] = process.argv.slice(2);

for (let round = 1; round <= Number(count); round++) {
  const reference = parseImageName(`${image}${round}`, transports);
  await using destination = await reference.openDestination(transportContext());
  const sample = sampleImage({
    seed: `${image}${round}`,
    format: "oci",
    layers: ["gzip"],
    ballastBytes: 100,
  });
  await putSample(destination, sample);
  await destination.commit();
}
