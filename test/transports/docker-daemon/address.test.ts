import { describe, expect, test } from "bun:test";
import { parseAddress } from "../../../transports/docker-daemon/address.ts";
import { failureOf } from "../../support/failure-of.ts";

describe("parseAddress", () => {
  test.each([
    ["unix:///run/d.sock", false, "http://docker/", "/run/d.sock"],
    ["unix://d.sock", false, "http://docker/", "d.sock"],
    ["tcp://engine:2376", false, "https://engine:2376/", undefined],
    ["tcp://engine", false, "https://engine:2376/", undefined],
    ["tcp://engine", true, "http://engine:2375/", undefined],
    ["tcp://[::1]:1", true, "http://[::1]:1/", undefined],
    ["tcp://engine:443", false, "https://engine/", undefined],
    ["https://engine:1/below", true, "https://engine:1/below/", undefined],
    ["http://engine:1", false, "http://engine:1/", undefined],
  ])("%s, plain: %p, is %s", (host, plainTcp, base, unix) => {
    const address = parseAddress({ host, plainTcp });
    expect(address.base.href).toBe(base);
    expect(address.unix).toBe(unix);
  });

  test.each([
    ["bla", "unable to parse docker host `bla`"],
    ["", "unable to parse docker host ``"],
    ["unix:/run/d.sock", "unable to parse docker host `unix:/run/d.sock`"],
    ["fd://", "unable to parse docker host `fd://`"],
    ["tcp://a b", "unable to parse docker host `tcp://a b`"],
    ["tcp://me:secret@engine:1", "unable to parse docker host"],
    ["https://engine:1/?a=b", "unable to parse docker host `https://engine:1/?a=b`"],
    ["ssh://engine", 'there is no way to docker host "ssh://engine"'],
    ["npipe:////./pipe/docker_engine", "there is no way to docker host"],
  ])("%p is none", (host, message) => {
    const failure = failureOf(() => parseAddress({ host, plainTcp: false }));
    expect(failure).toMatchObject({
      code: "usage",
      message: expect.stringContaining(`initializing docker engine client: ${message}`),
    });
  });
});
