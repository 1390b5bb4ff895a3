import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { probeSuite } from "../../support/probe-suite.ts";
import { startRegistry } from "../../support/registry-server.ts";
import { sampleImage } from "../../support/sample-images.ts";

const layer = new TextEncoder().encode("a layer");
const wanted = { mediaType: "x", digest: digestOf(layer), size: layer.length };

probeSuite(
  "docker",
  async () => {
    const registry = startRegistry();
    return {
      transport: docker,
      context: dockerContext(),
      textOf: (name) => `//${registry.host}/probe/${name}:1`,
      tree: () => {
        const { blobs, manifests, uploads } = registry.repository("probe/a");
        return [...blobs.keys(), ...manifests.keys(), ...uploads.keys()];
      },
      [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
    };
  },
  { image: sampleImage({ seed: "probe" }), other: sampleImage({ seed: "other" }) },
);

describe("the probe of a registry", () => {
  test("says that a blob of the source would be mounted, without asking for it", async () => {
    await using registry = startRegistry();
    registry.repository("from/here").addBlob(layer);
    const origin = docker.parseReference(`//${registry.host}/from/here:1`);
    const reference = docker.parseReference(`//${registry.host}/to/there:1`);
    await using probe = await reference.openProbe?.(dockerContext({ origin }));
    expect(await probe?.findBlob(wanted, "layer")).toEqual({
      digest: wanted.digest,
      size: wanted.size,
      by: "mounting",
    });
    expect(registry.requests.map(({ method }) => method)).toEqual(["GET", "HEAD", "HEAD"]);
  });

  test("sends nothing but HEAD, whatever is found", async () => {
    await using registry = startRegistry();
    const origin = docker.parseReference(`//${registry.host}/from/here:1`);
    const reference = docker.parseReference(`//${registry.host}/to/there:1`);
    await using probe = await reference.openProbe?.(dockerContext({ origin }));
    expect(await probe?.findBlob(wanted, "layer")).toBeUndefined();
    registry.repository("to/there").addBlob(layer);
    expect(await probe?.findBlob({ ...wanted, size: 5 }, "layer")).toBeUndefined();
    expect(registry.requests.slice(1).every(({ method }) => method === "HEAD")).toBe(true);
  });

  test("fails where the registry refuses to be asked", async () => {
    await using registry = startRegistry({
      intercept: ({ method }, usual) =>
        method === "HEAD" ? new Response(null, { status: 403 }) : usual(),
    });
    const reference = docker.parseReference(`//${registry.host}/to/there:1`);
    await using probe = await reference.openProbe?.(dockerContext());
    expect(probe?.findBlob(wanted, "layer")).rejects.toMatchObject({ code: "refused" });
  });
});
