// G1 to G10: what a policy that wants signatures is asked, and what it is not told, by whatever command.

import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
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
import { sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";

const image = sampleImage({ seed: "gate", format: "oci", layers: ["gzip"] });
const moved = sampleImage({ seed: "moved", format: "oci", layers: ["gzip"] });
const digest = image.manifest.digest as Digest;
const key = await testKey();
const stranger = await testKey();

/** A registry with one image, what is signed beside it, and a policy that wants that. */
class GateScene extends Scene {
  readonly registryServer: RegistryServer;
  /** What the user types, if that is not where the image is. */
  typed: string | undefined;
  /** Flags of the whole program. */
  readonly globals: string[] = ["--registries.d", "registries.d", "--policy", "policy.json"];

  constructor(options: RegistryOptions = {}) {
    super();
    this.registryServer = startRegistry(options);
    addSample(this.registryServer.repository("a/b"), "1", image);
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

  /** Signs the image, or what it is said to be. */
  async sign(by: TestKey = key, document = payload(this.name)): Promise<void> {
    const signature = await signedMessage(by, document);
    const path = this.at("lookaside", `a/b@sha256=${digestHex(digest)}`, "signature-1");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, signature);
  }

  start(...words: readonly string[]): Promise<RunResult> {
    return run([...this.globals, ...words], { cwd: this.path });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.registryServer[Symbol.asyncDispose]();
    await super[Symbol.asyncDispose]();
  }
}

function payload(reference: string): Uint8Array {
  return encodeSimpleSigning({ digest, reference, creator: "test", timestamp: 0 });
}

/** Every command that can write an image, or hand it out. Returns why it did not; empty if it did. */
const commands: readonly (readonly [string, (scene: GateScene) => Promise<string>])[] = [
  ...[[], ["--all"], ["--format", "v2s2", "--remove-signatures"]].map(
    (form) =>
      [
        ["copy", ...form].join(" "),
        async (scene: GateScene) => {
          const plain = "--src-tls-verify=false";
          const from = `docker://${scene.name}`;
          const { code, stderr } = await scene.start("copy", plain, ...form, from, "dir:there");
          return code === 0 ? "" : stderr;
        },
      ] as const,
  ),
  [
    "sync",
    async (scene) => {
      mkdirSync(scene.at("there"), { recursive: true });
      const words = ["sync", "--src=docker", "--dest=dir", "--src-tls-verify=false"];
      const { code, stderr } = await scene.start(...words, scene.name, "there");
      return code === 0 ? "" : stderr;
    },
  ],
  [
    "layers",
    async (scene) => {
      const words = ["layers", "--tls-verify=false", `docker://${scene.name}`];
      const { code, stderr } = await scene.start(...words);
      return code === 0 ? "" : stderr;
    },
  ],
  [
    "experimental-image-proxy",
    async (scene) => {
      const flags = [...scene.globals, "--tls-verify=false"];
      await using client = new ProxyClient({ cwd: scene.path, flags });
      const begun = await client.ask("Initialize");
      if (begun.success !== true) return String(begun.error);
      const { success, error } = await client.ask("OpenImage", `docker://${scene.name}`);
      return success === true ? "" : String(error);
    },
  ],
];

/** What is left where something might have been written. */
function written(scene: GateScene): readonly string[] {
  const ours = /^(registries\.d|registries\.conf|lookaside|policy\.json)$/;
  return readdirSync(scene.path, { recursive: true })
    .map(String)
    .filter((path) => !ours.test(path.split("/")[0] ?? "") && path !== "there");
}

describe.each(commands)("%s", (command, perform) => {
  test("G1: leaves nothing behind where the policy rejects, and asks for no blob", async () => {
    await using scene = new GateScene();
    await scene.sign();
    writeFileSync(scene.at("policy.json"), JSON.stringify({ default: [{ type: "reject" }] }));
    expect(await perform(scene)).toContain("is rejected by policy.");
    expect(written(scene)).toEqual([]);
    expect(scene.registryServer.lines.filter((line) => line.includes("/blobs/"))).toEqual([]);
  });

  test("G2: carries what it has judged, which it has read once", async () => {
    let looks = 0;
    await using scene = new GateScene({
      intercept: async ({ method, target }, usual) => {
        if (method !== "GET" || !target.endsWith("/manifests/1")) return await usual();
        looks += 1;
        const { bytes, mediaType } = looks === 1 ? image.manifest : moved.manifest;
        return new Response(Buffer.from(bytes), { headers: { "content-type": mediaType } });
      },
    });
    addSample(scene.registryServer.repository("a/b"), "2", moved);
    await scene.sign();
    expect([await perform(scene), looks]).toEqual(["", 1]);
  });

  test("G7: asks for signatures where the image was read, and judges the name that was typed", async () => {
    await using mirror = startRegistry();
    addSample(mirror.repository("a/b"), "1", image);
    await using scene = new GateScene();
    scene.typed = "typed.example/a/b:1";
    scene.configure(
      `[[registry]]\nprefix = "typed.example"\nlocation = "${mirror.host}"\ninsecure = true\n`,
    );
    await scene.sign(key, payload(`${mirror.host}/a/b:1`));
    expect(await perform(scene)).toContain("Signature for identity");
    expect(written(scene)).toEqual([]);
    await scene.sign(key, payload("typed.example/a/b:1"));
    expect(await perform(scene)).toBe("");
  });

  test("G10: tries no registry that merely might have an image of a short name", async () => {
    await using scene = new GateScene();
    await using other = startRegistry();
    addSample(other.repository("library/a"), "1", image);
    scene.typed = "a:1";
    const search = JSON.stringify([scene.host, other.host]);
    scene.configure(
      `unqualified-search-registries = ${search}\n[[registry]]\nlocation = "docker.io"\nblocked = true\n`,
    );
    expect(await perform(scene)).toContain("docker.io");
    expect([...scene.registryServer.lines, ...other.lines]).toEqual([]);
    expect(written(scene)).toEqual([]);
  });

  test("G3: goes by the signatures of what it has read, though the tag moves on", async () => {
    let asked = 0;
    await using scene = new GateScene({
      intercept: async ({ method, target }, usual) => {
        const tagged = method === "GET" && target.endsWith("/manifests/1");
        if (!tagged || asked++ === 0) return usual();
        const { bytes, mediaType } = moved.manifest;
        return new Response(Buffer.from(bytes), { headers: { "content-type": mediaType } });
      },
    });
    addSample(scene.registryServer.repository("a/b"), "other", moved);
    await scene.sign();
    expect(await perform(scene)).toBe("");
  });

  test("G3: takes no signature of what the tag led to before", async () => {
    await using scene = new GateScene();
    await scene.sign();
    addSample(scene.registryServer.repository("a/b"), "1", moved);
    expect(await perform(scene)).toContain("A signature was required, but no signature exists");
    expect(written(scene)).toEqual([]);
  });

  test.each<[string, (scene: GateScene) => void, string]>([
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
        const path = scene.at("lookaside", `a/b@sha256=${digestHex(digest)}`, "signature-2");
        mkdirSync(path, { recursive: true });
      },
      "is a directory",
    ],
  ])("G4: refuses with %s", async (_, spoil, reason) => {
    await using scene = new GateScene();
    await scene.sign();
    spoil(scene);
    expect(await perform(scene)).toContain(reason);
    expect(written(scene)).toEqual([]);
  });

  test("G4: refuses where the server for signatures does not answer as one", async () => {
    await using scene = new GateScene();
    await using broken = startRegistry({ intercept: () => new Response("no", { status: 403 }) });
    writeFileSync(
      scene.at("registries.d/a.yaml"),
      `default-docker: {lookaside: "http://${broken.host}/sigs"}\n`,
    );
    expect(await perform(scene)).toContain("received unexpected HTTP status: 403");
    expect(written(scene)).toEqual([]);
  });

  test("G5: reads nothing for a policy that has two meanings", async () => {
    await using scene = new GateScene();
    await scene.sign();
    const policy = readFileSync(scene.at("policy.json"), "utf8");
    writeFileSync(scene.at("policy.json"), policy.replace("{", '{"def\\u0061ult":[],'));
    expect(await perform(scene)).toMatch(/Duplicate key \\?"default/);
    expect(scene.registryServer.lines).toEqual([]);
  });

  test.each<[string, (text: string) => string, string]>([
    ["a repeated critical", (text) => text.replace("{", '{"critical":{},'), "Duplicate key"],
    ["more in critical", (text) => text.replace('"type"', '"x":1,"type"'), "Unknown key"],
    ["critical inside of critical", (text) => `{"critical":${text},"optional":{}}`, "Unknown key"],
  ])("G6: refuses a signed document with %s", async (_, spoil, reason) => {
    await using scene = new GateScene();
    const text = new TextDecoder().decode(payload(scene.name));
    await scene.sign(key, Buffer.from(spoil(text)));
    expect(await perform(scene)).toContain(reason);
    expect(written(scene)).toEqual([]);
  });

  test("G8: tells nothing of what stands in a signature that nobody has verified", async () => {
    await using scene = new GateScene();
    await scene.sign(stranger, payload("secret.example/name:1"));
    const said = await perform(scene);
    expect(said).toContain("Key not found for key ID");
    expect(said).not.toContain("secret.example");
    expect(written(scene)).toEqual([]);
  });

  test("G8: checks whose signature it is before what it is for, and that before the name", async () => {
    await using scene = new GateScene();
    const other = digestOf(Buffer.from("other"));
    const document = (reference: string, of: Digest) =>
      encodeSimpleSigning({ digest: of, reference, creator: "test", timestamp: 0 });
    await scene.sign(key, document("other.example/x:1", other));
    expect(await perform(scene)).toContain(`Signature for digest ${other} does not match`);
    await scene.sign(key, document("other.example/x:1", digest));
    expect(await perform(scene)).toContain("Signature for identity");
    expect(written(scene)).toEqual([]);
  });

  test("refuses with --require-signed what no requirement has verified", async () => {
    await using scene = new GateScene();
    const policy = { default: [{ type: "insecureAcceptAnything" }] };
    writeFileSync(scene.at("policy.json"), JSON.stringify(policy));
    const start = scene.start.bind(scene);
    scene.start = (...words) => start("--require-signed", ...words);
    if (command.includes("proxy")) return;
    expect(await perform(scene)).toContain(
      "No signature verification policy found for image docker:",
    );
    expect(written(scene)).toEqual([]);
  });
});

const copying = (scene: GateScene) => ["copy", `docker://${scene.name}`, "dir:there"];
const syncing = (scene: GateScene) => ["sync", "--src=docker", "--dest=dir", scene.name, "there"];

describe.each([
  ["copy", copying],
  ["sync", syncing],
] as const)("%s", (command, words) => {
  test.each([
    [[]],
    [["--remove-signatures"]],
    [["--remove-signatures", "--format=v2s2"]],
    [["--preserve-digests"]],
    ...(command === "sync"
      ? []
      : [
          [["--remove-signatures", "--dest-compress-format=zstd", "--dest-force-compress-format"]],
          [["--remove-signatures", "--dest-decompress"]],
        ]),
  ])("G9: judges the same bytes with %j", async (form) => {
    await using scene = new GateScene();
    await scene.sign();
    mkdirSync(scene.at("there"), { recursive: true });
    const flags = ["--src-tls-verify=false", "--events=events", ...form];
    const { code } = await scene.start(...words(scene), ...flags);
    expect(code).toBe(0);
    const events = readFileSync(scene.at("events"), "utf8").trim().split("\n");
    const decided = events
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === "policy-decided");
    expect(decided).toMatchObject([{ verdict: "admitted", digest }]);
  });
});
