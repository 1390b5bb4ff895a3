// Login and logout: what they keep is found by other programs, and the other way round.

import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { podmanNeeds } from "../support/engines.ts";
import { answeringScript, helperPrograms, keepingScript } from "../support/helper-programs.ts";
import { original, testWith } from "../support/needs.ts";
import { type PeerRegistry, registryProgram, startPeerRegistry } from "../support/peers.ts";
import { startRegistry } from "../support/registry-server.ts";
import { type Answers, type RunOptions, run, runOnTerminal } from "../support/run.ts";
import { sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { makeSigningCertificate } from "../support/tls-certificate.ts";
import { startTokenServer } from "../support/token-server.ts";

const username = "jo";
const password = "PLANTED-s3:cret &?%/ü";
const stored = Buffer.from(`${username}:${password}`).toString("base64");
const plain = "--tls-verify=false";
const passwordTest = testWith(registryProgram);
const crossTest = testWith(registryProgram, original());
const podmanTest = testWith(registryProgram, ...podmanNeeds);

/** A registry that wants to know who asks, and somebody with a home and a session. */
async function setUp() {
  const scene = new Scene();
  const registry = await startPeerRegistry({
    directory: scene.at("registry"),
    basic: { username, password },
  });
  mkdirSync(scene.at("run"));
  mkdirSync(scene.at("home"));
  const programs = helperPrograms(scene.at("bin"));
  const env = { HOME: scene.at("home"), XDG_RUNTIME_DIR: scene.at("run"), PATH: programs.path };
  const everything: string[] = [];
  const start = async (args: readonly string[], options: Partial<RunOptions> = {}) => {
    const result = await run(args, {
      cwd: scene.path,
      ...options,
      env: { ...env, ...options.env },
    });
    everything.push(result.stdout, result.stderr);
    return result;
  };
  return {
    scene,
    registry,
    programs,
    host: registry.host,
    image: `docker://${registry.host}/a/b:1`,
    authFile: scene.at("run/containers/auth.json"),
    dray: start,
    skopeo: (args: readonly string[]) => start(args, { program: original() }),
    async terminal(args: readonly string[], answers: Answers) {
      const result = await runOnTerminal(args, { cwd: scene.path, env }, answers);
      everything.push(result.drawn);
      return result;
    },
    /** Puts an image into the registry, as somebody who is logged in. */
    async fill() {
      const source = await scene.store("dir");
      await source.fill(sampleImage());
      const args = ["--insecure-policy", "copy", "-q", "--dest-tls-verify=false"];
      return start([...args, source.image, this.image]);
    },
    login(...more: readonly string[]) {
      return start(["--debug", "login", plain, "-u", username, "-p", password, ...more]);
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await scene[Symbol.asyncDispose]();
      for (const text of everything) {
        expect(text).not.toContain(password);
        expect(text).not.toContain(stored);
      }
    },
  };
}

describe("login", () => {
  passwordTest(
    "O2: keeps what the registry takes, for its owner alone, and copies use it",
    async () => {
      await using here = await setUp();
      const result = await here.login("-v", here.host);
      expect(result.stdout).toBe(`Used:  ${here.authFile}\nLogin Succeeded!\n`);
      expect(readFileSync(here.authFile, "utf8")).toBe(
        `{\n\t"auths": {\n\t\t"${here.host}": {\n\t\t\t"auth": "${stored}"\n\t\t}\n\t}\n}`,
      );
      expect(statSync(here.authFile).mode & 0o777).toBe(0o600);
      expect(await here.fill()).toMatchObject({ code: 0, stderr: "" });
      const tags = await here.dray(["--debug", "list-tags", plain, `docker://${here.host}/a/b`]);
      expect(JSON.parse(tags.stdout)).toMatchObject({ Tags: ["1"] });
    },
  );

  passwordTest("N11: keeps nothing that the registry does not take", async () => {
    await using here = await setUp();
    const wrong = ["login", plain, "-u", username, "-p", "wrong", here.host];
    const refused = await here.dray(wrong);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain(
      `msg="logging into \\"${here.host}\\": invalid username/password"`,
    );
    const unverified = await here.dray(["login", "-u", username, "-p", password, here.host]);
    expect(unverified.code).toBe(1);
    expect(unverified.stderr).toContain(
      `authenticating creds for \\"${here.host}\\": pinging container registry ${here.host}`,
    );
    expect(existsSync(here.authFile)).toBe(false);
  });

  passwordTest("takes the password from standard input, lines put together", async () => {
    await using here = await setUp();
    const args = ["login", plain, "-u", username, "--password-stdin", here.host];
    const [first, second] = [password.slice(0, 5), password.slice(5)];
    const result = await here.dray(args, { input: `${first}\r\n${second}\n` });
    expect(result).toMatchObject({ code: 0, stdout: "Login Succeeded!\n", stderr: "" });
  });

  passwordTest("is content with what is kept, as long as it is good", async () => {
    await using here = await setUp();
    await here.login(here.host);
    const again = await here.dray(["login", plain, `${here.host}/team`]);
    expect(again.stdout).toBe(
      `Authenticating with existing credentials for ${here.host}/team\nExisting credentials are valid. Already logged in to ${here.host}\n`,
    );
    const bad = { auths: { [here.host]: { auth: btoa("jo:old") } } };
    writeFileSync(here.authFile, JSON.stringify(bad));
    const asked = await here.dray(["login", plain, here.host]);
    expect(asked.stdout).toBe(
      `Authenticating with existing credentials for ${here.host}\nExisting credentials are invalid, please enter valid username and password\nUsername (jo): `,
    );
    expect(asked.stderr).toContain("getting username and password: reading username: EOF");
  });

  passwordTest("tells who is logged in", async () => {
    await using here = await setUp();
    await here.login(`${here.host}/team`);
    const inside = await here.dray(["login", "--get-login", `${here.host}/team/app`]);
    expect(inside).toMatchObject({ code: 0, stdout: "jo\n", stderr: "" });
    const outside = await here.dray(["login", "--get-login", here.host]);
    expect(outside).toMatchObject({ code: 1, stdout: "" });
    expect(outside.stderr).toContain(`msg="not logged into ${here.host}"`);
  });

  passwordTest("N11: eight at the same time keep each other's entries", async () => {
    await using here = await setUp();
    const keys = Array.from({ length: 8 }, (_, index) => `${here.host}/team${index}`);
    const results = await Promise.all(keys.map((key) => here.login(key)));
    expect(results.map(({ code }) => code)).toEqual(keys.map(() => 0));
    const { auths }: { auths: object } = JSON.parse(readFileSync(here.authFile, "utf8"));
    expect(Object.keys(auths).sort()).toEqual([...keys].sort());
  });
});

describe("login on a terminal", () => {
  passwordTest("O2: asks for name and password, and shows the name only", async () => {
    await using here = await setUp();
    const { code, drawn } = await here.terminal(
      ["login", plain, here.host],
      [
        ["Username: ", `${username}\r`],
        // A slip of the fingers, and a line that was begun anew.
        ["Password: ", `nonsense\x15${password}üx\x7f\x7f\r`],
      ],
    );
    expect({ code, drawn: drawn.replaceAll("\r", "") }).toEqual({
      code: 0,
      drawn: `Username: ${username}\nPassword: \nLogin Succeeded!\n`,
    });
    expect(await here.dray(["login", "--get-login", here.host])).toMatchObject({ stdout: "jo\n" });
  });

  passwordTest("ends by Ctrl-C, as by a signal", async () => {
    await using here = await setUp();
    const args = ["login", plain, "-u", username, here.host];
    const { code, drawn } = await here.terminal(args, [["Password: ", "half\x03"]]);
    expect(code).toBe(130);
    expect(drawn).not.toContain("half");
    expect(existsSync(here.authFile)).toBe(false);
  });

  passwordTest("asks nobody for a password where there is no terminal", async () => {
    await using here = await setUp();
    const result = await here.dray(["login", plain, here.host], { input: "jo\n" });
    expect(result).toMatchObject({ code: 1, stdout: "Username: Password: " });
    expect(result.stderr).toContain(
      "getting username and password: reading password: inappropriate ioctl for device",
    );
  });
});

describe("logout", () => {
  passwordTest("forgets one registry, or all, and leaves the rest alone", async () => {
    await using here = await setUp();
    await here.login(here.host);
    await here.login(`${here.host}/team`);
    expect(await here.dray(["logout", here.host])).toMatchObject({
      code: 0,
      stdout: `Removed login credentials for ${here.host}\n`,
    });
    expect(await here.dray(["login", "--get-login", `${here.host}/team`])).toMatchObject({
      stdout: "jo\n",
    });
    const gone = await here.dray(["logout", here.host]);
    expect(gone).toMatchObject({ code: 1 });
    expect(gone.stderr).toContain(`msg="not logged into ${here.host}"`);
    expect(await here.dray(["logout", "--all"])).toMatchObject({
      stdout: "Removed login credentials for all registries\n",
    });
    expect(readFileSync(here.authFile, "utf8")).toBe('{\n\t"auths": {}\n}');
  });

  passwordTest("says whose credentials it did not remove", async () => {
    await using here = await setUp();
    mkdirSync(here.scene.at("home/.docker"));
    const config = { auths: { [here.host]: { auth: stored } } };
    writeFileSync(here.scene.at("home/.docker/config.json"), JSON.stringify(config));
    expect(await here.dray(["logout", plain, here.host])).toMatchObject({
      code: 0,
      stdout: `Not logged into ${here.host} with current tool. Existing credentials were established via docker login. Please use docker logout instead.\n`,
    });
  });
});

describe("login and the original", () => {
  crossTest("each uses what the other keeps, and forgets it", async () => {
    await using here = await setUp();
    const inspect = ["inspect", plain, "--no-tags", here.image];
    await here.login(here.host);
    await here.fill();
    expect(await here.skopeo(inspect)).toMatchObject({ code: 0 });
    expect(await here.skopeo(["login", "--get-login", here.host])).toMatchObject({
      stdout: "jo\n",
    });
    expect(await here.skopeo(["logout", here.host])).toMatchObject({ code: 0 });
    expect(await here.dray(inspect)).toMatchObject({ code: 1 });

    const login = ["login", plain, "-u", username, "-p", password, here.host];
    expect(await here.skopeo(login)).toMatchObject({ code: 0 });
    const theirs = readFileSync(here.authFile, "utf8");
    expect(await here.dray(inspect)).toMatchObject({ code: 0, stderr: "" });
    expect(await here.dray(["logout", here.host])).toMatchObject({ code: 0 });
    expect(await here.skopeo(inspect)).toMatchObject({ code: 1 });

    await here.login(here.host);
    expect(readFileSync(here.authFile, "utf8")).toBe(theirs);
  });

  podmanTest("podman uses what is kept, and forgets it", async () => {
    await using here = await setUp();
    const podman = (args: readonly string[]) => here.dray(args, { program: "podman" });
    await here.login(here.host);
    expect(await podman(["login", "--get-login", here.host])).toMatchObject({ stdout: "jo\n" });
    const login = await podman(["login", plain, here.host]);
    expect(login).toMatchObject({ code: 0 });
    expect(login.stdout).toContain("Existing credentials are valid.");
    expect(await podman(["logout", here.host])).toMatchObject({ code: 0 });
    expect(await here.dray(["login", "--get-login", here.host])).toMatchObject({ code: 1 });

    const again = ["login", plain, "-u", username, "-p", password, here.host];
    expect(await podman(again)).toMatchObject({ code: 0 });
    expect(await here.fill()).toMatchObject({ code: 0, stderr: "" });
    expect(await here.dray(["logout", here.host])).toMatchObject({ code: 0 });
    expect(await podman(["login", "--get-login", here.host])).not.toMatchObject({ code: 0 });
  });

  crossTest("both speak to the same credential helper", async () => {
    await using here = await setUp();
    here.programs.add("keep", keepingScript(here.scene.at("kept")));
    mkdirSync(here.scene.at("run/containers"));
    writeFileSync(here.authFile, JSON.stringify({ credHelpers: { [here.host]: "keep" } }));
    const result = await here.login("-v", here.host);
    expect(result.stdout).toBe("Used:  credential helper: keep\nLogin Succeeded!\n");
    await here.fill();
    expect(await here.skopeo(["inspect", plain, "--no-tags", here.image])).toMatchObject({
      code: 0,
    });
    await here.skopeo(["logout", here.host]);
    expect(await here.dray(["inspect", plain, "--no-tags", here.image])).toMatchObject({ code: 1 });
  });
});

describe("credentials of a copy", () => {
  passwordTest("come from --authfile, or the one of that side", async () => {
    await using here = await setUp();
    await here.login("--authfile", here.scene.at("good.json"), here.host);
    await here.login(here.host);
    await here.fill();
    await here.dray(["logout", here.host]);
    const bad = { auths: { [here.host]: { auth: btoa("jo:old") } } };
    writeFileSync(here.scene.at("bad.json"), JSON.stringify(bad));
    const copy = (...flags: readonly string[]) =>
      here.dray([
        ...["--insecure-policy", "copy", "-q", "--src-tls-verify=false"],
        ...[...flags, here.image, `dir:${here.scene.at("out")}`],
      ]);
    const variable = { REGISTRY_AUTH_FILE: "good.json" };
    expect(await copy("--authfile=good.json")).toMatchObject({ code: 0, stderr: "" });
    expect(await copy("--authfile=bad.json", "--src-authfile=good.json")).toMatchObject({
      code: 0,
    });
    expect(await copy("--authfile=good.json", "--src-authfile=bad.json")).toMatchObject({
      code: 1,
    });
    expect(await copy()).toMatchObject({ code: 1 });
    const inspect = ["inspect", plain, "--no-tags", here.image];
    expect(await here.dray(inspect, { env: variable })).toMatchObject({ code: 0 });
    expect(await here.dray([...inspect, "--authfile="], { env: variable })).toMatchObject({
      code: 1,
    });
  });

  passwordTest("are not looked for where a file is broken, or nobody is to be known", async () => {
    await using here = await setUp();
    writeFileSync(here.scene.at("broken.json"), "{");
    const inspect = ["inspect", plain, "--authfile=broken.json", here.image];
    const result = await here.dray(inspect);
    expect(result.stderr).toContain(
      'getting username and password: reading JSON file \\"broken.json\\": unmarshaling JSON at \\"broken.json\\": unexpected end of JSON input',
    );
    const anonymous = await here.dray([...inspect, "--no-creds"]);
    expect(anonymous.stderr).toContain("authentication required");
  });

  testWith(registryProgram, "openssl")(
    "are identity tokens where a file holds one, and O2: no log shows it",
    async () => {
      await using scene = new Scene();
      const identity = "PLANTED-IDENTITY";
      await using tokens = startTokenServer({
        ...makeSigningCertificate(scene.at("token")),
        ...{ username, password, identity },
      });
      const certificate = scene.at("token", "token.crt");
      await using registry: PeerRegistry = await startPeerRegistry({
        directory: scene.at("registry"),
        token: { realm: tokens.realm, certificate },
      });
      const entry = { auth: btoa("<token>:"), identitytoken: identity };
      writeFileSync(scene.at("f.json"), JSON.stringify({ auths: { [registry.host]: entry } }));
      const source = await scene.store("dir");
      await source.fill(sampleImage());
      const { stderr } = await scene.copy(
        ...["--debug", "--authfile=f.json", source.image, `docker://${registry.host}/a/b:1`],
      );
      expect(tokens.requests.length).toBe(1);
      expect(tokens.requests[0]).toMatchObject({ known: true, account: null });
      expect(stderr).not.toContain(identity);
      const login = await scene.dray("login", plain, "--authfile=f.json", registry.host);
      expect(login.stderr).toContain("currently logged in, auth file contains an Identity token");
    },
  );

  testWith()("are asked for again when they end in the middle", async () => {
    await using scene = new Scene();
    let letIn = 0;
    await using registry = startRegistry({
      intercept: ({ headers }, usual) => {
        const expected = letIn < 3 ? "old" : "new";
        const header = headers.get("authorization");
        if (header === `Basic ${btoa(`jo:${expected}`)}`) {
          letIn += 1;
          return usual();
        }
        return new Response("who?", {
          status: 401,
          headers: { "WWW-Authenticate": 'Basic realm="r"' },
        });
      },
    });
    const programs = helperPrograms(scene.at("bin"));
    const old = scene.at("asked-once");
    programs.add(
      "x",
      `if [ -e "${old}" ]; then ${answeringScript("jo", "new")}; else : > "${old}"; ${answeringScript("jo", "old")}; fi`,
    );
    writeFileSync(scene.at("f.json"), JSON.stringify({ credHelpers: { [registry.host]: "x" } }));
    const source = await scene.store("dir");
    await source.fill(sampleImage());
    const image = `docker://${registry.host}/a/b:1`;
    const args = ["copy", "-q", "--dest-tls-verify=false", "--authfile=f.json"];
    const result = await scene.run([...args, source.image, image], {
      env: { PATH: programs.path },
    });
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(programs.asked()).toEqual(Array.from({ length: 2 }, () => `x get ${registry.host}`));
  });
});
