// dray untrusted-signature-dump-without-verification: what a signature claims, believed by nobody.

import { readConfigFile } from "../../core/config/config-file.ts";
import { parseSignatureBlob } from "../../core/content/signature-blob.ts";
import { during, Failure } from "../../core/failure.ts";
import { encodeJson } from "../../core/json.ts";
import { parseSimpleSigning } from "../../core/trust/simple-signing.ts";
import { defineTool } from "../command.ts";
import { print } from "../output/print.ts";

/** Shows what is in a signature, whoever made it. Nothing may be decided by this. */
export const untrustedSignatureDump = defineTool({
  name: "untrusted-signature-dump-without-verification",
  usage: "untrusted-signature-dump-without-verification SIGNATURE",
  summary: "Dump contents of a signature WITHOUT VERIFYING IT",
  examples: ["untrusted-signature-dump-without-verification app.signature"],
  flags: {},
  hidden: true,
  async run({ operands, program }) {
    const [path] = operands;
    if (path === undefined || operands.length !== 1) {
      throw new Failure(
        "usage",
        `Usage: ${program} untrusted-signature-dump-without-verification signature`,
      );
    }
    const blob = await during(`Error reading untrusted signature from ${path}`, () =>
      readConfigFile(path),
    );
    const claims = await during("Error decoding untrusted signature", () => claimsIn(blob));
    await print(`${encodeJson(claims, "    ")}\n`);
  },
});

async function claimsIn(blob: Uint8Array) {
  const content = parseSignatureBlob(blob);
  if (content.kind !== "simple-signing") {
    throw new Failure("unsupported", "the file holds a sigstore signature, not an OpenPGP message");
  }
  const { readUnverifiedMessage } = await import("../../core/trust/openpgp.ts");
  const { unverifiedDocument, signature } = await readUnverifiedMessage(content.message);
  const { digest, reference, creator, timestamp } = parseSimpleSigning(unverifiedDocument);
  return {
    UntrustedDockerManifestDigest: digest,
    UntrustedDockerReference: reference,
    UntrustedCreatorID: creator ?? null,
    UntrustedTimestamp: timestamp === undefined ? null : momentOf(timestamp),
    UntrustedShortKeyIdentifier: signature.claimedKeyId,
  };
}

function momentOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) throw new Failure("corrupt", "its timestamp is no time");
  return date.toISOString().replace(".000Z", "Z");
}
