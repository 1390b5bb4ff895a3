// Proxy: which one stands between us and an address.

import { Failure } from "./failure.ts";
import { isWithin, parseIp } from "./ip-address.ts";

/** Proxies as the environment names them. */
export interface ProxySettings {
  readonly http?: string;
  readonly https?: string;
  /** As in NO_PROXY. */
  readonly except?: string;
}

/**
 * Returns the proxy by which `url` is reached, or undefined where it is reached directly.
 *
 * This machine itself is never reached by a proxy. Fails with `config` for an address that cannot be
 * understood, and with `unsupported` for a kind of proxy that is not spoken to: going around a proxy
 * silently is no choice.
 */
export function proxyFor(url: URL, proxies: ProxySettings): URL | undefined {
  const text = (url.protocol === "https:" ? proxies.https : proxies.http) ?? "";
  if (text === "" || isLocal(url.hostname)) return undefined;
  const exceptions = (proxies.except ?? "").split(",").map((entry) => entry.trim().toLowerCase());
  if (exceptions.some((entry) => isExcepted(url, entry))) return undefined;
  return parseProxy(text);
}

function parseProxy(text: string): URL {
  const proxy = URL.parse(text.includes("://") ? text : `http://${text}`);
  // The text is not quoted: it may hold a password.
  if (proxy === null || proxy.hostname === "") {
    throw new Failure("config", "The address of the proxy is no URL", {
      hint: "write HTTP_PROXY and HTTPS_PROXY as http://HOST:PORT",
    });
  }
  if (isSocks(proxy)) {
    if (proxy.port === "") proxy.port = "1080";
  } else if (proxy.protocol !== "http:" && proxy.protocol !== "https:") {
    throw new Failure("unsupported", `Proxies of the kind ${proxy.protocol}// are not spoken to`, {
      hint: "name an http://, https:// or socks5:// proxy, or except the host by NO_PROXY",
    });
  }
  return proxy;
}

/** Tells whether a proxy speaks SOCKS. Both kinds look up names by themselves, as in the original. */
export function isSocks({ protocol }: URL): boolean {
  return protocol === "socks5:" || protocol === "socks5h:";
}

function isLocal(hostname: string): boolean {
  if (hostname === "localhost") return true;
  const address = parseIp(hostname);
  return address !== undefined && isWithin(address, ["127.0.0.0/8", "::1/128"]);
}

/** `*`, an address, a range, or a domain (with a dot before it: only what is below), and perhaps a port. */
function isExcepted(url: URL, entry: string): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  const address = parseIp(url.hostname);
  if (address !== undefined && isWithin(address, [entry, single(entry)])) return true;

  const [, name = "", port] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  const ownPort = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  if (port !== undefined && port !== ownPort) return false;
  if (address !== undefined) return port !== undefined && isWithin(address, [single(name)]);
  const domain = name.replace(/^\*(?=\.)/, "");
  return domain.startsWith(".")
    ? url.hostname.endsWith(domain)
    : url.hostname === domain || url.hostname.endsWith(`.${domain}`);
}

/** The range that holds one address. */
function single(address: string): string {
  return `${address}/${address.includes(":") ? 128 : 32}`;
}
