// Warnings: what a registry wants its users to know.

/** Returns the texts of the warnings that come with an answer. */
export function warningsIn(headers: Headers): readonly string[] {
  const line = headers.get("warning");
  if (line === null) return [];
  // See https://www.rfc-editor.org/rfc/rfc7234#section-5.5; registries use only this code and agent.
  return [...line.matchAll(/(?:^|,)\s*299 - "((?:[^"\\]|\\[^])*)"/g)].map(([, text]) =>
    (text ?? "").replace(/\\([^])/g, "$1"),
  );
}
