// RegistryAuth: how the in-memory registry asks who is there.

/** Name and password, sent with each request. */
export interface BasicAuth {
  readonly kind: "basic";
  readonly username: string;
  readonly password: string;
}

/** Tokens from the registry's own `/token`. Without a username, everybody gets what they ask for. */
export interface BearerAuth {
  readonly kind: "bearer";
  readonly username?: string;
  readonly password?: string;
  /** Whether those who give no password may pull. */
  readonly anonymousPull?: boolean;
  /** Scopes that nobody is given, such as `repository:a/b:pull`. */
  readonly denies?: readonly string[];
  /** In seconds; 300 if absent. */
  readonly expiresIn?: number;
  /** Where the challenge sends people, instead of to the registry's own `/token`. */
  readonly realm?: string;
}

export type RegistryAuth = BasicAuth | BearerAuth;

/** Who may do what with which repository, such as `repository:a/b:pull`. */
export type Scope = `repository:${string}:${"pull" | "push" | "delete"}`;

interface Token {
  readonly scopes: ReadonlySet<string>;
  readonly endsAt: number;
}

/** Gives out tokens and checks credentials. */
export class Doorkeeper {
  readonly #auth: RegistryAuth | undefined;
  readonly #tokens = new Map<string, Token>();
  #count = 0;

  constructor(auth: RegistryAuth | undefined) {
    this.#auth = auth;
  }

  /** Makes all tokens invalid that were given out so far. */
  endTokens(): void {
    this.#tokens.clear();
  }

  /** Returns the refusal of a request that needs `scopes`, or undefined if it may go on. */
  refuse(request: Request, scopes: readonly Scope[]): Response | undefined {
    const auth = this.#auth;
    if (auth === undefined) return undefined;
    const header = request.headers.get("authorization") ?? "";
    if (auth.kind === "basic") {
      return header === basic(auth) ? undefined : unauthorized(`Basic realm="registry"`);
    }
    const token = this.#tokens.get(header.replace(/^Bearer /, ""));
    const alive = token !== undefined && token.endsAt > Date.now();
    if (alive && scopes.every((scope) => token.scopes.has(scope))) return undefined;
    const realm = auth.realm ?? new URL("/token", request.url).href;
    const parts = [`realm="${realm}"`, `service="registry"`];
    if (scopes.length > 0) parts.push(`scope="${scopes.join(" ")}"`);
    if (header !== "") parts.push(`error="${alive ? "insufficient_scope" : "invalid_token"}"`);
    return unauthorized(`Bearer ${parts.join(",")}`);
  }

  /** Answers `GET /token`. */
  giveToken(request: Request): Response {
    const auth = this.#auth;
    if (auth?.kind !== "bearer") return new Response("no tokens here", { status: 404 });
    const known =
      auth.username === undefined || request.headers.get("authorization") === basic(auth);
    if (!known && (request.headers.has("authorization") || auth.anonymousPull !== true)) {
      return unauthorized(`Basic realm="token"`);
    }
    const asked = new URL(request.url).searchParams.getAll("scope");
    const scopes = asked
      .flatMap((text) => text.split(" "))
      .flatMap(singleScopes)
      .filter((scope) => auth.denies?.includes(scope) !== true);
    const granted = known ? scopes : scopes.filter((scope) => scope.endsWith(":pull"));
    const token = `token-${++this.#count}`;
    const lifetime = auth.expiresIn ?? 300;
    this.#tokens.set(token, { scopes: new Set(granted), endsAt: Date.now() + lifetime * 1000 });
    return Response.json({ token, expires_in: lifetime });
  }
}

/** `repository:a:pull,push` → one scope for each action. */
function singleScopes(scope: string): string[] {
  const [kind, name, actions] = scope.split(":");
  const list = actions === "*" ? ["pull", "push", "delete"] : (actions ?? "").split(",");
  return list.map((action) => `${kind}:${name}:${action}`);
}

function basic({ username, password }: { username?: string; password?: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function unauthorized(challenge: string): Response {
  const errors = [{ code: "UNAUTHORIZED", message: "authentication required", detail: null }];
  return Response.json({ errors }, { status: 401, headers: { "WWW-Authenticate": challenge } });
}
