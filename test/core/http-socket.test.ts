import { connect, createServer, type Socket } from "node:net";
import { describe, expect, test } from "bun:test";
import { event, readExactly, readSome } from "../../core/http-socket.ts";
import { rejection } from "../support/rejection.ts";

/** Returns the end of a connection whose other end does `speak`. */
async function listenTo(speak: (socket: Socket) => void): Promise<Socket> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    speak(socket);
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const socket = connect(typeof address === "object" ? (address?.port ?? 0) : 0, "127.0.0.1");
  await event(socket, "connect");
  return socket;
}

describe("readExactly", () => {
  test("takes what was asked for, however it comes, and leaves the rest", async () => {
    const socket = await listenTo((other) => {
      other.write("a");
      setTimeout(() => other.write("bcdef"), 20);
    });
    expect((await readExactly(socket, 3)).toString()).toBe("abc");
    expect((await readExactly(socket, 2)).toString()).toBe("de");
    expect((await readSome(socket)).toString()).toBe("f");
    socket.destroy();
  });

  test("fails if the other side ends too early", async () => {
    const socket = await listenTo((other) => void other.end("ab"));
    expect(await rejection(readExactly(socket, 3))).toMatchObject({
      code: "unavailable",
      message: "proxyconnect tcp: the proxy closed the connection",
    });
    socket.destroy();
  });
});
