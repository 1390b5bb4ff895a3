// dray manifest-digest: the digest a manifest file goes by.

import { readConfigFile } from "../../core/config/config-file.ts";
import { during, Failure } from "../../core/failure.ts";
import { manifestDigest as digestOfManifest } from "../../core/manifest/manifest.ts";
import { defineTool } from "../command.ts";
import { print } from "../output/print.ts";

/** Computes the digest of a manifest kept in a file. */
export const manifestDigest = defineTool({
  name: "manifest-digest",
  usage: "manifest-digest MANIFEST-FILE",
  summary: "Compute a manifest digest of a file",
  examples: ["manifest-digest manifest.json"],
  flags: {},
  async run({ operands, program }) {
    const [path] = operands;
    if (path === undefined || operands.length !== 1) {
      throw new Failure("usage", `Usage: ${program} manifest-digest manifest`);
    }
    const bytes = await during(`Error reading manifest from ${path}`, () => readConfigFile(path));
    const digest = await during("Error computing digest", () => digestOfManifest(bytes));
    await print(`${digest}\n`);
  },
});
