// Turns: several speak at once, and are heard one after another.

/** One of those who speak. */
export interface Speaker<E> {
  /** Passes an event on, now or later. Returns what the hearer does, if it is heard now. */
  say(event: E): unknown;
  /** Nothing more will be said by it. */
  end(): void;
  /** Nothing of what those behind it say will be heard. */
  fail(): void;
}

/**
 * Returns one event that says as much as two, if there is one. Otherwise `before` says that a later one
 * may still be merged with what stands before the earlier one, and `apart` that it may not.
 */
export type Merge<E> = (earlier: E, later: E) => E | "before" | "apart";

/**
 * Passes on what speakers say, in the order of the speakers: what one says while those before it have not
 * ended waits.
 */
export class Turns<E> {
  readonly #hear: (event: E) => unknown;
  readonly #merge: Merge<E>;
  readonly #held = new Map<number, E[]>();
  readonly #ended = new Set<number>();
  #turn = 0;
  #last = Infinity;

  /** What waits is merged where that can be, so that it does not grow with what is moved. */
  constructor(hear: (event: E) => unknown, merge: Merge<E> = () => "apart") {
    this.#hear = hear;
    this.#merge = merge;
  }

  /** Returns the speaker with this number. They are counted from zero, and none may be left out. */
  speaker(number: number): Speaker<E> {
    return {
      say: (event) => {
        if (number === this.#turn) return this.#hear(event);
        const held = this.#held.get(number) ?? [];
        this.#hold(held, event);
        this.#held.set(number, held);
        return undefined;
      },
      end: () => {
        this.#ended.add(number);
        this.#advance();
      },
      fail: () => {
        this.#last = Math.min(this.#last, number);
      },
    };
  }

  #hold(held: E[], event: E): void {
    for (let at = held.length - 1; at >= 0; at--) {
      const merged = this.#merge(held[at] as E, event);
      if (merged === "apart") break;
      if (merged === "before") continue;
      held[at] = merged;
      return;
    }
    held.push(event);
  }

  #advance(): void {
    while (this.#turn < this.#last && this.#ended.delete(this.#turn)) {
      this.#turn++;
      for (const event of this.#held.get(this.#turn) ?? []) this.#hear(event);
      this.#held.delete(this.#turn);
    }
  }
}
