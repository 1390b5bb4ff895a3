import { describe, expect, test } from "bun:test";

import { sequoiaSigner } from "../../../core/trust/sequoia.ts";
import { surroundingsWith } from "../../support/fake-program.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const document = Buffer.from("{}");
const armored = (content: string) =>
  `printf '%s\\n' '-----BEGIN PGP MESSAGE-----' '' "$(printf '%s' ${content} | base64 -w0)" '-----END PGP MESSAGE-----'`;

describe("sequoiaSigner", () => {
  test("asks for one message by the key, and takes it out of its armor", async () => {
    using workspace = new Workspace();
    const script = armored(`"$*|$(cat)"`);
    const signer = sequoiaSigner({ fingerprint: "F" }, surroundingsWith(workspace, "sq", script));
    await signer.prepare();
    expect(Buffer.from(await signer.signDocument(document)).toString()).toBe(
      "--batch sign --signer=F --message|{}",
    );
  });

  test("takes a message that is binary", async () => {
    using workspace = new Workspace();
    const script = `printf '\\304x'`;
    const signer = sequoiaSigner({ fingerprint: "F" }, surroundingsWith(workspace, "sq", script));
    expect(Buffer.from(await signer.signDocument(document))).toEqual(Buffer.from([0xc4, 0x78]));
  });

  test("tells a passphrase as a file in memory", async () => {
    using workspace = new Workspace();
    const script = armored(`"$*|$(cat /dev/stdin)|$(cat /dev/fd/3)"`);
    const key = { fingerprint: "F", passphrase: "open sesame" };
    const signer = sequoiaSigner(key, surroundingsWith(workspace, "sq", script));
    expect(Buffer.from(await signer.signDocument(document)).toString()).toBe(
      "--batch --password-file /dev/stdin sign --signer=F --message /dev/fd/3|open sesame|{}",
    );
  });

  test.each<[string, string, string]>([
    ["fails without a word", "exit 1", "sq: it made no signature"],
    ["says what is wrong", `echo "error: no such key" >&2; exit 1`, "sq: no such key"],
    [
      "explains what is wrong",
      `printf '%s\\n' '' '  Error: Failed to resolve --signer F' '      because: No certs found' >&2; exit 1`,
      "sq: No certs found",
    ],
    ["says that it succeeded, and nothing else", "exit 0", "sq: it made no signature"],
    ["says something else", "echo hello", "sq: it made no signature"],
  ])("fails where sq %s", async (_, script, message) => {
    using workspace = new Workspace();
    const signer = sequoiaSigner({ fingerprint: "F" }, surroundingsWith(workspace, "sq", script));
    expect(await rejection(signer.signDocument(document))).toMatchObject({
      code: "config",
      message,
    });
  });
});
