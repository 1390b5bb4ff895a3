// Pull limits: how many pulls a registry still allows, as Docker Hub tells it.

/**
 * Returns in words how many pulls are left, by the headers of an answer; undefined if they do not say.
 *
 * See https://docs.docker.com/docker-hub/usage/pulls/. Who it is that the registry counts, which
 * it tells as well, is left out: that may be an address.
 */
export function pullLimitIn(headers: Headers): string | undefined {
  const left = allowanceIn(headers, "ratelimit-remaining");
  if (left === undefined) return undefined;
  const whole = allowanceIn(headers, "ratelimit-limit");
  const reset = headers.get("ratelimit-reset") ?? "";
  const seconds = left.windowSeconds ?? whole?.windowSeconds;
  return [
    whole === undefined
      ? `${left.count} pulls are left`
      : `${left.count} of ${whole.count} pulls are left`,
    ...(seconds === undefined ? [] : [`counted over ${spanOf(seconds)}`]),
    // Some send a point in time instead, which our clock need not agree with.
    ...(/^\d{1,7}$/.test(reset) ? [`anew in ${spanOf(Number(reset))}`] : []),
  ].join(", ");
}

/**
 * Returns when what is used up is there again, in milliseconds from now; undefined if something is left,
 * or if the headers do not say.
 */
export function resetMsIn(headers: Headers): number | undefined {
  if (allowanceIn(headers, "ratelimit-remaining")?.count !== 0) return undefined;
  const reset = headers.get("ratelimit-reset") ?? "";
  // Some send a point in time instead, which our clock need not agree with.
  return /^\d{1,7}$/.test(reset) ? Number(reset) * 1000 : undefined;
}

interface Allowance {
  readonly count: number;
  readonly windowSeconds: number | undefined;
}

/** Reads a value such as `76;w=21600`. */
function allowanceIn(headers: Headers, name: string): Allowance | undefined {
  const said = headers.get(name);
  if (said === null) return undefined;
  const [, count, window] = /^(\d{1,9})(?:;w=(\d{1,9}))?$/.exec(said) ?? [];
  if (count === undefined) return undefined;
  return {
    count: Number(count),
    windowSeconds: window === undefined ? undefined : Number(window),
  };
}

function spanOf(seconds: number): string {
  if (seconds >= 3600 && seconds % 3600 === 0) return `${seconds / 3600} h`;
  if (seconds >= 60 && seconds % 60 === 0) return `${seconds / 60} min`;
  return `${seconds} s`;
}
