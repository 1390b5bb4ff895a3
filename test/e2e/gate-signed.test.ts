// G1 to G10: what a policy that wants signatures is asked, and what it is not told, by whatever command.

import { describe, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { type Digest, digestHex, digestOf } from "../../core/content/digest.ts";
import { encodeSimpleSigning } from "../../core/trust/simple-signing.ts";
import { signedMessage, type TestKey, testKey } from "../support/openpgp.ts";
import { ProxyClient } from "../support/proxy-client.ts";
import { addSample } from "../support/push.ts";
import {
  type RegistryOptions,
  type RegistryServer,
  startRegistry,
} from "../support/registry-server.ts";
import { run, type RunResult } from "../support/run.ts";
import { type Sample, sampleImage, sampleList } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";

const wish = { format: "oci", layers: ["gzip"] } as const;
const image = sampleImage({ seed: "gate", ...wish });
const moved = sampleImage({ seed: "moved", ...wish });
const digest = image.manifest.digest as Digest;

/** What a command is about: what a tag leads to before and after it has moved. */
interface Subject {
  readonly before: Sample;
  readonly after: Sample;
  /** What the policy is asked about, and so what has to be signed. */
  readonly judged: readonly Digest[];
}

const single: Subject = { before: image, after: moved, judged: [digest] };
const list = sampleList({ seed: "gate", ...wish, attested: false });
const [first = image, second = image] = list.images;
const listed = (...judged: readonly Sample[]): Subject => ({
  before: list,
  after: sampleList({ seed: "moved", ...wish, attested: false }),
  judged: judged.map(({ manifest }) => manifest.digest as Digest),
});
const key = await testKey();
const stranger = await testKey();

/** A registry with one image, what is signed beside it, and a policy that wants that. */
class GateScene extends Scene {
  readonly registryServer: RegistryServer;
  /** What the user types, if that is not where the image is. */
  typed: string | undefined;
  /** Flags of the whole program. */
  readonly globals: string[] = ["--registries.d", "registries.d", "--policy", "policy.json"];

  readonly #subject: Subject;

  constructor(subject: Subject, options: RegistryOptions = {}) {
    super();
    this.#subject = subject;
    this.registryServer = startRegistry(options);
    addSample(this.registryServer.repository("a/b"), "1", subject.before);
    mkdirSync(this.at("registries.d"));
    const lookaside = pathToFileURL(this.at("lookaside")).href;
    writeFileSync(this.at("registries.d/a.yaml"), `default-docker: {lookaside: "${lookaside}"}\n`);
    this.want({ keyData: Buffer.from(key.ring).toString("base64") });
  }

  get host(): string {
    return this.registryServer.host;
  }

  get name(): string {
    return this.typed ?? `${this.host}/a/b:1`;
  }

  /** Writes a registries.conf that counts from now on. */
  configure(conf: string): void {
    writeFileSync(this.at("registries.conf"), conf);
    this.globals.push("--registries-conf", "registries.conf");
  }

  want(members: object): void {
    const requirement = { type: "signedBy", keyType: "GPGKeys", ...members };
    writeFileSync(this.at("policy.json"), JSON.stringify({ default: [requirement] }));
  }

  /** Signs what is judged, or what `document` says of it. */
  async sign(
    by: TestKey = key,
    document = (digest: Digest): Uint8Array => payload(this.name, digest),
  ): Promise<void> {
    for (const digest of this.#subject.judged) {
      const path = this.signatureAt(digest, 1);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, await signedMessage(by, document(digest)));
    }
  }

  /** Returns where a signature of an image is. */
  signatureAt(digest: Digest, number: number): string {
    return this.at("lookaside", `a/b@sha256=${digestHex(digest)}`, `signature-${number}`);
  }

  start(...words: readonly string[]): Promise<RunResult> {
    return run([...this.globals, ...words], { cwd: this.path });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.registryServer[Symbol.asyncDispose]();
    await super[Symbol.asyncDispose]();
  }
}

function payload(reference: string, digest: Digest): Uint8Array {
  return encodeSimpleSigning({ digest, reference, creator: "test", timestamp: 0 });
}

