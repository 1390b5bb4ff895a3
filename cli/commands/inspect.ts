// dray inspect: what an image is, without carrying it anywhere.

import type { DigestAlgorithm } from "../../core/content/digest.ts";
import { fullRepository, parseDockerName } from "../../core/content/docker-name.ts";
import { during, Failure, inContext } from "../../core/failure.ts";
import { listedTransports, parseImageName } from "../../core/image/parse-name.ts";
import type { ImageReference, TransportContext } from "../../core/image/transport.ts";
import {
  findImage,
  type FoundImage,
  readClaims,
  readConfigBlob,
} from "../../core/inspect/found-image.ts";
import { summarize } from "../../core/inspect/summary.ts";
import { Candidate } from "../../core/trust/gate.ts";
import { transports } from "../../transports/table.ts";
import { type Call, defineTool } from "../command.ts";
import { beginOperation, contextOf, platformWish } from "../compose.ts";
import { maybeText, text, toggle, type Values } from "../flags/flag.ts";
import { imageFlags, retryFlags } from "../flags/image.ts";
import { imageNames } from "../help.ts";
import { encodePretty } from "../output/json.ts";
import { print } from "../output/print.ts";
import { jsonOf } from "../output/template/go-json.ts";
import { bytesOf } from "../output/template/go-text.ts";
import type { GoValue } from "../output/template/go-type.ts";
import { configValue, summaryValue } from "../output/template/image-values.ts";
import { retrying } from "../retrying.ts";

const flags = {
  image: imageFlags(""),
  retry: retryFlags,
  raw: toggle("raw", "output raw manifest or configuration"),
  config: toggle("config", "output configuration"),
  format: text("format", "Format the output to a Go template", { shorthand: "f" }),
  noTags: toggle("no-tags", "Do not list the available tags from the repository in the output", {
    shorthand: "n",
  }),
  manifestDigest: maybeText(
    "manifest-digest",
    "`algorithm` to use for computing manifest digest (sha256, sha512); defaults to algorithm used in config digest",
  ),
};

type InspectCall = Call<Values<typeof flags>>;

/** Prints what an image says about itself. No policy is asked: nothing is carried. */
export const inspect = defineTool({
  name: "inspect",
  usage: "inspect [command options] IMAGE-NAME",
  summary: "Inspect image IMAGE-NAME",
  description: (program) =>
    `Return low-level information about "IMAGE-NAME" in a registry/transport\n${imageNames(listedTransports(transports), program)}`,
  examples: [
    "inspect docker://registry.fedoraproject.org/fedora",
    "inspect --config docker://docker.io/alpine",
    'inspect --format "Name: {{.Name}} Digest: {{.Digest}}" docker://registry.access.redhat.com/ubi8',
  ],
  flags,
  async run(call) {
    const { raw, format, image, retry } = call.flags;
    const [name] = call.operands;
    if (name === undefined || call.operands.length !== 1) {
      throw new Failure("usage", "Exactly one argument expected");
    }
    if (raw && format !== "") {
      throw new Failure("usage", "raw output does not support format option");
    }
    await using operation = beginOperation(call);
    const context = contextOf(call, { flags: image, operation });
    const reference = await during(parsing(name), () => parseImageName(name, transports));
    const shown = await retrying(call, retry, () => look(call, { name, reference, context }));
    await print(shown.output);
    if (shown.failure !== undefined) throw shown.failure;
  },
});

/** What goes to standard output, and what went wrong after that. */
interface Shown {
  readonly output: string | Uint8Array;
  readonly failure?: Failure;
}

interface Subject {
  /** As the user wrote it. */
  readonly name: string;
  readonly reference: ImageReference;
  readonly context: TransportContext;
}

async function look(call: InspectCall, subject: Subject): Promise<Shown> {
  const { raw, config, noTags } = call.flags;
  const { name, reference, context } = subject;
  await using sought = raw || config || noTags ? undefined : seekTags(subject);
  await using source = await during(parsing(name), () => reference.openSource(context));
  const found = new Candidate(source);
  const top = await during("Error retrieving manifest for image", () => found.manifest());
  if (raw && !config) return { output: top.bytes };
  const image = await during("Error parsing manifest for image", () =>
    findImage(found, platformWish(call)),
  );
  if (raw) {
    return during("Error reading configuration blob", async () => ({
      output: await readConfigBlob(image),
    }));
  }
  if (config) return lookAtConfig(call, image);
  const algorithm = algorithmOf(call.flags.manifestDigest);
  const claims = await readClaims(image);
  const tags = sought === undefined ? [] : await sought.found();
  if (tags === undefined) call.log.warn("Registry disallows tag list retrieval; skipping");
  const { manifest } = image;
  const parts = { top, manifest, claims, tags, algorithm, name: repositoryOf(reference) };
  const summary = await during("Error computing manifest digest", () => summarize(parts));
  return show(call, summaryValue(summary));
}

async function lookAtConfig(call: InspectCall, image: FoundImage): Promise<Shown> {
  const { config } = await during("Error reading OCI-formatted configuration data", () =>
    readClaims(image),
  );
  const writing = "Error writing OCI-formatted configuration data to standard output";
  const shown = await during(writing, () => show(call, configValue(config)));
  if (shown.failure === undefined) return shown;
  return { ...shown, failure: inContext(writing, shown.failure) };
}

/** Returns what the user wants to see of a value: all of it as JSON, or what a template says. */
async function show({ flags, program }: InspectCall, value: GoValue): Promise<Shown> {
  const { format } = flags;
  const asJson = (): Shown => ({ output: encodePretty(jsonOf(value)) });
  if (format === "") return asJson();
  const { asksForJson, renderFormat } = await import("../output/template.ts");
  if (asksForJson(format)) return asJson();
  const { output, failure } = renderFormat({ format, name: `${program} inspect`, value });
  return { output: bytesOf(output), ...(failure !== undefined && { failure }) };
}

/** Tags that are asked for while something else is. Disposing gives them up. */
interface SoughtTags extends AsyncDisposable {
  /** Undefined if the registry does not disclose them; none where there is no such thing. */
  found(): Promise<readonly string[] | undefined>;
}

/** Asks for the tags of an image's repository, which needs nothing of the image. */
function seekTags({ reference, context }: Subject): SoughtTags {
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const seeking = during("Error determining repository tags", async () =>
    reference.listTags === undefined ? [] : reference.listTags({ ...context, signal }),
  );
  // Until somebody wants them, nobody minds if they cannot be had.
  const settled = Promise.allSettled([seeking]);
  return {
    found: () => seeking,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await settled;
    },
  };
}

function repositoryOf({ docker }: ImageReference): string | undefined {
  return docker === undefined ? undefined : fullRepository(parseDockerName(docker));
}

/** An algorithm that is named, but empty, is the usual one. */
function algorithmOf(text: string | undefined): DigestAlgorithm | undefined {
  switch (text) {
    case undefined:
      return undefined;
    case "":
      return "sha256";
    case "sha256":
    case "sha384":
    case "sha512":
      return text;
    default:
      throw new Failure("usage", `digest algorithm ${JSON.stringify(text)} is not available`);
  }
}

function parsing(name: string): string {
  return `Error parsing image name ${JSON.stringify(name)}`;
}
