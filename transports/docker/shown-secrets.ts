// Shown secrets: what somebody was shown, so that our messages do not repeat it after them.
//
// Registries and what stands before them quote requests when they refuse them, headers and all.

/** Shorter ones would blot out half a message, and be told by that. */
const shortest = 4;

/** Remembers secrets, and takes them out of what others say. */
export class ShownSecrets {
  readonly #secrets = new Set<string>();

  /** Remembers a secret. */
  add(secret: string): void {
    if (secret.length >= shortest) this.#secrets.add(secret);
  }

  /** Remembers what the value of an Authorization header shows, in whatever form it is quoted. */
  addHeader(header: string): void {
    const [, scheme = "", shown = ""] = /^(\S+) (.*)$/.exec(header) ?? [];
    this.add(shown);
    if (scheme.toLowerCase() !== "basic") return;
    const pair = Buffer.from(shown, "base64").toString();
    this.add(pair);
    this.add(pair.slice(pair.indexOf(":") + 1));
  }

  /** Returns a text with each secret taken out, those in the query of `url` included. */
  withoutSecrets(text: string, url: URL): string {
    const forms = [...this.#secrets, ...url.searchParams.values()]
      .filter((secret) => secret.length >= shortest)
      .flatMap((secret) => [secret, encodeURIComponent(secret), withPluses(secret)]);
    // The longest first: a secret may be a part of another one.
    const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length);
    return longestFirst.reduce((rest, form) => rest.replaceAll(form, "***"), text);
  }
}

/** As forms spell it. */
function withPluses(secret: string): string {
  return new URLSearchParams({ x: secret }).toString().slice("x=".length);
}
