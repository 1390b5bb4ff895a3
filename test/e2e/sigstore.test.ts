// Sigstore: signatures of others are read, carried along, and read by others again.

import { describe, expect } from "bun:test";

import { testWith } from "../support/needs.ts";
import { SigstoreScene, sigstorePeers } from "../support/sigstore-scene.ts";

const test = testWith(...sigstorePeers);

const byKey = (repository?: string) => ({
  type: "sigstoreSigned",
  keyPath: "k.pub",
  ...(repository !== undefined && {
    signedIdentity: { type: "exactRepository", dockerRepository: repository },
  }),
});

async function signedByOriginal(scene: SigstoreScene): Promise<void> {
  const key = ["--sign-by-sigstore-private-key", "k.private", "--sign-passphrase-file", "pass"];
  const plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
  await scene.skopeo("copy", ...plain, ...key, scene.name("app:1"), scene.name("signed:1"));
}

describe("signatures by the original", () => {
  test("let an image in, in any place they are carried to", async () => {
    await using scene = await SigstoreScene.open();
    await signedByOriginal(scene);
    const anywhere = byKey(`${scene.host}/signed`);
    const way = [
      scene.name("signed:1"),
      "oci:layout:a",
      "oci-archive:a.tar:b",
      "dir:directory",
      "oci:layout:b",
      scene.name("back:1"),
    ];
    for (const [index, from] of way.slice(0, -1).entries()) {
      const result = await scene.copy(anywhere, from, way[index + 1] ?? "");
      expect(result).toMatchObject({ code: 0, stderr: "" });
      expect(result.stdout).toContain("Storing signatures");
    }
    const there = await scene.originalCopy(anywhere, scene.name("back:1"), "dir:there");
    expect(there.code).toBe(0);
    const saved = await scene.cosign("verify", "--local-image", ...key, "layout");
    expect(saved.code).toBe(0);
    expect(await scene.skopeo("copy", "oci:layout:a", "dir:other")).toMatchObject({ code: 0 });
  });

  test("are for one name, and the image for one key", async () => {
    await using scene = await SigstoreScene.open();
    await signedByOriginal(scene);
    await scene.dray("copy", "--src-tls-verify=false", scene.name("signed:1"), "dir:a");
    await scene.dray("copy", "--dest-tls-verify=false", "dir:a", scene.name("other:1"));
    const other = await scene.copy(byKey(), scene.name("other:1"), "dir:b");
    expect(other.stderr).toContain(
      `Source image rejected: Signature for identity \\"${scene.host}/signed:1\\" is not accepted`,
    );
    const theirs = await scene.originalCopy(byKey(), scene.name("other:1"), "dir:c");
    expect(theirs.stderr).toContain(
      `Signature for identity \\"${scene.host}/signed:1\\" is not accepted`,
    );
    await scene.skopeo(
      "generate-sigstore-key",
      "--output-prefix",
      "l",
      "--passphrase-file",
      "pass",
    );
    const stranger = { type: "sigstoreSigned", keyPath: "l.pub" };
    const refused = await scene.copy(stranger, scene.name("signed:1"), "dir:d");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("cryptographic signature verification failed");
    const unsigned = await scene.copy(byKey(), scene.name("app:1"), "dir:e");
    expect(unsigned.stderr).toContain("A signature was required, but no signature exists");
  });

  test("are not dropped where registries.d does not let them be written", async () => {
    await using scene = await SigstoreScene.open();
    await signedByOriginal(scene);
    await scene.dray("copy", "--src-tls-verify=false", scene.name("signed:1"), "dir:a");
    scene.write("registries.d/a.yaml", "{}\n");
    const { code, stderr } = await scene.copy(
      { type: "insecureAcceptAnything" },
      "dir:a",
      scene.name("not-there:1"),
    );
    expect(code).toBe(1);
    expect(stderr).toContain(
      "Can not copy signatures to docker://" +
        `${scene.host}/not-there:1: writing sigstore attachments is disabled by configuration`,
    );
    const tags = await fetch(`http://${scene.host}/v2/not-there/tags/list`);
    expect(tags.status).toBe(404);
  });
});

const key = ["--key", "k.pub", "--insecure-ignore-tlog=true"];
