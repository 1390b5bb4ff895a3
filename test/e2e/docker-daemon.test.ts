// docker-daemon: in real engines: what we write there is what their own clients show, and the other way.

import { afterAll, describe, expect } from "bun:test";
import { copyFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bigLayer } from "../support/big-layer.ts";
import { startEndlessRegistry } from "../support/endless-registry.ts";
import {
  dockerNeeds,
  knowsContainerdStore,
  podmanNeeds,
  type SecureEngine,
  startDockerd,
  startPodman,
  startSecureDockerd,
  type TestEngine,
} from "../support/engines.ts";
import { startHoldingRegistry } from "../support/holding-registry.ts";
import { original, testWith } from "../support/needs.ts";
import { registryProgram } from "../support/peers.ts";
import { randomBytes } from "../support/random.ts";
import { start } from "../support/run.ts";
import {
  hexOf,
  imageOf,
  mediaTypes,
  sampleConfig,
  type SampleImage,
  sampleImage,
} from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";

interface Case {
  readonly what: string;
  readonly needs: readonly string[];
  readonly start: () => Promise<TestEngine>;
  /** What a short name is called there. */
  readonly prefix?: string;
  /** The ID of an image is the digest of its manifest, not of its config. */
  readonly idByManifest?: boolean;
  /** It keeps what it cannot unpack. */
  readonly keepsBroken?: boolean;
  /** In the words of the engine. */
  readonly unknown: string;
}

const engines: readonly Case[] = [
  {
    what: "dockerd",
    needs: dockerNeeds,
    start: () => startDockerd(),
    unknown: "reference does not exist",
  },
  {
    what: "podman",
    needs: podmanNeeds,
    start: startPodman,
    unknown: "docker.io/library/nothing:1: image not known",
  },
];

const newer: Case = {
  what: "dockerd with containerd's store",
  needs: dockerNeeds,
  start: () => startDockerd({ containerdStore: true }),
  idByManifest: true,
  keepsBroken: true,
  unknown: "No such image: nothing:1",
};

