import { describe, expect, test } from "bun:test";

import type { TagList } from "../../../core/image/transport.ts";
import { limits } from "../../../core/limits.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { type RegistryOptions, startRegistry } from "../../support/registry-server.ts";

const manifest = new TextEncoder().encode("{}");

function registryWith(tags: readonly string[], options: RegistryOptions = {}) {
  const registry = startRegistry(options);
  for (const tag of tags) registry.repository("a/b").addManifest(manifest, "", tag);
  return registry;
}

/** A registry whose pages of tags are made up. */
function registryOf(page: (target: string) => Response) {
  return startRegistry({
    intercept: (seen, usual) => (seen.target === "/v2/" ? usual() : page(seen.target)),
  });
}

async function list(host: string): Promise<TagList> {
  return await docker.listTags!(`//${host}/a/b`, dockerContext());
}

describe("listTags", () => {
  test("gives the tags in the registry's order, with the repository's full name", async () => {
    await using registry = registryOf(() => Response.json({ name: "a/b", tags: ["b", "a", "C"] }));
    expect(await list(registry.host)).toEqual({
      repository: `${registry.host}/a/b`,
      tags: ["b", "a", "C"],
    });
    expect(registry.lines).toEqual(["GET /v2/", "GET /v2/a/b/tags/list"]);
  });

  test.each([[{ tags: null }], [{ tags: [] }], [{}]])("gives no tags for %j", async (body) => {
    await using registry = registryOf(() => Response.json(body));
    expect((await list(registry.host)).tags).toEqual([]);
  });

  test("N6: follows the pages", async () => {
    const tags = ["1", "2", "3", "4", "5"];
    await using registry = registryWith(tags, { tagsPerPage: 2 });
    expect((await list(registry.host)).tags).toEqual(tags);
    expect(registry.lines.slice(1)).toEqual([
      "GET /v2/a/b/tags/list",
      "GET /v2/a/b/tags/list?last=2&n=2",
      "GET /v2/a/b/tags/list?last=4&n=2",
    ]);
  });

  test("N6: asks nobody but the registry, whatever host a link names", async () => {
    let asked = 0;
    await using other = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => {
        asked++;
        return Response.json({ tags: ["evil"] });
      },
    });
    await using registry = registryOf((target) =>
      target.includes("last")
        ? Response.json({ tags: ["2"] })
        : Response.json(
            { tags: ["1"] },
            { headers: { Link: `<${other.url.origin}/v2/a/b/tags/list?last=1>; rel="next"` } },
          ),
    );
    expect((await list(registry.host)).tags).toEqual(["1", "2"]);
    expect(asked).toBe(0);
  });

  test.each(["/admin?x=1", "/v2/../admin", "../../../..", "//"])(
    "N6: refuses a link out of the registry's interface: %p",
    async (link) => {
      await using registry = registryOf(() =>
        Response.json({ tags: ["1"] }, { headers: { Link: `<${link}>; rel="next"` } }),
      );
      await expect(list(registry.host)).rejects.toMatchObject({
        code: "refused",
        message: expect.stringContaining("links to a next page outside of its interface"),
      });
      expect(registry.requests).toHaveLength(2);
    },
  );

  test("N6: ends where a page leads back", async () => {
    await using registry = registryOf((target) => {
      const next = target.includes("last=1") ? "2" : "1";
      return Response.json(
        { tags: [next] },
        { headers: { Link: `</v2/a/b/tags/list?last=${next}>` } },
      );
    });
    await expect(list(registry.host)).rejects.toMatchObject({
      code: "refused",
      message: expect.stringContaining("leads back to a page that was read already"),
    });
    expect(registry.requests).toHaveLength(4);
  });

  test("N6: ends after too many pages", async () => {
    let page = 0;
    await using registry = registryOf(() =>
      Response.json({ tags: [] }, { headers: { Link: `</v2/a/b/tags/list?last=${++page}>` } }),
    );
    await expect(list(registry.host)).rejects.toMatchObject({
      message: expect.stringContaining(`has more than ${limits.tagsPages} pages`),
    });
    expect(page).toBe(limits.tagsPages);
  });

  test("P1: ends a page at its limit", async () => {
    await using registry = registryOf(() => {
      const chunk = new Uint8Array(1024 * 1024).fill(32);
      return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }));
    });
    await expect(list(registry.host)).rejects.toMatchObject({
      message: `Error listing repository tags: decoding tag list response: exceeded maximum allowed size of ${limits.tagsPageBytes} bytes`,
    });
  });

  test("C8: leaves out what is no tag but is known to be listed as one", async () => {
    const tags = ["1", "", `sha256:${"a".repeat(64)}`, "2"];
    await using registry = registryOf(() => Response.json({ tags }));
    expect((await list(registry.host)).tags).toEqual(["1", "2"]);
  });

  test.each([
    ["../x", '"../x"'],
    ["a/b", '"a/b"'],
    ["-a", '"-a"'],
    ["a".repeat(129), `"${"a".repeat(129)}"`],
    ["a\nlevel=fatal", '"a\\nlevel=fatal"'],
    ["\u001b[2J", '"\\x1b[2J"'],
  ])("C8, O1: refuses the tag %j, and shows it escaped", async (tag, shown) => {
    await using registry = registryOf(() => Response.json({ tags: ["1", tag] }));
    await expect(list(registry.host)).rejects.toMatchObject({
      code: "refused",
      message: `Error listing repository tags: registry returned invalid tag ${shown}: invalid tag format`,
    });
  });

  test.each([
    ["{", "decoding tag list response: "],
    ['{"tags":1}', "decoding tag list response: tags are not a list"],
    ['{"tags":[1]}', "decoding tag list response: a tag is not text"],
  ])("says that %s is no list", async (body, message) => {
    await using registry = registryOf(() => new Response(body));
    await expect(list(registry.host)).rejects.toMatchObject({
      code: "corrupt",
      message: expect.stringContaining(message),
    });
  });

  test("says that there is no such repository", async () => {
    await using registry = startRegistry();
    await expect(list(registry.host)).rejects.toMatchObject({
      code: "refused",
      message:
        "Error listing repository tags: fetching tags list: repository name not known to registry",
    });
  });
});

describe("reference.listTags", () => {
  function beside(host: string): Promise<readonly string[] | undefined> {
    return docker.parseReference(`//${host}/a/b:1`).listTags!(dockerContext());
  }

  test("gives the tags beside an image", async () => {
    await using registry = registryWith(["1", "2"]);
    expect(await beside(registry.host)).toEqual(["1", "2"]);
  });

  test("gives undefined where the registry does not disclose them", async () => {
    await using denied = registryWith(["1"], { listsTags: false });
    expect(await beside(denied.host)).toBeUndefined();
    const errors = [{ code: "UNKNOWN", message: "404 page not found" }];
    await using absent = registryOf(() => Response.json({ errors }, { status: 404 }));
    expect(await beside(absent.host)).toBeUndefined();
  });

  test("fails where something else is wrong", async () => {
    await using registry = registryOf(() => new Response("404 page not found", { status: 404 }));
    await expect(beside(registry.host)).rejects.toMatchObject({
      message: 'fetching tags list: StatusCode: 404, "404 page not found"',
    });
  });
});
