// The OpenPGP corpus, judged by us, by skopeo and by gpg.

import { expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { digestOf } from "../../core/content/digest.ts";
import { encodeSimpleSigning } from "../../core/trust/simple-signing.ts";
import { GpgHome } from "../support/gpg-home.ts";
import { testWith } from "../support/needs.ts";
import { newerProgram } from "../support/newer-debian.ts";
import {
  brokenMessages,
  bzip2Program,
  type CorpusMessage,
  goodMessages,
  oddMessages,
} from "../support/openpgp-corpus.ts";
import { ProxyClient } from "../support/proxy-client.ts";
import { run } from "../support/run.ts";
import { sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";

const reference = "docker.io/library/corpus:1";
const { manifest } = sampleImage({ seed: "corpus" });

/** Puts each message beside an image of its own, with a policy that wants its key there. */
function place(scene: Scene, messages: readonly CorpusMessage[]): void {
  const scopes: Record<string, unknown> = {};
  for (const [index, { message, ring }] of messages.entries()) {
    const path = scene.at(`${index}`);
    mkdirSync(path);
    writeFileSync(`${path}/version`, "Directory Transport Version: 1.1\n");
    writeFileSync(`${path}/manifest.json`, manifest.bytes);
    writeFileSync(`${path}/signature-1`, message);
    scopes[path] = [
      {
        type: "signedBy",
        keyType: "GPGKeys",
        keyData: Buffer.from(ring).toString("base64"),
        signedIdentity: { type: "exactReference", dockerReference: reference },
      },
    ];
  }
  const policy = { default: [{ type: "reject" }], transports: { dir: scopes } };
  writeFileSync(scene.at("policy.json"), JSON.stringify(policy));
}

/** Returns the names of those that a program takes. */
async function takenBy(
  scene: Scene,
  messages: readonly CorpusMessage[],
  program?: string,
): Promise<readonly string[]> {
  const flags = ["--policy", scene.at("policy.json")];
  const named = program === undefined ? {} : { program };
  await using client = new ProxyClient({ cwd: scene.path, flags, ...named });
  expect(await client.ask("Initialize")).toMatchObject({ success: true });
  const taken: string[] = [];
  for (const [index, { name }] of messages.entries()) {
    const { success, error } = await client.ask("OpenImage", `dir:${scene.at(`${index}`)}`);
    if (success) taken.push(name);
    else expect(error).not.toBe("");
  }
  return taken;
}

/** Returns the names of those that gpg takes, of which it is asked as many at once as it bears. */
async function takenByGpg(
  scene: Scene,
  messages: readonly CorpusMessage[],
): Promise<readonly string[]> {
  await using gpg = new GpgHome(scene.at("gnupg"), newerProgram("gpg"));
  writeFileSync(scene.at("rings"), Buffer.concat(messages.map(({ ring }) => ring)));
  // Some keys are of no use to it, and some messages bring it to its end: neither is a failure here.
  const ask = (...args: readonly string[]) =>
    run(["--batch", "--no-tty", "--no-autostart", "--status-fd", "1", ...args], {
      ...{ cwd: scene.path, program: newerProgram("gpg"), env: gpg.env },
    });
  await ask("--import", "rings");
  const files = messages.map((_, index) => `${index}/signature-1`);
  const said: string[] = [];
  while (said.length < files.length) {
    const { stdout, stderr } = await ask("--verify-files", ...files.slice(said.length));
    const parts = stdout.split("[GNUPG:] FILE_START ").slice(1);
    if (parts.length === 0) throw new Error(stderr);
    said.push(...parts);
  }
  return messages.flatMap(({ name }, index) => (isGood(said[index] ?? "") ? [name] : []));
}

function isGood(status: string): boolean {
  const good = status.includes("[GNUPG:] GOODSIG ") && status.includes("[GNUPG:] VALIDSIG ");
  return good && !/ (BADSIG|ERRSIG|EXPSIG|REVKEYSIG|EXPKEYSIG|NODATA|UNEXPECTED) /.test(status);
}

/** Skopeo takes its time: every fifth shows each key, each signer, each manner and each packing. */
const step = 5;

/** What we alone refuse: shapes in which libraries have been fooled before, and what is too weak. */
const refusedByUs = [
  ...["compressed twice", "an unknown packet", "bytes behind the compression"],
  ...["a packet behind the compression", "SHA-1", "RIPEMD-160", "version 3 with SHA-1"],
  ...["a key without a user that is not revoked", "RSA with 1024 bits"],
];

/** What gpg takes besides, because it is asked for any message, and skopeo looks at the shape. */
const takenAsMessages = ["two signatures", "clear-signed", "armored", "a marker"];

testWith(
  "newer:skopeo",
  "newer:gpg",
  bzip2Program,
)("signatures are taken and refused as skopeo and gpg do, and a few more are refused", async () => {
  await using scene = new Scene();
  const digest = digestOf(manifest.bytes);
  const document = encodeSimpleSigning({ digest, reference, creator: "test", timestamp: 0 });
  const good = await goodMessages(document);
  expect(good.length).toBe(3 * 3 * 2 * 4);
  const some = good.filter((_, index) => index % step === 0);
  const rest = good.filter((_, index) => index % step > 0);
  const odd = await oddMessages(document);
  const messages = [...some, ...odd, ...(await brokenMessages(document)), ...rest];
  place(scene, messages);
  const right = [...some, ...odd].map(({ name }) => name);
  const others = rest.map(({ name }) => name);
  expect(await takenBy(scene, messages)).toEqual([...right, ...others]);
  const asked = messages.slice(0, messages.length - rest.length);
  const taken = await takenBy(scene, asked, newerProgram("skopeo"));
  expect(taken.toSorted()).toEqual([...right, ...refusedByUs].toSorted());
  const gpgs = await takenByGpg(scene, messages);
  const all = [...right, ...others, ...refusedByUs, ...takenAsMessages];
  expect(gpgs.toSorted()).toEqual(all.toSorted());
});
