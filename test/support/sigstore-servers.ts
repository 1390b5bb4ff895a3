// Sigstore servers: a certificate authority, a log and an identity provider, small, on loopback.

import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  sign,
  verify,
} from "node:crypto";

import { authority, fulcioLeaf, type Issued } from "./authority.ts";
import { logKeys } from "./sigstore.ts";

/** How the servers are to behave; all of it is optional. */
export interface ServerWish {
  /** May answer in the place of the servers. */
  readonly intercept?: (request: Request, path: string) => Response | undefined;
  /** The e-mail address of whoever logs in, and whether the provider has verified it. */
  readonly email?: string;
  readonly verified?: boolean;
  /** How often whoever waits for a device is told to go on waiting. */
  readonly pending?: number;
  readonly clientSecret?: string;
}

/** The servers, until they are disposed of. */
export interface SigstoreServers extends AsyncDisposable {
  readonly origin: string;
  readonly root: Issued;
  /** Paths of all requests, in order. */
  readonly requests: readonly string[];
  /** Returns a token such as the provider gives out. */
  token(nonce?: string): string;
  /** What a browser would do: comes back to where the address says. Returns the answer's status. */
  visit(address: URL): Promise<number>;
}

/** Starts all three, on one port. */
export function startSigstoreServers(wish: ServerWish = {}): SigstoreServers {
  const { email = "jo@example.com", verified = true, clientSecret } = wish;
  const now = Date.now();
  const at = (minutes: number) => new Date(now + minutes * 60_000);
  const root = authority("root", { from: at(-60), to: at(60) });
  const middle = authority("middle", { issuer: root, from: at(-60), to: at(60) });
  const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const requests: string[] = [];
  const entries = new Map<string, object>();
  const challenges = new Map<string, { challenge: string; nonce: string }>();
  let pending = wish.pending ?? 0;

  const token = (nonce = ""): string => {
    const claims = {
      iss: server.url.origin,
      sub: "user-4711",
      aud: "sigstore",
      email,
      email_verified: verified,
      ...(nonce !== "" && { nonce }),
    };
    const parts = [{ alg: "RS256" }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString("base64url"),
    );
    const signature = sign("sha256", Buffer.from(parts.join(".")), keys.privateKey);
    return [...parts, signature.toString("base64url")].join(".");
  };

  async function certify(request: Request): Promise<Response> {
    const bearer = /^Bearer (.*)$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
    const [head = "", claims = "", signature = ""] = bearer.split(".");
    const good = verify(
      "sha256",
      Buffer.from(`${head}.${claims}`),
      keys.publicKey,
      Buffer.from(signature, "base64url"),
    );
    if (!good) return new Response("unknown token", { status: 401 });
    const { email: known } = JSON.parse(Buffer.from(claims, "base64url").toString());
    const { publicKey, signedEmailAddress } = (await request.json()) as {
      publicKey: { content: string; algorithm: string };
      signedEmailAddress: string;
    };
    const key = createPublicKey({
      key: Buffer.from(publicKey.content, "base64"),
      format: "der",
      type: "spki",
    });
    const proof = Buffer.from(signedEmailAddress, "base64");
    if (publicKey.algorithm !== "ecdsa" || !verify("sha256", Buffer.from(known), key, proof)) {
      return new Response("no proof", { status: 400 });
    }
    const pair = { publicKey: key, privateKey: keys.privateKey };
    const said = { email: known, provider: server.url.origin };
    const leaf = fulcioLeaf(middle, said, { keys: pair, from: at(-1), to: at(9) });
    return new Response(leaf.pem + middle.pem + root.pem, { status: 201 });
  }

  async function keep(request: Request): Promise<Response> {
    const text = await request.text();
    const id = createHash("sha256").update(text).digest("hex");
    const known = entries.get(id);
    if (known !== undefined) {
      const location = `/api/v1/log/entries/${id}`;
      return new Response("there", { status: 409, headers: { location } });
    }
    const payload = {
      body: Buffer.from(text).toString("base64"),
      integratedTime: Math.floor(Date.now() / 1000),
      logID: "a".repeat(64),
      logIndex: entries.size,
    };
    const promise = sign("sha256", Buffer.from(JSON.stringify(payload)), logKeys.privateKey);
    const verification = { signedEntryTimestamp: promise.toString("base64") };
    entries.set(id, { ...payload, verification });
    return Response.json({ [id]: { ...payload, verification } }, { status: 201 });
  }

  async function exchange(request: Request): Promise<Response> {
    const form = new URLSearchParams(await request.text());
    if (clientSecret !== undefined && form.get("client_secret") !== clientSecret) {
      return Response.json({ error: "invalid_client" }, { status: 401 });
    }
    const known = challenges.get(form.get("code") ?? form.get("device_code") ?? "");
    const proof = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (known === undefined || known.challenge !== proof) {
      return Response.json({ error: "invalid_grant" }, { status: 400 });
    }
    if (form.has("device_code") && pending-- > 0) {
      return Response.json({ error: "authorization_pending" }, { status: 400 });
    }
    return Response.json({ id_token: token(known.nonce), access_token: "x" });
  }

  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname, origin } = new URL(request.url);
      requests.push(`${request.method} ${pathname}`);
      const instead = wish.intercept?.(request, pathname);
      if (instead !== undefined) return instead;
      switch (pathname) {
        case "/api/v1/signingCert":
          return certify(request);
        case "/api/v1/log/entries":
          return keep(request);
        case "/.well-known/openid-configuration":
          return Response.json({
            issuer: origin,
            authorization_endpoint: `${origin}/authorize`,
            token_endpoint: `${origin}/token`,
            device_authorization_endpoint: `${origin}/device`,
          });
        case "/device": {
          const form = new URLSearchParams(await request.text());
          const code = randomUUID();
          challenges.set(code, { challenge: form.get("code_challenge") ?? "", nonce: "" });
          return Response.json({
            device_code: code,
            user_code: "ABCD-EFGH",
            verification_uri: `${origin}/activate`,
            interval: 1,
            expires_in: 60,
          });
        }
        case "/token":
          return exchange(request);
      }
      const [, id = ""] = /^\/api\/v1\/log\/entries\/([0-9a-f]+)$/.exec(pathname) ?? [];
      const entry = entries.get(id);
      return entry === undefined
        ? new Response("not here", { status: 404 })
        : Response.json({ [id]: entry });
    },
  });

  return {
    origin: server.url.origin,
    root,
    requests,
    token,
    async visit(address) {
      const query = address.searchParams;
      const code = randomUUID();
      challenges.set(code, {
        challenge: query.get("code_challenge") ?? "",
        nonce: query.get("nonce") ?? "",
      });
      const back = new URL(query.get("redirect_uri") ?? "");
      back.searchParams.set("code", code);
      back.searchParams.set("state", query.get("state") ?? "");
      return (await fetch(back)).status;
    },
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
}
