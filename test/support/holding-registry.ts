// Holding registry: stops in the middle of a blob and says so, for who wants to interrupt a copy.

import { addSample } from "./push.ts";
import { startRegistry } from "./registry-server.ts";
import type { SampleImage } from "./sample-images.ts";

/** A registry that never finishes, until it is disposed of. */
export interface HoldingRegistry extends AsyncDisposable {
  /** As the command line wants it. */
  readonly image: string;
  /** Settles when a blob has come half-way and stays there. */
  readonly held: Promise<void>;
  /** The requests so far, as `METHOD target`. */
  readonly lines: readonly string[];
}

/** Starts a registry that holds `image`, or is about to, and gets stuck with its largest blobs. */
export function startHoldingRegistry(
  direction: "download" | "upload",
  image: SampleImage,
): HoldingRegistry {
  const held = Promise.withResolvers<void>();
  const registry = startRegistry({
    intercept: async ({ method, target, request }, usual) => {
      const layer = image.layers.find(({ digest }) => target.endsWith(digest));
      if (direction === "download" && method === "GET" && layer !== undefined) {
        return halfOf(layer.bytes, held.resolve);
      }
      if (direction === "upload" && method === "PATCH") {
        await request.body?.getReader().read();
        held.resolve();
        await Promise.withResolvers<never>().promise;
      }
      return await usual();
    },
  });
  if (direction === "download") addSample(registry.repository("a/b"), "1", image);
  return {
    image: `docker://${registry.host}/a/b:1`,
    held: held.promise,
    get lines() {
      return registry.lines;
    },
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

function halfOf(bytes: Uint8Array, stopped: () => void): Response {
  const body = new ReadableStream({
    async pull(controller) {
      controller.enqueue(bytes.subarray(0, bytes.length / 2));
      // Long enough for what was sent to be written somewhere.
      setTimeout(stopped, 100);
      await Promise.withResolvers<never>().promise;
    },
  });
  return new Response(body, { headers: { "content-length": String(bytes.length) } });
}
