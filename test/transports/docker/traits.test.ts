import { expect, test } from "bun:test";

import { parseDockerName } from "../../../core/content/docker-name.ts";
import { registryTraits, signatureKeeping } from "../../../transports/docker/traits.ts";
import { dockerContext } from "../../support/docker-context.ts";

test("a registry holds signatures of sigstore if administrators want it, and no others", async () => {
  expect(Object.keys(registryTraits({ sigstore: true }).refusedForms ?? {})).toEqual([
    "simple-signing",
  ]);
  expect(registryTraits({ sigstore: false }).refusedForms?.sigstore).toContain("disabled");
});

test("signatureKeeping goes by what is configured for the repository", async () => {
  const name = parseDockerName("a.example/b");
  const context = dockerContext();
  expect(await signatureKeeping(name, context)).toEqual({ sigstore: false });
  const access = {
    ...context.settings.docker.access,
    signatureStorage: async () => ({ sigstoreAttachments: true }),
  };
  const docked = { ...context.settings.docker, access };
  const settings = { ...context.settings, docker: docked };
  expect(await signatureKeeping(name, { ...context, settings })).toEqual({ sigstore: true });
});
