import { describe, expect, test } from "bun:test";
import { CredentialHelper } from "../../../core/config/credential-helper.ts";
import { failureOf } from "../../support/failure-of.ts";
import {
  answeringScript,
  environmentAt,
  helperPrograms,
  keepingScript,
} from "../../support/helper-programs.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const secret = "PLANTED-SECRET";

function scene(script: string, limitMs = 30_000, signal = new AbortController().signal) {
  const workspace = new Workspace();
  const programs = helperPrograms(workspace.at("bin"));
  programs.add("x", script);
  const environment = environmentAt(workspace.path, { PATH: programs.path });
  const helper = new CredentialHelper("x", { environment, signal, limitMs });
  return { workspace, programs, helper, [Symbol.dispose]: () => workspace[Symbol.dispose]() };
}

describe("CredentialHelper", () => {
  test("gets a name and a password, and asks for the server on standard input", async () => {
    using here = scene(answeringScript("jo", secret));
    const found = await here.helper.credentialsFor("r.example:5000");
    expect(found).toEqual({ kind: "basic", username: "jo", password: secret });
    expect(here.programs.asked()).toEqual(["x get r.example:5000"]);
  });

  test("takes the name <token> for a mark of identity tokens", async () => {
    using here = scene(answeringScript("<token>", secret));
    const found = await here.helper.credentialsFor("r.example");
    if (found?.kind !== "identity") throw new Error("no identity");
    expect(found.token.value).toBe(secret);
  });

  test.each([
    ["says that there is nothing", "echo 'credentials not found in native keychain'; exit 1"],
    ["answers with nothing", "echo '{}'"],
  ])("finds nothing when the helper %s", async (_, script) => {
    using here = scene(script);
    expect(await here.helper.credentialsFor("r.example")).toBeUndefined();
  });

  test("stores, lists and erases", async () => {
    using here = scene(keepingScript("$HOME-kept"));
    using kept = scene("");
    const directory = kept.workspace.at("kept");
    here.programs.add("x", keepingScript(directory));
    const entry = { server: "r.example", username: 'j"o', password: "p w'd" };
    await here.helper.store(entry);
    expect(await here.helper.credentialsFor("r.example")).toMatchObject({ password: "p w'd" });
    expect(await here.helper.servers()).toEqual(["r.example"]);
    await here.helper.erase("r.example");
    expect(await here.helper.servers()).toEqual([]);
  });

  test.each(["../x", "a b", "", "a/b", "$(id)", "x;y", "x\n", "ä"])(
    "N10: refuses the name %j",
    (name) => {
      const options = { environment: environmentAt("/"), signal: new AbortController().signal };
      expect(failureOf(() => new CredentialHelper(name, options))).toMatchObject({
        code: "config",
        message: `${JSON.stringify(name)} is no name of a credential helper`,
      });
    },
  );

  test.each(["r.example\nother.example", "r\0", "r\x1b[2J", "", "r\x7f"])(
    "N10: asks nothing about the server %j",
    async (server) => {
      using here = scene(answeringScript("jo", secret));
      const failure = await rejection(here.helper.credentialsFor(server));
      expect(failure.code).toBe("config");
      expect(here.programs.asked()).toEqual([]);
    },
  );

  test.each([
    [
      "prints a secret and fails",
      `echo '${secret}'; echo '${secret}' >&2; exit 3`,
      /exit status 3/,
    ],
    ["prints garbage", `echo 'x ${secret}'`, /its answer is no JSON object/],
    ["prints no object", `echo '"${secret}"'`, /its answer is no JSON object/],
    ["kills itself", `echo '${secret}'; kill -9 $$`, /exit status/],
    ["floods", `yes ${secret}`, /exceeded maximum allowed size of 1048576 bytes/],
  ])("N10: fails, and shows nothing of it, when a helper %s", async (_, script, message) => {
    using here = scene(script);
    const failure = await rejection(here.helper.credentialsFor("r.example"));
    expect(failure.code).toBe("config");
    expect(failure.message).toMatch(message);
    expect(failure.message).toStartWith("error getting credentials - err: ");
    expect(Bun.inspect(failure)).not.toContain(secret);
  });

  test.each([
    ["hangs", "sleep 60"],
    ["leaves a child that holds its output", "sleep 60 & exit 0"],
    ["closes its output and hangs", "exec >&-; sleep 60"],
  ])("N10: gives up a helper that %s", async (_, script) => {
    using here = scene(script, 300);
    const failure = await rejection(here.helper.credentialsFor("r.example"));
    expect(failure.message).toBe(
      "error getting credentials - err: no answer within 0.3 s (docker-credential-x)",
    );
  });

  test("ends with the program", async () => {
    const controller = new AbortController();
    using here = scene("sleep 60", 30_000, controller.signal);
    const asking = here.helper.credentialsFor("r.example").catch((error: unknown) => error);
    await Bun.sleep(100);
    controller.abort(new Error("the end"));
    expect(await asking).toMatchObject({ message: "the end" });
  });

  test("says which program is not there", async () => {
    const options = { environment: environmentAt("/"), signal: new AbortController().signal };
    const failure = await rejection(new CredentialHelper("none", options).credentialsFor("r"));
    expect(failure).toMatchObject({
      code: "config",
      message:
        'error getting credentials - err: exec: "docker-credential-none": executable file not found in $PATH',
    });
  });

  test("B2: runs nothing from the current directory", async () => {
    using here = scene(answeringScript("jo", secret));
    const relative = Bun.pathToFileURL(here.workspace.at("bin")).pathname.replace(/^\//, "");
    const root = "../".repeat(process.cwd().split("/").length);
    const environment = environmentAt("/", { PATH: `:.:${root}${relative}` });
    const helper = new CredentialHelper("x", { environment, signal: new AbortController().signal });
    expect((await rejection(helper.credentialsFor("r"))).message).toContain("not found in $PATH");
  });
});
