// CredentialHelper: programs that keep credentials for others, spoken to by Docker's protocol.
//
// See https://github.com/docker/docker-credential-helpers#development

import { isAbsolute } from "node:path";

import { collect } from "../blob/collect.ts";
import type { Environment } from "../environment.ts";
import { asFailure, Failure } from "../failure.ts";
import { type Credentials, IdentityToken } from "../image/registry-access.ts";
import { isJsonObject, type Json, memberOf, parseForeignJson } from "../json.ts";
import { limits } from "../limits.ts";

/** In what surroundings helpers run, and how long they may take. */
export interface HelperOptions {
  readonly environment: Environment;
  readonly signal: AbortSignal;
  /** Absent: `limits.helperMs`. */
  readonly limitMs?: number;
}

/** What a helper keeps for one server. */
export interface HelperEntry {
  readonly server: string;
  readonly username: string;
  readonly password: string;
}

/**
 * One `docker-credential-NAME`.
 *
 * All that is asked of it fails with `config` if there is no such program, or if it fails, hangs or
 * answers nonsense. What it printed is never shown: it may be a secret.
 */
export class CredentialHelper {
  readonly name: string;
  readonly #options: HelperOptions;

  /** Fails with `config` if `name` could lead to anything but a program of that name. */
  constructor(name: string, options: HelperOptions) {
    if (!/^[A-Za-z0-9._-]+$/.test(name)) {
      throw new Failure("config", `${JSON.stringify(name)} is no name of a credential helper`);
    }
    this.name = name;
    this.#options = options;
  }

  /** Returns the credentials for a server, or undefined if it has none. */
  async credentialsFor(server: string): Promise<Credentials | undefined> {
    const what = "getting";
    const { exitCode, output } = await this.#run("get", what, checkedServer(server));
    if (exitCode !== 0 && output.trim() === noneFound) return undefined;
    this.#expectSuccess(what, exitCode);
    const answer = this.#parse(what, output);
    const username = textIn(answer, "Username");
    const secret = textIn(answer, "Secret");
    if (username === "" && secret === "") return undefined;
    if (username !== tokenMark) return { kind: "basic", username, password: secret };
    return { kind: "identity", token: new IdentityToken(secret), username: "", password: "" };
  }

  /** Has credentials kept. */
  async store({ server, username, password }: HelperEntry): Promise<void> {
    const entry = { ServerURL: checkedServer(server), Username: username, Secret: password };
    const { exitCode } = await this.#run("store", "storing", JSON.stringify(entry));
    this.#expectSuccess("storing", exitCode);
  }

  /** Has the credentials for a server forgotten. */
  async erase(server: string): Promise<void> {
    const { exitCode } = await this.#run("erase", "erasing", checkedServer(server));
    this.#expectSuccess("erasing", exitCode);
  }

  /** Returns the servers that it has credentials for. */
  async servers(): Promise<readonly string[]> {
    const { exitCode, output } = await this.#run("list", "listing", "");
    this.#expectSuccess("listing", exitCode);
    return Object.keys(this.#parse("listing", output));
  }

  async #run(verb: string, what: string, input: string): Promise<Answer> {
    const program = `docker-credential-${this.name}`;
    const { environment, signal, limitMs = limits.helperMs } = this.#options;
    signal.throwIfAborted();
    const path = Bun.which(program, { PATH: searchPath(environment) });
    if (path === null) {
      const reason = `exec: ${JSON.stringify(program)}: executable file not found in $PATH`;
      throw this.#failed(what, reason, `install ${program}, or take it out of the configuration`);
    }
    const timeout = AbortSignal.timeout(limitMs);
    const child = Bun.spawn([path, verb], {
      env: { ...environment.variables },
      stdin: new TextEncoder().encode(input),
      stdout: "pipe",
      stderr: "ignore",
    });
    try {
      return await unless(AbortSignal.any([signal, timeout]), answerOf(child));
    } catch (error) {
      signal.throwIfAborted();
      if (timeout.aborted) throw this.#failed(what, `no answer within ${limitMs / 1000} s`);
      throw this.#failed(what, asFailure(error).message);
    } finally {
      child.kill("SIGKILL");
    }
  }

  #expectSuccess(what: string, exitCode: number): void {
    if (exitCode === 0) return;
    throw this.#failed(
      what,
      `exit status ${exitCode}`,
      `what it says is not shown, because it may be a secret: run docker-credential-${this.name} yourself`,
    );
  }

  #parse(what: string, output: string): Readonly<Record<string, Json>> {
    try {
      const answer = parseForeignJson(output);
      if (isJsonObject(answer)) return answer;
    } catch (error) {
      // Its message may quote the text.
      if (!(error instanceof Failure)) throw error;
    }
    throw this.#failed(what, "its answer is no JSON object");
  }

  #failed(what: string, reason: string, hint?: string): Failure {
    const message = `error ${what} credentials - err: ${reason}`;
    const named = message.includes(this.name)
      ? message
      : `${message} (docker-credential-${this.name})`;
    return new Failure("config", named, { hint });
  }
}

interface Answer {
  readonly exitCode: number;
  readonly output: string;
}

/** What a helper says, by the protocol, when it has no credentials. */
const noneFound = "credentials not found in native keychain";

/** Stands for a user name where the secret is an identity token. */
const tokenMark = "<token>";

/** Whatever else stands in a line of its own would be another question. */
function checkedServer(server: string): string {
  if (/^[^\u0000-\u001f\u007f]+$/.test(server)) return server;
  throw new Failure("config", `${JSON.stringify(server)} is no server to ask a helper about`);
}

/** The current directory, which may be anybody's, is no place to find programs in. */
function searchPath({ variables }: Environment): string {
  const directories = (variables["PATH"] ?? "").split(":");
  return directories.filter((directory) => isAbsolute(directory)).join(":");
}

async function answerOf(child: Bun.Subprocess<Uint8Array, "pipe", "ignore">): Promise<Answer> {
  const output = await collect(child.stdout, limits.helperOutputBytes);
  const exitCode = await child.exited;
  return { exitCode, output: new TextDecoder().decode(output) };
}

/** A helper's own children may keep its output open after it was killed: nobody waits for them. */
async function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
    // Whatever comes of it later has been given up.
    void Promise.allSettled([work]);
  }
}

function textIn(answer: Readonly<Record<string, Json>>, name: string): string {
  const value = memberOf(answer, name);
  return typeof value === "string" ? value : "";
}
