// Lingering: a signal that follows another one a little later.

/** A signal that aborts some time after another one. Disposing lets go of that one. */
export interface LingeringSignal extends Disposable {
  readonly signal: AbortSignal;
}

/** Returns a signal that aborts `delayMs` after `first`: time enough to clean up behind it. */
export function lingering(first: AbortSignal, delayMs: number): LingeringSignal {
  const late = new AbortController();
  let timer: Timer | undefined;
  const follow = () => {
    timer = setTimeout(() => late.abort(first.reason), delayMs);
  };
  if (first.aborted) follow();
  else first.addEventListener("abort", follow, { once: true });
  return {
    signal: late.signal,
    [Symbol.dispose]() {
      first.removeEventListener("abort", follow);
      clearTimeout(timer);
    },
  };
}
