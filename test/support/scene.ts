// Scene: what one end-to-end test plays in: a directory, a registry, and the programs run there.

import { setDefaultTimeout } from "bun:test";
import { original } from "./needs.ts";
import { type PeerRegistry, startPeerRegistry } from "./peers.ts";
import { type RunOptions, type RunResult, run, succeed } from "./run.ts";
import { type Store, type StoreKind, storeOf } from "./stores.ts";
import { Workspace } from "./workspace.ts";

// Programs are started here, and healing takes its time: the usual five seconds are too few.
setDefaultTimeout(180_000);

/** The surroundings of one test; whatever it made vanishes on dispose. */
export class Scene implements AsyncDisposable {
  readonly #workspace = new Workspace();
  #registry: Promise<PeerRegistry> | undefined;
  #stores = 0;

  /** The working directory of everything that runs. */
  get path(): string {
    return this.#workspace.path;
  }

  /** Returns a path in the scene. */
  at(...names: readonly string[]): string {
    return this.#workspace.at(...names);
  }

  /** Runs the executable, whatever comes of it. No policy is asked. */
  dray(...args: readonly string[]): Promise<RunResult> {
    return run(["--insecure-policy", ...args], { cwd: this.path });
  }

  /** Runs the executable in surroundings that differ from the usual ones. No policy is asked. */
  run(args: readonly string[], options: Partial<RunOptions>): Promise<RunResult> {
    return run(["--insecure-policy", ...args], { cwd: this.path, ...options });
  }

  /** Copies between the two images named last; anything but success is an error. */
  copy(...args: readonly string[]): Promise<RunResult> {
    return succeed(["--insecure-policy", "copy", ...plain, ...args], { cwd: this.path });
  }

  /** Does the same as `copy` with the original. */
  originalCopy(...args: readonly string[]): Promise<RunResult> {
    return this.original("copy", ...plain, ...args);
  }

  /** Runs the original; anything but success is an error. */
  original(...args: readonly string[]): Promise<RunResult> {
    return succeed(["--insecure-policy", ...args], { cwd: this.path, program: original() });
  }

  /** Returns the host of a plain registry of this scene's own, started when first asked for. */
  async registry(): Promise<string> {
    this.#registry ??= startPeerRegistry({ directory: this.at(".registry") });
    return (await this.#registry).host;
  }

  /** Returns what the registry has logged so far; nothing before it was asked for. */
  async registryLog(): Promise<string> {
    return (await this.#registry)?.log() ?? "";
  }

  /** Returns a new place for an image. */
  store(kind: StoreKind): Promise<Store> {
    return this.#storeOf(kind, () => this.registry());
  }

  /** Returns a new place for an image, at a registry somebody else started if it is to be one. */
  storeAt(kind: StoreKind, host: string): Promise<Store> {
    return this.#storeOf(kind, async () => host);
  }

  #storeOf(kind: StoreKind, registry: () => Promise<string>): Promise<Store> {
    this.#stores += 1;
    return storeOf(kind, `${kind}-${this.#stores}`, { directory: this.path, registry });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#registry)?.[Symbol.asyncDispose]();
    this.#workspace[Symbol.dispose]();
  }
}

/** Allows plain HTTP on both sides. */
const plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
