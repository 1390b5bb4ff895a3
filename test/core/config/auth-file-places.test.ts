import { describe, expect, test } from "bun:test";
import {
  authFileChoice,
  authFilePlaces,
  namedRuntimeDirectory,
  ownAuthFile,
} from "../../../core/config/auth-file-places.ts";
import { environmentAt } from "../../support/helper-programs.ts";

const home = "/home/jo";
const named = { path: "/some/auth.json", format: "containers" } as const;

describe("authFilePlaces", () => {
  test.each([
    [
      {},
      [
        "/run/containers/1000/auth.json",
        "/home/jo/.config/containers/auth.json",
        "/home/jo/.docker/config.json",
        "/home/jo/.dockercfg",
      ],
    ],
    [
      { XDG_RUNTIME_DIR: "/run/user/7", XDG_CONFIG_HOME: "/conf", DOCKER_CONFIG: "/dock" },
      [
        "/run/user/7/containers/auth.json",
        "/conf/containers/auth.json",
        "/dock/config.json",
        "/home/jo/.dockercfg",
      ],
    ],
    [
      { XDG_RUNTIME_DIR: "", XDG_CONFIG_HOME: "", DOCKER_CONFIG: "" },
      [
        "/run/containers/1000/auth.json",
        "/home/jo/.config/containers/auth.json",
        "/home/jo/.docker/config.json",
        "/home/jo/.dockercfg",
      ],
    ],
  ])("lists, with %j, the usual places in their order", (variables, paths) => {
    const places = authFilePlaces("usual", environmentAt(home, variables));
    expect(places.map(({ path }) => path)).toEqual(paths);
    expect(places.map(({ format }) => format)).toEqual([
      "containers",
      "containers",
      "docker",
      "legacy",
    ]);
  });

  test("lists one file of the user where there are no directories of sessions", () => {
    const environment = { ...environmentAt(home, { XDG_RUNTIME_DIR: "/x" }), os: "darwin" };
    const paths = authFilePlaces("usual", environment).map(({ path }) => path);
    expect(paths[0]).toBe("/home/jo/.config/containers/auth.json");
    expect(paths.length).toBe(3);
    expect(namedRuntimeDirectory("usual", environment)).toBeUndefined();
  });

  test("B2: lists nothing in the current directory for somebody without a home", () => {
    const paths = authFilePlaces("usual", environmentAt("")).map(({ path }) => path);
    expect(paths).toEqual(["/run/containers/1000/auth.json"]);
  });

  test("lists nothing but the file that is named", () => {
    expect(authFilePlaces(named, environmentAt(home))).toEqual([named]);
  });
});

describe("authFileChoice", () => {
  test.each([
    [undefined, {}, "usual"],
    [undefined, { REGISTRY_AUTH_FILE: "/some/auth.json" }, named],
    ["/some/auth.json", { REGISTRY_AUTH_FILE: "/other" }, named],
    ["", { REGISTRY_AUTH_FILE: "/other" }, "usual"],
  ])("reads --authfile=%p with %j", (flag, variables, choice) => {
    expect(authFileChoice(flag, environmentAt(home, variables))).toEqual(choice as "usual");
  });
});

test("ownAuthFile is the first of the usual places, or the one that is named", () => {
  const environment = environmentAt(home, { XDG_RUNTIME_DIR: "/run/user/7" });
  expect(ownAuthFile("usual", environment).path).toBe("/run/user/7/containers/auth.json");
  expect(ownAuthFile(named, environment)).toEqual(named);
  expect(namedRuntimeDirectory("usual", environment)).toBe("/run/user/7");
  expect(namedRuntimeDirectory(named, environment)).toBeUndefined();
});
