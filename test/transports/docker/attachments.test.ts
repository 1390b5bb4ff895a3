import { describe, expect, test } from "bun:test";

import { digestOf, parseDigest } from "../../../core/content/digest.ts";
import { parseDockerName } from "../../../core/content/docker-name.ts";
import {
  encodeSignatureBlob,
  type SigstoreSignature,
} from "../../../core/content/signature-blob.ts";
import { addAttachments, readAttachments } from "../../../transports/docker/attachments.ts";
import { connect } from "../../../transports/docker/connection.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { attachmentTag } from "../../../transports/shared/attachments.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { addSample } from "../../support/push.ts";
import { type RegistryServer, startRegistry } from "../../support/registry-server.ts";
import { rejection } from "../../support/rejection.ts";
import { sampleImage } from "../../support/sample-images.ts";
import { sigstoreSignature } from "../../support/sigstore.ts";

const image = sampleImage({ layers: [] });
const digest = parseDigest(image.manifest.digest);
const tag = attachmentTag(digest);
const one = sigstoreSignature();
const two = sigstoreSignature();
const log = { debug() {}, info() {}, warn() {} };
const never = new AbortController().signal;

async function placeAt({ host }: RegistryServer) {
  const name = parseDockerName(`${host}/a/b:1`);
  const client = await connect(name, "pull,push", dockerContext());
  return { client, name, digest, log };
}

const found = async (registry: RegistryServer): Promise<readonly SigstoreSignature[]> =>
  readAttachments(await placeAt(registry));

describe("attachments in a registry", () => {
  test("are none where nobody has signed", async () => {
    await using registry = startRegistry();
    expect(await found(registry)).toEqual([]);
  });

  test("are read as they were added, each once", async () => {
    await using registry = startRegistry();
    await addAttachments(await placeAt(registry), [one], never);
    await addAttachments(await placeAt(registry), [two, one], never);
    expect(await found(registry)).toEqual([one, two]);
  });

  test("are not written where they are there already", async () => {
    await using registry = startRegistry();
    await addAttachments(await placeAt(registry), [one], never);
    const before = registry.lines.length;
    await addAttachments(await placeAt(registry), [one], never);
    expect(registry.lines.slice(before).filter((line) => !line.startsWith("GET"))).toEqual([]);
  });

  test.each([
    ["before it writes", 1],
    ["after it has written", 2],
  ])("survive somebody who writes at the same time, %s", async (_, when) => {
    let disturb = false;
    await using registry = startRegistry({
      intercept: async ({ method, target }, usual) => {
        if (!disturb || !target.endsWith(tag)) return usual();
        const repository = registry.repository("a/b");
        if (method === "GET" && when === 1) {
          // Answers as it was, and is another one right after.
          const answer = await usual();
          disturb = false;
          putDirectly(repository, [two]);
          return answer;
        }
        if (method === "PUT" && when === 2) {
          const answer = await usual();
          disturb = false;
          putDirectly(repository, [two]);
          return answer;
        }
        return usual();
      },
    });
    disturb = true;
    await addAttachments(await placeAt(registry), [one], never);
    expect((await found(registry)).toSorted(byAnnotation)).toEqual(
      [one, two].toSorted(byAnnotation),
    );
  });

  test("are given up where others change them for ever", async () => {
    await using registry = startRegistry({
      intercept: async ({ method, target }, usual) => {
        const answer = await usual();
        if (method === "PUT" && target.endsWith(tag)) {
          putDirectly(registry.repository("a/b"), [two]);
        }
        return answer;
      },
    });
    const failure = await rejection(addAttachments(await placeAt(registry), [one], never));
    expect(failure).toMatchObject({
      code: "unavailable",
      message: expect.stringContaining(`${tag} all the time`),
    });
  });

  test("are refused if a payload is not what was promised", async () => {
    await using registry = startRegistry();
    await addAttachments(await placeAt(registry), [one], never);
    const { blobs } = registry.repository("a/b");
    blobs.set(digestOf(one.payload), one.payload.with(0, 0));
    expect(await rejection(found(registry))).toMatchObject({ code: "corrupt" });
  });

  test("cannot be kept for digests that are longer than tags", async () => {
    await using registry = startRegistry();
    const long = parseDigest(`sha512:${"a".repeat(128)}`);
    const place = { ...(await placeAt(registry)), digest: long };
    expect(await readAttachments(place)).toEqual([]);
    expect(await rejection(addAttachments(place, [one], never))).toMatchObject({
      code: "unsupported",
      message: `Registries cannot keep signatures of ${long}`,
    });
    expect(registry.lines.filter((line) => line.includes("sha512"))).toEqual([]);
  });

  test("are refused if they are no image", async () => {
    await using registry = startRegistry();
    const list = "application/vnd.oci.image.index.v1+json";
    const bytes = new TextEncoder().encode(
      JSON.stringify({ schemaVersion: 2, mediaType: list, manifests: [] }),
    );
    registry.repository("a/b").addManifest(bytes, list, tag);
    expect((await rejection(found(registry))).message).toContain(
      `unexpected MIME type for sigstore attachment manifest ${registry.host}/a/b:${tag}: "${list}"`,
    );
  });
});

describe("the docker transport", () => {
  test.each([
    [{ sigstoreAttachments: true }, [one]],
    [{ sigstoreAttachments: false }, []],
    [{}, []],
  ])("looks for attachments as registries.d says: %j", async (signatures, expected) => {
    await using registry = startRegistry();
    addSample(registry.repository("a/b"), "1", image);
    await addAttachments(await placeAt(registry), [one], never);
    const reference = docker.parseReference(`//${registry.host}/a/b:1`);
    await using source = await reference.openSource(dockerContext({ signatures }));
    expect(await source.readSignatures({ digest })).toEqual(expected.map(encodeSignatureBlob));
  });

  test("writes none where registries.d does not say so", async () => {
    await using registry = startRegistry();
    const reference = docker.parseReference(`//${registry.host}/a/b:1`);
    await using destination = await reference.openDestination(dockerContext());
    const why = "writing sigstore attachments is disabled by configuration";
    expect(destination.traits.refusedForms?.sigstore).toBe(why);
    const signatures = [encodeSignatureBlob(one)];
    expect((await rejection(destination.putSignatures(signatures, { digest }))).message).toBe(why);
  });
});

type Repository = ReturnType<RegistryServer["repository"]>;

/** Puts signatures in as somebody who knows of no others. */
function putDirectly(repository: Repository, signatures: readonly SigstoreSignature[]): void {
  const layers = signatures.map(({ mediaType, payload, annotations }) => ({
    mediaType,
    digest: repository.addBlob(payload),
    size: payload.length,
    annotations,
  }));
  const config = new TextEncoder().encode("{}");
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: repository.addBlob(config),
      size: 2,
    },
    layers,
  };
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  repository.addManifest(bytes, manifest.mediaType, tag);
}

function byAnnotation(a: SigstoreSignature, b: SigstoreSignature): number {
  return JSON.stringify(a.annotations) < JSON.stringify(b.annotations) ? -1 : 1;
}
