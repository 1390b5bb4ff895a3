// SOCKS: asking a proxy of that kind for a way, as in https://www.rfc-editor.org/rfc/rfc1928.

import type { Socket } from "node:net";
import { Failure, type FailureCode } from "./failure.ts";
import { readExactly } from "./http-socket.ts";
import { parseIp } from "./ip-address.ts";

/** Where the way is to end. */
export interface SocksTarget {
  /** A name, which the proxy looks up, or an address without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Asks for a way to `target`, and returns when the proxy has answered that there is one.
 *
 * User and password are those of the proxy's address. Fails with `unavailable` if the way may be there
 * another time, and with `refused` if it will not.
 */
export async function openSocks(socket: Socket, target: SocksTarget, proxy: URL): Promise<void> {
  const way = `socks connect tcp ${proxy.host}->${target.host}:${target.port}`;
  const refused = (why: string, code: FailureCode = "refused") =>
    new Failure(code, `${way}: ${why}`);

  const known = proxy.username !== "" || proxy.password !== "";
  socket.write(
    Uint8Array.from(known ? [version, 2, noMethod, byPassword] : [version, 1, noMethod]),
  );
  const [spoken, method] = await readExactly(socket, 2);
  if (spoken !== version) throw refused("the proxy does not speak SOCKS 5");
  if (method === byPassword && known) {
    socket.write(passwordOf(proxy, refused));
    const [, status] = await readExactly(socket, 2);
    if (status !== 0) throw refused("username/password authentication failed");
  } else if (method !== noMethod) {
    throw refused("no acceptable authentication methods");
  }

  socket.write(
    Buffer.concat([Uint8Array.of(version, connectCommand, 0), addressOf(target, refused)]),
  );
  const [, reply = 1, , kind] = await readExactly(socket, 4);
  if (reply !== 0) {
    const { code, words } = replies[reply] ?? { code: "refused", words: `unknown code: ${reply}` };
    throw refused(words, code);
  }
  await skipAddress(socket, kind, refused);
}

const version = 5;
const connectCommand = 1;
const noMethod = 0;
const byPassword = 2;

const ipv4 = 1;
const name = 3;
const ipv6 = 4;

/** What a proxy may answer but yes. */
const replies: Readonly<Record<number, { readonly code: FailureCode; readonly words: string }>> = {
  1: { code: "unavailable", words: "general SOCKS server failure" },
  2: { code: "refused", words: "connection not allowed by ruleset" },
  3: { code: "unavailable", words: "network unreachable" },
  4: { code: "unavailable", words: "host unreachable" },
  5: { code: "unavailable", words: "connection refused" },
  6: { code: "unavailable", words: "TTL expired" },
  7: { code: "refused", words: "command not supported" },
  8: { code: "refused", words: "address type not supported" },
};

type Refused = (why: string) => Failure;

function passwordOf({ username, password }: URL, refused: Refused): Uint8Array {
  const parts = [username, password].map((part) => Buffer.from(decodeURIComponent(part)));
  if (parts.some(({ length }) => length === 0 || length > 255)) {
    throw refused("user name and password must have 1 to 255 bytes each");
  }
  return Buffer.concat([
    Uint8Array.of(1),
    ...parts.flatMap((part) => [Uint8Array.of(part.length), part]),
  ]);
}

function addressOf({ host, port }: SocksTarget, refused: Refused): Uint8Array {
  const ip = parseIp(host);
  const portBytes = Uint8Array.of(port >> 8, port & 0xff);
  if (ip !== undefined) {
    return host.includes(":")
      ? Buffer.concat([Uint8Array.of(ipv6), ip, portBytes])
      : Buffer.concat([Uint8Array.of(ipv4), ip.subarray(12), portBytes]);
  }
  const text = Buffer.from(host);
  if (text.length > 255) throw refused("the name of the host is too long");
  return Buffer.concat([Uint8Array.of(name, text.length), text, portBytes]);
}

/** The proxy's own end of the way is of no interest. */
async function skipAddress(
  socket: Socket,
  kind: number | undefined,
  refused: Refused,
): Promise<void> {
  const length = kind === ipv4 ? 4 : kind === ipv6 ? 16 : undefined;
  if (length !== undefined) return void (await readExactly(socket, length + 2));
  if (kind !== name) throw refused("the proxy answered nonsense");
  const [named = 0] = await readExactly(socket, 1);
  await readExactly(socket, named + 2);
}