/** A command that can write an image, or hand it out. */
interface Row {
  readonly subject: Subject;
  /** Whether it is another way of a command that has a row already: one test for each rule will do. */
  readonly further?: boolean;
  /** Returns why it did not; empty if it did. */
  readonly perform: (scene: GateScene) => Promise<string>;
}

const plain = ["--src-tls-verify=false"];

function copying(subject: Subject, ...form: readonly string[]): Row {
  return {
    subject,
    further: form.length > 0,
    perform: async (scene) => {
      const words = ["copy", ...plain, ...form, `docker://${scene.name}`, "dir:there"];
      const { code, stderr } = await scene.start(...words);
      return code === 0 ? "" : stderr;
    },
  };
}

function syncing(subject: Subject, ...form: readonly string[]): Row {
  return {
    subject,
    further: form.length > 0,
    perform: async (scene) => {
      mkdirSync(scene.at("there"), { recursive: true });
      const words = ["sync", "--src=docker", "--dest=dir", ...plain, ...form, scene.name, "there"];
      const { code, stderr } = await scene.start(...words);
      return code === 0 ? "" : stderr;
    },
  };
}

const two = "--multi-arch=linux/amd64,linux/arm64/v8";

/** In every form that makes a difference to what is judged. */
const rows: Readonly<Record<string, Row>> = {
  copy: copying(single),
  "copy to a second place": copying(single, "--also=dir:there-too"),
  "copy --format v2s2": copying(single, "--format", "v2s2", "--remove-signatures"),
  "copy --all": copying(listed(...list.images), "--all"),
  "copy --multi-arch=index-only": copying(listed(list), "--multi-arch=index-only"),
  "copy --multi-arch=PLATFORMS": copying(listed(first, second, list), two),
  sync: syncing(single),
  "sync --multi-arch=index-only": syncing(listed(list), "--multi-arch=index-only"),
  layers: {
    subject: single,
    perform: async (scene) => {
      const words = ["layers", "--tls-verify=false", `docker://${scene.name}`];
      const { code, stderr } = await scene.start(...words);
      return code === 0 ? "" : stderr;
    },
  },
  "experimental-image-proxy": {
    subject: single,
    perform: async (scene) => {
      await using client = await proxy(scene);
      const { success, error } = await client.ask("OpenImage", `docker://${scene.name}`);
      return success === true ? "" : String(error);
    },
  },
};

