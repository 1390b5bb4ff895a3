// Mirrors: registries.conf and what becomes of it, at real registries.

import { describe, expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { original, testWith } from "../support/needs.ts";
import { type PeerRegistry, registryProgram, startPeerRegistry } from "../support/peers.ts";
import { type RunResult, run } from "../support/run.ts";
import { sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";

const mirrorTest = testWith(registryProgram);
const compared = testWith(registryProgram, original());

/** A port on which nobody listens. */
const nobody = "127.0.0.1:1";

/** Two registries, the second of which holds the image `a/b:1` under `copy/a/b:1`. */
interface Pair extends AsyncDisposable {
  readonly scene: Scene;
  readonly primary: PeerRegistry;
  readonly mirror: PeerRegistry;
  /** Runs the executable with this registries.conf. */
  run(conf: string, ...args: readonly string[]): Promise<RunResult>;
}

async function startPair(basic?: { username: string; password: string }): Promise<Pair> {
  const scene = new Scene();
  const source = await scene.store("dir");
  await source.fill(sampleImage());
  await scene.copy(source.image, "dir:sample");
  const primary = await startPeerRegistry({ directory: scene.at("primary") });
  const mirror = await startPeerRegistry({
    directory: scene.at("mirror"),
    ...(basic === undefined ? {} : { basic }),
  });
  const creds = basic === undefined ? [] : [`--dest-creds=${basic.username}:${basic.password}`];
  await scene.copy(...creds, "dir:sample", `docker://${mirror.host}/copy/a/b:1`);
  return {
    scene,
    primary,
    mirror,
    run: (conf, ...args) => {
      const file = write(scene, "registries.conf", conf);
      return scene.run(args, { env: { CONTAINERS_REGISTRIES_CONF: file } });
    },
    async [Symbol.asyncDispose]() {
      await primary[Symbol.asyncDispose]();
      await mirror[Symbol.asyncDispose]();
      await scene[Symbol.asyncDispose]();
    },
  };
}

function write(scene: Scene, name: string, text: string): string {
  const path = scene.at(name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function entry(location: string, ...rest: readonly string[]): string {
  return `[[registry]]\nlocation = "${location}"\ninsecure = true\n${rest.join("\n")}\n`;
}

function mirrorAt(location: string, rest = "insecure = true"): string {
  return `[[registry.mirror]]\nlocation = "${location}"\n${rest}\n`;
}

/** Returns the paths that a registry was asked for, once it has had the time to write them down. */
async function asked({ log }: PeerRegistry): Promise<readonly string[]> {
  await Bun.sleep(100);
  return [...log().matchAll(/http\.request\.uri="?([^ "]*)/g)].map(([, path = ""]) => path);
}

/** Returns how many manifests or blobs a registry has given out. */
async function served({ log }: PeerRegistry, what: "manifests" | "blobs"): Promise<number> {
  await Bun.sleep(100);
  return log()
    .split("\n")
    .filter((line) => line.includes('msg="response completed"') && line.includes("method=GET"))
    .filter((line) => line.includes(`/${what}/`) && line.includes("status=200")).length;
}

describe("mirrors", () => {
  mirrorTest("serve manifests and blobs, and the name stays the one that was typed", async () => {
    await using pair = await startPair();
    const { primary, mirror } = pair;
    const conf = entry(primary.host, mirrorAt(`${mirror.host}/copy`));
    const image = `docker://${primary.host}/a/b:1`;
    expect(await pair.run(conf, "copy", image, "dir:pulled")).toMatchObject({ code: 0 });
    expect(await served(mirror, "manifests")).toBe(1);
    expect(await served(mirror, "blobs")).toBeGreaterThan(1);
    expect((await asked(primary)).filter((path) => path.includes("a/b"))).toEqual([]);
    const inspected = await pair.run(conf, "inspect", "--no-tags", image);
    expect(JSON.parse(inspected.stdout)).toMatchObject({ Name: `${primary.host}/a/b` });
  });

  mirrorTest("G7: are judged by the policy for the name that was typed", async () => {
    await using pair = await startPair();
    const { scene, primary, mirror } = pair;
    const conf = write(
      scene,
      "registries.conf",
      entry(primary.host, mirrorAt(`${mirror.host}/copy`)),
    );
    const policyFor = (host: string) =>
      write(
        scene,
        "policy.json",
        JSON.stringify({
          default: [{ type: "insecureAcceptAnything" }],
          transports: { docker: { [host]: [{ type: "reject" }] } },
        }),
      );
    const copyUnder = (policy: string) =>
      run(["--policy", policy, "copy", `docker://${primary.host}/a/b:1`, "dir:p"], {
        cwd: scene.path,
        env: { CONTAINERS_REGISTRIES_CONF: conf },
      });
    expect((await copyUnder(policyFor(primary.host))).stderr).toContain("Source image rejected");
    expect((await copyUnder(policyFor(mirror.host))).code).toBe(0);
  });

  mirrorTest("are tried in order, and the registry itself comes last", async () => {
    await using pair = await startPair();
    const { scene, primary, mirror } = pair;
    await scene.copy("dir:sample", `docker://${primary.host}/a/b:2`);
    const image = `docker://${primary.host}/a/b:2`;
    const conf = entry(primary.host, mirrorAt(nobody), mirrorAt(`${mirror.host}/copy`));
    const { code, stderr } = await pair.run(conf, "--debug", "copy", image, "dir:pulled");
    expect(code).toBe(0);
    expect(await served(primary, "blobs")).toBeGreaterThan(1);
    const tried = [...stderr.matchAll(/Trying to access \\"([^\\]*)\\"/g)].map(([, name]) => name);
    expect(tried).toEqual([
      `${nobody}/a/b:2`,
      `${mirror.host}/copy/a/b:2`,
      `${primary.host}/a/b:2`,
    ]);
  });

  mirrorTest("serve tags, digests or both, as they are told", async () => {
    await using pair = await startPair();
    const { scene, primary, mirror } = pair;
    await scene.copy("dir:sample", `docker://${primary.host}/a/b:1`);
    const { stdout: digest } = await scene.dray("manifest-digest", "sample/manifest.json");
    const byTag = `docker://${primary.host}/a/b:1`;
    const byDigest = `docker://${primary.host}/a/b@${digest.trim()}`;
    const usesMirror = async (conf: string, image: string) => {
      const before = await served(mirror, "manifests");
      expect((await pair.run(conf, "inspect", "--raw", image)).code).toBe(0);
      return (await served(mirror, "manifests")) > before;
    };
    const place = `${mirror.host}/copy`;
    const told = (use: string) => mirrorAt(place, `insecure = true\npull-from-mirror = "${use}"`);
    for (const [conf, tag, own] of [
      [entry(primary.host, told("all")), true, true],
      [entry(primary.host, told("tag-only")), true, false],
      [entry(primary.host, told("digest-only")), false, true],
      [entry(primary.host, "mirror-by-digest-only = true", mirrorAt(place)), false, true],
    ] as const) {
      expect([await usesMirror(conf, byTag), await usesMirror(conf, byDigest)]).toEqual([tag, own]);
    }
  });

  mirrorTest("N8: are insecure only if that is said of them", async () => {
    await using pair = await startPair();
    const { primary, mirror } = pair;
    const conf = entry(primary.host, mirrorAt(`${mirror.host}/copy`, ""));
    const { code, stderr } = await pair.run(
      conf,
      "copy",
      `docker://${primary.host}/a/b:1`,
      "dir:pulled",
    );
    expect(code).not.toBe(0);
    expect(stderr).toContain("server gave HTTP response to HTTPS client");
    expect(await served(mirror, "manifests")).toBe(0);
  });

  mirrorTest(
    "N1: get credentials of their own, and never those typed for another host",
    async () => {
      const own = { username: "mirror", password: "mirror-secret" };
      await using pair = await startPair(own);
      const { scene, primary, mirror } = pair;
      const conf = entry(primary.host, mirrorAt(`${mirror.host}/copy`));
      const image = `docker://${primary.host}/a/b:1`;
      const typed = "--creds=jo:typed-secret";
      const refused = await pair.run(conf, "--debug", "inspect", "--raw", typed, image);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain("authentication required");
      expect(refused.stderr).not.toContain("typed-secret");
      const auth = btoa(`${own.username}:${own.password}`);
      const authFile = write(
        scene,
        "auth.json",
        JSON.stringify({ auths: { [mirror.host]: { auth } } }),
      );
      const found = await pair.run(
        conf,
        "inspect",
        "--raw",
        `--authfile=${authFile}`,
        typed,
        image,
      );
      expect(found).toMatchObject({ code: 0, stderr: "" });
    },
  );

  mirrorTest("N1: hear nothing of a password that is not theirs", async () => {
    await using pair = await startPair();
    const shown: (string | null)[] = [];
    await using listener = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request) => {
        shown.push(request.headers.get("authorization"));
        const challenge = { "www-authenticate": 'Basic realm="x"' };
        return new Response("", { status: 401, headers: challenge });
      },
    });
    const conf = entry(pair.primary.host, mirrorAt(`127.0.0.1:${listener.port}`));
    const image = `docker://${pair.primary.host}/a/b:1`;
    for (const typed of ["--creds=jo:secret", "--registry-token=secret"]) {
      await pair.run(conf, "inspect", "--raw", typed, image);
    }
    expect(shown.length).toBeGreaterThan(1);
    expect(shown.filter((each) => each !== null)).toEqual([]);
  });

  compared("fail together as they do in the original", async () => {
    await using scene = new Scene();
    const conf = write(
      scene,
      "registries.conf",
      `[[registry]]\nlocation = "${nobody}"\n${mirrorAt("127.0.0.1:2/m", "")}${mirrorAt("127.0.0.1:3", "")}`,
    );
    const args = ["--registries-conf", conf, "inspect", "--raw", `docker://${nobody}/a/b:1`];
    const ours = await scene.run(args, {});
    const theirs = await scene.run(args, { program: original() });
    const message = (stderr: string) => /msg="(.*)"$/m.exec(stderr)?.[1];
    expect(message(ours.stderr)).toContain("(Mirrors also failed: [127.0.0.1:2/m/a/b:1: pinging");
    expect(message(ours.stderr)).toBe(message(theirs.stderr));
  });
});

