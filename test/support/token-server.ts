// Token server: hands out bearer tokens that a real registry accepts.

import { X509Certificate, createPrivateKey, randomUUID, sign } from "node:crypto";
import { readFileSync } from "node:fs";

/** What the service is to be like. */
export interface TokenServerOptions {
  /** PEM files of a certificate the registry trusts, and its key. */
  readonly certificate: string;
  readonly key: string;
  readonly username: string;
  readonly password: string;
  /** How many tokens, from the first, the registry refuses although they claim to be fresh. */
  readonly stale?: number;
  /** An identity token that lets in whoever shows it. */
  readonly identity?: string;
}

/** A request for a token, as it came. */
export interface TokenRequest {
  readonly scopes: readonly string[];
  readonly account: string | null;
  /** Whether the right password came along. */
  readonly known: boolean;
}

/** A token service on loopback, until it is disposed of. */
export interface TokenServer extends AsyncDisposable {
  readonly realm: string;
  readonly requests: readonly TokenRequest[];
}

export const tokenIssuer = "test token service";
export const tokenService = "test registry";

/** Starts the service. Whoever does not know the password gets a token that allows nothing. */
export function startTokenServer(options: TokenServerOptions): TokenServer {
  const certificate = new X509Certificate(readFileSync(options.certificate));
  const key = createPrivateKey(readFileSync(options.key));
  const requests: TokenRequest[] = [];
  const credentials = Buffer.from(`${options.username}:${options.password}`).toString("base64");

  const tokenFor = (scopes: readonly string[], fresh: boolean): string => {
    const now = Math.floor(Date.now() / 1000) - (fresh ? 0 : 3600);
    const header = { typ: "JWT", alg: "RS256", x5c: [certificate.raw.toString("base64")] };
    const claims = {
      iss: tokenIssuer,
      sub: options.username,
      aud: tokenService,
      nbf: now - 10,
      iat: now,
      exp: now + 300,
      jti: randomUUID(),
      access: scopes.map(accessOf),
    };
    const signed = [header, claims].map(base64Json).join(".");
    return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
  };

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const posted = request.method === "POST";
      const query = posted
        ? new URLSearchParams(await request.text())
        : new URL(request.url).searchParams;
      const authorization = posted ? "form" : request.headers.get("authorization");
      const known = posted
        ? query.get("refresh_token") === options.identity
        : authorization === `Basic ${credentials}`;
      const scopes = query.getAll("scope").flatMap((scope) => scope.split(" "));
      requests.push({ scopes, account: query.get("account"), known });
      if (authorization !== null && !known) return new Response("who?", { status: 401 });
      const fresh = requests.length > (options.stale ?? 0);
      return Response.json({
        token: tokenFor(known ? scopes : [], fresh),
        expires_in: 300,
        issued_at: new Date().toISOString(),
      });
    },
  });
  return {
    realm: `http://localhost:${server.port}/token`,
    requests,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** `repository:a/b:pull,push`, where the name may hold colons of its own. */
function accessOf(scope: string): object {
  const [type = "", ...rest] = scope.split(":");
  const actions = rest.pop() ?? "";
  return { type, name: rest.join(":"), actions: actions.split(",") };
}

function base64Json(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
