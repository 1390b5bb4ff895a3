// The faulty registry: every way in which a registry can go wrong, by the name of a repository.
//
// The first part of a repository's path names the fault, such as in `127.0.0.1:4711/cut-half/img:t`.
// Faults of reading hold an image under the tag `t`; faults of writing keep what is sent to them.
// Started as a program it prints its hosts as one line of JSON, and each request as another.

import { type Fault, type FaultName, type FaultyHosts, faults, type Stage } from "./faults.ts";
import {
  FaultyStore,
  honestAnswer,
  json,
  refusal,
  SampleImage,
  type Understood,
  understand,
} from "./faulty-store.ts";
import {
  type RawAnswer,
  type RawRequest,
  type RawServer,
  startRawServer,
  type TlsManners,
} from "./raw-http.ts";

export { type FaultName, type FaultyHosts, faults } from "./faults.ts";

/** A request that came, to whichever of the hosts. */
export interface FaultyRequest {
  /** Milliseconds since the registry started. */
  readonly time: number;
  /** Whom it came to; a stranger is somebody else's origin. */
  readonly host: HostRole;
  readonly method: string;
  readonly target: string;
  readonly kind: Understood["kind"];
  readonly fault: string;
  readonly range?: string;
  /** What was shown, by scheme. */
  readonly credential: "none" | "basic" | "bearer" | "other";
}

type HostRole = keyof Omit<FaultyHosts, "strangers"> | "strangerPort" | "strangerAddress";

/** A running faulty registry. Dispose it to end it. */
export interface FaultyRegistry extends AsyncDisposable {
  readonly hosts: FaultyHosts;
  /** What every repository that is read holds. */
  readonly image: SampleImage;
  /** Every request so far, in order of arrival. */
  readonly requests: readonly FaultyRequest[];
  /** Returns the requests that concern one fault, of one kind if given. */
  requestsFor(fault: FaultName, kind?: Understood["kind"]): readonly FaultyRequest[];
  /** Returns the image name `HOST/FAULT/img:t` that shows a fault. */
  name(fault: FaultName): string;
  /** Returns what a repository holds by now. */
  store(fault: FaultName): FaultyStore;
}

/** Who is let in where somebody is asked for. */
export const faultyCredentials = { username: "user", password: "secret-password" } as const;

/** Starts a faulty registry. Its image is made of random bytes; 8 MiB are enough to be cut twice. */
export async function startFaultyRegistry({
  layerBytes = 8 * 1024 * 1024,
  onRequest = () => {},
}: {
  readonly layerBytes?: number;
  readonly onRequest?: (request: FaultyRequest) => void;
} = {}): Promise<FaultyRegistry> {
  const registry = new Registry(new SampleImage(layerBytes), onRequest);
  await registry.listen();
  return registry;
}

class Registry implements FaultyRegistry {
  readonly image: SampleImage;
  readonly requests: FaultyRequest[] = [];
  readonly #stores = new Map<string, FaultyStore>();
  readonly #servers: RawServer[] = [];
  readonly #tokens = new Map<string, { uses: number }>();
  readonly #onRequest: (request: FaultyRequest) => void;
  readonly #started = performance.now();
  #hosts: FaultyHosts | undefined;

  constructor(image: SampleImage, onRequest: (request: FaultyRequest) => void) {
    this.image = image;
    this.#onRequest = onRequest;
  }

  get hosts(): FaultyHosts {
    if (this.#hosts === undefined) throw new Error("not listening yet");
    return this.#hosts;
  }

  async listen(): Promise<void> {
    const host = async (role: HostRole, address = "127.0.0.1", onTls: TlsManners = "hang up") => {
      const handler = (request: RawRequest) => this.#answer(role, request);
      const server = await startRawServer({ handler, address, onTls });
      this.#servers.push(server);
      return `${address}:${server.port}`;
    };
    this.#hosts = {
      open: await host("open"),
      basic: await host("basic"),
      bearer: await host("bearer"),
      foreignRealm: await host("foreignRealm"),
      silentTls: await host("silentTls", "127.0.0.1", "stay silent"),
      strangers: {
        port: await host("strangerPort"),
        address: await host("strangerAddress", "127.0.0.2"),
      },
    };
  }

