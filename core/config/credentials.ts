// Credentials: finding those for a registry in all the places where people keep them.

import type { Environment } from "../environment.ts";
import { asFailure, Failure, inContext } from "../failure.ts";
import type { Credentials } from "../image/registry-access.ts";
import {
  type AuthEntry,
  type AuthFile,
  credentialsIn,
  entriesFor,
  helperFor,
  readAuthFile,
  type StoredCredentials,
} from "./auth-file.ts";
import {
  type AuthFileChoice,
  type AuthFilePlace,
  authFilePlaces,
  namedRuntimeDirectory,
} from "./auth-file-places.ts";
import { type AuthKey, checkedKey, dockerServer, normalHost } from "./auth-key.ts";
import { exists } from "./config-file.ts";
import { CredentialHelper, type HelperOptions } from "./credential-helper.ts";

/** Stands, among the names of helpers, for the files. */
export const filesHelper = "containers-auth.json";

/** What a CredentialFinder works with. */
export interface CredentialFinderOptions {
  readonly environment: Environment;
  readonly signal: AbortSignal;
  readonly log: CredentialLog;
  /** Returns who is asked, first to last, by name: helpers, or `filesHelper`. Asked when it is needed. */
  helpers(): Promise<readonly string[]>;
  /** How long a helper may take; absent: `limits.helperMs`. */
  readonly helperLimitMs?: number;
}

/** Hears what may be wrong with files and helpers. */
export interface CredentialLog {
  debug(message: string): void;
  warn(message: string): void;
}

/**
 * Finds credentials. One finder serves a whole command: no file is read and no helper is run twice for
 * the same question, unless credentials are renewed.
 */
export class CredentialFinder {
  readonly #options: CredentialFinderOptions;
  readonly #found = new Map<string, Promise<Credentials | undefined>>();
  readonly #files = new Map<string, Promise<AuthFile | undefined>>();
  readonly #entries = new WeakMap<AuthEntry, StoredCredentials>();
  readonly #answers = new Map<string, Promise<Credentials | undefined>>();
  readonly #warned = new Set<string>();

  constructor(options: CredentialFinderOptions) {
    this.#options = options;
  }

  /**
   * Returns the credentials for `key`, or undefined if nobody has any.
   *
   * Fails with `config` if a file cannot be understood or a helper fails, and nobody else knows better.
   */
  find(key: AuthKey, choice: AuthFileChoice): Promise<Credentials | undefined> {
    const question = questionOf(key, choice);
    const known = this.#found.get(question);
    if (known !== undefined) return known;
    const finding = this.#find(key, choice);
    this.#found.set(question, finding);
    return finding;
  }

  /**
   * Looks again, because the registry does not take `refused` any more: files are read and helpers are
   * run anew. Returns undefined if there is still nothing else.
   */
  async renew(
    key: AuthKey,
    choice: AuthFileChoice,
    refused: Credentials,
  ): Promise<Credentials | undefined> {
    // Somebody else may have looked meanwhile.
    const known = await this.find(key, choice);
    if (known !== undefined && known !== refused) return known;
    this.#files.clear();
    for (const question of this.#answers.keys()) {
      if (isAbout(question, key)) this.#answers.delete(question);
    }
    const renewed = await this.#find(key, choice);
    if (renewed === undefined || isSame(renewed, refused)) return undefined;
    this.#found.set(questionOf(key, choice), Promise.resolve(renewed));
    return renewed;
  }

