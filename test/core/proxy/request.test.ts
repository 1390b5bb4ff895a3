import { describe, expect, test } from "bun:test";

import { parseProxyRequest } from "../../../core/proxy/request.ts";

const digest = `sha256:${"0".repeat(64)}`;

function parsed(text: string) {
  return parseProxyRequest(new TextEncoder().encode(text));
}

describe("parseProxyRequest", () => {
  test.each([
    [`{"method":"Initialize"}`, { method: "Initialize" }],
    [`{"method":"Initialize","args":null}`, { method: "Initialize" }],
    [`{"Method":"Shutdown","ARGS":[]}`, { method: "Shutdown" }],
    [`{"method":"OpenImage","args":["dir:x"]}`, { method: "OpenImage", name: "dir:x" }],
    [`{"method":"GetManifest","args":[1]}`, { method: "GetManifest", image: 1 }],
    [`{"method":"GetManifest","args":[1.9]}`, { method: "GetManifest", image: 1 }],
    [
      `{"method":"GetBlob","args":[2,"${digest}",0]}`,
      { method: "GetBlob", image: 2, digest, size: 0 },
    ],
    [`{"method":"GetRawBlob","args":[2,"${digest}"]}`, { method: "GetRawBlob", image: 2, digest }],
    [`{"method":"FinishPipe","args":[0]}`, { method: "FinishPipe", pipe: 0 }],
  ])("understands %s", (text, request) => {
    expect(parsed(text)).toEqual(request as never);
  });

  test.each([
    [`{bad`, "invalid request: "],
    [`[]`, "invalid request: it is no JSON object"],
    [`{"method":1}`, "invalid request: its method is no text"],
    [`{"method":"OpenImage","args":{}}`, "invalid request: its args are no list"],
    [`{"method":"a","method":"b"}`, 'invalid request: Duplicate key "method"'],
    [`{}`, "unknown method: "],
    [`{"method":"constructor"}`, "unknown method: constructor"],
    [`{"method":"Initialize","args":[1]}`, "invalid request, expecting zero arguments"],
    [`{"method":"OpenImage"}`, "invalid request, expecting one argument"],
    [`{"method":"OpenImage","args":[1]}`, "expecting string imageref, not float64"],
    [`{"method":"GetManifest","args":[0]}`, "Invalid imageid value of zero"],
    [`{"method":"GetManifest","args":["1"]}`, "expecting numeric, not string"],
    [`{"method":"GetManifest","args":[null]}`, "expecting numeric, not <nil>"],
    [`{"method":"GetManifest","args":[true]}`, "expecting numeric, not bool"],
    [`{"method":"GetManifest","args":[[]]}`, "expecting numeric, not []interface {}"],
    [`{"method":"GetManifest","args":[{}]}`, "expecting numeric, not map[string]interface {}"],
    [
      `{"method":"GetManifest","args":[1e30]}`,
      "out of range integer for numeric 1000000000000000019884624838656.000000",
    ],
    [`{"method":"GetManifest","args":[-1]}`, "out of range integer for numeric -1.000000"],
    [`{"method":"GetBlob","args":[1]}`, "found 1 args, expecting (imgid, digest, size)"],
    [`{"method":"GetBlob","args":[1,2,3]}`, "expecting string blobid"],
    [`{"method":"GetBlob","args":[1,"sha256:../x",3]}`, "invalid checksum digest format"],
    [`{"method":"GetRawBlob","args":[1]}`, "found 1 args, expecting (imgid, digest)"],
  ])("refuses %s", (text, message) => {
    expect(() => parsed(text)).toThrow(message);
  });
});