  requestsFor(fault: FaultName, kind?: Understood["kind"]): readonly FaultyRequest[] {
    return this.requests.filter(
      (request) => request.fault === fault && (kind === undefined || request.kind === kind),
    );
  }

  name(fault: FaultName): string {
    const { host = "open" }: Fault = faults[fault];
    return `${this.hosts[host]}/${fault}/img:t`;
  }

  store(fault: string): FaultyStore {
    let store = this.#stores.get(fault);
    if (store === undefined) {
      store = new FaultyStore();
      if (faultCalled(fault).holdsImage) store.fill(this.image);
      this.#stores.set(fault, store);
    }
    return store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
  }

  async #answer(role: HostRole, request: RawRequest) {
    const what = understand(request);
    this.#log(role, request, what);
    if (what.kind === "token") return this.#token(role, request, what);
    const refused = this.#refuse(role, request);
    if (refused !== undefined) return refused;

    const store = this.store(what.fault);
    const honest = () => honestAnswer(request, what, store);
    // Strangers are honest: what they see is what matters.
    if (role.startsWith("stranger") || what.kind === "ping") return honest();
    const { image, hosts } = this;
    const nth = store.count(
      what.kind.startsWith("upload") ? what.kind : `${what.kind} ${what.reference}`,
    );
    const stage: Stage = { ...what, request, store, image, hosts, nth, honest };
    return (await faultCalled(what.fault).play(stage)) ?? honest();
  }

  #log(role: HostRole, { method, target, headers }: RawRequest, what: Understood): void {
    const range = headers.get("range");
    const [scheme = "none"] = (headers.get("authorization") ?? "none").toLowerCase().split(" ");
    const seen: FaultyRequest = {
      time: Math.round(performance.now() - this.#started),
      host: role,
      method,
      target,
      kind: what.kind,
      fault: what.fault,
      ...(range === null ? {} : { range }),
      credential: scheme === "none" || scheme === "basic" || scheme === "bearer" ? scheme : "other",
    };
    this.requests.push(seen);
    this.#onRequest(seen);
  }

  /** Asks who it is, where that is of interest. */
  #refuse(role: HostRole, { headers }: RawRequest): RawAnswer | undefined {
    const shown = headers.get("authorization") ?? "";
    if (role === "basic") return shown === basic ? undefined : challenged('Basic realm="faulty"');
    if (role !== "bearer" && role !== "foreignRealm") return undefined;
    const token = this.#tokens.get(/^Bearer (.*)$/.exec(shown)?.[1] ?? "");
    if (token !== undefined && token.uses-- > 0) return undefined;
    const realm = role === "bearer" ? this.hosts.bearer : this.hosts.strangers.port;
    return challenged(`Bearer realm="http://${realm}/token",service="faulty"`);
  }

  #token(role: HostRole, { headers }: RawRequest, { query }: Understood): RawAnswer {
    const shown = headers.get("authorization");
    if (shown !== null && shown !== basic) return refusal(401, "UNAUTHORIZED");
    const token = `secret-token-${role}-${this.#tokens.size}`;
    const [, fault = ""] = /^repository:([^/]+)/.exec(query.get("scope") ?? "") ?? [];
    // Every other token is of no use after its first use, whatever was promised.
    const first = this.store(fault).count("token") % 2 === 0;
    this.#tokens.set(token, { uses: fault === "token-ends-early" && first ? 1 : Infinity });
    return { status: 200, body: json({ token, expires_in: 300 }) };
  }
}

const basic = `Basic ${btoa(`${faultyCredentials.username}:${faultyCredentials.password}`)}`;

function challenged(challenge: string): RawAnswer {
  const refused = refusal(401, "UNAUTHORIZED", "authentication required");
  return { ...refused, headers: { ...refused.headers, "WWW-Authenticate": challenge } };
}

function faultCalled(name: string): Fault {
  const known: Readonly<Record<string, Fault>> = faults;
  return Object.hasOwn(known, name) ? (known[name] ?? faults.none) : faults.none;
}

if (import.meta.main) {
  const line = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
  const registry = await startFaultyRegistry({ onRequest: line });
  line(registry.hosts);
}
