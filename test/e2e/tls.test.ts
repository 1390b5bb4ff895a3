// TLS: certificates of both sides, and what may be spoken, at real registries.

import { describe, expect } from "bun:test";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { testWith } from "../support/needs.ts";
import { type PeerRegistryOptions, registryProgram, startPeerRegistry } from "../support/peers.ts";
import { sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { makeTlsCertificate, type TlsCertificate } from "../support/tls-certificate.ts";

const tlsTest = testWith(registryProgram, "openssl");

async function filledScene(): Promise<Scene> {
  const scene = new Scene();
  const source = await scene.store("dir");
  await source.fill(sampleImage());
  await scene.copy(source.image, "dir:sample");
  return scene;
}

function start(scene: Scene, tls: TlsCertificate, more: Partial<PeerRegistryOptions> = {}) {
  return startPeerRegistry({ directory: scene.at("registry"), tls, ...more });
}

/** Makes a directory that believes the server, and knows who we are. */
function clientDirectory(scene: Scene, name: string, server: TlsCertificate, own: string): string {
  const directory = scene.at(name);
  mkdirSync(directory, { recursive: true });
  copyFileSync(server.authority, `${directory}/ca.crt`);
  // An authority may show its own certificate like anybody else.
  copyFileSync(scene.at(own, "certs/ca.crt"), `${directory}/me.cert`);
  copyFileSync(scene.at(own, "ca.key"), `${directory}/me.key`);
  return directory;
}

describe("a registry that wants to see a certificate", () => {
  tlsTest("is shown the one in --cert-dir, and tells others what it wants", async () => {
    await using scene = await filledScene();
    const server = makeTlsCertificate(scene.at("server"));
    const { authority } = makeTlsCertificate(scene.at("clients"));
    makeTlsCertificate(scene.at("strangers"));
    await using registry = await start(scene, server, { clientAuthority: authority });
    const image = `docker://${registry.host}/a/b:1`;
    const known = clientDirectory(scene, "known", server, "clients");
    const foreign = clientDirectory(scene, "foreign", server, "strangers");

    const push = ["copy", `--dest-cert-dir=${known}`, "dir:sample", image];
    expect(await scene.dray(...push)).toMatchObject({ code: 0, stderr: "" });
    const pull = ["copy", `--src-cert-dir=${known}`, image, "dir:pulled"];
    expect(await scene.dray(...pull)).toMatchObject({ code: 0, stderr: "" });

    const nobody = await scene.dray("inspect", `--cert-dir=${server.directory}`, image);
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toContain("certificate required");
    const stranger = await scene.dray("inspect", `--cert-dir=${foreign}`, image);
    expect(stranger.code).toBe(1);
    expect(stranger.stderr).toContain("tls: ");
  });

  tlsTest("is found by its host and port in certs.d", async () => {
    await using scene = await filledScene();
    const server = makeTlsCertificate(scene.at("server"));
    const { authority } = makeTlsCertificate(scene.at("clients"));
    await using registry = await start(scene, server, { clientAuthority: authority });
    clientDirectory(scene, `home/.config/containers/certs.d/${registry.host}`, server, "clients");
    const args = ["copy", "dir:sample", `docker://${registry.host}/a/b:1`];
    expect(await scene.run(args, { env: { HOME: scene.at("home") } })).toMatchObject({ code: 0 });
    expect((await scene.dray(...args)).code).toBe(1);
  });

  tlsTest("is not spoken to with half of a pair", async () => {
    await using scene = await filledScene();
    const server = makeTlsCertificate(scene.at("server"));
    await using registry = await start(scene, server);
    writeFileSync(`${server.directory}/me.key`, "secret");
    const image = `docker://${registry.host}/a/b:1`;
    const { code, stderr } = await scene.dray("inspect", `--cert-dir=${server.directory}`, image);
    expect(code).toBe(1);
    expect(stderr).toContain("missing client certificate me.cert for key me.key");
    expect(stderr).not.toContain("secret");
  });
});

describe("SSL_CERT_FILE and SSL_CERT_DIR", () => {
  tlsTest("name whom to believe", async () => {
    await using scene = await filledScene();
    const server = makeTlsCertificate(scene.at("server"));
    const other = makeTlsCertificate(scene.at("other"));
    await using registry = await start(scene, server);
    const args = ["copy", "dir:sample", `docker://${registry.host}/a/b:1`];
    const nowhere = scene.at("nowhere");
    const code = async (env: Readonly<Record<string, string>>) =>
      (await scene.run(args, { env })).code;

    expect(await code({ SSL_CERT_FILE: server.authority })).toBe(0);
    expect(await code({ SSL_CERT_DIR: server.directory })).toBe(0);
    expect(await code({ SSL_CERT_DIR: `${nowhere}:${server.directory}` })).toBe(0);
    expect(await code({})).toBe(1);
    expect(await code({ SSL_CERT_FILE: other.authority, SSL_CERT_DIR: nowhere })).toBe(1);
    const nobody = { SSL_CERT_FILE: nowhere, SSL_CERT_DIR: nowhere };
    const { stderr } = await scene.run(args, { env: nobody });
    expect(stderr).toContain("There is no certificate authority to believe");
    // What --cert-dir adds is believed all the same.
    const named = ["--dest-cert-dir", server.directory];
    expect((await scene.run([...args, ...named], { env: nobody })).code).toBe(0);
  });
});

describe("--tls-details", () => {
  tlsTest("is kept to by both sides of a connection, or fails it", async () => {
    await using scene = await filledScene();
    const server = makeTlsCertificate(scene.at("server"));
    await using registry = await start(scene, server, { minimumTls: "tls1.3" });
    await using older = await startPeerRegistry({ directory: scene.at("older"), tls: server });
    const copyTo = async (host: string, details: string) => {
      writeFileSync(scene.at("details.yaml"), details);
      const flags = [
        "--tls-details",
        "details.yaml",
        "copy",
        `--dest-cert-dir=${server.directory}`,
      ];
      return scene.dray(...flags, "dir:sample", `docker://${host}/a/b:1`);
    };
    const only12 = "cipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]";
    expect((await copyTo(registry.host, 'minVersion: "1.3"')).code).toBe(0);
    expect((await copyTo(registry.host, "namedGroups: [secp384r1]")).code).toBe(0);
    expect((await copyTo(registry.host, only12)).code).toBe(1);
    expect((await copyTo(older.host, only12)).code).toBe(0);
    const unfit = "cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]";
    const { code, stderr } = await copyTo(older.host, unfit);
    expect(code).toBe(1);
    expect(stderr).toContain("tls: handshake failure");
  });

  tlsTest("is read only where a registry is reached, and then has to make sense", async () => {
    await using scene = await filledScene();
    writeFileSync(scene.at("details.yaml"), "nonsense: 1");
    const flags = ["--tls-details", "details.yaml", "inspect", "--raw"];
    expect((await scene.dray(...flags, "dir:sample")).code).toBe(0);
    const { code, stderr } = await scene.dray(...flags, "docker://127.0.0.1:1/a");
    expect(code).toBe(1);
    expect(stderr).toContain('loading TLS details \\"details.yaml\\": unknown key \\"nonsense\\"');
  });
});

describe("registries.d", () => {
  tlsTest("has to make sense where a registry is reached", async () => {
    await using scene = await filledScene();
    mkdirSync(scene.at("d"));
    writeFileSync(scene.at("d/a.yaml"), "docker: 1");
    const { code, stderr } = await scene.dray(
      "--registries.d",
      "d",
      "inspect",
      "docker://127.0.0.1:1/a",
    );
    expect(code).toBe(1);
    expect(stderr).toContain("parsing d/a.yaml: ");
  });
});