for (const engine of knowsContainerdStore() ? [...engines, newer] : engines) {
  describe(`docker-daemon: in ${engine.what}`, () => {
    const engineTest = testWith(...engine.needs);
    const registryTest = testWith(...engine.needs, registryProgram);
    let running: TestEngine | undefined;
    const theEngine = async (): Promise<TestEngine> => (running ??= await engine.start());
    afterAll(async () => running?.[Symbol.asyncDispose]());

    registryTest("an image comes from a registry, and goes back as the same", async () => {
      const { host, client } = await theEngine();
      await using scene = new Scene();
      const [from, to] = [await scene.store("docker"), await scene.store("docker")];
      const sample = sampleImage({ seed: "there and back", layers: ["gzip", "none"] });
      await from.fill(sample);
      await scene.copy(`--dest-daemon-host=${host}`, from.image, "docker-daemon:t/back:1");
      const [found] = JSON.parse((await client("image", "inspect", "t/back:1")).stdout);
      if (engine.idByManifest !== true) expect(hexOf(found.Id)).toBe(hexOf(sample.config.digest));
      expect(found.RootFS.Layers).toEqual(sample.diffIds);
      expect(found.RepoTags.map((tag: string) => tag.replace("docker.io/", ""))).toEqual([
        "t/back:1",
      ]);
      await scene.copy(`--src-daemon-host=${host}`, "docker-daemon:t/back:1", to.image);
      const manifest = JSON.parse(Buffer.from(await to.manifest()).toString());
      expect(manifest.config.digest).toBe(sample.config.digest);
      expect(Buffer.compare(await to.blob(sample.config.digest), sample.config.bytes)).toBe(0);
      expect(manifest.layers.length).toBe(2);
    });

    engineTest("an image under a name that its own client gave is read", async () => {
      const { host, client } = await theEngine();
      await using scene = new Scene();
      const sample = await written(scene, host, "t/named:1");
      await client("tag", "t/named:1", "localhost/elsewhere/t:2");
      await scene.copy(
        `--src-daemon-host=${host}`,
        "docker-daemon:localhost/elsewhere/t:2",
        "dir:d",
      );
      const config = await Bun.file(scene.at("d", hexOf(sample.config.digest))).bytes();
      expect(Buffer.compare(config, sample.config.bytes)).toBe(0);
    });

    engineTest("an image is read by its ID", async () => {
      const { host, client } = await theEngine();
      await using scene = new Scene();
      const sample = await written(scene, host, "t/by-id:1");
      const [found] = JSON.parse((await client("image", "inspect", "t/by-id:1")).stdout);
      const image = `docker-daemon:sha256:${hexOf(found.Id)}`;
      const { code, stdout, stderr } = await scene.dray(
        "inspect",
        "--raw",
        `--daemon-host=${host}`,
        image,
      );
      expect([code, stderr]).toEqual([0, ""]);
      expect(JSON.parse(stdout).config.digest).toBe(sample.config.digest);
    });

    engineTest("a name that it does not know is told in its words", async () => {
      const { host } = await theEngine();
      await using scene = new Scene();
      const { code, stderr } = await scene.dray(
        "inspect",
        `--daemon-host=${host}`,
        "docker-daemon:nothing:1",
      );
      expect(code).toBe(1);
      expect(stderr).toContain(
        `loading image from docker engine: Error response from daemon: ${engine.unknown}`,
      );
    });

    engineTest("C2: an image whose layer is wrong is not loaded", async () => {
      const { host, count } = await theEngine();
      await using scene = new Scene();
      const source = await scene.store("dir");
      const sample = sampleImage({ seed: "wrong", layers: ["gzip", "gzip"], ballastBytes: 3e6 });
      await source.fill(sample);
      const last = sample.layers[1];
      if (last === undefined) throw new Error("the sample has no second layer");
      const wrong = randomBytes("wrong", last.bytes.length);
      writeFileSync(join(source.image.slice("dir:".length), hexOf(last.digest)), wrong);
      const before = await count();
      const { code, stderr } = await scene.dray(
        "copy",
        `--dest-daemon-host=${host}`,
        source.image,
        "docker-daemon:t/wrong:1",
      );
      expect(code).toBe(1);
      expect(stderr).toContain(`Digest did not match, expected ${last.digest}, got sha256:`);
      expect(await count()).toBe(before);
    });

    engineTest("O1: what it refuses to load is told, although it said 200", async () => {
      const { host, count } = await theEngine();
      await using scene = new Scene();
      const source = await scene.store("dir");
      // The layer is no archive, which only the engine finds out.
      await source.fill(nonsense());
      const before = await count();
      const { code, stderr } = await scene.dray(
        "copy",
        `--dest-daemon-host=${host}`,
        source.image,
        "docker-daemon:t/nonsense:1",
      );
      expect(code).toBe(1);
      expect(stderr).toMatch(/docker engine reported: |Error response from daemon: /);
      if (engine.keepsBroken !== true) expect(await count()).toBe(before);
    });

    testWith(...engine.needs, original())("the original reads the same manifest", async () => {
      // An original of old asks for a version of the API that newer engines do not speak.
      const { host } = await theEngine();
      await using scene = new Scene();
      await written(scene, host, "t/same:1");
      const args = ["inspect", "--raw", `--daemon-host=${host}`, "docker-daemon:t/same:1"];
      const ours = await scene.dray(...args);
      const theirs = await scene.original(...args);
      expect(ours.stdout).toBe(theirs.stdout);
    });

    engineTest(
      "F8: a copy that is interrupted loads nothing, and stays in nobody's way",
      async () => {
        const { host, count } = await theEngine();
        await using scene = new Scene();
        const sample = sampleImage({ seed: "interrupted", format: "oci", ballastBytes: 2_000_000 });
        await using registry = startHoldingRegistry("download", sample);
        const before = await count();
        const flags = ["--src-tls-verify=false", `--dest-daemon-host=${host}`];
        const args = ["copy", ...flags, registry.image, "docker-daemon:t/interrupted:1"];
        const running = start(["--insecure-policy", ...args], { cwd: scene.path });
        await registry.held;
        running.kill("SIGINT");
        const { code, wallMs } = await running.done;
        expect(code).toBe(130);
        expect(wallMs).toBeLessThan(10_000);
        expect(await count()).toBe(before);
        await written(scene, host, "t/interrupted:1");
      },
    );
  });
}

describe("docker-daemon: under 150 MB of memory", () => {
  const MiB = 1024 * 1024;

  testWith(...dockerNeeds)(
    "P2: a layer of 2 GiB goes from a registry to an engine, and from there to dir:",
    async () => {
      await using engine = await startDockerd();
      await using scene = new Scene();
      const layer = bigLayer(2048 * MiB);
      await using registry = startEndlessRegistry(layer);
      const image = "docker-daemon:t/big:1";
      const copies = [
        ["--src-tls-verify=false", `--dest-daemon-host=${engine.host}`, registry.image, image],
        [`--src-daemon-host=${engine.host}`, image, "dir:there"],
      ];
      for (const operands of copies) {
        const options = { watchMemory: true, limitMs: 250_000 };
        const args = ["--tmpdir", scene.path, "copy", ...operands];
        const { code, stderr, peakBytes } = await scene.run(args, options);
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        expect(peakBytes).toBeLessThan(150 * MiB);
      }
      expect(statSync(scene.at("there", hexOf(layer.diffId))).size).toBeGreaterThan(2048 * MiB);
    },
    300_000,
  );
});

