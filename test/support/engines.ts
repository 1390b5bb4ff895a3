// Engines: dockerd and podman of the tests' own, below one directory, ended by their process ids.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunResult, succeed } from "./run.ts";
import { type DaemonCertificates, makeDaemonCertificates } from "./tls-certificate.ts";
import { Workspace } from "./workspace.ts";

/** What `startDockerd` needs; tests that start one ask for it with `testWith`. */
export const dockerNeeds = ["root", "dockerd", "docker"] as const;

/** What `startPodman` needs. */
export const podmanNeeds = ["root", "podman"] as const;

/** An engine that listens on a socket, until it is disposed of. */
export interface TestEngine extends AsyncDisposable {
  /** Such as `unix:///tmp/…/d.sock`. */
  readonly host: string;
  /** Runs its own client; anything but success is an error. */
  client(...args: readonly string[]): Promise<RunResult>;
  /** Returns how many images it has at the moment, those without a name included. */
  count(): Promise<number>;
}

/** A dockerd that also listens where TLS is spoken. */
export interface SecureEngine extends TestEngine {
  /** Such as `tcp://127.0.0.1:40001`; takes only who shows a certificate. */
  readonly secureHost: string;
  readonly certificates: DaemonCertificates;
}

/** The program that is started as dockerd: `$DRAY_DOCKERD` for another version than the machine's. */
const dockerd = process.env["DRAY_DOCKERD"] ?? "dockerd";

/** Tells whether dockerd can keep images in containerd's store. */
export function knowsContainerdStore(): boolean {
  if (Bun.which(dockerd) === null) return false;
  const { stdout } = Bun.spawnSync([dockerd, "--version"]);
  const major = /version (\d+)\./.exec(stdout.toString())?.[1];
  return Number(major) >= 24;
}

/** Starts a dockerd that listens on a socket. It has no network and runs nothing. */
export function startDockerd(options: { containerdStore?: boolean } = {}): Promise<TestEngine> {
  return started(new Workspace("/tmp"), (directory) => runDockerd(directory, options));
}

/** Starts a dockerd that listens on a socket and on a port, there by TLS. */
export function startSecureDockerd(): Promise<SecureEngine> {
  return started(new Workspace("/tmp"), async (directory) => {
    const certificates = makeDaemonCertificates(join(directory, "tls"));
    const { authority, certificate, key } = certificates.server;
    const port = freePort();
    const engine = await runDockerd(directory, {
      args: [
        `--host=tcp://127.0.0.1:${port}`,
        "--tlsverify",
        `--tlscacert=${authority}`,
        `--tlscert=${certificate}`,
        `--tlskey=${key}`,
      ],
    });
    return { ...engine, secureHost: `tcp://127.0.0.1:${port}`, certificates };
  });
}

/** Newer ones take no port 0. */
function freePort(): number {
  using listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  return listener.port;
}

/** Starts podman as an engine that speaks Docker's API. */
export function startPodman(): Promise<TestEngine> {
  return started(new Workspace("/tmp"), async (directory) => {
    const at = (name: string) => join(directory, name);
    const store = [`--root=${at("g")}`, `--runroot=${at("r")}`, `--tmpdir=${at("l")}`];
    const socket = at("p.sock");
    const program = await listening({
      command: ["podman", ...store, "system", "service", "--time=0", `unix://${socket}`],
      directory,
      socket,
    });
    const client = (...args: readonly string[]) =>
      succeed([...store, ...args], { cwd: directory, program: "podman", env: env(directory) });
    return {
      host: `unix://${socket}`,
      client,
      count: async () => lines((await client("images", "--all", "--quiet")).stdout),
      end: program.end,
    };
  });
}

interface DockerdOptions {
  readonly containerdStore?: boolean;
  readonly args?: readonly string[];
}

async function runDockerd(
  directory: string,
  { containerdStore = false, args = [] }: DockerdOptions,
) {
  const at = (name: string) => join(directory, name);
  const socket = at("d.sock");
  writeFileSync(
    at("daemon.json"),
    JSON.stringify(containerdStore ? { features: { "containerd-snapshotter": true } } : {}),
  );
  const { log, end } = await listening({
    command: [
      dockerd,
      `--config-file=${at("daemon.json")}`,
      "--bridge=none",
      "--iptables=false",
      "--ip6tables=false",
      `--data-root=${at("d")}`,
      `--exec-root=${at("x")}`,
      `--pidfile=${at("d.pid")}`,
      `--host=unix://${socket}`,
      ...args,
    ],
    directory,
    socket,
  });
  const host = `unix://${socket}`;
  const client = (...operands: readonly string[]) =>
    succeed(["--host", host, ...operands], {
      cwd: directory,
      program: "docker",
      env: env(directory),
    });
  return {
    host,
    client,
    count: async () => lines((await client("images", "--all", "--quiet")).stdout),
    log,
    end,
  };
}

function lines(text: string): number {
  return text.split("\n").filter((line) => line !== "").length;
}

function env(directory: string): Record<string, string> {
  return {
    PATH: "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin",
    HOME: directory,
    TMPDIR: directory,
  };
}

interface Listening {
  readonly command: readonly string[];
  readonly directory: string;
  readonly socket: string;
}

/** Starts a program and waits until it answers on its socket. */
async function listening({ command, directory, socket }: Listening) {
  const logFile = join(directory, "log");
  const child = Bun.spawn([...command], {
    cwd: directory,
    env: env(directory),
    stdin: "ignore",
    stdout: "ignore",
    stderr: Bun.file(logFile),
  });
  const log = () => readFileSync(logFile, "utf8");
  const end = async () => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 20_000);
    await child.exited;
    clearTimeout(late);
  };
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) break;
    const answer = await fetch("http://engine/_ping", { unix: socket }).catch(() => undefined);
    if (answer?.ok === true) return { log, end };
    await Bun.sleep(100);
  }
  await end();
  throw new Error(`${command.join(" ")} did not start:\n${log()}`);
}

/** Ends the engine with its directory, and whatever it has left mounted there. */
async function started<T extends { readonly end: () => Promise<void> }>(
  workspace: Workspace,
  start: (directory: string) => Promise<T>,
): Promise<T & AsyncDisposable> {
  const clear = () => {
    unmountBelow(workspace.path);
    workspace[Symbol.dispose]();
  };
  try {
    const engine = await start(workspace.path);
    return {
      ...engine,
      async [Symbol.asyncDispose]() {
        await engine.end();
        clear();
      },
    };
  } catch (error) {
    clear();
    throw error;
  }
}

function unmountBelow(directory: string): void {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const below = mounts
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(`${directory}/`));
  for (const path of below.toReversed()) Bun.spawnSync(["umount", path]);
}
