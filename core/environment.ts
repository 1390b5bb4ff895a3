// Environment: what the machine and the user's session say, as data handed in.

/** What the program was started in. Whoever reads it is given it, so that tests can repeat a run. */
export interface Environment {
  /** The environment variables. Set-but-empty is not the same as unset. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** The user's home directory; empty if there is none. */
  readonly home: string;
  /** 0 for root. */
  readonly userId: number;
  /** The machine, in the names of the Go toolchain. */
  readonly os: string;
  readonly architecture: string;
}
