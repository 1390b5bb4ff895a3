// Identity token: who somebody is, in the words of an OpenID provider.

import { Failure } from "../../failure.ts";
import { isJsonObject, type Json, parseForeignJson } from "../../json.ts";

/** A token, and whom it is about. Whoever takes it verifies it; here it is only looked at. */
export interface IdentityToken {
  readonly token: string;
  /** What whoever asked for it gave, to know it again; absent where nothing was given. */
  readonly claimedNonce?: string;
  /** The e-mail address that the provider has verified or, without one, the provider's own name. */
  readonly claimedSubject: string;
}

/** Looks at a token. Fails with `config`, and shows nothing of it, if it is none. */
export function parseIdentityToken(token: string): IdentityToken {
  const parts = token.split(".");
  const claims = parts.length === 3 ? claimsIn(parts[1] ?? "") : undefined;
  if (!isJsonObject(claims)) throw new Failure("config", "the identity token is no JSON web token");
  const { sub, email, email_verified: verified, nonce } = claims;
  const again = typeof nonce === "string" ? { claimedNonce: nonce } : {};
  if (typeof email === "string" && email !== "") {
    if (verified === true || verified === "true") {
      return { token, claimedSubject: email, ...again };
    }
    throw new Failure(
      "config",
      "the provider has not verified the e-mail address in the identity token",
    );
  }
  if (typeof sub === "string" && sub !== "") {
    return { token, claimedSubject: sub, ...again };
  }
  throw new Failure("config", "the identity token is about nobody");
}

function claimsIn(part: string): Json | undefined {
  try {
    return parseForeignJson(Buffer.from(part, "base64url"));
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
