// Scripted engine: answers as a container engine does, on a socket, and does what a test says.

import type { TransportContext } from "../../core/image/transport.ts";
import { transportContext } from "./transport-context.ts";
import { Workspace } from "./workspace.ts";

/** What a test wants to be different from an engine that has nothing and takes everything. */
export interface EngineScript {
  /** The version of the API that it claims; none if empty. */
  readonly version?: string;
  /** Whether it gives back what it was sent, by name. */
  readonly keeps?: boolean;
  /** What it answers to a request; undefined: as usual. */
  readonly answer?: (request: Request) => Promise<Response | undefined> | Response | undefined;
}

/** An engine that is none, until it is disposed of. */
export interface ScriptedEngine extends AsyncDisposable {
  readonly host: string;
  /** The requests so far, as `METHOD path`. */
  readonly lines: readonly string[];
  /** Forgets the requests so far. */
  forget(): void;
  /** The archives that it was sent to their ends. */
  readonly loaded: readonly Uint8Array[];
  /** How often a body broke off. */
  readonly broken: number;
  /** A context whose settings lead here. */
  context(wish?: Partial<TransportContext>): TransportContext;
  readonly workspace: Workspace;
}

/** Starts one on a socket of its own. */
export function startScriptedEngine(script: EngineScript = {}): ScriptedEngine {
  const { version = "1.41", keeps = false, answer } = script;
  const workspace = new Workspace("/tmp");
  const unix = workspace.at("engine.sock");
  const lines: string[] = [];
  const loaded: Uint8Array[] = [];
  const kept = new Map<string, Uint8Array>();
  let broken = 0;
  const usual = async (request: Request): Promise<Response> => {
    const path = new URL(request.url).pathname;
    if (path.endsWith("/_ping")) {
      const headers = { ostype: "linux", ...(version !== "" && { "api-version": version }) };
      return new Response("OK", { headers });
    }
    if (path.endsWith("/images/load")) {
      try {
        const archive = await request.bytes();
        loaded.push(archive);
        for (const name of keeps ? namesIn(archive) : []) kept.set(name, archive);
      } catch {
        broken += 1;
      }
      return Response.json({ stream: "Loaded image: x\n" });
    }
    const archive = kept.get(`docker.io/${new URL(request.url).searchParams.get("names")}`);
    if (archive !== undefined) return new Response(Buffer.from(archive));
    return Response.json({ message: "reference does not exist" }, { status: 404 });
  };
  const server = Bun.serve({
    unix,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      lines.push(`${request.method} ${pathname}${search}`);
      return (await answer?.(request)) ?? (await usual(request));
    },
  });
  const host = `unix://${unix}`;
  const connection = async () => ({
    host,
    plainTcp: false,
    tls: { verify: true, authorities: [] },
  });
  return {
    host,
    lines,
    forget: () => void lines.splice(0),
    loaded,
    workspace,
    get broken() {
      return broken;
    },
    context: (wish = {}) =>
      transportContext({
        temporaryDirectory: workspace.path,
        ...wish,
        settings: { dockerDaemon: { connection } },
      }),
    async [Symbol.asyncDispose]() {
      await server.stop(true);
      workspace[Symbol.dispose]();
    },
  };
}

/** Returns the names that an archive gives to its images. */
function namesIn(archive: Uint8Array): readonly string[] {
  const text = Buffer.from(archive).toString("latin1");
  const [, names = "[]"] = /"RepoTags":(\[[^\]]*\])/.exec(text) ?? [];
  return JSON.parse(names);
}
