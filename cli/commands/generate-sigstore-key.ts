// dray generate-sigstore-key: a new pair of keys to sign images with.

import { existsSync } from "node:fs";
import { open } from "node:fs/promises";

import { asFailure, Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import { defineTool } from "../command.ts";
import { text } from "../flags/flag.ts";
import { print } from "../output/print.ts";
import { askPassphrase, passphraseIn } from "../passphrase.ts";

const flags = {
  prefix: text("output-prefix", "Write the keys to `PREFIX`.pub and `PREFIX`.private"),
  passphraseFile: text("passphrase-file", "Read a passphrase for the private key from `PATH`"),
};

/** Makes a pair of keys, in two files that are not there yet. */
export const generateSigstoreKey = defineTool({
  name: "generate-sigstore-key",
  usage: "generate-sigstore-key [command options] --output-prefix PREFIX",
  summary: "Generate a sigstore public/private key pair",
  examples: ["generate-sigstore-key --output-prefix team --passphrase-file passphrase"],
  flags,
  async run(call) {
    const { operands, flags: said } = call;
    if (operands.length > 0 || said.prefix === "") {
      throw new Failure("usage", "Usage: generate-sigstore-key --output-prefix PREFIX");
    }
    const publicPath = `${said.prefix}.pub`;
    const privatePath = `${said.prefix}.private`;
    for (const path of [publicPath, privatePath]) {
      if (existsSync(path)) throw inTheWay(path);
    }
    const passphrase =
      said.passphraseFile === ""
        ? await askPassphrase(call, privatePath)
        : await passphraseIn(said.passphraseFile);
    const { makeKeyPair } = await import("../../core/trust/sigstore/key-file.ts");
    const keys = makeKeyPair(passphrase);
    await writeNew(privatePath, keys.privateKey, 0o600);
    await writeNew(publicPath, keys.publicKey, 0o644);
    await print(`Key written to ${quoted(privatePath)} and ${quoted(publicPath)}\n`);
  },
});

/** Never over a file that has come to be there meanwhile, nor through a link. */
async function writeNew(path: string, content: string, mode: number): Promise<void> {
  try {
    await using file = await open(path, "wx", mode);
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    const failure = asFailure(error);
    throw failure.message.includes("file exists") ? inTheWay(path) : failure;
  }
}

function inTheWay(path: string): Failure {
  return new Failure("refused", `Refusing to overwrite existing ${quoted(path)}`);
}
