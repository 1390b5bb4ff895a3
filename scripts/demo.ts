// Demo: a guided tour of the executable, on a registry and images that it makes itself.
//
// Needs no network, no root and no other program. Exits with 0 only if every step did what it says.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addSample } from "../test/support/push.ts";
import { startRegistry } from "../test/support/registry-server.ts";
import { type RunResult, run } from "../test/support/run.ts";
import { sampleImage, sampleList } from "../test/support/sample-images.ts";

/** One stop of the tour. */
interface Step {
  /** What is going to happen, in one line. */
  readonly title: string;
  readonly args: readonly string[];
  /** Zero if absent. */
  readonly exit?: number;
  /** What must be true afterwards, in words and as a question. */
  readonly proof?: readonly [claim: string, holds: (result: RunResult) => boolean];
}

/** What the signatures of the tour call the image. */
const signedName = "registry.example.com/demo/app:1.0";

const signedPolicy = {
  default: [
    {
      type: "sigstoreSigned",
      keyPath: "demo.pub",
      signedIdentity: { type: "exactReference", dockerReference: signedName },
    },
  ],
};

const directory = mkdtempSync(join(tmpdir(), "dray-demo-"));
const registry = startRegistry();
try {
  process.exitCode = await tour(registry.host);
} finally {
  await registry[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
}

async function tour(host: string): Promise<number> {
  const list = sampleList();
  addSample(registry.repository("demo/app"), "1.0", sampleImage());
  addSample(registry.repository("demo/app"), "multi", list);
  addSample(registry.repository("demo/other"), "1.0", sampleImage({ seed: "other" }));
  writeFileSync(at("reject.json"), '{ "default": [{ "type": "reject" }] }\n');
  writeFileSync(at("signed.json"), JSON.stringify(signedPolicy));
  writeFileSync(at("passphrase"), "for a demonstration\n");
  say(`A registry is listening on ${host}, with three images in it that were made just now.`);

  const app = `docker://${host}/demo/app`;
  const copy = ["copy", "--src-tls-verify=false", "--dest-tls-verify=false"];
  const steps: readonly Step[] = [
    {
      title: "Which tags does the repository have?",
      args: ["list-tags", "--tls-verify=false", app],
      proof: ["both tags are listed", ({ stdout }) => /"1\.0",\s+"multi"/.test(stdout)],
    },
    {
      title: "What is in the image? Nothing is pulled for that but its manifest and config.",
      args: ["inspect", "--tls-verify=false", `${app}:1.0`],
      proof: ["it has three layers", ({ stdout }) => JSON.parse(stdout).Layers.length === 3],
    },
    {
      title: "What would a copy do? Nothing is written to find out.",
      args: [...copy, "--dry-run", `${app}:1.0`, "dir:unpacked"],
      proof: ["there is no directory yet", () => !existsSync(at("unpacked"))],
    },
    {
      title: "Into a directory: every blob is verified while it is written.",
      args: [...copy, `${app}:1.0`, "dir:unpacked"],
      proof: ["the manifest is there", () => existsSync(at("unpacked/manifest.json"))],
    },
    {
      title: "From there into an OCI layout: Docker's manifest becomes an OCI one on the way.",
      args: [...copy, "dir:unpacked", "oci:layout:1.0"],
      proof: [
        "the layout says OCI",
        () => readFileSync(at("layout/index.json"), "utf8").includes("oci.image.manifest"),
      ],
    },
    {
      title: "And back to the registry, under another name.",
      args: [...copy, "oci:layout:1.0", `docker://${host}/demo/copy:1.0`],
      proof: ["the registry has it", () => registry.repository("demo/copy").tags.has("1.0")],
    },
    {
      title: "A list with images for several platforms, whole, byte for byte.",
      args: [...copy, "--all", `${app}:multi`, "oci:layout:multi"],
      proof: [
        "the list has kept its digest",
        () => readFileSync(at("layout/index.json"), "utf8").includes(list.manifest.digest),
      ],
    },
    {
      title: "Only the image for one platform, and its digest as a script would want it.",
      args: [
        "--override-os=linux",
        "--override-arch=arm64",
        "inspect",
        "--tls-verify=false",
        "--format={{.Os}}/{{.Architecture}} {{.Digest}}",
        `${app}:multi`,
      ],
      proof: ["it is the one for arm64", ({ stdout }) => stdout.startsWith("linux/arm64 sha256:")],
    },
    {
      title: "A policy that rejects everything: the copy is refused before anything is written.",
      args: ["--policy=reject.json", ...copy, `${app}:1.0`, "dir:refused"],
      exit: 1,
      proof: ["there is no directory called refused", () => !existsSync(at("refused"))],
    },
    {
      title: "A pair of keys, to sign images with.",
      args: ["generate-sigstore-key", "--output-prefix=demo", "--passphrase-file=passphrase"],
      proof: ["both are there", () => existsSync(at("demo.private")) && existsSync(at("demo.pub"))],
    },
    {
      title: "Into the layout once more, signed. The signature is kept in the layout, too.",
      args: [
        ...copy,
        "--sign-by-sigstore-private-key=demo.private",
        "--sign-passphrase-file=passphrase",
        `--sign-identity=${signedName}`,
        `${app}:1.0`,
        "oci:signed:1.0",
      ],
    },
    {
      title: "A policy that asks for that signature lets the image in, and tells why.",
      args: ["--policy=signed.json", "policy", "explain", "oci:signed:1.0"],
      proof: ["it was the key", ({ stdout }) => stdout.includes("accepted, by key")],
    },
    {
      title: "Another image has none, and stays out.",
      args: ["--policy=signed.json", ...copy, `docker://${host}/demo/other:1.0`, "dir:refused"],
      exit: 1,
      proof: ["there is no directory called refused", () => !existsSync(at("refused"))],
    },
    {
      title: "All tags of a repository into one layout, where blobs are kept once.",
      args: [
        "sync",
        "--src=docker",
        "--dest=oci",
        "--all",
        "--src-tls-verify=false",
        "--progress=none",
        `${host}/demo/app`,
        "mirror",
      ],
      proof: ["it is a layout", () => existsSync(at("mirror/oci-layout"))],
    },
    {
      title: "Delete the copy from the registry.",
      args: ["delete", "--tls-verify=false", `docker://${host}/demo/copy:1.0`],
      proof: ["its tag is gone", () => !registry.repository("demo/copy").tags.has("1.0")],
    },
    {
      title: "Asking for it again: a sentence, and exit code 2 for an image that does not exist.",
      args: ["inspect", "--tls-verify=false", `docker://${host}/demo/copy:1.0`],
      exit: 2,
    },
  ];

  let failed = 0;
  for (const [index, step] of steps.entries()) {
    if (!(await take(step, `${index + 1}/${steps.length}`))) failed += 1;
  }
  say(
    failed === 0
      ? `\nAll ${steps.length} steps did what they should. The executable is dist/dray.`
      : `\n${failed} of ${steps.length} steps did not do what they should.`,
  );
  return failed === 0 ? 0 : 1;
}

/** Runs one step, shows it as a terminal would, and tells whether it did what it should. */
async function take({ title, args, exit = 0, proof }: Step, number: string): Promise<boolean> {
  say(`\n${bold(`[${number}] ${title}`)}`);
  say(`$ dray ${args.map(quoted).join(" ")}`);
  const result = await run(args, { cwd: directory });
  process.stdout.write(result.stdout + result.stderr);
  const right = result.code === exit;
  if (!right || exit !== 0) say(`(exit ${result.code}${right ? "" : `, expected ${exit}`})`);
  if (proof === undefined) return right;
  const [claim, holds] = proof;
  const proven = right && holds(result);
  say(proven ? `✓ ${claim}` : `✗ ${claim}: no`);
  return proven;
}

function at(name: string): string {
  return join(directory, name);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`;
}

function bold(text: string): string {
  const coloured = process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "";
  return coloured ? `\u001b[1m${text}\u001b[0m` : text;
}
