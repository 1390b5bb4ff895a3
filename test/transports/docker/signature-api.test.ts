import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { parseDockerName } from "../../../core/content/docker-name.ts";
import { limits } from "../../../core/limits.ts";
import { connect } from "../../../transports/docker/connection.ts";
import { addByApi, readFromApi } from "../../../transports/docker/signature-api.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { rejection } from "../../support/rejection.ts";
import { startRegistry } from "../../support/registry-server.ts";

const digest = digestOf(Buffer.from("manifest"));
const path = `/extensions/v2/a/b/signatures/${digest}`;
const entry = (text: string, changes: object = {}) => ({
  schemaVersion: 2,
  name: `${digest}@${"0".repeat(32)}`,
  type: "atomic",
  content: Buffer.from(text).toString("base64"),
  ...changes,
});

/** Plays with a registry that keeps signatures, and answers what a test wants. */
async function withApi<T>(
  answer: (request: Request, body: string) => Response | Promise<Response>,
  play: (place: Parameters<typeof readFromApi>[0]) => Promise<T>,
): Promise<{ readonly result: T; readonly lines: readonly string[]; readonly bodies: unknown[] }> {
  const bodies: unknown[] = [];
  await using registry = startRegistry({
    intercept: async ({ target, request }, usual) => {
      if (!target.startsWith("/extensions/")) return usual();
      const body = await request.text();
      if (body !== "") bodies.push(JSON.parse(body));
      return answer(request, body);
    },
  });
  const name = parseDockerName(`${registry.host}/a/b:1`);
  await using client = await connect(name, "pull,push", dockerContext());
  const result = await play({ client, name, digest });
  return { result, lines: registry.lines, bodies };
}

const read = (answer: unknown, status = 200) =>
  withApi(
    () => Response.json(answer, { status }),
    async (place) => (await readFromApi(place)).map((each) => Buffer.from(each).toString()),
  );

describe("readFromApi", () => {
  test("returns signatures of the known kind", async () => {
    const { result, lines } = await read({
      signatures: [
        entry("a"),
        entry("b", { type: "other" }),
        entry("c", { schemaVersion: 1 }),
        entry("d", { content: 1 }),
        null,
        entry("e"),
      ],
    });
    expect(result).toEqual(["a", "e"]);
    expect(lines.at(-1)).toBe(`GET ${path}`);
  });

  test.each([{}, { signatures: null }, { signatures: [] }])("finds none in %j", async (answer) => {
    expect((await read(answer)).result).toEqual([]);
  });

  test.each<[string, unknown, number]>([
    ["a list", [], 200],
    ["no list", { signatures: "x" }, 200],
    ["a failure", { errors: [{ code: "DENIED", message: "no" }] }, 403],
    ["nothing", {}, 404],
    [
      "too many",
      { signatures: Array.from({ length: limits.signatures + 1 }, () => entry("a")) },
      200,
    ],
  ])("G4: fails, rather than find none, on %s", async (_, answer, status) => {
    const failure = await rejection(read(answer, status));
    expect(failure.message).toContain(`downloading signatures for ${digest} in `);
  });
});

describe("addByApi", () => {
  test("adds what is not there, each once, under names of their own", async () => {
    const { bodies, lines } = await withApi(
      (request) =>
        request.method === "PUT"
          ? new Response(null, { status: 201 })
          : Response.json({ signatures: [entry("a")] }),
      (place) =>
        addByApi(
          place,
          ["a", "b", "c", "b"].map((each) => Buffer.from(each)),
          new AbortController().signal,
        ),
    );
    expect(bodies).toEqual(
      ["b", "c"].map((text) =>
        entry(text, {
          name: expect.stringMatching(new RegExp(`^${digest}@[0-9a-f]{32}$`)) as unknown,
        }),
      ),
    );
    const [one, two] = bodies as { readonly name: string }[];
    expect(one?.name).not.toBe(String(two?.name));
    expect(lines.filter((line) => line.startsWith("PUT"))).toEqual([`PUT ${path}`, `PUT ${path}`]);
  });

  test("fails as the registry does", async () => {
    const adding = withApi(
      (request) =>
        request.method === "PUT" ? new Response(null, { status: 405 }) : Response.json({}),
      (place) => addByApi(place, [Buffer.from("a")], new AbortController().signal),
    );
    expect((await rejection(adding)).message).toContain(
      `uploading signature to ${path} in 127.0.0.1:`,
    );
  });
});