/** A proxy that has begun. Why it could not begin, it says to whatever it is asked. */
async function proxy(scene: GateScene): Promise<Pick<ProxyClient, "ask"> & AsyncDisposable> {
  const client = new ProxyClient({
    cwd: scene.path,
    flags: [...scene.globals, "--tls-verify=false"],
  });
  const begun = await client.ask("Initialize");
  if (begun.success === true) return client;
  return {
    ask: async () => begun,
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

/** What is left where something might have been written. */
function written(scene: GateScene): readonly string[] {
  const ours = /^(registries\.d|registries\.conf|lookaside|policy\.json)$/;
  return readdirSync(scene.path, { recursive: true })
    .map(String)
    .filter((path) => !ours.test(path.split("/")[0] ?? "") && path !== "there");
}

describe.each(Object.entries(rows))("%s", (_, { subject, further = false, perform }) => {
  const some = <T>(cases: readonly T[]): readonly T[] => (further ? cases.slice(0, 1) : cases);
  const detail = (name: string, body: () => Promise<void>): void => {
    if (!further) test(name, body);
  };

  test("G1: leaves nothing behind where the policy rejects, and asks for no blob", async () => {
    await using scene = new GateScene(subject);
    await scene.sign();
    writeFileSync(scene.at("policy.json"), JSON.stringify({ default: [{ type: "reject" }] }));
    expect(await perform(scene)).toContain("is rejected by policy.");
    expect(written(scene)).toEqual([]);
    expect(scene.registryServer.lines.filter((line) => line.includes("/blobs/"))).toEqual([]);
  });

  test("G2: carries what it has judged, which it has read once", async () => {
    let looks = 0;
    await using scene = new GateScene(subject, {
      intercept: async ({ method, target }, usual) => {
        if (method !== "GET" || !target.endsWith("/manifests/1")) return await usual();
        looks += 1;
        const { bytes, mediaType } = looks === 1 ? subject.before.manifest : subject.after.manifest;
        return new Response(Buffer.from(bytes), { headers: { "content-type": mediaType } });
      },
    });
    addSample(scene.registryServer.repository("a/b"), "2", subject.after);
    await scene.sign();
    expect([await perform(scene), looks]).toEqual(["", 1]);
  });

  test("G7: asks for signatures where the image was read, and judges the name that was typed", async () => {
    await using mirror = startRegistry();
    addSample(mirror.repository("a/b"), "1", subject.before);
    await using scene = new GateScene(subject);
    scene.typed = "typed.example/a/b:1";
    scene.configure(
      `[[registry]]\nprefix = "typed.example"\nlocation = "${mirror.host}"\ninsecure = true\n`,
    );
    await scene.sign(key, (digest) => payload(`${mirror.host}/a/b:1`, digest));
    expect(await perform(scene)).toContain("Signature for identity");
    expect(written(scene)).toEqual([]);
    if (further) return;
    await scene.sign(key, (digest) => payload("typed.example/a/b:1", digest));
    expect(await perform(scene)).toBe("");
  });

  test("G10: tries no registry that merely might have an image of a short name", async () => {
    await using scene = new GateScene(subject);
    await using other = startRegistry();
    addSample(other.repository("library/a"), "1", subject.before);
    scene.typed = "a:1";
    const search = JSON.stringify([scene.host, other.host]);
    scene.configure(
      `unqualified-search-registries = ${search}\n[[registry]]\nlocation = "docker.io"\nblocked = true\n`,
    );
    expect(await perform(scene)).toContain("docker.io");
    expect([...scene.registryServer.lines, ...other.lines]).toEqual([]);
    expect(written(scene)).toEqual([]);
  });

  detail("G3: goes by the signatures of what it has read, though the tag moves on", async () => {
    let asked = 0;
    await using scene = new GateScene(subject, {
      intercept: async ({ method, target }, usual) => {
        const tagged = method === "GET" && target.endsWith("/manifests/1");
        if (!tagged || asked++ === 0) return usual();
        const { bytes, mediaType } = subject.after.manifest;
        return new Response(Buffer.from(bytes), { headers: { "content-type": mediaType } });
      },
    });
    addSample(scene.registryServer.repository("a/b"), "other", subject.after);
    await scene.sign();
    expect(await perform(scene)).toBe("");
  });

  test("G3: takes no signature of what the tag led to before", async () => {
    await using scene = new GateScene(subject);
    await scene.sign();
    addSample(scene.registryServer.repository("a/b"), "1", subject.after);
    expect(await perform(scene)).toContain("A signature was required, but no signature exists");
    expect(written(scene)).toEqual([]);
  });

  const undecided: readonly (readonly [string, (scene: GateScene) => void, string])[] = [
    [
      "a key file that is missing",
      (scene) => scene.want({ keyPath: "/proc/no-key" }),
      "open /proc/no-key: no such file",
    ],
    [
      "a key file without keys",
      (scene) => scene.want({ keyPath: "/dev/null" }),
      "No public keys imported",
    ],
    [
      "keys of another kind",
      (scene) => scene.want({ keyType: "X509Certificates", keyPath: "/k" }),
      "Unimplemented",
    ],
    [
      "a signature that cannot be read",
      (scene) => {
        for (const digest of subject.judged) mkdirSync(scene.signatureAt(digest, 2));
      },
      "is a directory",
    ],
  ];
  test.each(some(undecided))("G4: refuses with %s", async (_, spoil, reason) => {
    await using scene = new GateScene(subject);
    await scene.sign();
    spoil(scene);
    expect(await perform(scene)).toContain(reason);
    expect(written(scene)).toEqual([]);
  });

  detail("G4: refuses where the server for signatures does not answer as one", async () => {
    await using scene = new GateScene(subject);
    await using broken = startRegistry({ intercept: () => new Response("no", { status: 403 }) });
    writeFileSync(
      scene.at("registries.d/a.yaml"),
      `default-docker: {lookaside: "http://${broken.host}/sigs"}\n`,
    );
    expect(await perform(scene)).toContain("received unexpected HTTP status: 403");
    expect(written(scene)).toEqual([]);
  });

  test("G5: reads nothing for a policy that has two meanings", async () => {
    await using scene = new GateScene(subject);
    await scene.sign();
    const policy = readFileSync(scene.at("policy.json"), "utf8");
    writeFileSync(scene.at("policy.json"), policy.replace("{", '{"def\\u0061ult":[],'));
    expect(await perform(scene)).toMatch(/Duplicate key \\?"default/);
    expect(scene.registryServer.lines).toEqual([]);
  });

  const spoilt: readonly (readonly [string, (text: string) => string, string])[] = [
    ["a repeated critical", (text) => text.replace("{", '{"critical":{},'), "Duplicate key"],
    ["more in critical", (text) => text.replace('"type"', '"x":1,"type"'), "Unknown key"],
    ["critical inside of critical", (text) => `{"critical":${text},"optional":{}}`, "Unknown key"],
  ];
  test.each(some(spoilt))("G6: refuses a signed document with %s", async (_, spoil, reason) => {
    await using scene = new GateScene(subject);
    const document = (digest: Digest) => new TextDecoder().decode(payload(scene.name, digest));
    await scene.sign(key, (digest) => Buffer.from(spoil(document(digest))));
    expect(await perform(scene)).toContain(reason);
    expect(written(scene)).toEqual([]);
  });

  test("G8: tells nothing of what stands in a signature that nobody has verified", async () => {
    await using scene = new GateScene(subject);
    await scene.sign(stranger, (digest) => payload("secret.example/name:1", digest));
    const said = await perform(scene);
    expect(said).toContain("Key not found for key ID");
    expect(said).not.toContain("secret.example");
    expect(written(scene)).toEqual([]);
  });

  detail(
    "G8: checks whose signature it is before what it is for, and that before the name",
    async () => {
      await using scene = new GateScene(subject);
      const other = digestOf(Buffer.from("other"));
      const elsewhere = "other.example/x:1";
      await scene.sign(key, () => payload(elsewhere, other));
      expect(await perform(scene)).toContain(`Signature for digest ${other} does not match`);
      await scene.sign(key, (digest) => payload(elsewhere, digest));
      expect(await perform(scene)).toContain("Signature for identity");
      expect(written(scene)).toEqual([]);
    },
  );

  test("refuses with --require-signed what no requirement has verified", async () => {
    await using scene = new GateScene(subject);
    const policy = { default: [{ type: "insecureAcceptAnything" }] };
    writeFileSync(scene.at("policy.json"), JSON.stringify(policy));
    scene.globals.push("--require-signed");
    expect(await perform(scene)).toContain(
      "No signature verification policy found for image docker:",
    );
    expect(written(scene)).toEqual([]);
  });
});

test("G2: copy --all reads each image of a list once, and takes no other for it", async () => {
  const looks = new Map<string, number>();
  let lies = false;
  await using scene = new GateScene(listed(...list.images), {
    intercept: async ({ method, target }, usual) => {
      const [, reference = ""] = /\/manifests\/(.+)$/.exec(target) ?? [];
      if (method !== "GET" || reference === "") return await usual();
      looks.set(reference, (looks.get(reference) ?? 0) + 1);
      const other = reference === second.manifest.digest && (lies || looks.get(reference) === 2);
      if (!other) return await usual();
      const { bytes, mediaType } = first.manifest;
      return new Response(Buffer.from(bytes), { headers: { "content-type": mediaType } });
    },
  });
  await scene.sign();
  const { perform } = copying(listed(...list.images), "--all");
  expect(await perform(scene)).toBe("");
  expect([...looks.values()]).toEqual([1, ...list.images.map(() => 1)]);
  rmSync(scene.at("there"), { recursive: true });
  lies = true;
  expect(await perform(scene)).toContain(second.manifest.digest);
  expect(existsSync(scene.at("there"))).toBe(false);
});

test("G7: sync --locked has what it reads by digest judged by the tag that it writes", async () => {
  await using scene = new GateScene(single);
  const images = [{ name: scene.name, digest }];
  writeFileSync(scene.at("lock"), JSON.stringify({ version: 1, images }));
  addSample(scene.registryServer.repository("a/b"), "1", moved);
  const { perform } = syncing(single, "--locked=lock");
  // A lock is no way to bring an old image under a new tag.
  await scene.sign(key, (of) => payload(`${scene.host}/a/b:0`, of));
  expect(await perform(scene)).toContain("Signature for identity");
  await scene.sign();
  expect(await perform(scene)).toBe("");
  rmSync(scene.at("there"), { recursive: true });
  const accept = [{ type: "insecureAcceptAnything" }];
  const transports = { docker: { [scene.name]: [{ type: "reject" }] } };
  writeFileSync(scene.at("policy.json"), JSON.stringify({ default: accept, transports }));
  expect(await perform(scene)).toContain("is rejected by policy.");
});

/** Returns what the policy was asked about, and what it said, by the events of a command. */
async function decided(scene: GateScene, ...words: readonly string[]) {
  mkdirSync(scene.at("there"), { recursive: true });
  const { code, stderr } = await scene.start(...words, "--events=events");
  expect([code, stderr.includes("rejected")]).toEqual([0, false]);
  const events = readFileSync(scene.at("events"), "utf8").trim().split("\n");
  return events.map((line) => JSON.parse(line)).filter(({ event }) => event === "policy-decided");
}

const kept = [[], ["--preserve-digests"]];
const converted = [["--remove-signatures"], ["--remove-signatures", "--format=v2s2"]];
const compressed = [
  ["--remove-signatures", "--dest-compress-format=zstd", "--dest-force-compress-format"],
  ["--remove-signatures", "--dest-decompress"],
];

describe("G9: the same bytes are judged, whatever is written", () => {
  test.each([...kept, ...converted, ...compressed])("by copy with %j", async (...form) => {
    await using scene = new GateScene(single);
    await scene.sign();
    const words = ["copy", ...plain, ...form, `docker://${scene.name}`, "dir:there"];
    expect(await decided(scene, ...words)).toMatchObject([{ verdict: "admitted", digest }]);
  });

  test.each([...kept, ...converted])("by sync with %j", async (...form) => {
    await using scene = new GateScene(single);
    await scene.sign();
    const words = ["sync", "--src=docker", "--dest=dir", ...plain, ...form, scene.name, "there"];
    expect(await decided(scene, ...words)).toMatchObject([{ verdict: "admitted", digest }]);
  });

  test("by copy --all, whatever becomes of the list and its images", async () => {
    await using scene = new GateScene(listed(...list.images));
    await scene.sign();
    const words = ["copy", "--all", ...plain, "--remove-signatures", "--format=v2s2"];
    const decisions = await decided(scene, ...words, `docker://${scene.name}`, "dir:there");
    const judged = [...list.images, list].map(({ manifest }) => manifest.digest);
    expect(decisions.map((each) => each.digest).toSorted()).toEqual(judged.toSorted());
  });

  // It has no wish to change anything: what is judged is what is written.
  test("by layers, which writes what was signed", async () => {
    await using scene = new GateScene(single);
    await scene.sign();
    const words = ["layers", "--tls-verify=false", `docker://${scene.name}`];
    expect(await scene.start(...words)).toMatchObject({ code: 0 });
    const [made = ""] = readdirSync(scene.path).filter((name) => name.startsWith("layers-"));
    expect(digestOf(readFileSync(scene.at(made, "manifest.json")))).toBe(digest);
  });

  test("by experimental-image-proxy, which names what was signed, and hands out another form", async () => {
    const docker = sampleImage({ seed: "gate", format: "docker", layers: ["gzip"] });
    const signed = docker.manifest.digest as Digest;
    await using scene = new GateScene({ before: docker, after: docker, judged: [signed] });
    await scene.sign();
    await using client = await proxy(scene);
    const { success } = await client.ask("OpenImage", `docker://${scene.name}`);
    expect(success).toBe(true);
    const { value, pipeid, descriptors } = await client.ask("GetManifest", 1);
    const reading = Bun.file(descriptors[0] ?? -1).bytes();
    await client.ask("FinishPipe", pipeid);
    expect([value, digestOf(await reading) === signed]).toEqual([signed, false]);
    closeSync(descriptors[0] ?? -1);
  });
});
