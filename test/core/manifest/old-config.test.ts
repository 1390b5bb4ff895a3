import { describe, expect, test } from "bun:test";

import { completedConfig, isOldVersion } from "../../../core/manifest/old-config.ts";

describe("isOldVersion", () => {
  // As the original was seen to decide.
  test.each([
    ["", false],
    ["1.8.2", true],
    ["1.8.3", false],
    ["1.8", true],
    ["1.3", true],
    ["01.08.02", true],
    ["1.8.3.0", false],
    ["1.8.3-rc1", true],
    ["1.8.x", true],
    [" 1.8.1", true],
    ["swarm", true],
    ["1.9.1", false],
    ["1.10", false],
    ["24.0.7", false],
  ])("of %j is %p", (version, expected) => {
    expect(isOldVersion(version)).toBe(expected);
  });
});

describe("completedConfig", () => {
  // What the original made of the same texts, but that it sorts the outermost names later.
  const empty =
    '{"Hostname":"","Domainname":"","User":"","AttachStdin":false,"AttachStdout":false,"AttachStderr":false,"Tty":false,"OpenStdin":false,"StdinOnce":false,"Env":null,"Cmd":null,"Image":"","Volumes":null,"WorkingDir":"","Entrypoint":null,"OnBuild":null,"Labels":null}';

  test("spells out what is not said", () => {
    expect(completedConfig('{"docker_version":"1.8.2"}')).toBe(
      `{"created":"0001-01-01T00:00:00Z","container_config":${empty},"docker_version":"1.8.2"}`,
    );
  });

  test("forgets what it does not know", () => {
    const text =
      '{"id":"x","docker_version":"1.6","created":"2020-01-01T00:00:00.500Z","Size":1,"unknown":5,"os.version":"9","variant":"v8","throwaway":true}';
    expect(completedConfig(text)).toBe(
      `{"created":"2020-01-01T00:00:00.5Z","container_config":${empty},"docker_version":"1.6","variant":"v8"}`,
    );
  });

  test("knows everything that a container may be told, in its order", () => {
    const full =
      '{"Hostname":"h","Domainname":"d","User":"u","AttachStdin":true,"AttachStdout":true,"AttachStderr":true,"ExposedPorts":{"80/tcp":{}},"Tty":true,"OpenStdin":true,"StdinOnce":true,"Env":["A=1"],"Cmd":["c1","c2"],"Healthcheck":{"Test":["CMD","x"],"StartPeriod":9,"StartInterval":3,"Interval":5,"Timeout":6,"Retries":2},"ArgsEscaped":true,"Image":"im","Volumes":{"/v":{}},"WorkingDir":"/w","Entrypoint":["e"],"NetworkDisabled":true,"MacAddress":"mac","OnBuild":["ob"],"Labels":{"a":"2","b":"1"},"StopSignal":"9","StopTimeout":7,"Shell":["sh"]}';
    expect(completedConfig(`{"container_config":${full}}`)).toBe(
      `{"created":"0001-01-01T00:00:00Z","container_config":${full}}`,
    );
  });

  test("tells empty lists from none, and takes a command that is one text", () => {
    const run = '{"Cmd":"str ing","Entrypoint":[],"Env":null,"Volumes":{},"OnBuild":[]}';
    const expected = empty
      .replace('"Cmd":null', '"Cmd":["str ing"]')
      .replace('"Entrypoint":null', '"Entrypoint":[]')
      .replace('"Volumes":null', '"Volumes":{}')
      .replace('"OnBuild":null', '"OnBuild":[]');
    expect(completedConfig(`{"config":${run}}`)).toBe(
      `{"created":"0001-01-01T00:00:00Z","container_config":${empty},"config":${expected}}`,
    );
  });
});
