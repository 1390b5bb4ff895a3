// dray standalone-sign: a signature, made from files only.

import { writeFile } from "node:fs/promises";

import { readConfigFile } from "../../core/config/config-file.ts";
import { during, Failure } from "../../core/failure.ts";
import { manifestDigest } from "../../core/manifest/manifest.ts";
import { defineTool } from "../command.ts";
import { text } from "../flags/flag.ts";
import { passphraseIn } from "../passphrase.ts";
import { signingMarks, surroundingsOf } from "../signers.ts";

/** Signs a manifest in a file, under a name that is taken as it is given. */
export const standaloneSign = defineTool({
  name: "standalone-sign",
  usage:
    "standalone-sign [command options] MANIFEST DOCKER-REFERENCE KEY-FINGERPRINT --output|-o SIGNATURE",
  summary: "Create a signature using local files",
  examples: [
    "standalone-sign manifest.json registry.example.com/team/app:1 1D8230F6CDB6A06716E414C1DB72F2188BB46CC8 -o app.signature",
  ],
  flags: {
    output: text("output", "output the signature to `SIGNATURE`", { shorthand: "o" }),
    passphraseFile: text(
      "passphrase-file",
      "file that contains a passphrase for the --sign-by key",
    ),
  },
  async run(call) {
    const { operands, flags, program } = call;
    const [path, reference, key] = operands;
    const { output, passphraseFile } = flags;
    const complete = path !== undefined && reference !== undefined && key !== undefined;
    if (!complete || operands.length !== 3 || output === "") {
      throw new Failure(
        "usage",
        `Usage: ${program} standalone-sign manifest docker-reference key-fingerprint -o signature`,
      );
    }
    const manifest = await during(`Error reading ${path}`, () => readConfigFile(path));
    const passphrase =
      passphraseFile === "" ? {} : { passphrase: await passphraseIn(passphraseFile) };
    const { checkGpg, gpgSigner } = await import("../../core/trust/gpg.ts");
    await during("Error initializing GPG", () => checkGpg(surroundingsOf(call)));
    const { simpleSigner } = await import("../../core/trust/simple-signer.ts");
    const signer = simpleSigner(
      gpgSigner({ key, ...passphrase }, surroundingsOf(call)),
      signingMarks,
    );
    const signature = await during("Error creating signature", () =>
      signer.sign({ digest: manifestDigest(manifest), reference }),
    );
    await during(`Error writing signature to ${output}`, () =>
      writeFile(output, signature, { mode: 0o644 }),
    );
  },
});
