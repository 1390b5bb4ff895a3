// Endless registry: serves and takes one huge layer without holding it, to see who does.

import type { BigLayer } from "./big-layer.ts";
import { type SampleImage, imageOf, mediaTypes, sampleConfig } from "./sample-images.ts";

/** A registry with one image under every name; what is pushed is hashed and forgotten. */
export interface EndlessRegistry extends AsyncDisposable {
  /** As the command line wants it. */
  readonly image: string;
  /** What the image consists of, but for the bytes of its layer. */
  readonly sample: SampleImage;
  /** Digest and size of each blob that was pushed. */
  readonly received: ReadonlyMap<string, number>;
}

/** Starts the registry on loopback. */
export function startEndlessRegistry(layer: BigLayer): EndlessRegistry {
  const config = sampleConfig("oci", [layer.diffId]);
  const mediaType = mediaTypes.oci.gzip;
  const sample = imageOf(
    "oci",
    config,
    [{ mediaType, digest: layer.digest, size: layer.size, bytes: new Uint8Array() }],
    [layer.diffId],
  );
  const received = new Map<string, number>();
  const sessions = new Map<string, { readonly digest: string; readonly size: number }>();

  const answer = async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url);
    if (request.method === "GET") {
      if (pathname === "/v2/") return new Response("{}");
      if (pathname.includes("/manifests/")) {
        const headers = { "content-type": sample.manifest.mediaType };
        return new Response(Buffer.from(sample.manifest.bytes), { headers });
      }
      if (pathname.endsWith(config.digest)) return new Response(Buffer.from(config.bytes));
      return new Response(streamOf(layer), { headers: { "content-length": String(layer.size) } });
    }
    const location = "/v2/a/b/blobs/uploads/one";
    switch (request.method) {
      case "POST":
        return new Response(null, {
          status: 202,
          headers: { location: `${location}${sessions.size}` },
        });
      case "PATCH":
        sessions.set(pathname, await hashed(request));
        return new Response(null, { status: 202, headers: { location: pathname } });
      case "PUT": {
        const body = await hashed(request);
        const { digest, size } = sessions.get(pathname) ?? body;
        if (!pathname.includes("/manifests/")) received.set(digest, size);
        const wanted = searchParams.get("digest") ?? digest;
        return new Response(null, { status: wanted === digest ? 201 : 400 });
      }
      default:
        return new Response(null, { status: 404 });
    }
  };

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: answer,
  });
  return {
    image: `docker://127.0.0.1:${server.port}/a/b:1`,
    sample,
    received,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

async function hashed(request: Request): Promise<{ digest: string; size: number }> {
  const hasher = new Bun.CryptoHasher("sha256");
  let size = 0;
  for await (const chunk of request.body ?? []) {
    hasher.update(chunk);
    size += chunk.length;
  }
  return { digest: `sha256:${hasher.digest("hex")}`, size };
}

function streamOf(layer: BigLayer): ReadableStream<Uint8Array> {
  const chunks = layer.read();
  return new ReadableStream({
    pull(controller) {
      const { done, value } = chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
  });
}
