// Secrets: everything that must not be told is planted where it occurs, and looked for in all that is said.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import {
  type FaultName,
  type FaultyRegistry,
  startFaultyRegistry,
} from "../support/faulty-registry.ts";
import { addSample } from "../support/push.ts";
import {
  type RegistryServer,
  type SeenRequest,
  startRegistry,
} from "../support/registry-server.ts";
import { type RunResult, run } from "../support/run.ts";
import { sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";

/** Stands in everything secret, so that one search finds all of it, however it was quoted. */
const mark = "PLANTED";
const password = `${mark}-password &?%/ü:x`;
const wrong = `${mark}-wrong`;
const token = `${mark}-token`;
const refresh = `${mark}-refresh`;
const image = sampleImage({ ballastBytes: 100_000 });

/** The mark itself, and what it becomes in base64, wherever it begins, and in hex. */
const traces = new RegExp(
  [mark, ...[0, 1, 2].map(inBase64), Buffer.from(mark).toString("hex")].join("|"),
  "i",
);

let registry: RegistryServer;
let stranger: RegistryServer;
let faulty: FaultyRegistry;
let scene: Scene;

beforeAll(async () => {
  scene = new Scene();
  mkdirSync(scene.at("home"));
  stranger = startRegistry({ intercept: answerStrangely });
  registry = startRegistry({ intercept: answerKnowingly });
  for (const name of ["good", ...Object.keys(strangers), ...Object.keys(refusals)]) {
    addSample(registry.repository(`${repositoryOf(name)}/img`), "t", image);
    addSample(stranger.repository(`${repositoryOf(name)}/img`), "t", image);
  }
  faulty = await startFaultyRegistry();
  writeFileSync(scene.at("auth.json"), authFile());
});

afterAll(async () => {
  await faulty[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await stranger[Symbol.asyncDispose]();
  await scene[Symbol.asyncDispose]();
});

test("the search finds what is hidden", () => {
  for (const secret of [password, wrong, token, refresh]) {
    for (const prefix of ["", "x", "jo:", "user:"]) {
      expect(prefix + secret).toMatch(traces);
      expect(encodeURIComponent(secret)).toMatch(traces);
      expect(JSON.stringify(secret)).toMatch(traces);
      expect(Buffer.from(prefix + secret).toString("base64")).toMatch(traces);
      expect(Buffer.from(prefix + secret).toString("base64url")).toMatch(traces);
    }
  }
});

describe("O2: no debug log shows a secret", () => {
  test.each<[what: string, code: number, args: () => readonly string[]]>([
    ["reading with a password", 0, () => ["copy", ...from("good"), "dir:there"]],
    ["reading with a wrong password", 1, () => ["copy", ...from("good", wrong), "dir:there"]],
    ["looking", 0, () => ["inspect", ...from("good", password, "")]],
    ["listing", 0, () => ["list-tags", ...from("good", password, "").slice(0, -1), listed("good")]],
    ["foretelling", 0, () => ["copy", "--dry-run", ...from("good"), ...to("new")]],
    ["writing with a password", 0, () => ["copy", ...from("good"), ...to("new")]],
    ["deleting", 0, () => ["delete", ...from("new", password, "")]],
    [
      "a token of the user's own",
      0,
      () => ["copy", plain, `--src-registry-token=${token}`, named("good"), "dir:there"],
    ],
    [
      "a wrong token of the user's own",
      1,
      () => ["copy", plain, `--src-registry-token=${wrong}`, named("good"), "dir:there"],
    ],
    [
      "an identity token from a file",
      0,
      () => ["copy", plain, `--src-authfile=${scene.at("auth.json")}`, named("good"), "dir:there"],
    ],
    ["logging in", 0, () => login(password)],
    ["logging in with a wrong password", 1, () => login(wrong)],
    ["reading as who is logged in", 0, () => ["copy", plain, named("good"), "dir:there"]],
    ["logging out", 0, () => ["logout", registry.host]],
  ])("%s", async (_, code, args) => {
    await expectSilent(code, args());
  });

  test.each(Object.keys(strangers))("a signed address, which is %s", async (name) => {
    await expectSilent(name === "kept" ? 0 : 1, ["copy", ...from(name), "dir:there"]);
    expect(stranger.lines.some((line) => line.includes(`${mark}-signature`))).toBe(true);
    stranger.forget();
  });

  test.each(Object.keys(refusals))("a registry that %s what it was shown", async (name) => {
    await expectSilent(1, ["copy", ...from(name), "dir:there"]);
    await expectSilent(1, ["copy", ...from("good"), ...to(name)]);
    await expectSilent(1, ["inspect", ...from(name, password, "")]);
    await expectSilent(1, ["delete", ...from(name, password, "")]);
  });

  test.each(["http_proxy", "https_proxy"])("a proxy from %s that is not there", async (name) => {
    const env = { [name]: `http://jo:${mark}-proxy@127.0.0.1:1`, no_proxy: "" };
    const args = ["copy", ...from("good").slice(0, -1), "docker://registry.invalid/a/b:1"];
    await expectSilent(1, [...args, "dir:there"], env);
  });

  test.concurrent.each<FaultName>([
    "cut-half-rst",
    "cut-wrong-range",
    "flip-always",
    "html-blob",
    "html-manifest",
    "blob-500",
    "wait-long",
    "close-first",
    "redirect-loop",
    "redirect-port",
    "redirect-port-basic",
    "realm-elsewhere",
    "token-ends-early",
    "error-escapes",
  ])("%s", async (fault) => {
    await using own = new Scene();
    const flags = [plain, "--src-creds=user:secret-password", "--image-parallel-copies=1"];
    const result = await own.dray(
      "--debug",
      "copy",
      ...["--events", "events", "--output", "json"],
      ...flags,
      `docker://${faulty.name(fault)}`,
      "dir:there",
    );
    expect(result.stderr).toContain("level=debug");
    const told = readFileSync(own.at("events"), "utf8");
    expect(result.stderr + result.stdout + told).not.toMatch(
      /secret-password|secret-token|c2VjcmV0LXBhc3N3b3Jk|dXNlcjpzZWNyZXQtcGFzc3dvcmQ/i,
    );
  });
});

const plain = "--src-tls-verify=false";

function named(name: string): string {
  return `${listed(name)}:t`;
}

function listed(name: string): string {
  return `docker://${registry.host}/${repositoryOf(name)}/img`;
}

function from(name: string, secret = password, prefix = "src-"): readonly string[] {
  return [`--${prefix}tls-verify=false`, `--${prefix}creds=jo:${secret}`, named(name)];
}

function to(name: string): readonly string[] {
  return ["--dest-tls-verify=false", `--dest-creds=jo:${password}`, named(name)];
}

function login(secret: string): readonly string[] {
  return ["login", "--tls-verify=false", "-u", "jo", "-p", secret, registry.host];
}

let runs = 0;

async function expectSilent(
  code: number,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<RunResult> {
  runs += 1;
  // What is there already would not be asked for.
  const [command = "", ...others] = args.map((word) =>
    word === "dir:there" ? `dir:there-${runs}` : word,
  );
  const events = scene.at(`events-${runs}`);
  // Whatever can be said of it, to programs too.
  const telling: Readonly<Record<string, readonly string[]>> = {
    copy: ["--events", events, "--output", "json"],
    delete: ["--output", "json"],
  };
  const words = [command, ...(telling[command] ?? []), ...others];
  const result = await run(["--debug", "--insecure-policy", ...words], {
    cwd: scene.path,
    env: { HOME: scene.at("home"), XDG_RUNTIME_DIR: scene.at("home"), ...env },
  });
  const told = existsSync(events) ? readFileSync(events, "utf8") : "";
  if (command === "copy" && /"(copy-begun|failed)"/.test(told) === false) {
    throw new Error(`nothing was told: ${result.stderr}`);
  }
  const said = result.stderr + result.stdout + told;
  expect({ code: result.code, said: traces.exec(around(said))?.input ?? "" }).toEqual({
    code,
    said: "",
  });
  if (code !== 0) expect(said).toMatch(/level=fatal/);
  return result;
}

/** Only the lines that give something away, so that a failure shows these. */
function around(said: string): string {
  return said
    .split("\n")
    .filter((line) => traces.test(line))
    .join("\n");
}

/** What becomes of who follows a signed address. */
const strangers = {
  kept: (_, usual) => usual(),
  refused: ({ target }) => new Response(`no access to ${target}`, { status: 403 }),
  gone: ({ target }) => Response.json(errorOf(`nothing at ${target}`), { status: 404 }),
  "led on without end": ({ target }) =>
    new Response(null, { status: 307, headers: { location: `${target}&more=${mark}-more` } }),
  wrong: () => new Response("these are other bytes"),
  "led nowhere": () =>
    new Response(null, {
      status: 307,
      headers: { location: `ftp://jo:${mark}@127.0.0.1/x?sig=${mark}` },
    }),
} as const satisfies Readonly<Record<string, Manner>>;

/** What a registry says when it will not. */
const refusals = {
  quotes: ({ target, headers }) => {
    const shown = headers.get("authorization") ?? "";
    return Response.json(errorOf(`${shown} may not ${target}`), { status: 403 });
  },
  "answers plainly with": ({ headers }) =>
    new Response(`no: ${headers.get("authorization")}`, { status: 400 }),
  "leads to an address of": ({ headers }) => {
    const shown = encodeURIComponent(headers.get("authorization") ?? "");
    const location = `http://${shown}@127.0.0.1:1/x?x=${shown}`;
    return new Response(null, { status: 307, headers: { location } });
  },
} as const satisfies Readonly<Record<string, Manner>>;

type Manner = (
  request: SeenRequest,
  usual: () => Promise<Response>,
) => Response | Promise<Response>;

/** Lets in who has a token, and gives one to who knows the password; leads elsewhere for blobs. */
async function answerKnowingly(
  request: SeenRequest,
  usual: () => Promise<Response>,
): Promise<Response> {
  const { method, target, headers } = request;
  if (target.startsWith("/token")) return await giveToken(request);
  if (headers.get("authorization") !== `Bearer ${token}`) {
    const realm = `http://${registry.host}/token?state=${mark}-realm`;
    const challenge = `Bearer realm="${realm}",service="s",error="${mark}"`;
    return Response.json(errorOf(`not ${headers.get("authorization")}`), {
      status: 401,
      headers: { "www-authenticate": challenge, "set-cookie": `session=${mark}-cookie` },
    });
  }
  const [, name = ""] = /^\/v2\/([^/]+)/.exec(decodeURIComponent(target)) ?? [];
  const refusal = ownOf(refusals, name);
  if (refusal !== undefined) return await refusal(request, usual);
  if (ownOf(strangers, name) !== undefined && method === "GET" && target.includes("/blobs/")) {
    const location = `http://jo:${mark}@${stranger.host}${target}?X-Signature=${mark}-signature`;
    return new Response(null, { status: 307, headers: { location } });
  }
  const response = await usual();
  const location = response.headers.get("location");
  if (location?.includes("/uploads/") !== true) return response;
  const changed = new Response(response.body, response);
  changed.headers.set("location", `${location}&_state=${mark}-state`);
  return changed;
}

async function giveToken({ method, headers, request }: SeenRequest): Promise<Response> {
  const known = `Basic ${Buffer.from(`jo:${password}`).toString("base64")}`;
  const shown = method === "POST" ? await request.text() : (headers.get("authorization") ?? "");
  const right =
    method === "POST"
      ? new URLSearchParams(shown).get("refresh_token") === refresh
      : shown === known;
  if (!right) return Response.json({ details: `not by ${shown}` }, { status: 401 });
  return Response.json({ token, access_token: token, refresh_token: refresh, expires_in: 300 });
}

async function answerStrangely(
  request: SeenRequest,
  usual: () => Promise<Response>,
): Promise<Response> {
  const [, name = ""] = /^\/v2\/([^/]+)/.exec(decodeURIComponent(request.target)) ?? [];
  return await (ownOf(strangers, name) ?? (() => usual()))(request, usual);
}

function ownOf(manners: Readonly<Record<string, Manner>>, name: string): Manner | undefined {
  const path = Object.keys(manners).find((each) => repositoryOf(each) === name);
  return path === undefined ? undefined : manners[path];
}

function repositoryOf(manner: string): string {
  return manner.replaceAll(" ", "-");
}

function errorOf(message: string): object {
  return { errors: [{ code: "DENIED", message, detail: message }] };
}

function authFile(): string {
  const auth = Buffer.from("00000000-0000-0000-0000-000000000000:").toString("base64");
  return JSON.stringify({ auths: { [registry.host]: { auth, identitytoken: refresh } } });
}

/** What `mark` always becomes if it begins `offset` bytes behind a group of three. */
function inBase64(offset: number): string {
  const padded = Buffer.concat([Buffer.alloc(offset), Buffer.from(mark)]).toString("base64");
  // What depends on the neighbours is left out.
  return padded.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + mark.length) * 4) / 3));
}
