// Decisions: what the policy says of images, compared with the original over a table that is generated here.

import { expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { mapLimited } from "../../core/concurrency.ts";
import { type Digest, digestHex, digestOf } from "../../core/content/digest.ts";
import { encodeSimpleSigning } from "../../core/trust/simple-signing.ts";
import { testWith } from "../support/needs.ts";
import { newerProgram } from "../support/newer-debian.ts";
import { packet, signedMessage, type TestKey, testKey } from "../support/openpgp.ts";
import { expectRefusal, expectRefusalIn, kindOfReason, refusalIn } from "../support/refusals.ts";
import { run, type RunResult } from "../support/run.ts";
import { sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { pushSample } from "../support/push.ts";

/** One image of the table, as the command line wants it. */
interface TableImage {
  readonly about: string;
  readonly image: string;
  /** Whether we refuse it for what the original lets pass, wherever a signature is wanted. */
  readonly stricter?: boolean;
}

/** One policy of the table. */
interface TablePolicy {
  readonly about: string;
  readonly policy: unknown;
}

const accept = { type: "insecureAcceptAnything" };
const reject = { type: "reject" };

/** Images in a registry, with signatures beside it of every kind of fit. */
class Table extends Scene {
  host = "";
  readonly #explained = new Set<string>();
  #seeds = 0;

  /** Puts an image under a name, with signatures that `sign` makes for its digest. */
  async image(
    about: string,
    name: string,
    sign: (digest: Digest) => Promise<readonly Uint8Array[]>,
    by = ":1",
  ): Promise<TableImage> {
    const sample = sampleImage({
      seed: `decisions ${this.#seeds++}`,
      format: "oci",
      layers: ["gzip"],
    });
    await pushSample(
      { registry: `http://${this.host}`, repository: name, tag: by.slice(1) },
      sample,
    );
    const digest = sample.manifest.digest as Digest;
    for (const [index, signature] of (await sign(digest)).entries()) {
      const path = this.at(
        "lookaside",
        `${name}@sha256=${digestHex(digest)}`,
        `signature-${index + 1}`,
      );
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, signature);
    }
    return { about, image: `docker://${this.host}/${name}${by}` };
  }

  /** Returns what decided, as `policy explain` tells it. */
  async explain(image: string, policy: string): Promise<unknown> {
    const args = ["--registries.d", "registries.d", "--policy", policy, "policy"];
    const words = ["--output", "json", "--tls-verify=false", "explain", image];
    const { code, stdout } = await run([...args, ...words], { cwd: this.path });
    expect(code).toBe(1);
    return JSON.parse(stdout).decisions.at(-1);
  }

  async judge(image: string, policy: string, program?: string): Promise<RunResult> {
    const there = this.at(`out-${crypto.randomUUID()}`);
    const args = ["--registries.d", "registries.d", "--policy", policy, "copy", "-q"];
    const events = program === undefined ? [`--events=${there}-events`] : [];
    const result = await run(
      [...args, ...events, "--src-tls-verify=false", image, `dir:${there}`],
      {
        cwd: this.path,
        ...(program !== undefined && { program }),
      },
    );
    const reason = refusalIn(result);
    if (program !== undefined || reason === undefined) return result;
    const deciding = decidingType(reason);
    expectRefusalIn(`${there}-events`, deciding, reason);
    // Every kind of refusal, once.
    const kind = kindOfReason(reason);
    if (this.#explained.has(kind)) return result;
    this.#explained.add(kind);
    expectRefusal(await this.explain(image, policy), deciding, reason);
    return result;
  }
}

async function signature(key: TestKey, digest: Digest, reference: string): Promise<Uint8Array> {
  const payload = { digest, reference, creator: "test", timestamp: 0 };
  return signedMessage(key, encodeSimpleSigning(payload));
}

testWith("docker-registry", "newer:skopeo", "newer:gpg")(
  "are those of the original for every policy and image of the table",
  async () => {
    await using table = new Table();
    table.host = await table.registry();
    const { host } = table;
    const date = new Date("2024-01-01T00:00:00Z");
    const wish = { type: "rsa", rsaBits: 2048, date } as const;
    const [one, two] = await Promise.all([
      testKey(wish),
      testKey({ ...wish, subkeys: [{ ...wish, sign: true }] }),
    ]);
    for (const [name, keys] of Object.entries({
      one: [one],
      two: [two],
      both: [one, two],
    })) {
      writeFileSync(table.at(name), Buffer.concat(keys.map(({ ring }) => ring)));
    }
    writeFileSync(table.at("empty"), "");
    mkdirSync(table.at("registries.d"));
    const lookaside = pathToFileURL(table.at("lookaside")).href;
    writeFileSync(table.at("registries.d/a.yaml"), `default-docker: {lookaside: "${lookaside}"}\n`);

    const app = `${host}/team/app`;
    const other = digestOf(Buffer.from("other"));
    const corrupted = async (digest: Digest) => {
      const bytes = Buffer.from(await signature(one, digest, `${app}:1`));
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 9) ^ 1, bytes.length - 9);
      return bytes;
    };
    const images = [
      await table.image("signed", "team/app", async (d) => [await signature(one, d, `${app}:1`)]),
      await table.image(
        "signed for another tag",
        "team/app",
        async (d) => [await signature(one, d, `${app}:1`)],
        ":2",
      ),
      await table.image(
        "signed without a tag",
        "team/app",
        async (d) => [await signature(one, d, app)],
        ":3",
      ),
      await table.image(
        "signed for another digest",
        "team/app",
        async () => [await signature(one, other, `${app}:4`)],
        ":4",
      ),
      await table.image("signed for a mirror", "copy/app", async (d) => [
        await signature(one, d, `${host}/team/app:1`),
      ]),
      await table.image("unsigned", "team/unsigned", async () => []),
      await table.image("forged", "team/app", async (d) => [await corrupted(d)], ":5"),
      await table.image(
        "signed by a subkey",
        "team/app",
        async (d) => [await signature(two, d, `${app}:6`)],
        ":6",
      ),
      await table.image(
        "signed twice, the second is good",
        "team/app",
        async (d) => [await corrupted(d), await signature(one, d, `${app}:8`)],
        ":8",
      ),
      {
        ...(await table.image(
          "signed with rubbish behind",
          "team/app",
          async (d) => [Buffer.concat([await signature(one, d, `${app}:9`), packet(60)])],
          ":9",
        )),
        stricter: true,
      },
      await table.image(
        "kept beside something that is no signature",
        "team/app",
        async (d) => [await signature(one, d, `${app}:10`), Buffer.from("{}")],
        ":10",
      ),
    ];
    const byDigest = sampleImage({ seed: "decisions 0", format: "oci", layers: ["gzip"] }).manifest
      .digest;
    images.push({ about: "signed, and named by its digest", image: `docker://${app}@${byDigest}` });

    const signedBy = (members: object) => ({ type: "signedBy", keyType: "GPGKeys", ...members });
    const by = (keys: string, signedIdentity?: object) =>
      signedBy({
        keyPath: table.at(keys),
        ...(signedIdentity !== undefined && { signedIdentity }),
      });
    const policies: readonly TablePolicy[] = [
      { about: "everything", policy: { default: [accept] } },
      { about: "nothing", policy: { default: [reject] } },
      { about: "default identity", policy: { default: [by("one")] } },
      { about: "another key", policy: { default: [by("two")] } },
      { about: "a file without keys", policy: { default: [by("empty")] } },
      { about: "matchExact", policy: { default: [by("both", { type: "matchExact" })] } },
      { about: "matchRepository", policy: { default: [by("both", { type: "matchRepository" })] } },
      {
        about: "exactReference",
        policy: { default: [by("both", { type: "exactReference", dockerReference: `${app}:1` })] },
      },
      {
        about: "exactRepository",
        policy: { default: [by("both", { type: "exactRepository", dockerRepository: app })] },
      },
      {
        about: "remapIdentity",
        policy: {
          default: [
            by("both", {
              type: "remapIdentity",
              prefix: `${host}/copy`,
              signedPrefix: `${host}/team`,
            }),
          ],
        },
      },
      {
        about: "a scope",
        policy: {
          default: [reject],
          transports: {
            docker: { [app]: [by("one")], [`${host}/copy`]: [accept], [`${app}:2`]: [accept] },
          },
        },
      },
    ];
    const newer = newerProgram("skopeo");
    const pairs = policies.flatMap((each, index) => {
      const file = table.at(`policy-${index}.json`);
      writeFileSync(file, JSON.stringify(each.policy));
      return images.map((image) => ({ ...image, file, policy: each.about }));
    });
    expect(pairs.length).toBeGreaterThanOrEqual(100);
    const differences = await mapLimited(
      pairs,
      4,
      async ({ about, image, stricter, file, policy }) => {
        const ours = await table.judge(image, file);
        const theirs = await table.judge(image, file, newer);
        const [mine, yours] = [ours, theirs].map(saidOf);
        // Words about the cryptography are those of whoever does it. We may add what helps.
        const comparable = yours !== undefined && comparableReasons.test(yours);
        const equal =
          ours.code === theirs.code && (!comparable || mine?.startsWith(yours) === true);
        const same = equal || (stricter === true && ours.code !== 0);
        return same ? [] : [{ policy, about, ours: mine, theirs: yours }];
      },
    );
    expect(differences.flat()).toEqual([]);
  },
  180_000,
);

function decidingType(reason: string): string {
  return reason.startsWith("Running image ") ? "reject" : "signedBy";
}

const comparableReasons =
  /^(accepted|Signature for |A signature was required|Running image |No public keys|open )/;

/** Returns why an image was refused, or that it was not. */
function saidOf({ code, stderr }: RunResult): string {
  if (code === 0) return "accepted";
  const message = /level=fatal msg="((?:[^"\\]|\\.)*)"/.exec(stderr)?.[1] ?? stderr;
  return message.replace(/^Source image rejected: /, "").replaceAll("\\", "");
}
