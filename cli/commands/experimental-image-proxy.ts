// dray experimental-image-proxy: images for another program, over a socket that it has opened.

import { fstatSync } from "node:fs";

import { asFailure, Failure } from "../../core/failure.ts";
import { parseImageName } from "../../core/image/parse-name.ts";
import { transports } from "../../transports/table.ts";
import { defineTool } from "../command.ts";
import { beginOperation, contextOf, gateOf, platformWish } from "../compose.ts";
import { integer } from "../flags/flag.ts";
import { imageFlags } from "../flags/image.ts";
import { closeAll, packetsFrom, sendPacket } from "../proxy/descriptors.ts";
import { ProxySession } from "../proxy/session.ts";

/** Serves one client until it leaves. Every image that it opens goes through the gate. */
export const imageProxy = defineTool({
  name: "experimental-image-proxy",
  usage: "experimental-image-proxy [command options] IMAGE",
  summary: "Interactive proxy for fetching container images (EXPERIMENTAL)",
  description: () =>
    "Hands out manifests, configs and blobs of images to the program that has opened the socket.",
  hidden: true,
  examples: ["experimental-image-proxy --sockfd 3"],
  flags: {
    image: imageFlags(""),
    socket: integer("sockfd", "Serve on opened socket pair (default 0/stdin)"),
  },
  async run(call) {
    const { operands, flags, signal } = call;
    if (operands.length > 0) {
      throw new Failure("usage", `accepts 0 arg(s), received ${operands.length}`);
    }
    checkSocket(flags.socket);
    await using operation = beginOperation(call);
    const context = contextOf(call, { flags: flags.image, operation });
    await using session = new ProxySession({
      initialize: async () => ({ gate: await gateOf(call), platform: platformWish(call) }),
      parseName: (text) => parseImageName(text, transports),
      context,
    });
    await serve(flags.socket, session, signal);
    signal.throwIfAborted();
  },
});

async function serve(socket: number, session: ProxySession, signal: AbortSignal): Promise<void> {
  for await (const packet of packetsFrom(socket, signal)) {
    const reply = await session.answer(packet);
    if (reply === undefined) return;
    try {
      await sendPacket(socket, reply.packet, reply.descriptors);
    } finally {
      closeAll(...reply.descriptors);
    }
  }
}

function checkSocket(descriptor: number): void {
  const hint = "start it with one end of a pair of SOCK_SEQPACKET sockets";
  try {
    if (fstatSync(descriptor).isSocket()) return;
  } catch (error) {
    throw new Failure(
      "usage",
      `Cannot serve on descriptor ${descriptor}: ${asFailure(error).message}`,
      { hint },
    );
  }
  throw new Failure(
    "usage",
    `Cannot serve on descriptor ${descriptor}: socket operation on non-socket`,
    { hint },
  );
}
