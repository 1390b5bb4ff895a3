import { readdirSync } from "node:fs";
import { dockerDaemon } from "../../../transports/docker-daemon/reference.ts";
import { madeUpImage } from "../../support/docker-tars.ts";
import { probeSuite } from "../../support/probe-suite.ts";
import { sampleImage } from "../../support/sample-images.ts";
import { startScriptedEngine } from "../../support/scripted-engine.ts";

probeSuite(
  "docker-daemon",
  async () => {
    const engine = startScriptedEngine({ keeps: true });
    return {
      transport: dockerDaemon,
      context: engine.context(),
      textOf: (name) => `probe/${name}:1`,
      tree: () => readdirSync(engine.workspace.path),
      [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
    };
  },
  {
    image: sampled("probe"),
    other: sampled("other"),
    refused: async () => `sha256:${"0".repeat(64)}`,
  },
);

function sampled(seed: string) {
  return madeUpImage(sampleImage({ seed, format: "docker", layers: ["none", "none"] }).layers);
}
