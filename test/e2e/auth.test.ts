// Authentication and TLS: who is let in, and whom we believe, at a real registry.

import { describe, expect } from "bun:test";
import { testWith } from "../support/needs.ts";
import { registryProgram, startPeerRegistry } from "../support/peers.ts";
import { sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import {
  type TlsCertificate,
  makeSigningCertificate,
  makeTlsCertificate,
} from "../support/tls-certificate.ts";
import { type TokenServerOptions, startTokenServer } from "../support/token-server.ts";

const username = "jo";
// With everything that has a meaning somewhere on its way.
const password = "s3:cret &?%/ü";
const wrong = "S3CRET-BUT-WRONG";
const insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"];

describe("a registry with passwords", () => {
  const passwordTest = testWith(registryProgram);

  passwordTest("takes --creds, or --username and --password, both ways", async () => {
    await using scene = await filledScene();
    await using registry = await withPasswords(scene);
    const image = `docker://${registry.host}/a/b:1`;
    await scene.copy(`--dest-creds=${username}:${password}`, "dir:sample", image);
    await scene.copy(
      `--src-username=${username}`,
      `--src-password=${password}`,
      image,
      "dir:pulled",
    );
    await scene.copy(`--screds=${username}:${password}`, image, "oci:pulled-too:1");
  });

  passwordTest("tells that the password is wrong, and never what it was", async () => {
    await using scene = await filledScene();
    await using registry = await withPasswords(scene);
    const image = `docker://${registry.host}/a/b:1`;
    const flags = ["--debug", "copy", ...insecure];
    for (const attempt of [
      await scene.dray(...flags, `--src-creds=${username}:${wrong}`, image, "dir:pulled"),
      await scene.dray(...flags, `--dest-creds=${username}:${wrong}`, "dir:sample", image),
      await scene.dray(...flags, "--src-no-creds", image, "dir:pulled"),
      await scene.dray(...flags, "dir:sample", image),
    ]) {
      expect(attempt.code).toBe(1);
      expect(attempt.stderr).toContain("authentication required");
      expect(attempt.stderr + attempt.stdout).not.toContain(wrong);
      expect(attempt.stderr).not.toContain(btoa(`${username}:${wrong}`));
    }
  });

  passwordTest("O2: shows no password in the debug log of a copy that works", async () => {
    await using scene = await filledScene();
    await using registry = await withPasswords(scene);
    const secret = "s3:cret &?%/ü";
    const { stderr } = await scene.copy(
      "--debug",
      `--dest-creds=${username}:${secret}`,
      "dir:sample",
      `docker://${registry.host}/a/b:1`,
    );
    for (const form of [
      secret,
      encodeURIComponent(secret),
      Buffer.from(`${username}:${secret}`).toString("base64"),
    ]) {
      expect(stderr).not.toContain(form);
    }
  });
});

describe("a registry with tokens", () => {
  const tokenTest = testWith(registryProgram, "openssl");

  tokenTest("gets a token for what is to be done, and no more", async () => {
    await using scene = await filledScene();
    await using tokens = startTokenServer(tokenOptions(scene));
    await using registry = await withTokens(scene, tokens.realm);
    const image = `docker://${registry.host}/a/b:1`;
    await scene.copy(`--dest-creds=${username}:${password}`, "dir:sample", image);
    await scene.copy(`--src-creds=${username}:${password}`, image, "dir:pulled");
    const wanted = tokens.requests.map(({ scopes }) => scopes.join(" "));
    expect(new Set(wanted)).toEqual(new Set(["repository:a/b:pull,push", "repository:a/b:pull"]));
    expect(tokens.requests.every(({ known, account }) => known && account === username)).toBe(true);
  });

  tokenTest("row 22: gets a new token when the first one ended early", async () => {
    await using scene = await filledScene();
    await using tokens = startTokenServer({ ...tokenOptions(scene), stale: 1 });
    await using registry = await withTokens(scene, tokens.realm);
    const image = `docker://${registry.host}/a/b:1`;
    await scene.copy(`--dest-creds=${username}:${password}`, "dir:sample", image);
    expect(tokens.requests.length).toBe(2);
  });

  tokenTest("tells that the token service refused the password", async () => {
    await using scene = await filledScene();
    await using tokens = startTokenServer(tokenOptions(scene));
    await using registry = await withTokens(scene, tokens.realm);
    const image = `docker://${registry.host}/a/b:1`;
    const creds = `--src-creds=${username}:${wrong}`;
    const result = await scene.dray("copy", ...insecure, creds, image, "dir:pulled");
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("unable to retrieve auth token: invalid username/password");
    expect(result.stderr).not.toContain(wrong);
  });

  tokenTest("tells that a token does not allow what was asked", async () => {
    await using scene = await filledScene();
    await using tokens = startTokenServer(tokenOptions(scene));
    await using registry = await withTokens(scene, tokens.realm);
    const image = `docker://${registry.host}/a/b:1`;
    const result = await scene.dray("copy", ...insecure, "dir:sample", image);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("requested access to the resource is denied");
  });

  tokenTest("takes a token made elsewhere, as it is", async () => {
    await using scene = await filledScene();
    await using tokens = startTokenServer(tokenOptions(scene));
    await using registry = await withTokens(scene, tokens.realm);
    const scope = "repository:a/b:pull,push";
    const answer = await fetch(`${tokens.realm}?service=x&scope=${scope}`, {
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toBase64()}` },
    });
    const { token }: { token: string } = JSON.parse(await answer.text());
    const image = `docker://${registry.host}/a/b:1`;
    await scene.copy(`--dest-registry-token=${token}`, "dir:sample", image);
    expect(tokens.requests.length).toBe(1);
  });
});

describe("a registry with TLS", () => {
  const tlsTest = testWith(registryProgram, "openssl");

  tlsTest("is believed by its own authority in --cert-dir, or without looking", async () => {
    await using scene = await filledScene();
    const certificate = makeTlsCertificate(scene.at("tls"));
    await using registry = await withTls(scene, certificate);
    for (const [index, flags] of [
      [`--dest-cert-dir=${certificate.directory}`],
      ["--dest-tls-verify=false"],
    ].entries()) {
      const image = `docker://${registry.host}/a/b:${index}`;
      const result = await scene.dray("copy", ...flags, "dir:sample", image);
      expect(result).toMatchObject({ code: 0, stderr: "" });
    }
    const image = `docker://${registry.host}/a/b:1`;
    const pulled = ["copy", `--src-cert-dir=${certificate.directory}`, image, "dir:pulled"];
    expect(await scene.dray(...pulled)).toMatchObject({ code: 0 });
  });

  tlsTest("N7: is refused without its authority, whatever the environment says", async () => {
    await using scene = await filledScene();
    await using registry = await withTls(scene, makeTlsCertificate(scene.at("tls")));
    const image = `docker://${registry.host}/a/b:1`;
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    const result = await scene.run(["copy", "dir:sample", image], { env });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`pinging container registry ${registry.host}`);
    expect(result.stderr).toContain("certificate");
  });

  tlsTest("N8: is not believed because the other side need not be", async () => {
    await using scene = await filledScene();
    await using registry = await withTls(scene, makeTlsCertificate(scene.at("tls")));
    const image = `docker://${registry.host}/a/b:1`;
    const result = await scene.dray("copy", "--dest-tls-verify=false", image, "dir:pulled");
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("certificate");
  });

  tlsTest("N2: is not spoken to in the clear, nor is a plain one without leave", async () => {
    await using scene = await filledScene();
    const image = `docker://${await scene.registry()}/a/b:1`;
    const result = await scene.dray("copy", "dir:sample", image);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("server gave HTTP response to HTTPS client");
  });
});

async function filledScene(): Promise<Scene> {
  const scene = new Scene();
  const source = await scene.store("dir");
  await source.fill(sampleImage());
  await scene.copy(source.image, "dir:sample");
  return scene;
}

function withPasswords(scene: Scene) {
  return startPeerRegistry({ directory: scene.at("registry"), basic: { username, password } });
}

function withTls(scene: Scene, tls: TlsCertificate) {
  return startPeerRegistry({ directory: scene.at("registry"), tls });
}

function tokenOptions(scene: Scene): TokenServerOptions {
  return { ...makeSigningCertificate(scene.at("token")), username, password };
}

function withTokens(scene: Scene, realm: string) {
  const certificate = scene.at("token", "token.crt");
  return startPeerRegistry({ directory: scene.at("registry"), token: { realm, certificate } });
}