describe("registries.conf", () => {
  mirrorTest("blocks reading, writing, listing and deleting", async () => {
    await using pair = await startPair();
    const { mirror } = pair;
    const conf = entry(mirror.host, "blocked = true");
    const image = `docker://${mirror.host}/copy/a/b:1`;
    for (const args of [
      ["inspect", image],
      ["copy", "dir:sample", image],
      ["list-tags", `docker://${mirror.host}/copy/a/b`],
      ["delete", image],
    ]) {
      const { code, stderr } = await pair.run(conf, ...args);
      expect(code).toBe(1);
      expect(stderr).toContain(`registry ${mirror.host} is blocked in one of [`);
    }
  });

  mirrorTest("says which registries are insecure, for writing, too", async () => {
    await using pair = await startPair();
    const { primary } = pair;
    const image = `docker://${primary.host}/a/b:1`;
    const conf = entry(primary.host);
    expect(await pair.run(conf, "copy", "dir:sample", image)).toMatchObject({ code: 0 });
    const strict = await pair.run(conf, "copy", "--dest-tls-verify", "dir:sample", image);
    expect(strict.code).toBe(1);
    expect(strict.stderr).toContain("server gave HTTP response to HTTPS client");
  });

  mirrorTest("sends writing to the place that was named, past all mirrors", async () => {
    await using pair = await startPair();
    const { primary, mirror } = pair;
    const conf = entry(primary.host, mirrorAt(`${mirror.host}/copy`));
    const image = `docker://${primary.host}/new:1`;
    expect(await pair.run(conf, "copy", "dir:sample", image)).toMatchObject({ code: 0 });
    expect((await asked(mirror)).filter((path) => path.includes("new"))).toEqual([]);
    const { stdout } = await pair.run(conf, "list-tags", `docker://${primary.host}/new`);
    expect(JSON.parse(stdout)).toMatchObject({ Tags: ["1"] });
  });

  mirrorTest("is read from the user's home with drop-ins, and overridden last", async () => {
    await using pair = await startPair();
    const { scene, mirror } = pair;
    const image = `docker://${mirror.host}/copy/a/b:1`;
    const home = scene.at("home");
    const inspect = (env: Readonly<Record<string, string>> = {}, ...flags: readonly string[]) =>
      scene.run([...flags, "inspect", "--raw", image], { env: { HOME: home, ...env } });
    const under = (name: string, text: string) =>
      write(scene, `home/.config/containers/${name}`, text);

    under("registries.conf", entry(mirror.host));
    expect((await inspect()).code).toBe(0);
    under("registries.conf.d/10.conf", entry(mirror.host, "blocked = true"));
    expect((await inspect()).stderr).toContain("is blocked in one of");
    under("registries.conf.d/20.conf", entry(mirror.host));
    expect((await inspect()).code).toBe(0);
    const override = write(scene, "override.conf", entry(mirror.host, "blocked = true"));
    const overridden = { CONTAINERS_REGISTRIES_CONF_OVERRIDE: override };
    expect((await inspect(overridden)).stderr).toContain("is blocked in one of");

    // A file that the environment names stands alone; to one that the user names the rest is added.
    const blocking = write(scene, "named.conf", entry(mirror.host, "blocked = true"));
    const named = { CONTAINERS_REGISTRIES_CONF: blocking };
    expect((await inspect(named)).stderr).toContain(`is blocked in one of [\\"${blocking}\\"]`);
    expect((await inspect({}, "--registries-conf", blocking)).code).toBe(0);
    expect((await inspect({}, "--registries-conf", scene.at("none"))).stderr).toContain(
      "no such file or directory",
    );
  });

  mirrorTest("leaves alone who reaches no registry, however broken it is", async () => {
    await using pair = await startPair();
    expect((await pair.run("broken = ", "inspect", "--raw", "dir:sample")).code).toBe(0);
  });
});
