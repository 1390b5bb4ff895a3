// TagLists: the tags of many repositories, asked for several at a time and once each.

import { Slots } from "../concurrency.ts";

/** Lists tags ahead of those who will want them. */
export class TagLists {
  readonly #slots: Slots;
  readonly #lists = new Map<string, Promise<readonly string[]>>();

  /** At most `limit` repositories are asked at a time. */
  constructor(limit: number) {
    this.#slots = new Slots(limit);
  }

  /** Returns the tags of a repository, which `list` asks for if nobody has. Fails as that did. */
  of(repository: string, list: () => Promise<readonly string[]>): Promise<readonly string[]> {
    const known = this.#lists.get(repository) ?? this.#slots.run(list);
    this.#lists.set(repository, known);
    // Nobody may come for it; whoever does hears of the failure.
    void Promise.allSettled([known]);
    return known;
  }
}
