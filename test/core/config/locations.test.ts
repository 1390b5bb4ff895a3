import { describe, expect, test } from "bun:test";

import {
  locate,
  locateAll,
  policyFile,
  registriesFile,
  userDirectory,
} from "../../../core/config/locations.ts";
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

describe("locateAll", () => {
  const rootless = [
    "registries.conf.d",
    "registries.rootless.conf.d",
    "registries.rootless.conf.d/1000",
  ];
  const inBoth = (names: readonly string[]) =>
    ["/etc/containers", "/usr/share/containers"].flatMap((directory) =>
      names.map((name) => `${directory}/${name}`),
    );

  test("knows what adds to a file, most important first", () => {
    const { main, dropIns } = locateAll(registriesFile, environment({}));
    expect(main).toMatchObject({ kind: "default" });
    expect(dropIns).toEqual([
      "/home/ada/.config/containers/registries.conf.d",
      ...inBoth(rootless),
    ]);
  });

  test("has other directories for root", () => {
    const { dropIns } = locateAll(registriesFile, { ...environment({}, ""), userId: 0 });
    expect(dropIns).toEqual(inBoth(["registries.conf.d", "registries.rootful.conf.d"]));
  });

  test("adds nothing to a file that the environment names, but to one that the user names", () => {
    const named = environment({ CONTAINERS_REGISTRIES_CONF: "/v" });
    expect(locateAll(registriesFile, named)).toEqual({
      main: { kind: "named", path: "/v" },
      dropIns: [],
    });
    const { main, dropIns } = locateAll(registriesFile, named, "/p");
    expect(main).toEqual({ kind: "named", path: "/p" });
    expect(dropIns).not.toEqual([]);
  });

  test("ends with the override", () => {
    const overridden = environment({ CONTAINERS_REGISTRIES_CONF_OVERRIDE: "/o" });
    expect(locateAll(registriesFile, overridden).override).toBe("/o");
    const empty = environment({ CONTAINERS_REGISTRIES_CONF_OVERRIDE: "" });
    expect(locateAll(registriesFile, empty).override).toBeUndefined();
  });
});
