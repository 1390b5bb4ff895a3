// Exchange: one request and its answer, before anybody watches over them.

/** What is sent, when everything about it is settled. */
export interface RawRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array> | undefined;
  /** Of the body, in bytes; absent if it is not known before. */
  readonly size?: number | undefined;
  readonly signal: AbortSignal;
}

/** What came back: the header, and a body that has not begun to be read. */
export interface RawResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  /** Absent where the answer has no body. */
  readonly bytes: AsyncIterable<Uint8Array> | undefined;
}
