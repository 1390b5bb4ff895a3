// Pull sources: which place is taken, and what is told of those that were not.

import { describe, expect, test } from "bun:test";

import { fullName, parseDockerName } from "../../../core/content/docker-name.ts";
import { Failure } from "../../../core/failure.ts";
import type { RegistryConnection } from "../../../core/image/registry-access.ts";
import { openFirst } from "../../../transports/docker/pull-sources.ts";
import { connect } from "../../../transports/docker/connection.ts";
import { openSource } from "../../../transports/docker/source.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { rejection } from "../../support/rejection.ts";
import { startRegistry } from "../../support/registry-server.ts";

const name = parseDockerName("r.example/a:1");

function contextFor(places: readonly string[], signal?: AbortSignal) {
  const heard: string[] = [];
  const context = dockerContext({
    log: (line) => heard.push(line),
    ...(signal === undefined ? {} : { signal }),
  });
  const { docker } = context.settings;
  const pullSources = async () =>
    places.map((place) => ({
      name: parseDockerName(place),
      connection: async (): Promise<RegistryConnection> => ({
        insecure: true,
        tls: { verify: false, authorities: [] },
        credentials: { kind: "basic", username: place, password: "p" },
      }),
    }));
  const access = { ...docker.access, pullSources };
  const settings = { ...context.settings, docker: { ...docker, access } };
  return { heard, context: { ...context, settings } };
}

describe("openFirst", () => {
  test("takes the first place that works, and asks no other", async () => {
    const { context, heard } = contextFor(["one.example/a:1", "two.example/a:1", "r.example/a:1"]);
    const tried: string[] = [];
    const opened = await openFirst(name, context, async ({ name: place }) => {
      tried.push(fullName(place));
      if (tried.length === 1) throw new Failure("unavailable", "asleep");
      return place.host;
    });
    expect(opened).toBe("two.example");
    expect(tried).toEqual(["one.example/a:1", "two.example/a:1"]);
    expect(heard).toEqual([
      'debug: Trying to access "one.example/a:1"',
      'debug: Accessing "one.example/a:1" failed: asleep',
      'debug: Trying to access "two.example/a:1"',
    ]);
  });

  test("leads each place's client to that place, as who is known there", async () => {
    const { context } = contextFor(["one.example/a:1"]);
    const shown = await openFirst(name, context, async ({ staying }) => {
      const { access } = staying.settings.docker;
      return (await access.connectionTo("one.example", "a")).credentials;
    });
    expect(shown).toEqual({ kind: "basic", username: "one.example/a:1", password: "p" });
  });

  test("fails as the last place did, and tells of the others", async () => {
    const { context } = contextFor(["one.example/a:1", "two.example/a:1", "r.example/a:1"]);
    const opening = openFirst(name, context, async ({ name: { host } }) => {
      throw new Failure(host === "r.example" ? "not-found" : "unavailable", `no ${host}`);
    });
    expect(await rejection(opening)).toMatchObject({
      code: "not-found",
      message:
        "(Mirrors also failed: [one.example/a:1: no one.example]\n[two.example/a:1: no two.example]): r.example/a:1: no r.example",
    });
  });

  test("leaves the failure of an only place as it is", async () => {
    const { context } = contextFor(["r.example/a:1"]);
    const failure = new Failure("unauthorized", "who?", { hint: "log in" });
    const opening = openFirst(name, context, async () => {
      throw failure;
    });
    expect(await rejection(opening)).toBe(failure);
  });

  test("waits for nobody but the last, until an image is found", async () => {
    const { context } = contextFor(["one.example/a:1", "two.example/a:1", "r.example/a:1"]);
    const waits: boolean[] = [];
    const opening = openFirst(name, context, async ({ trying, staying }) => {
      for (const { settings } of [trying, staying]) {
        waits.push((await settings.docker.patience?.pause(1)) ?? false);
      }
      throw new Failure("unavailable", "asleep");
    });
    await rejection(opening);
    expect(waits).toEqual([false, true, false, true, true, true]);
  });

  test("does not go on once the user has had enough", async () => {
    const stop = new AbortController();
    const { context } = contextFor(["one.example/a:1", "r.example/a:1"], stop.signal);
    const tried: string[] = [];
    const opening = openFirst(name, context, async ({ name: { host } }) => {
      tried.push(host);
      stop.abort();
      throw new Failure("canceled", "enough");
    });
    expect(await rejection(opening)).toMatchObject({ code: "canceled", message: "enough" });
    expect(tried).toEqual(["one.example"]);
  });
});

describe("openSource, with mirrors", () => {
  test("G7: goes by the name that the user typed, whichever mirror serves it", async () => {
    await using registry = startRegistry();
    const mirrored = `${registry.host}/copy/a:1`;
    const { context } = contextFor([mirrored]);
    const manifest = Buffer.from('{"schemaVersion":2,"layers":[]}');
    await using client = await connect(parseDockerName(mirrored), "pull,push", context);
    const put = await client.request({
      method: "PUT",
      target: "/v2/copy/a/manifests/1",
      body: {
        open: async function* () {
          yield manifest;
        },
        size: manifest.length,
        mediaType: "application/vnd.oci.image.manifest.v1+json",
      },
    });
    await put.discard();
    expect(put.status).toBe(201);
    const image = {
      transport: "docker",
      text: "//r.example/a:1",
      docker: "r.example/a:1",
      policyIdentity: "r.example/a:1",
      policyNamespaces: ["r.example/a", "r.example"],
    };
    await using source = await openSource(name, image, context);
    expect(source.name).toBe(image);
    expect(Buffer.from((await source.readManifest()).bytes)).toEqual(manifest);
  });
});
