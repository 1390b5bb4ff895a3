import { describe, expect, test } from "bun:test";
import { digestOf } from "../../../core/content/digest.ts";
import { encodeRepositories, legacyLayers } from "../../../transports/shared/docker-tar-legacy.ts";
import { failureOf } from "../../support/failure-of.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (content: Uint8Array) => new TextDecoder().decode(content);
const one = digestOf(bytes("one"));
const two = digestOf(bytes("two"));

describe("legacyLayers", () => {
  test("gives the IDs that the original was seen to write", () => {
    const [base, top] = legacyLayers(
      [one, two],
      bytes('{"os":"linux","architecture":"amd64","config":{"b":[1.0, "<ü>"],"a":null}}'),
    );
    expect(base?.id).toBe("6d2853c5c481890be5cef85fe47fee2c7d7526669a7a3d07a910dddf787645a0");
    expect(top?.id).toBe("634e4601918294eaa05badde29b1663602d4ba28627988773a13bda8097d7129");
    expect(text(base?.json ?? bytes(""))).toBe(`{"id":"${base?.id}"}`);
    expect(text(top?.json ?? bytes(""))).toBe(
      `{"architecture":"amd64","config":{"b":[1.0,"\\u003cü\\u003e"],"a":null},"container":null,` +
        `"container_config":null,"created":null,"docker_version":null,"id":"${top?.id}",` +
        `"os":"linux","parent":"${base?.id}"}`,
    );
  });

  test("takes members over as they stand, but for blanks and what HTML minds", () => {
    const config =
      '{ "config" : { "x" : "a\\"}b , c" , "y" : [ 1e2 , { } ] } , "os" : "a\\u00fc" }';
    const [only] = legacyLayers([one], bytes(config));
    expect(text(only?.json ?? bytes(""))).toContain(
      '"config":{"x":"a\\"}b , c","y":[1e2,{}]},"container":null',
    );
    expect(text(only?.json ?? bytes(""))).toContain('"os":"a\\u00fc"}');
  });

  test("an ID depends on all layers below", () => {
    const ids = (...layers: Parameters<typeof legacyLayers>[0]) =>
      legacyLayers(layers, bytes("{}")).map(({ id }) => id);
    expect(ids(one, one)[0]).not.toBe(ids(one, one)[1]);
    expect(ids(one, two, one)[2]).not.toBe(ids(two, one, one)[2]);
    expect(ids(one, two, one)[0]).toBe(ids(one, one, two)[0] ?? "");
  });

  test("no layers are no layers", () => {
    expect(legacyLayers([], bytes("{}"))).toEqual([]);
  });

  test.each(["[]", "null", "7", "{"])("refuses the config %p", (config) => {
    expect(failureOf(() => legacyLayers([one], bytes(config)))).toMatchObject({ code: "corrupt" });
  });
});

describe("encodeRepositories", () => {
  test("sorts repositories and tags", () => {
    const names = ["docker.io/library/x:2", "docker.io/library/x:1", "docker.io/a/b:latest"];
    expect(text(encodeRepositories(new Map(names.map((name) => [name, "id"]))))).toBe(
      '{"docker.io/a/b":{"latest":"id"},"docker.io/library/x":{"1":"id","2":"id"}}',
    );
  });

  test("is an empty object where nothing has a name", () => {
    expect(text(encodeRepositories(new Map()))).toBe("{}");
  });
});
