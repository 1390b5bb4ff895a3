import { describe, expect, test } from "bun:test";

import { parseDockerName } from "../../../core/content/docker-name.ts";
import type { TransportContext } from "../../../core/image/transport.ts";
import { connect } from "../../../transports/docker/connection.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { startRegistry } from "../../support/registry-server.ts";

describe("connect", () => {
  test("asks for the settings of that registry and repository, and speaks under our name", async () => {
    const asked: string[][] = [];
    await using registry = startRegistry();
    const context = dockerContext();
    const { docker } = context.settings;
    const access = {
      ...docker.access,
      connectionTo: (host: string, repository: string) => {
        asked.push([host, repository]);
        return docker.access.connectionTo(host, repository);
      },
    };
    const name = parseDockerName(`${registry.host}/a/b:1`);
    const settings = { ...context.settings, docker: { ...docker, access } };
    await using client = await connect(name, "pull", { ...context, settings });
    expect(asked).toEqual([[registry.host, "a/b"]]);
    expect(registry.lines).toEqual([]);
    await (await client.request({ method: "GET", target: "/v2/" })).discard();
    expect(registry.requests[0]!.headers.get("user-agent")).toBe("test");
  });

  test("pings once and asks for one token where an operation has several clients of a registry", async () => {
    await using registry = startRegistry({ auth: { kind: "bearer" } });
    registry.repository("a/b").addBlob(new Uint8Array(1));
    const context = sharing(dockerContext());
    const name = parseDockerName(`${registry.host}/a/b:1`);
    await using first = await connect(name, "pull", context);
    await using second = await connect(name, "pull", context);
    for (const client of [first, second]) {
      await (await client.request({ method: "GET", target: "/v2/a/b/tags/list" })).discard();
    }
    expect(registry.lines.map((line) => line.replace(/\?.*/, ""))).toEqual([
      "GET /v2/",
      "GET /token",
      "GET /v2/a/b/tags/list",
      "GET /v2/a/b/tags/list",
    ]);
  });

  test("N1: shares nothing with who is somebody else to the registry", async () => {
    await using registry = startRegistry();
    const shared: AsyncDisposable[] = [];
    const name = parseDockerName(`${registry.host}/a/b:1`);
    for (const password of ["one", "two", "one"]) {
      const credentials = { kind: "basic", username: "user", password } as const;
      await using client = await connect(
        name,
        "pull",
        sharing(dockerContext({ credentials }), shared),
      );
      await (await client.request({ method: "GET", target: "/v2/a/b/tags/list" })).discard();
    }
    expect(registry.lines.filter((line) => line === "GET /v2/").length).toBe(2);
  });
});

function sharing(context: TransportContext, shared: AsyncDisposable[] = []): TransportContext {
  const { settings } = context;
  return { ...context, settings: { ...settings, docker: { ...settings.docker, shared } } };
}
