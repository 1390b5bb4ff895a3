// Sigstore signers: those that a parameter file or a private key stands for.

import { stat } from "node:fs/promises";

import { readSystemAuthorities } from "../core/config/certificates.ts";
import { readConfigFile } from "../core/config/config-file.ts";
import { proxiesIn } from "../core/config/registry-access.ts";
import {
  type KeyParameters,
  type LoginParameters,
  readSigstoreParameters,
} from "../core/config/sigstore-parameters.ts";
import { during } from "../core/failure.ts";
import { openHttp } from "../core/http.ts";
import { Patience } from "../core/retry.ts";
import type { Signer } from "../core/trust/signer.ts";
import type { ServiceAccess } from "../core/trust/sigstore/service.ts";
import type { SigningKey } from "../core/trust/sigstore/sigstore-signer.ts";
import type { Call } from "./command.ts";
import { Input } from "./input.ts";
import { askPassphrase, passphraseIn } from "./passphrase.ts";
import { version } from "./version.ts";

/** Returns who signs with the private key in a file; somebody is asked for its passphrase if none is given. */
export async function privateKeySigner(call: Call, path: string, given?: string): Promise<Signer> {
  const passphrase = given ?? (await askPassphrase(call, path));
  return signerWith(once(() => keyInFile(call, path, passphrase)));
}

/**
 * Returns who signs as a parameter file says. Nobody is asked to log in before the policy has spoken.
 *
 * Fails with `config` if the file cannot be read or understood.
 */
export async function parameterSigner(call: Call, path: string): Promise<Signer> {
  const step = "Error using --sign-by-sigstore";
  return during(step, async () => {
    const { key, rekorUrl } = await readSigstoreParameters(path);
    const { parseServiceUrl } = await import("../core/trust/sigstore/service.ts");
    const log = rekorUrl === undefined ? undefined : parseServiceUrl(rekorUrl, "rekorURL");
    const find = await keyFinder(call, key);
    const signer = await signerWith(find, log && ((entry) => upload(call, entry, log)));
    return {
      ...signer,
      prepare: () => during(step, async () => signer.prepare?.()),
      preparesForGood: key.kind === "fulcio",
    };
  });
}

async function signerWith(key: () => Promise<SigningKey>, log?: Upload): Promise<Signer> {
  const { sigstoreSigner } = await import("../core/trust/sigstore/sigstore-signer.ts");
  return sigstoreSigner({
    key,
    creator: `dray ${version}`,
    now: () => new Date(),
    ...(log !== undefined && { log }),
  });
}

type Upload = NonNullable<
  Parameters<typeof import("../core/trust/sigstore/sigstore-signer.ts").sigstoreSigner>[0]["log"]
>;

async function upload(call: Call, entry: Parameters<Upload>[0], log: URL): Promise<string> {
  const { uploadEntry } = await import("../core/trust/sigstore/rekor-upload.ts");
  return online(call, (access) => uploadEntry(entry, log, access));
}

async function keyFinder(call: Call, key: KeyParameters): Promise<() => Promise<SigningKey>> {
  if (key.kind === "fulcio") return fulcioKey(call, key);
  const { path, passphraseFile } = key;
  const passphrase =
    passphraseFile === undefined
      ? await askPassphrase(call, path)
      : await passphraseIn(passphraseFile);
  return once(() => keyInFile(call, path, passphrase));
}

async function keyInFile(call: Call, path: string, passphrase: string): Promise<SigningKey> {
  const bytes = await during(`reading private key from ${path}`, () => readConfigFile(path));
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) call.log.warn(`Others may read the private key ${path}`);
  const { openKey } = await import("../core/trust/sigstore/key-file.ts");
  return { key: await during("initializing private key", () => openKey(bytes, passphrase)) };
}

/** A certificate is good for a few minutes only: after those, a new one is asked for. */
async function fulcioKey(
  call: Call,
  { url, login }: Extract<KeyParameters, { kind: "fulcio" }>,
): Promise<() => Promise<SigningKey>> {
  const { parseServiceUrl } = await import("../core/trust/sigstore/service.ts");
  const server = parseServiceUrl(url, "fulcioURL");
  let known: (SigningKey & { readonly notAfter: Date }) | undefined;
  return async () => {
    if (known === undefined || known.notAfter <= new Date()) {
      known = await online(call, async (access) => {
        const { parseIdentityToken } = await import("../core/trust/sigstore/identity-token.ts");
        const { certifiedKey } = await import("../core/trust/sigstore/fulcio-exchange.ts");
        return certifiedKey(parseIdentityToken(await tokenBy(login, call, access)), server, access);
      });
    }
    return known;
  };
}

async function tokenBy(login: LoginParameters, call: Call, access: ServiceAccess): Promise<string> {
  if (login.kind === "staticToken") return login.token;
  const { browserToken, deviceToken } = await import("../core/trust/sigstore/openid.ts");
  const { parseServiceUrl } = await import("../core/trust/sigstore/service.ts");
  const { listenForCallback } = await import("../core/http-callback.ts");
  const { issuerUrl, clientId, clientSecret } = login;
  const client = {
    issuer: parseServiceUrl(issuerUrl, "oidcIssuerURL"),
    clientId,
    ...(clientSecret !== undefined && { clientSecret }),
  };
  const dialogue = {
    // Standard output may belong to a result, or to an image.
    tell: async (text: string) => text.trimEnd().split("\n").forEach(call.screen.line),
    openBrowser: (url: URL) => openBrowser(call, url),
    async askCode(question: string) {
      using input = new Input(call.signal, "stderr");
      return await input.askLine(question);
    },
    sleep: (ms: number) => Bun.sleep(ms),
    listen: listenForCallback,
  };
  return login.kind === "deviceGrant"
    ? deviceToken(client, dialogue, access)
    : browserToken(client, dialogue, access);
}

/** Tells whether there was a program that opens browsers, and it did not complain at once. */
async function openBrowser({ environment }: Call, url: URL): Promise<boolean> {
  const { variables, os } = environment;
  const graphical = os === "darwin" || variables["DISPLAY"] || variables["WAYLAND_DISPLAY"];
  const program = Bun.which(os === "darwin" ? "open" : "xdg-open");
  if (!graphical || program === null) return false;
  const child = Bun.spawn([program, url.href], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  // Some wait until the browser is closed; those that cannot start one say so at once.
  return (await Promise.race([child.exited, Bun.sleep(2000).then(() => 0)])) === 0;
}

/** Lends what servers are asked with. */
async function online<T>(call: Call, work: (access: ServiceAccess) => Promise<T>): Promise<T> {
  const { environment, signal, log } = call;
  const system = await readSystemAuthorities(environment);
  const tls = { verify: true, authorities: [], ...(system !== undefined && { system }) };
  await using http = await openHttp({ tls, proxies: proxiesIn(environment) });
  return await work({
    http,
    userAgent: `dray/${version}`,
    patience: new Patience({ random: Math.random }),
    signal,
    debug: (message) => log.debug(message),
  });
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => (done ??= work());
}
