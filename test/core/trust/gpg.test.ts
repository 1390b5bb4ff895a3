import { describe, expect, test } from "bun:test";

import { exportedKeys, gpgSigner } from "../../../core/trust/gpg.ts";
import { surroundingsWith } from "../../support/fake-program.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const document = Buffer.from("{}");
const created = `echo "[GNUPG:] SIG_CREATED S 22 8 00 1 F" >&2`;

describe("gpgSigner", () => {
  test("asks for one binary message by the key", async () => {
    using workspace = new Workspace();
    const script = `printf '%s|' "$@"; cat; ${created}`;
    const signer = gpgSigner({ key: "--version" }, surroundingsWith(workspace, "gpg", script));
    await signer.prepare();
    expect(Buffer.from(await signer.signDocument(document)).toString()).toBe(
      "--batch|--no-tty|--status-fd|2|--no-armor|--no-textmode|--local-user|--version|--sign|{}",
    );
  });

  test("tells a passphrase on a descriptor, and to nobody else", async () => {
    using workspace = new Workspace();
    const script = `read pass <&3; printf '%s|' "$@" "$pass"; ${created}`;
    const key = { key: "F", passphrase: "open sesame" };
    const signer = gpgSigner(key, surroundingsWith(workspace, "gpg", script));
    const said = Buffer.from(await signer.signDocument(document)).toString();
    expect(said).toContain("|--pinentry-mode|loopback|--passphrase-fd|3|");
    expect(said).toEndWith("|--sign|open sesame|");
  });

  test.each<[string, string, string]>([
    ["fails", "exit 2", "gpg made no signature, and gave no reason"],
    ["says that it succeeded, but not what it did", "printf x", "gpg made no signature"],
    ["says that it signed, but fails", `printf x; ${created}; exit 2`, "gpg made no signature"],
    ["signs nothing", created, "gpg made no signature"],
    [
      "has no such key",
      `printf '%s\\n' 'gpg: skipped "F": No secret key' '[GNUPG:] INV_SGNR 9 F' 'gpg: signing failed: No secret key' >&2; exit 2`,
      'key "F" cannot sign: there is no secret key',
    ],
    [
      "is told a wrong passphrase",
      `printf x; printf '%s\\n' 'gpg: signing failed: Bad passphrase' '[GNUPG:] FAILURE sign 67108875' 'gpg: signing failed: Bad passphrase' >&2; exit 2`,
      "signing failed: Bad passphrase",
    ],
    [
      "has nobody to ask",
      `printf '%s\\n' 'gpg: signing failed: Inappropriate ioctl for device' '[GNUPG:] FAILURE sign 83918950' >&2; exit 2`,
      "signing failed: Inappropriate ioctl for device",
    ],
    ["moves the cursor", `printf 'gpg: \\033[2Jx\\n' >&2; exit 2`, "\\x1b[2Jx"],
  ])("fails where gpg %s", async (_, script, message) => {
    using workspace = new Workspace();
    const signer = gpgSigner({ key: "F" }, surroundingsWith(workspace, "gpg", script));
    const failure = await rejection(signer.signDocument(document));
    expect(failure.code).toBe("config");
    expect(failure.message).toContain(message);
  });

  test("says what to do where gpg had nobody to ask", async () => {
    using workspace = new Workspace();
    const script = `echo '[GNUPG:] FAILURE sign 83918950' >&2; exit 2`;
    const signer = gpgSigner({ key: "F" }, surroundingsWith(workspace, "gpg", script));
    expect((await rejection(signer.signDocument(document))).hint).toContain(
      "--sign-passphrase-file",
    );
  });

  test("is not prepared without gpg, or with a passphrase of two lines", async () => {
    using workspace = new Workspace();
    const without = surroundingsWith(workspace, "other", "exit 0");
    const variables = { PATH: workspace.at("bin") };
    const nowhere = { ...without, environment: { ...without.environment, variables } };
    expect((await rejection(gpgSigner({ key: "F" }, nowhere).prepare())).message).toBe(
      `initializing GPG: exec: "gpg": executable file not found in $PATH`,
    );
    const key = { key: "F", passphrase: "a\nb" };
    expect((await rejection(gpgSigner(key, without).prepare())).message).toBe(
      "initializing GPG: invalid passphrase: must not contain a line break",
    );
  });
});

describe("exportedKeys", () => {
  test("returns what gpg knows of the keys", async () => {
    using workspace = new Workspace();
    const surroundings = surroundingsWith(workspace, "gpg", `printf '%s|' "$@"`);
    expect(Buffer.from(await exportedKeys(["--help", "F"], surroundings)).toString()).toBe(
      "--batch|--no-tty|--no-armor|--export|--|--help|F|",
    );
  });

  test("fails as gpg does", async () => {
    using workspace = new Workspace();
    const script = `echo "gpg: Fatal: can't create directory" >&2; exit 2`;
    const failure = await rejection(
      exportedKeys(["F"], surroundingsWith(workspace, "gpg", script)),
    );
    expect(failure.message).toBe("gpg: Fatal: can't create directory");
  });
});
