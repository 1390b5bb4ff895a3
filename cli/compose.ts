// Composing: joins flags, environment, config readers and transports into what core asks for.

import type { BlobInfo } from "../core/cache/blob-info.ts";
import { openBlobInfo } from "../core/cache/open-blob-info.ts";
import { authFileChoice } from "../core/config/auth-file-places.ts";
import {
  CredentialFinder,
  type CredentialFinderOptions,
  filesHelper,
} from "../core/config/credentials.ts";
import { type DaemonWish, daemonConnection } from "../core/config/daemon-connection.ts";
import { blobInfoPath } from "../core/config/blob-info-path.ts";
import { locate, policyFile } from "../core/config/locations.ts";
import { noPolicyFile, type PolicyFile, readPolicyFile } from "../core/config/policy-file.ts";
import { type CredentialSearch, registryAccess } from "../core/config/registry-access.ts";
import { RegistryFiles } from "../core/config/registry-files.ts";
import type { PlatformWish } from "../core/content/platform.ts";
import { during, Failure } from "../core/failure.ts";
import type { StallTimes } from "../core/http-stall.ts";
import type { Credentials } from "../core/image/registry-access.ts";
import type { StorageSettings } from "../core/image/storage-settings.ts";
import type { DirSettings, OciSettings, TransportContext } from "../core/image/transport.ts";
import { limits } from "../core/limits.ts";
import { Patience } from "../core/retry.ts";
import { Gate, type Policy } from "../core/trust/gate.ts";
import { acceptEverything } from "../core/trust/requirements/basic.ts";
import { transports } from "../transports/table.ts";
import type { Call } from "./command.ts";
import type { ImageValues, RegistryValues } from "./flags/image.ts";
import { version } from "./version.ts";
import { ownsWholeSystem } from "./whole-system.ts";

/** What is said about one side of an operation. */
export interface Side {
  readonly flags: RegistryValues & Partial<Pick<ImageValues, "sharedBlobDir" | "daemonHost">>;
  /** Who we are, whatever the flags say; absent: they say. */
  readonly credentials?: Credentials | undefined;
  /** What holds for the whole command where the side's own flag is absent. */
  readonly tlsVerify?: boolean | undefined;
  /** Likewise. */
  readonly authFile?: string | undefined;
  /** What is known of blobs from other runs; absent: nothing. */
  readonly blobInfo?: BlobInfo;
  /** The most that one request may carry of a blob; absent: whatever the registry takes. */
  readonly uploadChunkBytes?: number | undefined;
  /** Blobs of at most this size are sent to a registry in one request; absent: none are. */
  readonly wholeUploadBytes?: number;
  /** Whether blobs are hashed before they are sent to a registry; absent: while they are. */
  readonly precomputesDigests?: boolean;
  readonly dir?: DirSettings;
  readonly oci?: OciSettings;
  /** Absent: this side has nothing in common with others. */
  readonly operation?: Operation;
}

/** What all sides of one operation have in common. Disposing closes what they left open. */
export interface Operation extends AsyncDisposable {
  /** How much waiting they put up with, all together. */
  readonly patience: Patience;
  /** What transports keep open from one side to the other. */
  readonly shared: AsyncDisposable[];
  /** Who finds credentials for all of them. */
  readonly finder: CredentialFinder;
}

/** Begins an operation of one side or several. */
export function beginOperation(call: Call): Operation {
  const shared: AsyncDisposable[] = [];
  return {
    patience: createPatience(),
    shared,
    finder: createCredentialFinder(call),
    async [Symbol.asyncDispose]() {
      for (const each of shared.splice(0)) await each[Symbol.asyncDispose]();
    },
  };
}

/** Returns how much waiting one operation puts up with. */
export function createPatience(): Patience {
  return new Patience({ random: Math.random });
}

/** Opens what is known of blobs, here and by the original. Nothing is read before it is asked. */
export function openBlobs({ environment, log }: Call): BlobInfo & AsyncDisposable {
  const debug = (message: string) => log.debug(message);
  return openBlobInfo({ path: blobInfoPath(environment), now: Date.now, debug });
}

function createCredentialFinder(call: Call): CredentialFinder {
  return new CredentialFinder(credentialOptions(call));
}

