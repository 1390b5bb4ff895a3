// GnuPG home: a keyring of a test, and the agent that goes with it.

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunOptions, type RunResult, succeed } from "./run.ts";

/** How a key is to be made. */
export interface GpgKeyWish {
  readonly algorithm: string;
  /** That of a subkey for signing; the primary key only certifies then. */
  readonly subkey?: string;
  /** Of all of them; absent: none. */
  readonly passphrase?: string;
  /** As gpg takes it, such as `1d`; absent: never. */
  readonly expires?: string;
}

/** A directory that is gpg's home, for one version of gpg. Dispose it, so that the agent ends. */
export class GpgHome implements AsyncDisposable {
  readonly path: string;
  readonly #program: string;
  #users = 0;

  /** `program` is gpg itself, or something that runs it. */
  constructor(path: string, program = "gpg") {
    this.path = path;
    this.#program = program;
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o700);
    writeFileSync(join(path, "gpg-agent.conf"), "allow-loopback-pinentry\n");
  }

  /** What programs that sign are to find in their environment. */
  get env(): Readonly<Record<string, string>> {
    return { GNUPGHOME: this.path };
  }

  /** Makes a key, and returns the fingerprint of the primary key. */
  async generate(wish: GpgKeyWish): Promise<string> {
    const { algorithm, subkey, passphrase = "", expires = "never" } = wish;
    const user = `user${++this.#users}@test.example`;
    const quietly = ["--pinentry-mode", "loopback", "--passphrase", passphrase];
    const usage = subkey === undefined ? "sign" : "cert";
    await this.run([...quietly, "--quick-gen-key", user, algorithm, usage, expires]);
    const { stdout } = await this.run(["--list-keys", "--with-colons", user]);
    const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(stdout)?.[1] ?? "";
    if (subkey !== undefined) {
      await this.run([...quietly, "--quick-add-key", fingerprint, subkey, "sign", expires]);
    }
    return fingerprint;
  }

  /** Writes the public halves of keys into a file; absent: of all. */
  async exportTo(file: string, ...keys: readonly string[]): Promise<void> {
    await this.run(["--yes", "--armor", "--output", file, "--export", ...keys]);
  }

  /** Lets another home have all keys, secret and public. */
  async shareWith(other: GpgHome): Promise<void> {
    const file = join(other.path, "shared-keys");
    const quietly = ["--pinentry-mode", "loopback", "--passphrase", ""];
    await this.run([...quietly, "--yes", "--output", file, "--export-secret-keys"]);
    await other.run([...quietly, "--import", file]);
  }

  /** Signs a file into another; `manner` is what gpg is told beyond the key. */
  async sign(from: string, to: string, key: string, ...manner: readonly string[]): Promise<void> {
    const files = ["--yes", "--output", to, "--sign", from];
    await this.run(["--local-user", key, ...manner, ...files]);
  }

  run(args: readonly string[], options: Partial<RunOptions> = {}): Promise<RunResult> {
    return succeed(["--batch", "--no-tty", ...args], {
      cwd: this.path,
      program: this.#program,
      env: this.env,
      ...options,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The agent notices by itself that its home is gone; this is only quicker.
    await succeed(["--kill", "gpg-agent"], {
      cwd: this.path,
      program: this.#program.endsWith("gpg") ? `${this.#program}conf` : "gpgconf",
      env: this.env,
    }).catch(() => undefined);
  }
}
