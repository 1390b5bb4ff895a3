// Turns: several speak at once, and are heard one after another.

/** One of those who speak. */
export interface Speaker<E> {
  say(event: E): void;
  /** Nothing more will be said by it. */
  end(): void;
}

/**
 * Passes on what speakers say, in the order of the speakers: what one says while those before it have not
 * ended waits.
 */
export class Turns<E> {
  readonly #hear: (event: E) => void;
  readonly #held = new Map<number, E[]>();
  readonly #ended = new Set<number>();
  #turn = 0;

  constructor(hear: (event: E) => void) {
    this.#hear = hear;
  }

  /** Returns the speaker with this number. They are counted from zero, and none may be left out. */
  speaker(number: number): Speaker<E> {
    return {
      say: (event) => {
        if (number === this.#turn) return this.#hear(event);
        const held = this.#held.get(number) ?? [];
        held.push(event);
        this.#held.set(number, held);
      },
      end: () => {
        this.#ended.add(number);
        this.#advance();
      },
    };
  }

  #advance(): void {
    while (this.#ended.delete(this.#turn)) {
      this.#turn++;
      for (const event of this.#held.get(this.#turn) ?? []) this.#hear(event);
      this.#held.delete(this.#turn);
    }
  }
}
