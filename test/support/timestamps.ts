// Timestamps: what a timestamp authority answers, made by openssl.

import { readFileSync, writeFileSync } from "node:fs";

import { authority, certificate, type CertificateWish, type Issued } from "./authority.ts";
import { oid, sequence } from "./der-bytes.ts";
import { Workspace } from "./workspace.ts";

/** An authority that is good around now, and the one above it. */
export interface TimestampIssuer {
  readonly root: Issued;
  readonly signer: Issued;
}

/** Makes one. */
export function timestampIssuer(wish: CertificateWish = {}): TimestampIssuer {
  const now = Date.now();
  const wide = { from: new Date(now - 3_600_000), to: new Date(now + 3_600_000) };
  const root = authority("timestamp root", wide);
  const forTimestamps = ["2.5.29.37", true, sequence(oid("1.3.6.1.5.5.7.3.8"))] as const;
  const usual = { subject: "timestamps", issuer: root, ...wide, extensions: [forTimestamps] };
  return { root, signer: certificate({ ...usual, ...wish }) };
}

/** How openssl is to answer. */
export interface TimestampWish {
  /** Which certificates come along; the signer's own if absent. */
  readonly certificates?: boolean;
  readonly hash?: "sha256" | "sha384" | "sha512" | "sha1";
}

/** Returns the answer about some bytes, as of now. */
export function timestampOf(
  bytes: Uint8Array,
  { signer }: TimestampIssuer,
  { certificates = true, hash = "sha256" }: TimestampWish = {},
): Uint8Array {
  using workspace = new Workspace();
  const at = (name: string) => workspace.at(name);
  writeFileSync(at("seen"), bytes);
  writeFileSync(at("signer.pem"), signer.pem);
  writeFileSync(at("key.pem"), signer.key.export({ format: "pem", type: "pkcs8" }));
  writeFileSync(at("serial"), "01\n");
  writeFileSync(
    at("config"),
    [
      "[tsa]",
      "default_tsa = own",
      "[own]",
      `serial = ${at("serial")}`,
      "signer_digest = sha256",
      "default_policy = 1.2.3.4.1",
      "digests = sha1, sha256, sha384, sha512",
      "accuracy = secs:1",
      "ess_cert_id_alg = sha256",
      "",
    ].join("\n"),
  );
  const query = ["-query", "-data", at("seen"), `-${hash}`, "-out", at("query")];
  openssl("ts", ...query, ...(certificates ? ["-cert"] : []));
  openssl(
    ...["ts", "-reply", "-config", at("config"), "-queryfile", at("query")],
    ...["-signer", at("signer.pem"), "-inkey", at("key.pem"), "-out", at("reply")],
  );
  return readFileSync(at("reply"));
}

function openssl(...args: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["openssl", ...args], { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`openssl ${args.join(" ")}: ${stderr.toString()}`);
}