/** Returns what finding and keeping credentials takes. */
export function credentialOptions(call: Call): CredentialFinderOptions {
  const { environment, signal, log } = call;
  const helpers = async () => {
    const { credentialHelpers } = await registryFilesOf(call).conf();
    return credentialHelpers ?? [filesHelper];
  };
  return { environment, signal, log, helpers };
}

const registryFiles = new WeakMap<Call, RegistryFiles>();

/** Returns the same for all sides of one call: each file is read once. */
function registryFilesOf(call: Call): RegistryFiles {
  const { global, environment, log } = call;
  const files = registryFiles.get(call) ?? new RegistryFiles({ paths: global, environment, log });
  registryFiles.set(call, files);
  return files;
}

/** Returns what a transport is lent for one side. Fails with `usage` if the side's flags contradict. */
export function contextOf(call: Call, side: Side): TransportContext {
  const { flags, tlsVerify, dir, oci, operation, uploadChunkBytes, wholeUploadBytes } = side;
  const search: CredentialSearch = {
    kind: "search",
    finder: operation?.finder ?? createCredentialFinder(call),
    authFile: authFileChoice(flags.authFile ?? side.authFile, call.environment),
  };
  const credentials = side.credentials ?? credentialsOf(flags) ?? search;
  const verify = flags.tlsVerify ?? tlsVerify ?? call.global.tlsVerify;
  const shared = flags.sharedBlobDir ?? "";
  const tls = {
    ...(verify !== undefined && { tlsVerify: verify }),
    ...(flags.certDir !== "" && { certificateDirectory: flags.certDir }),
  };
  const wish = { credentials, mirrorCredentials: search, ...tls };
  const host = flags.daemonHost ?? "";
  const daemon: DaemonWish = { ...tls, ...(host !== "" && { host }) };
  return {
    signal: call.signal,
    log: call.log,
    temporaryDirectory: call.global.temporaryDirectory || "/var/tmp",
    settings: {
      docker: {
        access: registryAccess(wish, call.environment, registryFilesOf(call)),
        userAgent: userAgentOf(call),
        patience: operation?.patience ?? createPatience(),
        ...(call.global.idleDivisor > 1 && { times: hurriedBy(call.global.idleDivisor) }),
        ...(operation !== undefined && { shared: operation.shared }),
        ...(side.blobInfo !== undefined && { blobInfo: side.blobInfo }),
        ...(uploadChunkBytes !== undefined && { uploadChunkBytes }),
        ...(wholeUploadBytes !== undefined && { wholeUploadBytes }),
        precomputesDigests: side.precomputesDigests === true,
      },
      dir: dir ?? {},
      oci: { ...oci, ...(shared !== "" && { sharedBlobDirectory: shared }) },
      dockerDaemon: { connection: () => daemonConnection(daemon, call.environment) },
      containersStorage: storageOf(call, side.blobInfo),
      tarball: { os: call.environment.os, architecture: call.environment.architecture },
    },
  };
}

/** Returns how images are kept where engines of this machine do. Nothing is read before it is asked. */
function storageOf({ environment, log }: Call, blobInfo: BlobInfo | undefined): StorageSettings {
  return {
    configured: async () => {
      const { readStorageConf } = await import("../core/config/storage-conf.ts");
      return readStorageConf(environment, log);
    },
    rootless: !ownsWholeSystem(environment.userId),
    now: () => new Date(),
    ...(blobInfo !== undefined && { blobInfo }),
  };
}

/** Silence for a minute is more than a test can wait for. */
function hurriedBy(divisor: number): Partial<StallTimes> {
  const { firstHeaderMs, idleMs, slowMs } = limits;
  return {
    firstHeaderMs: firstHeaderMs / divisor,
    idleMs: idleMs / divisor,
    slowMs: slowMs / divisor,
  };
}

/** A name and a password, and how they are to be shown to a registry. */
export interface LoginWish {
  readonly login: { readonly username: string; readonly password: string };
  readonly certDir: string;
  readonly tlsVerify: boolean | undefined;
}