  async #find(key: AuthKey, choice: AuthFileChoice): Promise<Credentials | undefined> {
    checkedKey(key.text);
    const failures: Failure[] = [];
    for (const name of await this.#options.helpers()) {
      try {
        const found =
          name === filesHelper
            ? await this.#findInFiles(key, choice)
            : await this.#ask(name, key.host);
        if (found !== undefined) return found;
      } catch (error) {
        const failure = asFailure(error);
        if (failure.code === "canceled" || failure.code === "bug") throw failure;
        this.#options.log.debug(`Looking for credentials in ${name}: ${failure.message}`);
        failures.push(failure);
      }
    }
    const [only] = failures;
    if (only === undefined) return undefined;
    throw failures.length === 1 ? only : together("errors looking up credentials", failures);
  }

  async #findInFiles(key: AuthKey, choice: AuthFileChoice): Promise<Credentials | undefined> {
    await this.#checkRuntimeDirectory(choice);
    for (const place of authFilePlaces(choice, this.#options.environment)) {
      const file = await this.#read(place);
      const found = file && (await this.#findIn(file, key));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #findIn(file: AuthFile, key: AuthKey): Promise<Credentials | undefined> {
    const known = helperFor(file, key);
    if (known !== undefined) return this.#ask(known.helper, known.server);
    for (const entry of entriesFor(file, key)) {
      const where = `the "auth" field of a credential entry ${JSON.stringify(entry.key)} in ${JSON.stringify(file.path)}`;
      const found = within(`decoding ${where}`, () => this.#credentialsIn(entry));
      if (found === "malformed") this.#warnOnce(`Error parsing ${where}, missing semicolon`);
      else if (found !== undefined) return found;
    }
    return file.store === undefined ? undefined : this.#askStore(file.store, file, key);
  }

  /** All who come by one entry share what is in it: see IdentityToken. */
  #credentialsIn(entry: AuthEntry): StoredCredentials {
    const found = this.#entries.has(entry) ? this.#entries.get(entry) : credentialsIn(entry);
    this.#entries.set(entry, found);
    return found;
  }

  /**
   * Asks the helper that Docker would ask. The original does not, so that files which name one that is
   * not there have always worked: its failures are told, and no more.
   */
  async #askStore(
    store: string,
    { path }: AuthFile,
    { host }: AuthKey,
  ): Promise<Credentials | undefined> {
    const server = normalHost(host) === normalHost(dockerServer) ? dockerServer : host;
    try {
      return await this.#ask(store, server);
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== "config") throw failure;
      this.#warnOnce(
        `Going on without the "credsStore" of ${JSON.stringify(path)}: ${failure.message}`,
      );
      return undefined;
    }
  }

  #read(place: AuthFilePlace): Promise<AuthFile | undefined> {
    const reading = this.#files.get(place.path) ?? readAuthFile(place);
    this.#files.set(place.path, reading);
    return reading;
  }

  #ask(name: string, server: string): Promise<Credentials | undefined> {
    const question = `${name}\n${server}`;
    const asking = this.#answers.get(question) ?? this.#answerOf(name, server);
    this.#answers.set(question, asking);
    return asking;
  }

  async #answerOf(name: string, server: string): Promise<Credentials | undefined> {
    const { log } = this.#options;
    const helper = new CredentialHelper(name, helperOptions(this.#options));
    log.debug(`Asking docker-credential-${name} about ${server}`);
    return helper.credentialsFor(server);
  }

  async #checkRuntimeDirectory(choice: AuthFileChoice): Promise<void> {
    const directory = namedRuntimeDirectory(choice, this.#options.environment);
    if (directory === undefined || exists(directory)) return;
    this.#warnOnce(
      `${missingRuntimeDirectory(directory)}: Trying to pull image in the event that it is a public image.`,
    );
  }

  #warnOnce(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#options.log.warn(message);
  }
}

/** Returns the surroundings of helpers. */
export function helperOptions(options: CredentialFinderOptions): HelperOptions {
  const { environment, signal, helperLimitMs: limitMs } = options;
  return { environment, signal, ...(limitMs !== undefined && { limitMs }) };
}

/** Says that there is no such `$XDG_RUNTIME_DIR`. */
export function missingRuntimeDirectory(directory: string): string {
  return `${JSON.stringify(directory)} directory set by $XDG_RUNTIME_DIR does not exist. Either create the directory or unset $XDG_RUNTIME_DIR.: faccessat ${directory}: no such file or directory`;
}

/** Returns one failure that says what all of them say. */
export function together(what: string, failures: readonly Failure[]): Failure {
  const lines = failures.map(({ message }) => `\n\t* ${message}`).join("");
  const hint = failures.find((failure) => failure.hint !== undefined)?.hint;
  return new Failure("config", `${what}:${lines}`, { hint });
}

function questionOf({ text }: AuthKey, choice: AuthFileChoice): string {
  return choice === "usual" ? text : `${text}\n${choice.format}\n${choice.path}`;
}

function isAbout(question: string, { host }: AuthKey): boolean {
  return normalHost(question.split("\n")[1] ?? "") === normalHost(host);
}

function isSame(one: Credentials, other: Credentials): boolean {
  return JSON.stringify(plain(one)) === JSON.stringify(plain(other));
}

function plain(credentials: Credentials): unknown {
  return credentials.kind === "identity"
    ? { ...credentials, token: credentials.token.value }
    : credentials;
}

function within<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw inContext(what, error);
  }
}