describe("docker-daemon: by TLS", () => {
  const secureTest = testWith(...dockerNeeds, "openssl");
  let running: SecureEngine | undefined;
  const theEngine = async () => (running ??= await startSecureDockerd());
  afterAll(async () => running?.[Symbol.asyncDispose]());

  secureTest("an engine is spoken to with the certificate that it asks for", async () => {
    const { secureHost, certificates, client } = await theEngine();
    await using scene = new Scene();
    await written(scene, secureHost, "t/tls:1", `--dest-cert-dir=${certificates.client}`);
    expect((await client("image", "inspect", "t/tls:1")).code).toBe(0);
  });

  secureTest(
    "DOCKER_HOST and its companions are honoured, unless a flag says otherwise",
    async () => {
      const { host, secureHost, certificates } = await theEngine();
      await using scene = new Scene();
      await written(scene, host, "t/environment:1");
      const env = {
        DOCKER_HOST: secureHost,
        DOCKER_TLS_VERIFY: "1",
        DOCKER_CERT_PATH: certificates.client,
      };
      const image = "docker-daemon:t/environment:1";
      const inspect = (...flags: readonly string[]) =>
        scene.run(["inspect", "--raw", ...flags, image], { env });
      expect((await inspect()).code).toBe(0);
      expect((await inspect(`--daemon-host=${host}`)).code).toBe(0);
      const other = await inspect("--daemon-host=unix:///nowhere/d.sock");
      expect(other.code).toBe(1);
      expect(other.stderr).toContain(
        "Cannot connect to the Docker daemon at unix:///nowhere/d.sock. Is the docker daemon running?",
      );
    },
  );

  secureTest(
    "N1: an engine that a flag names is not shown the environment's certificate",
    async () => {
      const { secureHost, certificates } = await theEngine();
      await using scene = new Scene();
      const env = { DOCKER_HOST: secureHost, DOCKER_CERT_PATH: certificates.client };
      const flags = [`--daemon-host=${secureHost}`, "--tls-verify=false"];
      const { code, stderr } = await scene.run(["inspect", ...flags, "docker-daemon:t:1"], { env });
      expect(code).toBe(1);
      expect(stderr).toContain("tls: handshake failure");
    },
  );

  secureTest("a client of an authority that the engine does not know is refused", async () => {
    const { secureHost, certificates } = await theEngine();
    await using scene = new Scene();
    const flags = [`--daemon-host=${secureHost}`, `--cert-dir=${certificates.stranger}`];
    const { code, stderr } = await scene.dray("inspect", ...flags, "docker-daemon:t:1");
    expect(code).toBe(1);
    expect(stderr).toMatch(/error during connect to tcp:.*tls: /);
  });

  secureTest(
    "N7: a server of an unknown authority is refused, and --tls-verify=false takes it",
    async () => {
      const { secureHost, certificates } = await theEngine();
      await using scene = new Scene();
      const env = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };
      const inspect = (...flags: readonly string[]) =>
        scene.run(["inspect", `--daemon-host=${secureHost}`, ...flags, "docker-daemon:t:1"], {
          env,
        });
      const refused = await inspect();
      expect(refused.stderr).toContain("certificate signed by unknown authority");
      const taken = await inspect("--tls-verify=false", `--cert-dir=${certificates.client}`);
      expect(taken.stderr).toContain("Error response from daemon: reference does not exist");
    },
  );

  secureTest("who shows no certificate is told that there should be one", async () => {
    const { secureHost, certificates } = await theEngine();
    await using scene = new Scene();
    copyFileSync(certificates.server.authority, scene.at("ca.pem"));
    const flags = [`--daemon-host=${secureHost}`, `--cert-dir=${scene.path}`];
    const { code, stderr } = await scene.dray("inspect", ...flags, "docker-daemon:t:1");
    expect(code).toBe(1);
    expect(stderr).toContain("remote error: tls: certificate required");
  });

  secureTest("a certificate that is none is told by its path", async () => {
    const { secureHost } = await theEngine();
    await using scene = new Scene();
    writeFileSync(scene.at("ca.pem"), "nothing");
    const flags = [`--daemon-host=${secureHost}`, `--cert-dir=${scene.path}`];
    const { code, stderr } = await scene.dray("inspect", ...flags, "docker-daemon:t:1");
    expect(code).toBe(1);
    expect(stderr).toContain("initializing docker engine client: ");
    expect(stderr).toContain(scene.at("ca.pem"));
  });
});

/** Writes an image under a name, from a directory. */
async function written(
  scene: Scene,
  host: string,
  name: string,
  ...flags: readonly string[]
): Promise<SampleImage> {
  const source = await scene.store("dir");
  const sample = sampleImage({ seed: name, format: "oci", layers: ["gzip", "none"] });
  await source.fill(sample);
  await scene.copy(`--dest-daemon-host=${host}`, ...flags, source.image, `docker-daemon:${name}`);
  return sample;
}

/** Returns an image with a layer that is no archive. */
function nonsense(): SampleImage {
  const bytes = randomBytes("nonsense", 20_000);
  const digest = `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;
  const layer = { mediaType: mediaTypes.docker.none, bytes, digest };
  return imageOf("docker", sampleConfig("docker", [digest]), [layer], [digest]);
}
