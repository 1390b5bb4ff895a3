import { describe, expect, test } from "bun:test";
import { proxyFor } from "../../core/http-proxy.ts";

const proxies = { http: "http://plain:3128", https: "secure:3129" };
const choose = (url: string, except = "") => proxyFor(new URL(url), { ...proxies, except })?.href;

describe("proxyFor", () => {
  test("N12: chooses by scheme, and takes an address without scheme for http", () => {
    expect(choose("http://a.example/")).toBe("http://plain:3128/");
    expect(choose("https://a.example/")).toBe("http://secure:3129/");
    expect(proxyFor(new URL("https://a.example/"), {})).toBeUndefined();
  });

  test.each([
    "http://localhost:5000/",
    "https://127.0.0.1/",
    "https://127.9.9.9/",
    "https://[::1]/",
  ])("N12: reaches this machine itself directly: %s", (url) => {
    expect(choose(url)).toBeUndefined();
  });

  test.each([
    ["*", true],
    ["a.example", true],
    ["example", true],
    [".example", true],
    ["*.example", true],
    [".a.example", false],
    ["b.example", false],
    ["x, A.EXAMPLE ,y", true],
    ["a.example:443", true],
    ["a.example:444", false],
    ["ample", false],
    ["", false],
  ])("N12: with NO_PROXY=%p, a.example is excepted: %p", (except, excepted) => {
    expect(choose("https://a.example/", except) === undefined).toBe(excepted);
  });

  test.each([
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "10.0.0.0/8", true],
    ["10.1.2.3", "11.0.0.0/8", false],
    ["10.1.2.3", "10.1.2.3:443", true],
    ["10.1.2.3", "10.1.2.3:80", false],
    ["[fd00::1]", "fd00::/8", true],
    ["[fd00::1]", "fd00::1", true],
    ["[fd00::1]", "fd00::2", false],
  ])("N12: %s is excepted by NO_PROXY=%s: %p", (host, except, excepted) => {
    expect(choose(`https://${host}/`, except) === undefined).toBe(excepted);
  });

  test("N12: refuses what it does not speak rather than going around it", () => {
    expect(() =>
      proxyFor(new URL("https://a.example/"), { https: "socks4://u:secret@p:1" }),
    ).toThrow(
      expect.objectContaining({
        code: "unsupported",
        message: "Proxies of the kind socks4:// are not spoken to",
      }),
    );
  });

  test("O2: does not quote an address that cannot be understood", () => {
    expect(() => proxyFor(new URL("https://a.example/"), { https: "http://u:secret@" })).toThrow(
      expect.objectContaining({ code: "config", message: "The address of the proxy is no URL" }),
    );
  });
});
