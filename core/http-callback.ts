// HTTP callback: one visit of a browser on this machine.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { Failure } from "./failure.ts";

/** Where a browser is to come back to. Disposing ends the listening. */
export interface Callback extends AsyncDisposable {
  readonly address: string;
  /** Returns the query that the browser came with. Fails when `signal` aborts. */
  wait(signal: AbortSignal): Promise<URLSearchParams>;
}

const path = "/auth/callback";

/** Listens on loopback, on a port that is free. */
export async function listenForCallback(): Promise<Callback> {
  const visit = Promise.withResolvers<URLSearchParams>();
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? "", "http://localhost");
    const expected = request.method === "GET" && url?.pathname === path;
    response.writeHead(expected ? 200 : 404, { "Content-Type": "text/plain", Connection: "close" });
    response.end(expected ? "You may close this page and go back to the terminal.\n" : "");
    if (expected) visit.resolve(url.searchParams);
  });
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://localhost:${port}${path}`,
    async wait(signal) {
      signal.throwIfAborted();
      const aborted = Promise.withResolvers<never>();
      const abort = () => aborted.reject(new Failure("canceled", "canceled"));
      signal.addEventListener("abort", abort, { once: true });
      try {
        return await Promise.race([visit.promise, aborted.promise]);
      } finally {
        signal.removeEventListener("abort", abort);
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
