// The front door: which program we are called as, its version, and which command is meant.

import { defineTree } from "./command.ts";
import { programCalled } from "./program.ts";
import { versionLine } from "./version.ts";

const tree = defineTree({
  completion: async () => (await import("./commands/completion.ts")).completion,
  copy: async () => (await import("./commands/copy.ts")).copy,
  delete: async () => (await import("./commands/delete.ts")).deleteImage,
  "experimental-image-proxy": async () =>
    (await import("./commands/experimental-image-proxy.ts")).imageProxy,
  "generate-sigstore-key": async () =>
    (await import("./commands/generate-sigstore-key.ts")).generateSigstoreKey,
  help: async () => (await import("./commands/help.ts")).help,
  inspect: async () => (await import("./commands/inspect.ts")).inspect,
  layers: async () => (await import("./commands/layers.ts")).layers,
  "list-tags": async () => (await import("./commands/list-tags.ts")).listTags,
  login: async () => (await import("./commands/login.ts")).login,
  logout: async () => (await import("./commands/logout.ts")).logout,
  schema: async () => (await import("./commands/schema.ts")).schema,
  "manifest-digest": async () => (await import("./commands/manifest-digest.ts")).manifestDigest,
  policy: async () => (await import("./commands/policy.ts")).policy,
  "standalone-sign": async () => (await import("./commands/standalone-sign.ts")).standaloneSign,
  "standalone-verify": async () =>
    (await import("./commands/standalone-verify.ts")).standaloneVerify,
  sync: async () => (await import("./commands/sync.ts")).sync,
  "untrusted-signature-dump-without-verification": async () =>
    (await import("./commands/untrusted-signature-dump.ts")).untrustedSignatureDump,
});

const words = process.argv.slice(2);
// In the executable argv[0] is always "bun"; argv0 is the word that the program was called by.
const program = programCalled(process.argv0);

if (words.length === 1 && (words[0] === "--version" || words[0] === "-v")) {
  console.log(versionLine(program));
} else {
  const { run } = await import("./run.ts");
  process.exitCode = await run({ words, program, tree });
}
