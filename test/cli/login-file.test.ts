import { describe, expect, test } from "bun:test";
import { loginFile, loginFlags } from "../../cli/login-file.ts";
import { failureOf } from "../support/failure-of.ts";
import { callOf } from "../support/tool-call.ts";

const home = "/home/jo";
const dockers = "/home/jo/.docker/config.json";

describe("loginFile", () => {
  test.each([
    [[], {}, "usual"],
    [["--authfile=a"], { REGISTRY_AUTH_FILE: "b" }, { path: "a", format: "containers" }],
    [["--compat-auth-file=a"], { REGISTRY_AUTH_FILE: "b" }, { path: "a", format: "docker" }],
    [[], { REGISTRY_AUTH_FILE: "b", DOCKER_CONFIG: "c" }, { path: "b", format: "containers" }],
    [[], { DOCKER_CONFIG: "/c" }, { path: "/c/config.json", format: "docker" }],
    [[], { DOCKER_CONFIG: "", REGISTRY_AUTH_FILE: "" }, "usual"],
  ])("with %j and %j is %j", (words, variables, file) => {
    const { call, warnings } = callOf(loginFlags, words, { variables, home });
    expect(loginFile(call)).toEqual(file as "usual");
    expect(warnings).toEqual([]);
  });

  test.each([
    [
      [`--authfile=${dockers}`],
      {},
      "saving credentials to ~/.docker/config.json, but not using Docker-compatible file format",
    ],
    [
      [],
      { REGISTRY_AUTH_FILE: dockers },
      "$REGISTRY_AUTH_FILE points to ~/.docker/config.json, but the file format is not fully compatible; use the Docker-compatible file path option instead",
    ],
  ])("warns, with %j and %j, that Docker will not read all of it", (words, variables, warning) => {
    const { call, warnings } = callOf(loginFlags, words, { variables, home });
    expect(loginFile(call)).toEqual({ path: dockers, format: "containers" });
    expect(warnings).toEqual([warning]);
  });

  test("cannot be two", () => {
    const { call } = callOf(loginFlags, ["--authfile=a", "--compat-auth-file=b"]);
    expect(failureOf(() => loginFile(call))).toMatchObject({
      code: "usage",
      message:
        "options for paths to the credential file and to the Docker-compatible credential file can not be set simultaneously",
    });
  });
});
