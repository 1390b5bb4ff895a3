// Brought: what a layer has brought by now, where it has to be told from what was there before.

/** Paths that a layer has brought, and what leads there. */
export class Brought {
  readonly #paths = new Set<string>();
  readonly #above = new Set<string>();

  /** Notes a path that the layer has something at. */
  add(path: string): void {
    this.#paths.add(path);
    for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
      const directory = path.slice(0, cut);
      if (this.#above.has(directory)) return;
      this.#above.add(directory);
    }
  }

  /** Tells whether something was brought to a path itself. */
  has(path: string): boolean {
    return this.#paths.has(path);
  }

  /** Tells whether anything was brought to a path, or to one below. */
  holds(path: string): boolean {
    return this.#paths.has(path) || this.#above.has(path);
  }
}
