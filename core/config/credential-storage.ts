// Credential storage: keeping what a user logged in with, and forgetting it.

import { asFailure, during, Failure } from "../failure.ts";
import { type AuthMember, type AuthMembers, changeAuthFile } from "./auth-file-change.ts";
import {
  type AuthFileChoice,
  type AuthFilePlace,
  namedRuntimeDirectory,
  ownAuthFile,
} from "./auth-file-places.ts";
import { type AuthFile, readAuthFile } from "./auth-file.ts";
import { type AuthKey, checkedKey, dockerServer } from "./auth-key.ts";
import { exists } from "./config-file.ts";
import { CredentialHelper } from "./credential-helper.ts";
import {
  type CredentialFinderOptions,
  filesHelper,
  helperOptions,
  missingRuntimeDirectory,
  together,
} from "./credentials.ts";

/** A name and a password that a registry takes. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/**
 * Keeps logins and forgets them, in the file of `choice` and in helpers, as they are configured.
 *
 * All that it does fails with `config` if a file cannot be understood or a helper fails, and with `io`.
 */
export class CredentialStorage {
  readonly #options: CredentialFinderOptions;
  readonly #choice: AuthFileChoice;
  readonly #place: AuthFilePlace;

  constructor(choice: AuthFileChoice, options: CredentialFinderOptions) {
    this.#options = options;
    this.#choice = choice;
    this.#place = ownAuthFile(choice, options.environment);
  }

  /** Keeps a login in the first place that takes it, and returns the name of that place. */
  async store(key: AuthKey, login: Login): Promise<string> {
    checkedKey(key.text);
    const failures: Failure[] = [];
    for (const name of await this.#options.helpers()) {
      try {
        return name === filesHelper
          ? await this.#storeInFile(key, login)
          : await this.#storeInHelper(name, key, login);
      } catch (error) {
        failures.push(asFailure(error));
      }
    }
    throw oneOf("Errors storing credentials", failures);
  }

  /** Forgets the login that is kept for exactly this key, and tells whether there was one. */
  async remove(key: AuthKey): Promise<boolean> {
    checkedKey(key.text);
    let removed = false;
    await this.#atEach("errors removing credentials", async (name) => {
      if (name === filesHelper) {
        if (await this.#removeFromFile(key)) removed = true;
      } else if (key.text === key.host) {
        await this.#eraseFrom(name, key.host);
        removed = true;
      }
    });
    return removed;
  }

  /** Forgets all logins. */
  async removeAll(): Promise<void> {
    await this.#atEach("errors removing all credentials", async (name) => {
      if (name === filesHelper) return this.#removeAllFromFile();
      for (const server of await this.#helper(name).servers()) await this.#eraseFrom(name, server);
    });
  }

  async #storeInFile(key: AuthKey, { username, password }: Login): Promise<string> {
    const runtime = namedRuntimeDirectory(this.#choice, this.#options.environment);
    if (runtime !== undefined && !exists(runtime)) {
      throw new Failure("io", missingRuntimeDirectory(runtime));
    }
    const entry = this.#entryKey(key);
    return this.#updating(async (file) => {
      const helper = file?.helpers.get(key.text);
      if (helper !== undefined) return this.#storeInHelper(helper, key, { username, password });
      const auth = Buffer.from(`${username}:${password}`).toString("base64");
      await this.#change(({ auths, credHelpers }) => ({
        auths: { ...auths, [entry]: { auth } },
        credHelpers,
      }));
      return this.#place.path;
    });
  }

  async #storeInHelper(name: string, key: AuthKey, login: Login): Promise<string> {
    if (key.text !== key.host) {
      throw new Failure("config", `namespaced key is not supported for credential helper ${name}`);
    }
    await this.#helper(name).store({ server: key.host, ...login });
    return `credential helper: ${name}`;
  }

  async #removeFromFile(key: AuthKey): Promise<boolean> {
    const entry = this.#entryKey(key);
    return this.#updating(async (file) => {
      if (file === undefined) return false;
      const helper = file.helpers.get(key.text);
      if (helper !== undefined) await this.#eraseFrom(helper, key.text);
      let removed = helper !== undefined;
      await this.#change(({ auths, credHelpers }) => {
        if (!Object.hasOwn(auths, entry)) return undefined;
        removed = true;
        return { auths: without(auths, entry), credHelpers };
      });
      return removed;
    });
  }

  async #removeAllFromFile(): Promise<void> {
    await this.#updating(async (file) => {
      for (const [server, name] of file?.helpers ?? []) await this.#eraseFrom(name, server);
      // Which helper Docker is to use is for Docker's users to say.
      const keepsHelpers = this.#place.format === "docker";
      await this.#change(({ credHelpers }) => ({
        auths: {},
        credHelpers: keepsHelpers ? credHelpers : {},
      }));
    });
  }

  async #eraseFrom(name: string, server: string): Promise<void> {
    await during(`removing credentials for ${server} from credential helper ${name}`, () =>
      this.#helper(name).erase(server),
    );
  }

  /** Docker knows its own registry by a URL, and no parts of registries. */
  #entryKey({ text, host }: AuthKey): string {
    if (this.#place.format !== "docker") return text;
    if (text !== host) {
      throw new Failure(
        "usage",
        `Credentials cannot be recorded in Docker-compatible format with namespaced key ${JSON.stringify(text)}`,
      );
    }
    return host === "docker.io" ? dockerServer : host;
  }

  #updating<T>(work: (file: AuthFile | undefined) => Promise<T>): Promise<T> {
    return during(`updating ${JSON.stringify(this.#place.path)}`, async () =>
      work(await readAuthFile(this.#place)),
    );
  }

  #change(change: (members: AuthMembers) => AuthMembers | undefined): Promise<void> {
    return changeAuthFile(this.#place, change, this.#options.signal);
  }

  #helper(name: string): CredentialHelper {
    return new CredentialHelper(name, helperOptions(this.#options));
  }

  async #atEach(what: string, work: (name: string) => Promise<void>): Promise<void> {
    const failures: Failure[] = [];
    for (const name of await this.#options.helpers()) {
      await work(name).catch((error: unknown) => failures.push(asFailure(error)));
    }
    if (failures.length > 0) throw oneOf(what, failures);
  }
}

function oneOf(what: string, failures: readonly Failure[]): Failure {
  const [only] = failures;
  return only !== undefined && failures.length === 1 ? only : together(what, failures);
}

function without(member: AuthMember, key: string): AuthMember {
  return Object.fromEntries(Object.entries(member).filter(([name]) => name !== key));
}
