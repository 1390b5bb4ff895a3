import { describe, expect, test } from "bun:test";
import {
  checkAddress,
  type Guide,
  parseRealm,
  sameOrigin,
} from "../../../transports/docker/address.ts";

const guide = (registry: string, insecure = false): Guide => ({
  registry: new URL(registry),
  insecure,
});
const follows = (target: string, registry: string, insecure = false): boolean => {
  try {
    checkAddress(new URL(target), guide(registry, insecure));
    return true;
  } catch {
    return false;
  }
};

describe("sameOrigin", () => {
  test.each([
    ["https://a.example/x", "https://a.example:443/y", true],
    ["https://a.example/", "https://a.example:444/", false],
    ["https://a.example/", "http://a.example/", false],
    ["https://a.example/", "https://a.example.evil.test/", false],
    ["http://127.0.0.1:5000/", "http://0x7f.1:5000/", true],
    ["http://[::1]:5000/", "http://[0:0::0:1]:5000/", true],
  ])("N1: %s and %s: %p", (one, other, expected) => {
    expect(sameOrigin(new URL(one), new URL(other))).toBe(expected);
  });
});

describe("checkAddress", () => {
  test.each([
    ["http://cdn.example/", "https://a.example/", false, false],
    ["http://cdn.example/", "https://a.example/", true, true],
    ["https://cdn.example/", "http://a.example/", true, true],
    ["http://cdn.example/", "http://a.example/", true, true],
    ["http://a.example/", "https://a.example/", false, false],
  ])("N2: to %s from %s, insecure %p: %p", (target, registry, insecure, expected) => {
    expect(follows(target, registry, insecure)).toBe(expected);
  });

  test.each(["file:///etc/passwd", "ftp://a.example/", "data:text/plain,a"])(
    "N4: never to %s",
    (target) => {
      expect(follows(target, "https://a.example/", true)).toBe(false);
    },
  );

  test.each([
    ["loopback", "https://127.0.0.1/"],
    ["loopback", "https://127.255.0.9/"],
    ["loopback", "https://2130706433/"],
    ["loopback", "https://[::1]/"],
    ["loopback", "https://[::ffff:127.0.0.1]/"],
    ["loopback", "https://[64:ff9b::7f00:1]/"],
    ["loopback", "https://[::127.0.0.1]/"],
    ["loopback", "https://localhost/"],
    ["loopback", "https://LOCALHOST./"],
    ["loopback", "https://a.localhost/"],
    ["link-local", "https://169.254.1.1/"],
    ["link-local", "https://[fe80::1]/"],
    ["metadata", "https://169.254.169.254/"],
    ["metadata", "https://[::ffff:a9fe:a9fe]/"],
    ["metadata", "https://[fd00:ec2::254]/"],
    ["metadata", "https://metadata.google.internal/"],
    ["unspecified", "https://0.0.0.0/"],
    ["unspecified", "https://[::]/"],
    ["multicast", "https://224.0.0.1/"],
    ["multicast", "https://[ff02::1]/"],
    ["multicast", "https://255.255.255.255/"],
  ])("N5: a %s address is refused: %s", (kind, target) => {
    expect(() => checkAddress(new URL(target), guide("https://a.example/"))).toThrow(
      expect.objectContaining({
        code: "refused",
        message: expect.stringContaining(`but it is a ${kind} address`),
      }),
    );
  });

  test.each([
    "https://10.0.0.1/",
    "https://192.168.1.1/",
    "https://172.16.0.1/",
    "https://[fd00::1]/",
    "https://cdn.example/",
  ])("N5: private ranges and names stay reachable: %s", (target) => {
    expect(follows(target, "https://a.example/")).toBe(true);
  });

  test.each([
    ["http://127.0.0.2:1/", "http://127.0.0.1:5000/", true],
    ["http://127.0.0.1:1/", "http://localhost:5000/", true],
    ["http://[::1]:1/", "http://127.0.0.1:5000/", true],
    ["http://169.254.169.254/", "http://127.0.0.1:5000/", false],
    ["http://127.0.0.1:5000/", "http://169.254.1.1:5000/", false],
  ])("N5: to %s from a registry of its kind %s: %p", (target, registry, expected) => {
    expect(follows(target, registry, true)).toBe(expected);
  });

  test("O2: shows no secret of the address", () => {
    const target = new URL("http://u:secret@127.0.0.1/a?sig=secret");
    expect(() => checkAddress(target, guide("http://a.example/", true))).toThrow(
      "The registry leads to http://127.0.0.1/a?sig=***, but it is a loopback address",
    );
  });
});

describe("parseRealm", () => {
  const taken = (realm: string, registry: string, insecure = false): boolean => {
    try {
      parseRealm(realm, guide(registry, insecure));
      return true;
    } catch {
      return false;
    }
  };

  test.each([
    ["https://auth.example/token", "https://a.example/", true],
    ["https://10.0.0.1/token", "https://a.example/", true],
    ["http://auth.example/token", "https://a.example/", false],
    ["http://a.example/token", "https://a.example/", false],
    ["http://auth.example/token", "http://a.example/", true],
    ["file:///etc/passwd", "http://a.example/", false],
    ["/token", "https://a.example/", false],
    ["https://169.254.169.254/", "https://a.example/", false],
    ["https://127.0.0.1/", "https://a.example/", false],
    ["https://0.0.0.0/", "https://a.example/", false],
    ["https://[::1]/", "https://a.example/", false],
    ["https://localhost/", "https://a.example/", false],
    ["http://127.0.0.1:5000/token", "http://127.0.0.1:5000/", true],
    ["http://127.0.0.1:5001/token", "http://127.0.0.1:5000/", false],
    ["http://127.0.0.2:5000/token", "http://127.0.0.1:5000/", false],
    ["http://localhost:5001/token", "http://127.0.0.1:5000/", true],
    ["http://0.0.0.0:5000/", "http://127.0.0.1:5000/", false],
    ["http://[::1]:5000/", "http://127.0.0.1:5000/", false],
  ])("N4: %s from %s: %p", (realm, registry, expected) => {
    expect(taken(realm, registry)).toBe(expected);
    expect(taken(realm, registry, true)).toBe(expected);
  });

  test("N4: takes no user information from the registry", () => {
    expect(parseRealm("https://u:p@auth.example/t", guide("https://a.example/")).href).toBe(
      "https://auth.example/t",
    );
  });
});
