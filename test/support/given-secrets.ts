// Given secrets: what a command line was given that no output may show.

/** Flags whose value is a secret, or ends in one behind a colon. */
const secretFlag = /^(?:--(?:src-|dest-)?(?:creds|password|registry-token)|--[sd]creds|-p)$/;

/**
 * Returns the passwords and tokens on a command line, and those on standard input of a login.
 *
 * Secrets of fewer than five characters are left out: they may stand in a text by chance.
 */
export function givenSecrets(args: readonly string[], input = ""): readonly string[] {
  const onLine = args.flatMap((word, index) => {
    const [flag = "", value] = cut(word);
    if (!secretFlag.test(flag)) return [];
    const given = value ?? args[index + 1] ?? "";
    return [flag.endsWith("creds") ? given.slice(given.indexOf(":") + 1) : given];
  });
  const asked = args.includes("--password-stdin") ? input.split("\n") : [];
  return [...onLine, ...asked].filter((secret) => secret.length > 4);
}

function cut(word: string): readonly [string, string?] {
  const at = word.indexOf("=");
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}
