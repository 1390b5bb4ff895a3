import { describe, expect, test } from "bun:test";

import { parseDockerName } from "../../../core/content/docker-name.ts";
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
});
