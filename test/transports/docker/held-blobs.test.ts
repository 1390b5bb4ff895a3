import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { HeldBlobs } from "../../../transports/docker/held-blobs.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { outgoingBlob } from "../../support/outgoing.ts";
import { startRegistry } from "../../support/registry-server.ts";

const layer = new TextEncoder().encode("a layer of some length");
const digest = digestOf(layer);
const wanted = { mediaType: "application/octet-stream", digest, size: layer.length };

describe("HeldBlobs", () => {
  test("knows where a blob is, until it turns out to be gone", () => {
    const held = new HeldBlobs();
    expect(held.placeOf(digest)).toBeUndefined();
    held.note("a", digest, 7);
    held.note("b", digest, 7);
    expect([held.sizeIn("a", digest), held.sizeIn("c", digest)]).toEqual([7, undefined]);
    expect(held.placeOf(digest)).toBe("a");
    held.forget("a", digest);
    expect(held.sizeIn("a", digest)).toBeUndefined();
    expect(held.placeOf(digest)).toBe("b");
  });

  test("lets one work on a blob in a repository at a time, also after a failure", async () => {
    const held = new HeldBlobs();
    const order: string[] = [];
    const work = (name: string, fails = false) =>
      held.alone("a", digest, async () => {
        order.push(`${name} begins`);
        await Bun.sleep(1);
        order.push(`${name} ends`);
        if (fails) throw new Error(name);
      });
    await Promise.allSettled([work("one", true), work("two"), work("three")]);
    expect(order).toEqual(["one", "two", "three"].flatMap((n) => [`${n} begins`, `${n} ends`]));
  });
});

describe("what one destination has put is not looked for by the next", () => {
  test("in the same repository", async () => {
    await using registry = startRegistry();
    const context = dockerContext({ shared: [] });
    const reference = docker.parseReference(`//${registry.host}/a:1`);
    await using one = await reference.openDestination(context);
    await one.putBlob(await outgoingBlob(layer), "layer");
    registry.forget();
    await using two = await reference.openDestination(context);
    expect(await two.reuseBlob(wanted, "layer")).toMatchObject({ by: "presence" });
    expect(registry.lines).toEqual([]);
  });

  test("in another repository, where it is mounted unseen", async () => {
    await using registry = startRegistry();
    const context = dockerContext({ shared: [] });
    const at = (name: string) => docker.parseReference(`//${registry.host}/${name}:1`);
    await using one = await at("a").openDestination(context);
    await one.putBlob(await outgoingBlob(layer), "layer");
    registry.forget();
    await using two = await at("b").openDestination(context);
    expect(await two.reuseBlob(wanted, "layer")).toMatchObject({ by: "mounting" });
    expect(registry.lines).toEqual([
      `POST /v2/b/blobs/uploads/?from=a&mount=${digest.replace(":", "%3A")}`,
    ]);
  });

  test("and sent after all where the registry does not mount it", async () => {
    await using registry = startRegistry({ mounts: false });
    const context = dockerContext({ shared: [] });
    const at = (name: string) => docker.parseReference(`//${registry.host}/${name}:1`);
    await using one = await at("a").openDestination(context);
    await one.putBlob(await outgoingBlob(layer), "layer");
    await using two = await at("b").openDestination(context);
    expect(await two.reuseBlob(wanted, "layer")).toBeUndefined();
    expect(await two.putBlob(await outgoingBlob(layer), "layer")).toMatchObject({ by: "sending" });
    expect(registry.repository("b").blobs.has(digest)).toBe(true);
    expect(registry.repository("b").uploads.size).toBe(0);
  });
});
