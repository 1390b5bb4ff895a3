import { describe, expect, test } from "bun:test";

import { parseDockerName } from "../../../core/content/docker-name.ts";
import type { SignatureStorage } from "../../../core/image/registry-access.ts";
import { connect } from "../../../transports/docker/connection.ts";
import { registryTraits, signatureKeeping } from "../../../transports/docker/traits.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { startRegistry } from "../../support/registry-server.ts";

test("registryTraits refuses signatures of the forms that are not to be kept", () => {
  expect(registryTraits({ sigstore: true }).refusedForms).toEqual({});
  expect(registryTraits({ sigstore: false }).refusedForms?.sigstore).toContain("disabled");
  expect(registryTraits({ sigstore: true, noSimpleSigning: "why" }).refusedForms).toEqual({
    "simple-signing": "why",
  });
});

describe("signatureKeeping", () => {
  const keeping = async (signatures: SignatureStorage, headers: Record<string, string> = {}) => {
    await using registry = startRegistry({
      intercept: async (_, usual) => {
        const answer = await usual();
        for (const [name, value] of Object.entries(headers)) answer.headers.set(name, value);
        return answer;
      },
    });
    const name = parseDockerName(`${registry.host}/a/b:1`);
    const context = dockerContext({ signatures });
    await using client = await connect(name, "pull,push", context);
    return { ...(await signatureKeeping(name, context, client)), lines: registry.lines };
  };

  test("goes by what is configured, without asking the registry", async () => {
    const file: SignatureStorage = { lookaside: "file:///sigs" };
    expect(await keeping(file)).toEqual({ sigstore: false, storage: file, lines: [] });
    const both: SignatureStorage = {
      lookaside: "https://sigs.example",
      lookasideStaging: "file:///sigs",
      sigstoreAttachments: true,
    };
    expect(await keeping(both)).toEqual({ sigstore: true, storage: both, lines: [] });
  });

  test.each<[SignatureStorage, string]>([
    [
      { lookaside: "https://sigs.example" },
      "Writing directly to a https lookaside URL is not supported. Configure a lookaside-staging: location",
    ],
    [
      { lookaside: "ftp://sigs.example" },
      'Unsupported scheme when writing signature to "ftp://sigs.example"',
    ],
    [{}, "There is no place for signatures: registries.d names none"],
  ])("keeps none at %j, unless the registry does", async (storage, noSimpleSigning) => {
    expect(await keeping(storage)).toMatchObject({ noSimpleSigning, lines: ["GET /v2/"] });
    const able = await keeping(storage, { "X-Registry-Supports-Signatures": "1" });
    expect(able).not.toHaveProperty("noSimpleSigning");
  });
});
