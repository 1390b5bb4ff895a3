// login and logout: what they refuse before they ask anybody. The rest is end-to-end.

import { describe, expect, test } from "bun:test";

import { login } from "../../../cli/commands/login.ts";
import { logout } from "../../../cli/commands/logout.ts";
import { failureOfTool } from "../../support/tool-call.ts";

const none = "--authfile=/proc/none.json";

describe("login", () => {
  test.each([
    [[], "please provide a registry to log in to"],
    [["a", "b"], "login accepts only one registry to log in to"],
    [
      ["--authfile=a", "--compat-auth-file=b"],
      "options for paths to the credential file and to the Docker-compatible credential file can not be set simultaneously",
    ],
    [["r.example/a:tag"], 'reference "r.example/a:tag" contains tag or digest'],
    [
      ["r.example/A"],
      'parse reference from "r.example/A": invalid reference format: repository name must be lowercase',
    ],
    [[none, "a@b"], "get credentials: key a@b contains a '@' character"],
    [[none, "--get-login", "r.example/team"], "not logged into r.example/team"],
    [
      [none, "--password-stdin", "-p", "x", "r.example"],
      "can't specify both --password-stdin and --password",
    ],
    [[none, "--password-stdin", "r.example"], "must provide --username with --password-stdin"],
  ])("refuses %j", async (words, message) => {
    expect((await failureOfTool(login, words)).failure).toMatchObject({ message });
  });
});

describe("logout", () => {
  const missing =
    "credential file is not accessible: faccessat /proc/none.json: no such file or directory";

  test.each([
    [[], "please provide a registry to log out from"],
    [["a", "b"], "logout accepts only one registry to log out from"],
    [["--all", "a"], "--all takes no arguments"],
    [[none, "r.example"], missing],
    [[none, "--all"], missing],
    [["--compat-auth-file=/proc/none.json", "r.example"], missing],
    [
      ["--compat-auth-file=/dev/null", "r.example/team"],
      'logging out of "r.example/team": Credentials cannot be recorded in Docker-compatible format with namespaced key "r.example/team"',
    ],
  ])("refuses %j", async (words, message) => {
    expect((await failureOfTool(logout, words)).failure).toMatchObject({ message });
  });
});
