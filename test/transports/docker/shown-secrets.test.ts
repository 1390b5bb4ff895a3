// Shown secrets, and what others say about them.

import { describe, expect, test } from "bun:test";
import { ShownSecrets } from "../../../transports/docker/shown-secrets.ts";

const url = new URL("https://cdn.example/blob?X-Signature=a%2Fsignature&x=1");

describe("ShownSecrets", () => {
  test.each([
    ["denied for Bearer some-token", "denied for Bearer ***"],
    ["no jo:pass word/1 here", "no *** here"],
    ["is pass word/1 right?", "is *** right?"],
    ["is pass%20word%2F1 right?", "is *** right?"],
    ["password=pass+word%2F1", "password=***"],
    [`Basic ${btoa("jo:pass word/1")}`, "Basic ***"],
    ["identity-token and identity-token", "*** and ***"],
    ["at /blob?X-Signature=a%2Fsignature&x=1", "at /blob?X-Signature=***&x=1"],
    ["signed by a/signature", "signed by ***"],
    ["nothing of it", "nothing of it"],
  ])("O2: are taken out of %j", (text, rest) => {
    const secrets = new ShownSecrets();
    secrets.addHeader("Bearer some-token");
    secrets.addHeader(`Basic ${btoa("jo:pass word/1")}`);
    secrets.add("identity-token");
    expect(secrets.withoutSecrets(text, url)).toBe(rest);
  });

  test("are taken out whole where one is a part of another", () => {
    const secrets = new ShownSecrets();
    secrets.add("token");
    secrets.add("token-and-more");
    expect(secrets.withoutSecrets("a token-and-more", url)).toBe("a ***");
  });

  test("leave a message readable: what is very short stays", () => {
    const secrets = new ShownSecrets();
    secrets.addHeader("Bearer a");
    secrets.add("");
    expect(secrets.withoutSecrets("a message", url)).toBe("a message");
  });
});
