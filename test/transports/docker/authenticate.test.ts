import { describe, expect, test } from "bun:test";
import { Failure } from "../../../core/failure.ts";
import { type Credentials, IdentityToken } from "../../../core/image/registry-access.ts";
import { Patience } from "../../../core/retry.ts";
import {
  Authenticator,
  missingScope,
  type TokenWish,
} from "../../../transports/docker/authenticate.ts";
import { challengesOf } from "../../../transports/docker/challenge.ts";
import type { Healer } from "../../../transports/docker/healing.ts";
import { RefusedCredentials } from "../../../transports/docker/token.ts";
import { httpResponse } from "../../support/http-response.ts";
import { rejection } from "../../support/rejection.ts";

const user: Credentials = { kind: "basic", username: "user", password: "pass" };
const anonymous: Credentials = { kind: "anonymous" };
const own = "repository:a/b:pull";
const asker: Healer = {
  patience: new Patience(),
  signal: new AbortController().signal,
  log: { debug() {}, info() {}, warn() {} },
  now: () => 0,
};
const bearer = 'Bearer realm="https://auth.example/token",service="s"';

function authenticator(
  challenge: string,
  credentials: Credentials = user,
  requestToken?: (wish: TokenWish) => Promise<{ value: string; lifetimeMs: number }>,
) {
  const wishes: TokenWish[] = [];
  const infos: string[] = [];
  const clock = { now: 0 };
  const subject = new Authenticator({
    credentials,
    challenges: challengesOf(new Headers({ "WWW-Authenticate": challenge })),
    requestToken: async (wish) => {
      wishes.push(wish);
      return requestToken?.(wish) ?? { value: `token-${wishes.length}`, lifetimeMs: 60_000 };
    },
    now: () => clock.now,
    log: { debug() {}, info: (line) => infos.push(line), warn() {} },
  });
  const shown = async (...scopes: string[]) =>
    (await subject.authorize([own, ...scopes], asker))?.header;
  return { subject, shown, wishes, infos, clock };
}

describe("Authenticator", () => {
  test.each<[string, string, Credentials, string | undefined]>([
    ["nothing", "", user, undefined],
    ["a password", 'Basic realm="r"', user, `Basic ${btoa("user:pass")}`],
    [
      "a password, before a token",
      `Basic realm="r", ${bearer}`,
      user,
      `Basic ${btoa("user:pass")}`,
    ],
    ["a password from somebody unknown", 'Basic realm="r"', anonymous, undefined],
    ["a token", bearer, user, "Bearer token-1"],
    ["a token, before a password", `Negotiate, ${bearer}, Basic`, user, "Bearer token-1"],
    ["a token from somebody unknown", bearer, anonymous, "Bearer token-1"],
    ["a token from who has one", bearer, { kind: "token", token: "mine" }, "Bearer mine"],
    ["something unknown", "Negotiate, Digest realm=x", user, undefined],
  ])("shows to a registry that wants %s", async (_, challenge, credentials, expected) => {
    expect(await authenticator(challenge, credentials).shown()).toBe(expected);
  });

  test("says if it can do nothing of what is asked for", () => {
    expect(authenticator("Negotiate, Digest realm=x").infos).toEqual([
      "None of the challenges sent by server (negotiate, digest) are supported, trying an unauthenticated request anyway",
    ]);
  });

  test("asks with its own scope and further ones, and keeps tokens by scope", async () => {
    const { shown, wishes } = authenticator(bearer);
    expect(await shown()).toBe("Bearer token-1");
    expect(await shown("repository:c/d:pull")).toBe("Bearer token-2");
    expect(await shown()).toBe("Bearer token-1");
    const wish = { realm: "https://auth.example/token", service: "s", credentials: user };
    expect(wishes).toEqual([
      { ...wish, scopes: [own] },
      { ...wish, scopes: [own, "repository:c/d:pull"] },
    ]);
  });

  test("uses a token until its time is over, counted from when it was asked for", async () => {
    const { shown, clock } = authenticator(bearer);
    await shown();
    clock.now = 59_999;
    expect(await shown()).toBe("Bearer token-1");
    clock.now = 60_000;
    expect(await Promise.all([shown(), shown()])).toEqual(["Bearer token-2", "Bearer token-2"]);
  });

  test("asks once for requests that come at the same time", async () => {
    const { shown, wishes } = authenticator(bearer);
    await Promise.all([shown(), shown(), shown()]);
    expect(wishes.length).toBe(1);
  });

  test("asks again after it was not given one", async () => {
    let denied = false;
    const { shown } = authenticator(bearer, user, async () => {
      if (denied) return { value: "late", lifetimeMs: 1 };
      denied = true;
      throw new Failure("unauthorized", "no");
    });
    expect((await rejection(shown())).message).toBe("no");
    expect(await shown()).toBe("Bearer late");
  });

  test("fails if it is not told whom to ask", async () => {
    const failure = await rejection(authenticator("Bearer service=s").shown());
    expect(failure.message).toBe("missing realm in bearer auth challenge");
  });

  const refusedBy = async ({ subject }: ReturnType<typeof authenticator>, times: number) => {
    let shown = await subject.authorize([own], asker);
    for (let time = 0; time < times && shown !== undefined; time++) {
      shown = await subject.renew(shown, [own], asker);
    }
    return shown?.header;
  };

  test("renews a token that was not taken, once", async () => {
    const asked = authenticator(bearer);
    expect(await refusedBy(asked, 1)).toBe("Bearer token-2");
    expect(await asked.shown()).toBe("Bearer token-2");
    const again = authenticator(bearer);
    expect(await refusedBy(again, 2)).toBeUndefined();
    expect(again.wishes.length).toBe(2);
  });

  test("shares one renewal", async () => {
    const asked = authenticator(bearer);
    expect(await Promise.all([refusedBy(asked, 1), refusedBy(asked, 1)])).toEqual([
      "Bearer token-2",
      "Bearer token-2",
    ]);
    expect(asked.wishes.length).toBe(2);
  });

  test("renews once more, for one request alone, what was shared and used up by another", async () => {
    const asked = authenticator(bearer);
    const headers = await Promise.all([refusedBy(asked, 2), refusedBy(asked, 2)]);
    expect(headers.toSorted()).toEqual(["Bearer token-3", "Bearer token-4"]);
    const more = authenticator(bearer);
    expect(await Promise.all([refusedBy(more, 3), refusedBy(more, 3)])).toEqual([
      undefined,
      undefined,
    ]);
  });

  test("does not ask again for what it cannot renew", async () => {
    const { subject } = authenticator('Basic realm="r"');
    const refused = { header: "Basic x", credentials: user };
    expect(await subject.renew(refused, [own], asker)).toBeUndefined();
  });
});

