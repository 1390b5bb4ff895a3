// dray standalone-verify: whether a signature in a file is good.

import { readConfigFile } from "../../core/config/config-file.ts";
import { during, Failure } from "../../core/failure.ts";
import { type Call, defineTool } from "../command.ts";
import { text } from "../flags/flag.ts";
import { print } from "../output/print.ts";
import { surroundingsOf } from "../signers.ts";

/** Verifies a signature of a manifest, both in files, by given keys. */
export const standaloneVerify = defineTool({
  name: "standalone-verify",
  usage: "standalone-verify MANIFEST DOCKER-REFERENCE KEY-FINGERPRINTS SIGNATURE",
  summary: "Verify a signature using local files",
  description: () => `Verify a signature using local files

KEY-FINGERPRINTS can be a comma separated list of fingerprints, or "any" if you trust all the keys in the public key file.`,
  examples: [
    "standalone-verify manifest.json registry.example.com/team/app:1 any app.signature --public-key-file team.asc",
  ],
  flags: {
    publicKeyFile: text(
      "public-key-file",
      "File containing public keys. If not specified, will use local GPG keys.",
    ),
  },
  async run(call) {
    const { operands, flags, program } = call;
    const [manifestPath, reference, keys, signaturePath] = operands;
    const complete =
      manifestPath !== undefined &&
      reference !== undefined &&
      keys !== undefined &&
      signaturePath !== undefined;
    if (!complete || operands.length !== 4) {
      throw new Failure(
        "usage",
        `Usage: ${program} standalone-verify manifest docker-reference key-fingerprint signature`,
      );
    }
    const { publicKeyFile } = flags;
    if (keys === "any" && publicKeyFile === "") {
      throw new Failure("usage", "Cannot use any fingerprint without a public key file", {
        hint: "name the file with --public-key-file",
      });
    }
    const manifest = await during(`Error reading manifest from ${manifestPath}`, () =>
      readConfigFile(manifestPath),
    );
    const signature = await during(`Error reading signature from ${signaturePath}`, () =>
      readConfigFile(signaturePath),
    );
    const named = keys.split(",");
    const ring = await keysFor(call, publicKeyFile, named);
    const fingerprints = keys === "any" ? ring.fingerprints : named;
    const { checkDocument } = await import("../../core/trust/document-check.ts");
    const now = new Date();
    const { fingerprint, digest } = await during("Error verifying signature", () =>
      checkDocument({ signature, manifest, reference, ring, fingerprints, now }),
    );
    await print(`Signature verified using fingerprint ${fingerprint}, digest ${digest}\n`);
  },
});

async function keysFor(call: Call, publicKeyFile: string, named: readonly string[]) {
  const { readKeyRing } = await import("../../core/trust/openpgp.ts");
  if (publicKeyFile !== "") {
    const file = await during(`Error reading public keys from ${publicKeyFile}`, () =>
      readConfigFile(publicKeyFile),
    );
    return readKeyRing([file]);
  }
  const { exportedKeys } = await import("../../core/trust/gpg.ts");
  return during("Error initializing GPG", async () =>
    readKeyRing([await exportedKeys(named, surroundingsOf(call))]),
  );
}
