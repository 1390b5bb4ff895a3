import { describe, expect, test } from "bun:test";

import { listenForCallback } from "../../../../core/http-callback.ts";
import { parseIdentityToken } from "../../../../core/trust/sigstore/identity-token.ts";
import {
  browserToken,
  deviceToken,
  type Dialogue,
} from "../../../../core/trust/sigstore/openid.ts";
import { rejection } from "../../../support/rejection.ts";
import { withService } from "../../../support/service-access.ts";
import {
  type ServerWish,
  type SigstoreServers,
  startSigstoreServers,
} from "../../../support/sigstore-servers.ts";

const clientOf = ({ origin }: SigstoreServers) => ({
  issuer: new URL(origin),
  clientId: "sigstore",
  clientSecret: "client secret",
});

function dialogueWith(parts: Partial<Dialogue>): Dialogue & { readonly said: string[] } {
  const said: string[] = [];
  return {
    said,
    tell: async (text) => void said.push(text),
    openBrowser: async () => false,
    askCode: async () => "",
    sleep: async () => {},
    listen: listenForCallback,
    ...parts,
  };
}

describe("deviceToken", () => {
  const wish = { clientSecret: "client secret" };

  test("O2: shows nothing secret that a provider quotes", async () => {
    await using servers = startSigstoreServers({
      ...wish,
      intercept: (_, path) =>
        path === "/token"
          ? Response.json({ error: "no client secret here" }, { status: 400 })
          : undefined,
    });
    const failing = withService((access) =>
      deviceToken(clientOf(servers), dialogueWith({}), access),
    );
    const { message } = await rejection(failing);
    expect(message).toEndWith("getting an identity token: no *** here");
  });

  test("waits for somebody who types in a code", async () => {
    await using servers = startSigstoreServers({ ...wish, pending: 2 });
    const dialogue = dialogueWith({});
    const token = await withService((access) => deviceToken(clientOf(servers), dialogue, access));
    expect(parseIdentityToken(token).claimedSubject).toBe("jo@example.com");
    expect(dialogue.said.join("")).toBe(
      `Enter the verification code ABCD-EFGH in your browser at: ${servers.origin}/activate\nCode will be valid for 60 seconds\n`,
    );
    expect(servers.requests.filter((line) => line === "POST /token")).toHaveLength(3);
  });

  test.each<[string, ServerWish, string]>([
    ["nobody comes", { ...wish, pending: 100 }, "nobody entered the code in time"],
    ["the client is unknown", { clientSecret: "other" }, "invalid_client"],
    [
      "there is no provider",
      { intercept: () => new Response("", { status: 404 }) },
      "unexpected HTTP status 404",
    ],
    [
      "the provider has nothing",
      { intercept: () => Response.json({}) },
      "has no device_authorization_endpoint",
    ],
  ])("fails if %s", async (_, servers, why) => {
    await using started = startSigstoreServers(servers);
    const failing = withService((access) =>
      deviceToken(clientOf(started), dialogueWith({}), access),
    );
    const { message } = await rejection(failing);
    expect(message).toContain(why);
    expect(message).not.toContain("client secret");
  });
});

describe("browserToken", () => {
  test("takes the code that the browser comes back with", async () => {
    await using servers = startSigstoreServers();
    const dialogue = dialogueWith({
      openBrowser: async (url) => (await servers.visit(url)) === 200,
    });
    const token = await withService((access) => browserToken(clientOf(servers), dialogue, access));
    expect(parseIdentityToken(token).claimedSubject).toBe("jo@example.com");
    expect(dialogue.said.join("")).toContain("Your browser will now be opened to:");
  });

  test("asks for the code where there is no browser", async () => {
    await using servers = startSigstoreServers();
    const dialogue = dialogueWith({ askCode: async () => " wrong " });
    const failing = withService((access) => browserToken(clientOf(servers), dialogue, access));
    expect((await rejection(failing)).message).toContain("invalid_grant");
    expect(dialogue.said.join("")).toContain("redirect_uri=urn%3Aietf%3Awg%3Aoauth%3A2.0%3Aoob");
  });

  test.each<[string, (url: URL) => void, string]>([
    [
      "from another occasion",
      (url) => url.searchParams.set("state", "other"),
      "from another occasion",
    ],
    [
      "with a token for another",
      (url) => url.searchParams.set("nonce", "other"),
      "made for another occasion",
    ],
    [
      "with another proof",
      (url) => url.searchParams.set("code_challenge", "other"),
      "invalid_grant",
    ],
  ])("refuses a browser that comes back %s", async (_, change, why) => {
    await using servers = startSigstoreServers();
    const dialogue = dialogueWith({
      openBrowser: async (url) => {
        const changed = new URL(url);
        change(changed);
        return (await servers.visit(changed)) === 200;
      },
    });
    const failing = withService((access) => browserToken(clientOf(servers), dialogue, access));
    expect((await rejection(failing)).message).toContain(why);
  });
});