describe("Authenticator, when credentials end", () => {
  const other: Credentials = { kind: "basic", username: "user", password: "new" };

  function renewing(challenge: string, renewals: readonly (Credentials | Failure | undefined)[]) {
    let asked = 0;
    const clock = { now: 0 };
    const lines: string[] = [];
    const subject = new Authenticator({
      credentials: user,
      renewCredentials: async () => {
        const renewal = renewals[asked++];
        if (renewal instanceof Failure) throw renewal;
        return renewal;
      },
      challenges: challengesOf(new Headers({ "WWW-Authenticate": challenge })),
      requestToken: async ({ credentials }) => {
        if (credentials === user && lines.includes("end")) {
          throw new RefusedCredentials("unauthorized", "no");
        }
        return { value: credentials === user ? "old" : "new", lifetimeMs: 60_000 };
      },
      now: () => clock.now,
      log: { debug() {}, info() {}, warn: (line) => lines.push(line) },
    });
    const first = async () => {
      const shown = await subject.authorize([own], asker);
      if (shown === undefined) throw new Error("nothing to show");
      return shown;
    };
    return { subject, first, clock, lines, asked: () => asked };
  }

  test("looks for a new password, once for all who were refused at the same time", async () => {
    const { subject, first, asked } = renewing('Basic realm="r"', [other]);
    const refused = await first();
    const renewed = await Promise.all([1, 2, 3].map(() => subject.renew(refused, [own], asker)));
    expect(renewed.map((each) => each?.header)).toEqual(
      Array.from({ length: 3 }, () => `Basic ${btoa("user:new")}`),
    );
    expect(asked()).toBe(1);
  });

  test("looks only when a new token was refused, too", async () => {
    const { subject, first, asked } = renewing(bearer, [other]);
    const again = await subject.renew(await first(), [own], asker);
    expect(again?.header).toBe("Bearer old");
    expect(asked()).toBe(0);
    if (again === undefined) throw new Error("nothing to show");
    expect((await subject.renew(again, [own], asker))?.header).toBe("Bearer new");
  });

  test("looks when the token service refuses the password itself", async () => {
    const { first, lines, clock } = renewing(bearer, [other]);
    await first();
    clock.now = 60_000;
    lines.push("end");
    expect((await first()).header).toBe("Bearer new");
  });

  test("looks no second time so soon, but later", async () => {
    const more: Credentials = { kind: "basic", username: "user", password: "more" };
    const { subject, first, clock, asked } = renewing('Basic realm="r"', [other, more]);
    const second = await subject.renew(await first(), [own], asker);
    if (second === undefined) throw new Error("nothing to show");
    clock.now = 59_999;
    expect(await subject.renew(second, [own], asker)).toBeUndefined();
    clock.now = 60_000;
    expect((await subject.renew(second, [own], asker))?.header).toBe(`Basic ${btoa("user:more")}`);
    expect(asked()).toBe(2);
  });

  test.each([
    ["there are none", undefined, []],
    [
      "they cannot be had",
      new Failure("config", "broken"),
      ["Looking for new credentials: broken"],
    ],
  ])("gives up when %s", async (_, renewal, warnings) => {
    const { subject, first, lines } = renewing('Basic realm="r"', [renewal]);
    expect(await subject.renew(await first(), [own], asker)).toBeUndefined();
    expect(lines).toEqual(warnings);
  });
});

describe("Authenticator, with an identity token", () => {
  const identity = (username: string): Credentials => ({
    kind: "identity",
    token: new IdentityToken("i"),
    username,
    password: "pass",
  });

  test.each([
    ["a token", bearer, "", "Bearer token-1"],
    ["a password", 'Basic realm="r"', "user", `Basic ${btoa("user:pass")}`],
    ["a password nobody has", 'Basic realm="r"', "", undefined],
  ])("shows to a registry that wants %s", async (_, challenge, username, expected) => {
    const { shown } = authenticator(challenge, identity(username));
    expect(await shown()).toBe(expected as string);
  });
});

describe("missingScope", () => {
  const refusal = (status: number, challenge: string) =>
    httpResponse(status, { "WWW-Authenticate": challenge });

  test.each([
    [
      401,
      `${bearer},error="insufficient_scope",scope="repository:a/b:push"`,
      "repository:a/b:push",
    ],
    [401, `${bearer},error="insufficient_scope",scope="a/b:push"`, undefined],
    [401, `${bearer},error="insufficient_scope"`, undefined],
    [401, `${bearer},scope="repository:a/b:push"`, undefined],
    [403, `${bearer},error="insufficient_scope",scope="repository:a/b:push"`, undefined],
  ])("finds in %d %s: %p", (status, challenge, expected) => {
    expect(missingScope(refusal(status, challenge))).toBe(expected as string);
  });
});
