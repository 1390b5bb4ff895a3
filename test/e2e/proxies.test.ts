// Proxies: ways to a registry that the environment names, and none around them.

import { describe, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { testWith } from "../support/needs.ts";
import { type PeerRegistry, registryProgram, startPeerRegistry } from "../support/peers.ts";
import { startRawServer } from "../support/raw-http.ts";
import { sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { startSocksProxy } from "../support/socks-proxy.ts";
import { makeTlsCertificate } from "../support/tls-certificate.ts";
import { startTunnelProxy } from "../support/tunnel-proxy.ts";

const proxyTest = testWith(registryProgram, "openssl");

/** No such host is there: whoever reaches it came by a proxy. */
const host = "registry.invalid:5000";
const image = `docker://${host}/a/b:1`;
const insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"];

async function filledScene(): Promise<Scene> {
  const scene = new Scene();
  const source = await scene.store("dir");
  await source.fill(sampleImage());
  await scene.copy(source.image, "dir:sample");
  return scene;
}

function startSecure(scene: Scene): Promise<PeerRegistry> {
  const tls = makeTlsCertificate(scene.at("tls"));
  return startPeerRegistry({ directory: scene.at("registry"), tls });
}

function portOf({ host: found }: PeerRegistry): number {
  return Number(found.split(":")[1]);
}

async function copyBothWays(scene: Scene, env: Readonly<Record<string, string>>): Promise<void> {
  for (const names of [
    ["dir:sample", image],
    [image, "dir:pulled"],
  ]) {
    const { code, stderr } = await scene.run(["copy", ...insecure, ...names], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  }
}

describe("a proxy", () => {
  proxyTest("N12: leads to an https registry by CONNECT, in either spelling", async () => {
    await using scene = await filledScene();
    await using registry = await startSecure(scene);
    await using proxy = await startTunnelProxy(portOf(registry));
    const address = `http://jo:s%40crt@127.0.0.1:${proxy.port}`;
    await copyBothWays(scene, { HTTPS_PROXY: address });
    await copyBothWays(scene, { https_proxy: address });
    expect(proxy.asked.length).toBeGreaterThan(3);
    for (const header of proxy.asked) {
      expect(header).toStartWith(`CONNECT ${host} HTTP/1.1\r\n`);
      expect(header).toContain(`Proxy-Authorization: Basic ${btoa("jo:s@crt")}\r\n`);
    }
  });

  proxyTest("N12: leads to a registry by SOCKS, which looks up its name", async () => {
    await using scene = await filledScene();
    await using registry = await startSecure(scene);
    const login = { username: "jo", password: "s@crt" };
    await using proxy = await startSocksProxy({ target: portOf(registry), login });
    await copyBothWays(scene, { HTTPS_PROXY: `socks5://jo:s%40crt@127.0.0.1:${proxy.port}` });
    expect(new Set(proxy.asked)).toEqual(new Set([`name ${host}`]));
  });

  proxyTest("N12: O2: refuses with its own words, and its password is not shown", async () => {
    await using scene = await filledScene();
    let asked = 0;
    await using proxy = await startRawServer({
      handler: async () => {
        asked++;
        return { status: 407 };
      },
    });
    const env = { HTTPS_PROXY: `http://jo:planted-secret@127.0.0.1:${proxy.port}` };
    const { code, stderr } = await scene.run(["--debug", "inspect", image], { env });
    expect(code).toBe(1);
    expect(stderr).toContain(`proxyconnect tcp: proxy 127.0.0.1:${proxy.port} answered 407`);
    expect(stderr).toContain("hint: write the proxy as http://USER:PASSWORD@HOST:PORT");
    expect(stderr).not.toContain("planted-secret");
    expect(asked).toBe(1);
  });

  proxyTest("N12: is never gone around, be it dead or of a kind that nobody speaks", async () => {
    await using scene = await filledScene();
    const attempt = (proxy: string) =>
      scene.run(["inspect", "--tls-verify=false", image], {
        env: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy },
      });
    const dead = await attempt("http://127.0.0.1:1");
    expect(dead.code).toBe(1);
    expect(dead.stderr).toContain(
      "proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused",
    );
    const strange = await attempt("socks4://127.0.0.1:1");
    expect(strange.code).toBe(1);
    expect(strange.stderr).toContain("Proxies of the kind socks4:// are not spoken to");
    for (const { stderr } of [dead, strange]) expect(stderr).not.toContain("lookup");
  });

  proxyTest("N12: is left out for what NO_PROXY names, and for this machine itself", async () => {
    await using scene = await filledScene();
    await using registry = await startPeerRegistry({ directory: scene.at("registry") });
    await using proxy = await startRawServer({ handler: async () => ({ status: 403 }) });
    const address = `http://127.0.0.1:${proxy.port}`;
    const env = { HTTP_PROXY: address, HTTPS_PROXY: address };
    const args = ["copy", ...insecure, "dir:sample", `docker://${registry.host}/a/b:1`];
    expect((await scene.run(args, { env })).code).toBe(0);

    const inspect = async (name: string, except: string) => {
      const flags = ["--command-timeout=1s", "inspect"];
      const { stderr } = await scene.run([...flags, `docker://${name}/a`], {
        env: { ...env, NO_PROXY: except },
      });
      return stderr;
    };
    const refused = "answered 403";
    // The unit tests have more of these.
    expect(await inspect(host, ".invalid, x")).not.toContain(refused);
    expect(await inspect(host, "REGISTRY.INVALID:5000")).not.toContain(refused);
    expect(await inspect(host, "registry.invalid:5001,stry.invalid")).toContain(refused);
    expect(await inspect("192.0.2.1:1", "192.0.2.0/25")).not.toContain(refused);
    expect(await inspect("192.0.2.200:1", "192.0.2.0/25")).toContain(refused);
  });

  proxyTest(
    "P2: holds a large layer back that comes by CONNECT",
    async () => {
      await using scene = await filledScene();
      await using registry = await startSecure(scene);
      await using proxy = await startTunnelProxy(portOf(registry));
      const bytes = 300 * 1024 * 1024;
      const layer = Buffer.alloc(bytes, "0123456789abcdef");
      const digest = new Bun.CryptoHasher("sha256").update(layer).digest("hex");
      const manifest = JSON.parse(await Bun.file(scene.at("sample/manifest.json")).text());
      manifest.layers = [{ ...manifest.layers[0], digest: `sha256:${digest}`, size: bytes }];
      writeFileSync(scene.at("sample", digest), layer);
      writeFileSync(scene.at("sample/manifest.json"), JSON.stringify(manifest));
      const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
      for (const names of [
        ["dir:sample", image],
        [image, "dir:pulled"],
      ]) {
        const args = ["copy", "--preserve-digests", ...insecure, ...names];
        const { code, stderr, peakBytes } = await scene.run(args, { env, watchMemory: true });
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        expect(peakBytes).toBeLessThan(200e6);
      }
    },
    120_000,
  );
});
