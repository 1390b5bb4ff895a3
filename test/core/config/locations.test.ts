import { describe, expect, test } from "bun:test";

import { locate, policyFile, userDirectory } from "../../../core/config/locations.ts";
import type { Environment } from "../../../core/environment.ts";

const system = ["/etc/containers/policy.json", "/usr/share/containers/policy.json"];

function environment(variables: Environment["variables"], home = "/home/ada"): Environment {
  return { variables, home, userId: 1000, os: "linux", architecture: "amd64" };
}

describe("locate", () => {
  test.each([
    ["an explicit path", {}, "/p", "/p"],
    ["the variable", { CONTAINERS_POLICY_JSON: "/v" }, undefined, "/v"],
    ["an explicit path rather than the variable", { CONTAINERS_POLICY_JSON: "/v" }, "/p", "/p"],
    ["a relative path as it is", {}, "p.json", "p.json"],
  ])("takes %s", (_, variables, explicit, path) => {
    expect(locate(policyFile, environment(variables), explicit)).toEqual({ kind: "named", path });
  });

  test.each([
    ["the user's directory first", {}, "/home/ada", "/home/ada/.config"],
    ["XDG_CONFIG_HOME instead of ~/.config", { XDG_CONFIG_HOME: "/xdg" }, "/home/ada", "/xdg"],
    [
      "an empty variable as unset",
      { CONTAINERS_POLICY_JSON: "" },
      "/home/ada",
      "/home/ada/.config",
    ],
    ["XDG_CONFIG_HOME without any home", { XDG_CONFIG_HOME: "/xdg" }, "", "/xdg"],
    ["root's home like any other", {}, "/root", "/root/.config"],
  ])("takes %s", (_, variables, home, configHome) => {
    const user = `${configHome}/containers/policy.json`;
    const paths = [user, ...system];
    expect(locate(policyFile, environment(variables, home))).toEqual({ kind: "default", paths });
  });

  test("takes an empty explicit path as none", () => {
    expect(locate(policyFile, environment({}), "").kind).toBe("default");
  });

  test("looks only in system directories for somebody without a home", () => {
    expect(locate(policyFile, environment({}, ""))).toEqual({ kind: "default", paths: system });
  });
});

describe("userDirectory", () => {
  test("B2: is never relative because XDG_CONFIG_HOME is set but empty", () => {
    const variables = { XDG_CONFIG_HOME: "" };
    expect(userDirectory(environment(variables))).toBe("/home/ada/.config/containers");
    expect(userDirectory(environment(variables, ""))).toBeUndefined();
  });
});