/** Tells whether the registry at `host` takes a name and a password. */
export async function verifyLogin(call: Call, host: string, wish: LoginWish): Promise<boolean> {
  const { login, certDir, tlsVerify } = wish;
  const context = contextOf(call, {
    flags: {
      ...login,
      certDir,
      tlsVerify,
      authFile: undefined,
      creds: undefined,
      registryToken: undefined,
      noCreds: false,
    },
  });
  const accepted = await transports.docker.verifyLogin?.(host, context);
  if (accepted === undefined) throw new Failure("bug", "There is nothing to log in to");
  return accepted;
}

/**
 * Returns who the flags say we are; undefined if they do not. The order of the checks, and their words,
 * are the original's.
 */
function credentialsOf(flags: RegistryValues): Credentials | undefined {
  const { creds, username, password, noCreds, registryToken } = flags;
  if (creds !== undefined && noCreds) {
    throw usage("creds and no-creds cannot be specified at the same time");
  }
  if (username !== undefined && noCreds) {
    throw usage("username and no-creds cannot be specified at the same time");
  }
  if (creds !== undefined && username !== undefined) {
    throw usage("creds and username cannot be specified at the same time");
  }
  if (username !== undefined && password === undefined) {
    throw usage("password must be specified when username is specified");
  }
  if (username === undefined && password !== undefined) {
    throw usage("username must be specified when password is specified");
  }
  const basic = creds === undefined ? undefined : splitCreds(creds);
  if (registryToken !== undefined && registryToken !== "") {
    return { kind: "token", token: registryToken };
  }
  if (basic !== undefined) return { kind: "basic", ...basic };
  if (username !== undefined && password !== undefined) {
    return { kind: "basic", username, password };
  }
  return noCreds ? { kind: "anonymous" } : undefined;
}

function splitCreds(creds: string): { readonly username: string; readonly password: string } {
  if (creds === "") throw usage("credentials can't be empty");
  const colon = creds.indexOf(":");
  const username = colon < 0 ? creds : creds.slice(0, colon);
  if (username === "") throw usage("username can't be empty");
  return { username, password: colon < 0 ? "" : creds.slice(colon + 1) };
}

function userAgentOf({ global, program }: Call): string {
  const own = `${program}/${version}`;
  const prefix = global.userAgentPrefix;
  // A line break would begin another header.
  if (/[^\t\x20-\x7e]/.test(prefix)) {
    throw usage("--user-agent-prefix may hold only printable ASCII characters");
  }
  return prefix === "" ? own : `${prefix} ${own}`;
}

/** Returns the platform to choose images for: this machine's, but for what the flags say. */
export function platformWish({ global, environment }: Call): PlatformWish {
  const { overrideOs, overrideArch, overrideVariant } = global;
  const detected = overrideArch === "" ? detectedVariant(environment.architecture) : "";
  const variant = overrideVariant || detected;
  return {
    os: overrideOs || environment.os,
    architecture: overrideArch || environment.architecture,
    ...(variant !== "" && { variant }),
  };
}

/** Of the machines this program runs on, only this one has a variant, and always the same. */
function detectedVariant(architecture: string): string {
  return architecture === "arm64" ? "v8" : "";
}

/** Returns who decides what may be carried. Fails with `config` if the policy cannot be read. */
export async function gateOf(call: Call): Promise<Gate> {
  const { insecurePolicy, requireSigned } = call.global;
  const policy = insecurePolicy ? acceptEverything : await policyOf(call);
  return new Gate(policy, { requireSigned, now: () => new Date() });
}

/** Returns the file that the policy is in; undefined if no file is asked. Fails with `config`. */
export async function policyFileOf(call: Call): Promise<string | undefined> {
  if (call.global.insecurePolicy) return undefined;
  return (await readPolicy(call))?.file;
}

async function readPolicy(call: Call): Promise<PolicyFile<Policy> | undefined> {
  const { global, environment } = call;
  // Only who carries something needs what reads policies.
  const { parsePolicy } = await import("../core/trust/policy.ts");
  const location = locate(policyFile, environment, global.policy);
  return during("Error loading trust policy", () =>
    readPolicyFile(location, (bytes) => parsePolicy(bytes, transports)),
  );
}

async function policyOf(call: Call): Promise<Policy> {
  const { global, environment, log } = call;
  const found = await readPolicy(call);
  if (found !== undefined) return found.policy;
  const location = locate(policyFile, environment, global.policy);
  log.warn(`Using the built-in policy, which accepts every image: ${noPolicyFile(location)}`);
  return acceptEverything;
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
