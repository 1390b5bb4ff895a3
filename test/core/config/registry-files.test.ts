import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { RegistryFiles } from "../../../core/config/registry-files.ts";
import { rejection } from "../../support/rejection.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "dray-registry-files-"));
});
afterAll(() => rmSync(root, { recursive: true }));

function filesAt(paths: Partial<ConstructorParameters<typeof RegistryFiles>[0]["paths"]>) {
  return new RegistryFiles({
    paths: { registriesConf: "", registriesDirectory: "", tlsDetails: "", ...paths },
    environment: {
      variables: { CONTAINERS_REGISTRIES_CONF: join(root, "none") },
      home: "",
      userId: 1000,
      os: "linux",
      architecture: "amd64",
    },
    log: { debug() {}, info() {}, warn() {} },
  });
}

describe("RegistryFiles", () => {
  test("reads the files that the user names", async () => {
    const at = (name: string) => join(root, name);
    writeFileSync(at("r.conf"), '[[registry]]\nlocation = "x.example"');
    writeFileSync(at("t.yaml"), 'minVersion: "1.3"');
    mkdirSync(at("d"));
    writeFileSync(at("d/a.yaml"), "docker: {x.example: {}}");
    const files = filesAt({
      registriesConf: at("r.conf"),
      tlsDetails: at("t.yaml"),
      registriesDirectory: at("d"),
    });
    const { registries } = await files.conf();
    expect(registries.some(({ prefix }) => prefix === "x.example")).toBe(true);
    expect(await files.tlsProtocol()).toEqual({ minVersion: "1.3" });
    expect([...(await files.signatures()).namespaces.keys()]).toEqual(["x.example"]);
  });

  test("reads none twice, nor before it is asked for", async () => {
    const path = join(root, "once.conf");
    const files = filesAt({ registriesConf: path });
    writeFileSync(path, "");
    const first = await files.conf();
    writeFileSync(path, "broken = ");
    expect(await files.conf()).toBe(first);
  });

  test("says nothing about TLS where nobody did, and fails for files that are not there", async () => {
    const files = filesAt({});
    expect(await files.tlsProtocol()).toBeUndefined();
    expect(await files.systemAuthorities()).toBeUndefined();
    expect((await rejection(files.conf())).code).toBe("config");
    expect((await rejection(filesAt({ tlsDetails: "/none" }).tlsProtocol())).code).toBe("config");
  });
});
