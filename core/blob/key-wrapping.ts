// Key wrapping: how the key of an encrypted layer travels to whom it is for.

/** Wraps messages for all recipients of one kind. */
export interface KeyWrapping {
  /** As annotations spell it, such as `jwe`. */
  readonly scheme: string;
  /** Returns what only the recipients can open. */
  wrap(message: Uint8Array): Promise<Uint8Array>;
}

/** Opens what was wrapped, with a private key. */
export interface KeyOpening {
  readonly scheme: string;
  /** Returns for how many a message is, without a computation; 0 where it is none. */
  recipientsOf(wrapped: Uint8Array): Promise<number>;
  /** Returns the message, or undefined if it is not for this key. */
  open(wrapped: Uint8Array): Promise<Uint8Array | undefined>;
}
