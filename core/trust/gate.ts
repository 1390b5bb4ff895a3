// The gate: from an image as found to an image that may be carried.
//
// A destination takes nothing but an OutgoingBlob or an OutgoingManifest. Only an AdmittedImage makes
// those, and only a Gate gives one. So copying without asking the policy does not type-check.

import { collect } from "../blob/collect.ts";
import { peeked } from "../blob/peek.ts";
import type { ByteStream, Stage } from "../blob/stream.ts";
import { streamOf } from "../blob/stream.ts";
import { verified } from "../blob/verify.ts";
import type { Descriptor } from "../content/descriptor.ts";
import { type Digest, type DigestAlgorithm, digestAlgorithm, digestOf } from "../content/digest.ts";
import { Failure } from "../failure.ts";
import { type ImageName, spelled } from "../image/name.ts";
import type {
  BlobReading,
  HeldStart,
  ImageSource,
  KeptLayers,
  RawManifest,
  Signature,
} from "../image/source.ts";
import { limits } from "../limits.ts";
import { manifestDigest, parseManifest } from "../manifest/manifest.ts";
import type { KeyFinding } from "./key-finding.ts";
import type { HearDecision, PolicyScope, RuleAnswer, SignatureTrial } from "./decision.ts";

/** One rule of a policy, such as `signedBy` or `reject`. */
export interface PolicyRequirement {
  /** The rule's `type` in policy.json. */
  readonly type: string;
  /** Whether passing it means that a signature over the whole image was verified. */
  readonly verifiesSignatures: boolean;
  /** Whether it rests on bundles, so that these are to travel with the image; absent: no. */
  readonly readsBundles?: boolean;
  /** What it wants, by names that a person understands; absent where the type says all. */
  readonly wants?: Readonly<Record<string, string>>;
  /** Looks at the keys that it wants, and at no image. Absent where it wants none. */
  checkKeys?(now: Date): Promise<readonly KeyFinding[]>;
  /** Decides. Throwing means "could not decide", and refuses the image just as firmly. */
  decide(candidate: Candidate, judging: Judging): Promise<Verdict>;
}

/** What a requirement decides with, besides the image. */
export interface Judging {
  /** When keys, certificates and signatures have to be good. */
  readonly now: Date;
  /** Is told how each signature fared, as soon as that is known. */
  tried(trial: SignatureTrial): void;
}

