// ScriptedServer: expected requests, each with a prepared answer, for handshakes that must go exactly so.

/** One exchange: the request that must come next, and what is answered. */
export interface Exchange {
  /** Method and target, such as `GET /v2/`. */
  readonly request: string;
  /** Headers the request must have; null: must not have. Names in lower case. */
  readonly headers?: Readonly<Record<string, string | RegExp | null>>;
  readonly answer: Response | ((request: Request) => Response | Promise<Response>);
}

/** A running script. Dispose it to end it. */
export interface ScriptedServer extends AsyncDisposable {
  /** Such as `127.0.0.1:4711`. */
  readonly host: string;
  readonly origin: string;
  /** Throws unless exactly the expected requests came, in their order. */
  finish(): void;
}

/**
 * Plays `script` on a free loopback port.
 *
 * A request that does not fit is answered with 418 and remembered for `finish`.
 */
export function startScript(script: readonly Exchange[]): ScriptedServer {
  const faults: string[] = [];
  let next = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: (request) => {
      const exchange = script[next];
      const fault = faultOf(request, exchange);
      if (fault !== undefined || exchange === undefined) {
        faults.push(`request ${next + 1}: ${fault}`);
        return new Response("not in the script", { status: 418 });
      }
      next++;
      const { answer } = exchange;
      return typeof answer === "function" ? answer(request) : answer;
    },
  });
  const host = `127.0.0.1:${server.port}`;
  return {
    host,
    origin: `http://${host}`,
    finish() {
      if (faults.length > 0) throw new Error(`The script was not followed: ${faults.join("; ")}`);
      if (next < script.length) {
        throw new Error(`The script waits for request ${next + 1}: ${script[next]?.request}`);
      }
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

function faultOf(request: Request, exchange: Exchange | undefined): string | undefined {
  const { pathname, search } = new URL(request.url);
  const line = `${request.method} ${pathname}${search}`;
  if (exchange === undefined) return `nothing was expected, but ${line} came`;
  if (line !== exchange.request) return `${exchange.request} was expected, but ${line} came`;
  for (const [name, wanted] of Object.entries(exchange.headers ?? {})) {
    const value = request.headers.get(name);
    const fits = wanted instanceof RegExp ? value !== null && wanted.test(value) : value === wanted;
    if (!fits) return `header ${name} was to be ${wanted}, but is ${value}`;
  }
  return undefined;
}
