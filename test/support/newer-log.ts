// Newer log: a transparency log that answers as Rekor does in its second version, on loopback.

import type { TestLog } from "./test-log.ts";

/** What a signer sends. */
interface RecordRequest {
  readonly hashedRekordRequestV002: {
    readonly digest: string;
    readonly signature: {
      readonly content: string;
      readonly verifier: Readonly<Record<string, unknown>>;
    };
  };
}

/** Serves a log: it takes entries, and proves at once that it has them. */
export function serveLog(log: TestLog): AsyncDisposable & { readonly origin: string } {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname !== "/api/v2/log/entries") return new Response("not here", { status: 404 });
      const { hashedRekordRequestV002 } = (await request.json()) as RecordRequest;
      const { digest, signature } = hashedRekordRequestV002;
      const { content, verifier } = signature;
      const spec = {
        hashedRekordV002: {
          data: { algorithm: "SHA2_256", digest },
          signature: { content, verifier: sorted(verifier) },
        },
      };
      const kind = { apiVersion: "0.0.2", kind: "hashedrekord" };
      const body = Buffer.from(JSON.stringify({ ...kind, spec }));
      const index = log.add(body);
      const entry = {
        logIndex: String(index),
        logId: { keyId: log.id.toString("base64") },
        kindVersion: { kind: kind.kind, version: kind.apiVersion },
        inclusionProof: log.prove(index),
        canonicalizedBody: body.toString("base64"),
      };
      return Response.json(entry, { status: 201 });
    },
  });
  return { origin: server.url.origin, [Symbol.asyncDispose]: () => server.stop(true) };
}

/** Readers write the entry anew, with its members sorted, and hash that. */
function sorted(value: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
