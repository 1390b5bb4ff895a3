import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import type { SigstoreSignature } from "../../../core/content/signature-blob.ts";
import { limits } from "../../../core/limits.ts";
import {
  attachedPayloads,
  attachedSignature,
  attachmentTag,
  isAttachmentTag,
  type NewAttachments,
  withAttachments,
} from "../../../transports/shared/attachments.ts";

const digest = digestOf(new Uint8Array());
const bytes = (text: string) => new TextEncoder().encode(text);
const json = (text: Uint8Array) => JSON.parse(new TextDecoder().decode(text));

const signature = (payload: string, mark = "a"): SigstoreSignature => ({
  kind: "sigstore",
  mediaType: "application/vnd.dev.cosign.simplesigning.v1+json",
  payload: bytes(payload),
  annotations: { "dev.cosignproject.cosign/signature": mark },
});

const raw = (manifest: object, mediaType: string = manifestTypes.oci) => ({
  bytes: bytes(JSON.stringify(manifest)),
  mediaType,
});

const asFound = ({ manifest, config }: NewAttachments) => ({
  manifest: { bytes: manifest.bytes, mediaType: manifest.mediaType },
  config: config.bytes,
});

function made(...signatures: SigstoreSignature[]): NewAttachments {
  const attachments = withAttachments(undefined, signatures, "x");
  if (attachments === undefined) throw new Error("nothing was made");
  return attachments;
}

test("attachmentTag spells a digest as a tag, and isAttachmentTag knows it", () => {
  expect(attachmentTag(digest)).toBe(`sha256-${digest.slice(7)}.sig`);
  expect(isAttachmentTag(attachmentTag(digest))).toBe(true);
  for (const other of ["latest", "sha256-a.sig", `${attachmentTag(digest)}x`, digest]) {
    expect(isAttachmentTag(other)).toBe(false);
  }
});

describe("withAttachments", () => {
  test("makes an image of signatures as the original does", () => {
    const { manifest, config, payloads } = made(signature("one"));
    const [payload] = payloads;
    expect(json(config.bytes)).toEqual({
      architecture: "",
      os: "",
      config: {},
      rootfs: { type: "layers", diff_ids: [digestOf(bytes("one"))] },
    });
    expect(json(manifest.bytes)).toEqual({
      schemaVersion: 2,
      mediaType: manifestTypes.oci,
      config: {
        mediaType: "application/vnd.oci.image.config.v1+json",
        digest: digestOf(config.bytes),
        size: config.bytes.length,
      },
      layers: [
        {
          mediaType: "application/vnd.dev.cosign.simplesigning.v1+json",
          digest: digestOf(bytes("one")),
          size: 3,
          annotations: { "dev.cosignproject.cosign/signature": "a" },
        },
      ],
    });
    expect(payload).toMatchObject({ digest: digestOf(bytes("one")), bytes: bytes("one") });
  });

  test("keeps what is there, and what it does not know", () => {
    const first = asFound(made(signature("one")));
    const strange = {
      manifest: raw({ ...json(first.manifest.bytes), annotations: { note: "x" } }),
      config: bytes(JSON.stringify({ ...json(first.config), author: "me" })),
    };
    const added = withAttachments(strange, [signature("two")], "x");
    expect(json(added?.manifest.bytes ?? bytes("0"))).toMatchObject({
      annotations: { note: "x" },
      layers: [{ digest: digestOf(bytes("one")) }, { digest: digestOf(bytes("two")) }],
    });
    expect(json(added?.config.bytes ?? bytes("0"))).toMatchObject({
      author: "me",
      rootfs: { diff_ids: [digestOf(bytes("one")), digestOf(bytes("two"))] },
    });
  });

  test("adds nothing twice, but the same payload with other annotations", () => {
    const found = asFound(made(signature("one"), signature("one")));
    expect(attachedPayloads(found.manifest, "x")).toHaveLength(1);
    expect(withAttachments(found, [signature("one")], "x")).toBeUndefined();
    const added = withAttachments(found, [signature("one", "b"), signature("one")], "x");
    expect(json(added?.manifest.bytes ?? bytes("0")).layers).toHaveLength(2);
  });

  test.each([undefined, bytes("{"), bytes("[]")])("does without a config such as %p", (config) => {
    const { manifest } = asFound(made(signature("one")));
    const added = withAttachments({ manifest, config }, [signature("two")], "x");
    expect(json(added?.config.bytes ?? bytes("0")).rootfs.diff_ids).toHaveLength(2);
  });

  test("refuses what no reader would take", () => {
    const large = signature("one", "x".repeat(limits.manifestBytes));
    expect(() => made(large)).toThrow("no room for more signatures");
    const many = Array.from({ length: limits.signatures + 1 }, (_, index) => signature(`${index}`));
    expect(() => attachedPayloads(asFound(made(...many)).manifest, "x")).toThrow(
      "Too many signatures",
    );
  });
});

describe("attachedPayloads", () => {
  const layer = { mediaType: "a/b", digest, size: 0 };
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 2 };
  const manifest = { schemaVersion: 2, mediaType: manifestTypes.oci, config, layers: [layer] };

  test("returns all, whatever they are", () => {
    const [payload] = attachedPayloads(raw(manifest), "x");
    expect(payload).toMatchObject(layer);
    expect(attachedSignature(layer, new Uint8Array())).toMatchObject({
      kind: "sigstore",
      mediaType: "a/b",
      annotations: {},
    });
  });

  test.each<[string, object, string | undefined, string]>([
    [
      "another type",
      manifest,
      manifestTypes.schema2,
      'unexpected MIME type for sigstore attachment manifest x: "application/vnd.docker',
    ],
    ["no type", manifest, "", 'unexpected MIME type for sigstore attachment manifest x: ""'],
    [
      "a large payload",
      { ...manifest, layers: [{ ...layer, size: limits.signatureBytes + 1 }] },
      undefined,
      "exceeds",
    ],
    [
      "large payloads",
      { ...manifest, layers: Array(20).fill({ ...layer, size: limits.signatureBytes }) },
      undefined,
      "Too many",
    ],
    [
      "a digest that is none",
      { ...manifest, layers: [{ ...layer, digest: "sha256:../x" }] },
      undefined,
      "digest",
    ],
  ])("refuses %s", (_, broken, type, why) => {
    expect(() => attachedPayloads(raw(broken, type), "x")).toThrow(why);
  });
});