/** What one rule says. A refusal always says why. */
export type Verdict =
  { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/** Finds the rules that apply to an image. The parsed policy.json is one. */
export interface Policy {
  requirementsFor(image: ImageName): readonly PolicyRequirement[];
  /** Returns which entry those rules stand in; undefined, or absent, for the policy's default. */
  scopeFor?(image: ImageName): PolicyScope | undefined;
}

const key = Symbol("admission"); // never exported
type Key = typeof key;

function checkKey(held: Key): void {
  if (held !== key) throw new Failure("bug", "An image was to be carried without an admission");
}

/** An image as found. It can be looked at, but not carried. Everything read is kept, and read once. */
export class Candidate {
  readonly name: ImageName;
  /** Absent for what the name itself leads to. */
  readonly instance: Digest | undefined;
  readonly #source: ImageSource;
  #manifest: Promise<RawManifest> | undefined;
  #signatures: Promise<readonly Signature[]> | undefined;
  readonly #referrers = new Map<string, Promise<readonly RawManifest[]>>();

  constructor(source: ImageSource, instance?: Digest) {
    this.name = source.name;
    this.instance = instance;
    this.#source = source;
  }

  /** Returns the manifest, which matches the digest that it was asked for by, if it was by one. */
  manifest(): Promise<RawManifest> {
    this.#manifest ??= this.#readManifest();
    return this.#manifest;
  }

  async #readManifest(): Promise<RawManifest> {
    const manifest = await this.#source.readManifest(this.instance);
    if (manifest.bytes.length > limits.manifestBytes) {
      throw new Failure(
        "corrupt",
        `exceeded maximum allowed size of ${limits.manifestBytes} bytes`,
      );
    }
    const expected = this.instance ?? this.name.digest;
    if (expected !== undefined) {
      const actual = manifestDigest(manifest.bytes, digestAlgorithm(expected));
      if (actual !== expected) {
        throw new Failure(
          "corrupt",
          `Manifest does not match provided manifest digest ${expected}, it has ${actual}`,
        );
      }
    }
    return manifest;
  }

  /** Returns the digest of the manifest, computed here, whatever anybody else says it is. */
  async digest(): Promise<Digest> {
    const expected = this.instance ?? this.name.digest;
    const { bytes } = await this.manifest();
    return expected ?? manifestDigest(bytes);
  }

  /** Returns the signatures kept for the manifest, whatever the name leads to meanwhile. */
  signatures(): Promise<readonly Signature[]> {
    this.#signatures ??= this.#readSignatures();
    return this.#signatures;
  }

  async #readSignatures(): Promise<readonly Signature[]> {
    const { instance } = this;
    const digest = await this.digest();
    return this.#source.readSignatures({ digest, ...(instance !== undefined && { instance }) });
  }

  /**
   * Returns the manifests of an artifact type that say of themselves that they are about this one, and
   * perhaps some others; none where there is no such thing. Nothing that they say is checked.
   */
  referrers(artifactType: string): Promise<readonly RawManifest[]> {
    const found = this.#referrers.get(artifactType) ?? this.#readReferrers(artifactType);
    this.#referrers.set(artifactType, found);
    return found;
  }

  async #readReferrers(artifactType: string): Promise<readonly RawManifest[]> {
    const digest = await this.digest();
    return (await this.#source.readReferrers?.(digest, artifactType)) ?? [];
  }

  /** Tells whether bundles about the image are to be looked for though no policy asks for them. */
  async offersBundles(): Promise<boolean> {
    return (await this.#source.offersBundles?.()) ?? false;
  }

  /** Returns a small blob of the image, such as its config, verified. */
  async look(blob: Descriptor, limitBytes: number): Promise<Uint8Array> {
    const stored = await this.#source.openBlob(blob);
    return collect(verified(blob)(stored), limitBytes);
  }

  /** Returns one image of this list as a candidate of its own. */
  pick(instance: Digest): Candidate {
    return new Candidate(this.#source, instance);
  }

  /** Lets the image in. Only a Gate can. */
  async admit(held: Key): Promise<AdmittedImage> {
    checkKey(held);
    return new AdmittedImage(key, this.#source, await this.manifest(), await this.digest());
  }
}

/** An image that the policy lets in. */
export class AdmittedImage {
  readonly name: ImageName;
  readonly manifest: RawManifest;
  readonly digest: Digest;
  readonly #source: ImageSource;

  constructor(held: Key, source: ImageSource, manifest: RawManifest, digest: Digest) {
    checkKey(held);
    this.name = source.name;
    this.manifest = manifest;
    this.digest = digest;
    this.#source = source;
  }

  /** Whether several of its blobs may be read at a time. */
  get concurrent(): boolean {
    return this.#source.concurrent;
  }

  /** Returns the layers as they can be read; undefined where they can as the manifest lists them. */
  async keptLayers(): Promise<KeptLayers | undefined> {
    return this.#source.readLayers?.(this.digest);
  }

  /** Returns the same image, with its blobs read from elsewhere: which ones they are, its digests say. */
  readFrom(source: ImageSource): AdmittedImage {
    return new AdmittedImage(key, source, this.manifest, this.digest);
  }

  /**
   * Carries one of the image's blobs, verified as it flows. Nothing is read yet.
   *
   * What is held of its start is not read from the source, but verified as everything else.
   */
  blob(blob: Descriptor, reading: BlobReading = {}, held?: HeldStart): OutgoingBlob {
    const source = this.#source;
    const read = async function* (): AsyncGenerator<Uint8Array> {
      if (held === undefined || source.openRest === undefined) {
        yield* verified(blob)(await source.openBlob(blob, reading));
        return;
      }
      const rest = () =>
        source.openRest?.(blob, held.size, reading) ?? source.openBlob(blob, reading);
      yield* verified(blob)(joined(held.open(), rest));
    };
    return new OutgoingBlob(key, read, blob, source.givesMemory === true);
  }

  /** Carries one of the image's blobs, after a look at its first `count` bytes. */
  async peek(blob: Descriptor, count: number, reading: BlobReading = {}): Promise<PeekedBlob> {
    return this.blob(blob, reading).peek(count);
  }

  /** Carries content written on this image's behalf, such as a converted config. */
  generate(bytes: Uint8Array, mediaType: string, algorithm?: DigestAlgorithm): OutgoingBlob {
    const descriptor = { mediaType, digest: digestOf(bytes, algorithm), size: bytes.length };
    return new OutgoingBlob(key, () => streamOf(bytes), descriptor);
  }

  /** Carries the manifest, as it came or as rewritten for the destination. */
  publish(manifest: RawManifest = this.manifest): OutgoingManifest {
    return new OutgoingManifest(key, manifest);
  }

  /** Carries a list that names this very image, to be kept as where the image was chosen from. */
  publishOrigin(list: RawManifest): OutgoingManifest {
    const parsed = parseManifest(list);
    const names = ({ digest }: Descriptor): boolean => digest === this.digest;
    if (parsed.kind === "list" && parsed.instances.some(names)) {
      return new OutgoingManifest(key, list);
    }
    throw new Failure("bug", `A list was to be carried that does not name ${this.digest}`);
  }
}

/** Gives one stream behind another, which is opened when it is its turn. */
async function* joined(
  start: ByteStream,
  openRest: () => Promise<ByteStream>,
): AsyncGenerator<Uint8Array> {
  yield* start;
  yield* await openRest();
}

/** A blob whose first bytes have been seen. Disposing lets go of the source. */
export interface PeekedBlob extends AsyncDisposable {
  readonly blob: OutgoingBlob;
  readonly start: Uint8Array;
}

/** What is known of a blob before it has flowed. */
export interface BlobPromise {
  readonly mediaType: string;
  /** Absent where only the stream can tell, because a stage changes the bytes. */
  readonly digest?: Digest;
  /** In bytes; absent where only the stream can tell. */
  readonly size?: number;
}

/** A blob on its way to a destination. */
export class OutgoingBlob implements BlobPromise {
  readonly mediaType: string;
  readonly digest?: Digest;
  readonly size?: number;
  readonly #read: () => ByteStream;
  readonly #givesMemory: boolean;

  constructor(held: Key, read: () => ByteStream, promise: BlobPromise, givesMemory = false) {
    checkKey(held);
    this.mediaType = promise.mediaType;
    if (promise.digest !== undefined) this.digest = promise.digest;
    if (promise.size !== undefined) this.size = promise.size;
    this.#read = read;
    this.#givesMemory = givesMemory;
  }

  /** Whether nobody else looks at the memory of its chunks, so that whoever is done with one may give it back. */
  get givesMemory(): boolean {
    return this.#givesMemory;
  }

  /**
   * Opens the bytes. They are exactly what `digest` and `size` promise if the stream ends without a
   * throw, and not otherwise. Each call reads the source from its start.
   */
  open(): ByteStream {
    return this.#read();
  }

  /** Carries the blob on after a look at its first `count` bytes. */
  async peek(count: number): Promise<PeekedBlob> {
    const stream = await peeked(() => this.open(), count);
    return {
      blob: new OutgoingBlob(key, () => stream.open(), this, this.#givesMemory),
      start: stream.start,
      [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
    };
  }

  /** Carries the blob on under another media type. */
  as(mediaType: string): OutgoingBlob {
    return new OutgoingBlob(key, this.#read, { ...this, mediaType }, this.#givesMemory);
  }

  /** Carries the blob on, with somebody who is told the size of each chunk before it passes, and waited for. */
  counted(passed: (bytes: number) => unknown): OutgoingBlob {
    const read = this.#read;
    const counting = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of read()) {
        await passed(chunk.length);
        yield chunk;
      }
    };
    return new OutgoingBlob(key, counting, this, this.#givesMemory);
  }

  /** Returns the blob as it is behind a stage. Unless `becomes` says more, digest and size are open. */
  through(stage: Stage, becomes: BlobPromise): OutgoingBlob {
    const read = this.#read;
    return new OutgoingBlob(key, () => stage(read()), becomes);
  }
}

/** A manifest on its way to a destination. */
export class OutgoingManifest implements RawManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly #admitted = true;

  constructor(held: Key, manifest: RawManifest) {
    checkKey(held);
    this.bytes = manifest.bytes;
    this.mediaType = manifest.mediaType;
  }

  /** Whether a gate let it through: true, or there would be no such object. */
  get admitted(): boolean {
    return this.#admitted;
  }
}

/** How a gate asks, beyond its policy. */
export interface GateOptions {
  /** Whether an image is refused if no requirement verified a signature. */
  readonly requireSigned: boolean;
  /** Tells when keys, certificates and signatures have to be good. */
  readonly now: () => Date;
}

/** Admits the images that satisfy every rule applying to them. */
export class Gate {
  readonly #policy: Policy;
  readonly #options: GateOptions;

  constructor(policy: Policy, options: GateOptions) {
    this.#policy = policy;
    this.#options = options;
  }

  /** Tells whether images of a name are let in whatever they are: the policy would not look at them. */
  admitsUnseen(name: ImageName): boolean {
    const types = this.#policy.requirementsFor(name).map(({ type }) => type);
    if (this.#options.requireSigned || types.length === 0) return false;
    return types.every((type) => type === "insecureAcceptAnything");
  }

  /** Tells whether the rules for images of a name rest on bundles, in part at least. */
  readsBundles(name: ImageName): boolean {
    return this.#policy.requirementsFor(name).some(({ readsBundles }) => readsBundles === true);
  }

  /** Admits an image, or fails with `rejected`. Either way `hear` is told, once. */
  async admit(candidate: Candidate, hear: HearDecision = ignore): Promise<AdmittedImage> {
    const { name, instance } = candidate;
    const requirements = this.#policy.requirementsFor(name);
    const scope = this.#policy.scopeFor?.(name);
    const answers: RuleAnswer[] = [];
    const asked = {
      image: spelled(name),
      by: "rules",
      answers,
      rules: requirements.map(({ type }) => type),
      ...(scope !== undefined && { scope }),
    } as const;
    const refused = await this.#refuse(candidate, requirements, answers);
    if (refused !== undefined) {
      hear({ verdict: "rejected", ...asked, ...(instance && { digest: instance }), ...refused });
      throw refusal(refused.reason);
    }
    const image = await candidate.admit(key);
    hear({ verdict: "admitted", ...asked, digest: image.digest });
    return image;
  }

  /**
   * Admits a list on the strength of its images, if every one of them has been admitted.
   *
   * A list that travels without all of its images has to satisfy the policy by itself.
   */
  async admitList(
    list: Candidate,
    images: readonly AdmittedImage[],
    hear: HearDecision = ignore,
  ): Promise<AdmittedImage> {
    const manifest = parseManifest(await list.manifest());
    const admitted = new Set<string>(images.map((image) => image.digest));
    const whole =
      manifest.kind === "list" &&
      manifest.instances.length > 0 &&
      manifest.instances.every(({ digest }) => admitted.has(digest)) &&
      images.every((image) => spelled(image.name) === spelled(list.name));
    if (!whole) return this.admit(list, hear);
    const image = await list.admit(key);
    const { name, digest } = image;
    hear({
      verdict: "admitted",
      image: spelled(name),
      by: "images",
      rules: [],
      answers: [],
      digest,
    });
    return image;
  }

  /** Returns why an image is not let in, or undefined if it is. Keeps the answers of all that were asked. */
  async #refuse(
    candidate: Candidate,
    requirements: readonly PolicyRequirement[],
    answers: RuleAnswer[],
  ): Promise<Refusal | undefined> {
    const { requireSigned, now } = this.#options;
    const time = now();
    if (requirements.length === 0) {
      return { reason: "List of policy requirements must not be empty" };
    }
    for (const requirement of requirements) {
      const { type, wants } = requirement;
      const trials: SignatureTrial[] = [];
      const judging = { now: time, tried: (trial: SignatureTrial) => void trials.push(trial) };
      const verdict = await decide(requirement, candidate, judging);
      answers.push({ rule: type, ...(wants !== undefined && { wants }), ...verdict, trials });
      if (!verdict.allowed) return { refusedBy: requirement.type, reason: verdict.reason };
    }
    if (requireSigned && !requirements.some((each) => each.verifiesSignatures)) {
      const { transport, policyIdentity } = candidate.name;
      const image = `${transport}:${policyIdentity}`;
      return { reason: `No signature verification policy found for image ${image}` };
    }
    return undefined;
  }

  /**
   * Admits one image of a list if the policy lets in either: a list says by digest what its images are.
   *
   * Only for whoever hands out single images, as the image proxy does. Fails with `rejected`, as the list was.
   */
  async admitInstance(list: Candidate, instance: Candidate): Promise<AdmittedImage> {
    const manifest = parseManifest(await list.manifest());
    const named =
      manifest.kind === "list" &&
      spelled(list.name) === spelled(instance.name) &&
      manifest.instances.some(({ digest }) => digest === instance.instance);
    if (!named) throw new Failure("bug", "An image was to be admitted by a list that lacks it");
    try {
      await this.admit(list);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "rejected") throw error;
      return await this.admit(instance);
    }
    return instance.admit(key);
  }
}

interface Refusal {
  /** The type of the rule; absent where it was none of them. */
  readonly refusedBy?: string;
  readonly reason: string;
}

const ignore: HearDecision = () => {};

/** "Could not decide" is "no", in the words of whatever kept the rule from deciding. */
async function decide(
  requirement: PolicyRequirement,
  candidate: Candidate,
  judging: Judging,
): Promise<Verdict> {
  try {
    return await requirement.decide(candidate, judging);
  } catch (error) {
    if (error instanceof Failure && error.code === "canceled") throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return { allowed: false, reason };
  }
}

function refusal(reason: string): Failure {
  return new Failure("rejected", `Source image rejected: ${reason}`, {
    hint: "the trust policy decides this, see --policy",
  });
}
