// Formats: what `--format` makes of a template, and what it shows of images.

import { describe, expect, test } from "bun:test";

import { encodePretty } from "../../../cli/output/json.ts";
import { asksForJson, renderFormat } from "../../../cli/output/template.ts";
import { jsonOf } from "../../../cli/output/template/go-json.ts";
import { bytesOf } from "../../../cli/output/template/go-text.ts";
import type { GoValue } from "../../../cli/output/template/go-type.ts";
import { configValue, summaryValue } from "../../../cli/output/template/image-values.ts";
import { Failure } from "../../../core/failure.ts";
import { encodeJson } from "../../../core/json.ts";
import { ociConfig } from "../../../core/manifest/config.ts";
import {
  bareConfig,
  bareSummary,
  fullConfig,
  fullSummary,
  sampleHex,
} from "../../support/sample-summaries.ts";

// All results were measured with skopeo 1.22, unless a test says otherwise.
const summary = summaryValue(fullSummary);

function render(format: string, value: GoValue = summary) {
  const { output, failure } = renderFormat({ format, name: "skopeo inspect", value });
  return failure === undefined ? output : { output, message: failure.message };
}

describe("renderFormat", () => {
  test.each([
    ["{{.Os}}\\t{{.Architecture}}", "linux\tamd64\n"],
    ["table {{.Os}}\\t{{.Architecture}}", "linux       amd64\n"],
    ["table {{.Os}} {{.Architecture}}", "linux       amd64\n"],
    ["table {{ .Os }} {{ .Architecture }}", "linux       amd64\n"],
    [" table {{.Os}}", " table linux\n"],
    ["table{{.Os}}", "tablelinux\n"],
    ["table", "table\n"],
    ["}}", "}}\n"],
    ["{{else}}", ""],
    ["{{`raw\\n`}}", "raw\n\n"],
    ["{{.Os}}\\n", "linux\n"],
    ["{{.Os}}\\n\\n", "linux\n\n"],
    ["a\\\\tb", "a\\\tb\n"],
    ["plain text", "plain text\n"],
    [
      "table {{.Os}}\\t{{.Architecture}}\\nxxxxxxxxxxxxxxxxxxxx\\ty\\tz\\nq\\n\\na\\tb",
      "linux                 amd64\nxxxxxxxxxxxxxxxxxxxx  y           z\nq\n\na           b\n",
    ],
    ["table {{range .Env}}{{.}}\\t|\\n{{end}}", "PATH=/bin:/usr/bin  |\nX=<&>               |\n\n"],
    ['table {{"a b"}} {{.Os}}', "a           b           linux\n"],
    ["table json", "json\n"],
    ["table {{json .Env}}", '["PATH=/bin:/usr/bin","X=<&>"]\n'],
    ["{{range .}}{{.Os}}{{end}} trailing", "linux trailing\n"],
    ["lead {{range .}}{{.Os}}{{end}} trailing", "lead linux trailing\n"],
    ["{{range .}}{{range .Env}}{{.}}{{end}}{{end}}", "PATH=/bin:/usr/binX=<&>\n"],
    ["{{range .}}a{{else}}b{{end}}", "a\n"],
    ["{{ range . }}a{{ end -}}", "a"],
    ['{{define "a"}}A{{.}}{{end}}{{range .}}{{template "a" .Os}}{{end}}', "Alinux\n"],
    ['{{define "a"}}{{range .}}{{.Os}}{{end}}{{end}}{{template "a" .}}', "linux\n"],
    ["{{range .}}{{.Os}}\\n{{.Architecture}}{{end}}", "linux\namd64\n"],
    ["{{range .}}\\n{{end}}\\n", "\n\n"],
    ["{{range .}}{{.Os}}{{end}}{{range .}}{{.Os}}{{end}}", "linuxlinux\n"],
    [
      "table {{range .Env}}{{.}}\\t{{len .}}\\n{{end}}",
      "PATH=/bin:/usr/bin  18\nX=<&>               5\n\n",
    ],
    [
      "table {{range $k, $v := .Labels}}{{$k}}\\t{{$v}}\\n{{end}}",
      "a.b/c       two words\nk           \nz           1\n\n",
    ],
    ["table é\\tb\\nabc\\td", "é           b\nabc         d\n"],
    ["table \\ta\\nbb\\tc", "            a\nbb          c\n"],
    ["table a\\t\\tb\\nc\\td\\te", "a                       b\nc           d           e\n"],
  ])("frames %s", (format, output) => {
    expect(render(format)).toBe(output);
  });

  test.each([
    ["{{eq .Created nil}}", "true\n"],
    ["{{eq .Labels nil}}", "true\n"],
    ["{{eq nil .Labels}}", "true\n"],
    ["{{eq .Env nil}}", "true\n"],
    ["{{eq .Env .Env}}", "true\n"],
    ["{{eq .Created .Created}}", "true\n"],
    ["{{ne .Created nil}}", "false\n"],
    ["{{if .Created}}a{{else}}b{{end}}", "b\n"],
    ["{{with .Created}}{{.Year}}{{end}}", "\n"],
    ["{{print .Created}}", "<nil>\n"],
    ['{{printf "%#v %+v %T" .Created .Created .Created}}', "<nil> <nil> *time.Time\n"],
    ["{{json .Created}} {{json .Labels}} {{json .Env}} {{json .RepoTags}}", "null null null []\n"],
    ["{{html .Created}}", "&lt;nil&gt;\n"],
    ["{{len .Labels}} {{len .Env}}", "0 0\n"],
    ['{{index .Labels "x"}}', "\n"],
    ["{{.Labels.x}}", "<no value>\n"],
    ["{{range .Labels}}a{{else}}b{{end}}", "b\n"],
    ['{{join .Env ","}}', "\n"],
    ["{{slice .Env 0 0}}", "[]\n"],
    ['{{printf "%v %#v" .Labels .Env}}', "map[] []string(nil)\n"],
    ["{{eq . nil}}", "false\n"],
    ["{{.Created | json}}", "null\n"],
    ['{{.Os | printf "%s %s" .Architecture}}', "arm64 linux\n"],
  ])("shows of an image that says nothing: %s", (format, output) => {
    expect(render(format, summaryValue(bareSummary))).toBe(output);
  });

  test.each([
    ["{{.Config.Labels}}", "map[a.b/c:two words k: z:1]\n"],
    [
      "{{.Platform}} {{.Platform.OS}} {{.OS}} {{.Architecture}} {{.Variant}} {{.OSVersion}} {{.OSFeatures}}",
      "{amd64 linux 10.0 [f1 f2] v8} linux linux amd64 v8 10.0 [f1 f2]\n",
    ],
    ["{{range $k, $v := .Config.ExposedPorts}}{{$k}} {{$v}};{{end}}", "443/tcp {};80/tcp {};\n"],
    [
      "{{json .Platform}}",
      '{"architecture":"amd64","os":"linux","os.version":"10.0","os.features":["f1","f2"],"variant":"v8"}\n',
    ],
    [
      '{{printf "%T %T %T %T %T" .Config .RootFS .History .Config.ExposedPorts .RootFS.DiffIDs}}',
      "v1.ImageConfig v1.RootFS []v1.History map[string]struct {} []digest.Digest\n",
    ],
    ['{{printf "%T" (index .Config.ExposedPorts "80/tcp")}}', "struct {}\n"],
    ['{{.Config.Entrypoint}} {{.Config.Cmd}} {{join .Config.Cmd " "}}', "[/e] [a b c] a b c\n"],
    ['{{index .Config.Labels "a.b/c"}}', "two words\n"],
    ["{{.Config.Labels.z}}", "1\n"],
    ["{{if .Config.ArgsEscaped}}a{{end}}", "a\n"],
    ['{{eq .Config.User ""}}', "false\n"],
    ["{{eq .RootFS nil}}", "false\n"],
    ["{{$x := .}}{{$x.OS}}", "linux\n"],
    ["{{with .}}{{.OS}}{{end}}", "linux\n"],
    ['{{printf "%q" .Config.Labels}}', 'map["a.b/c":"two words" "k":"" "z":"1"]\n'],
  ])("shows of a config: %s", (format, output) => {
    expect(render(format, configValue(fullConfig))).toBe(output);
  });

  test.each([
    ["{{.Digest}}", `sha256:${sampleHex}\n`],
    ["{{range .}}{{.Digest.Encoded}}{{end}}", `${sampleHex}\n`],
  ])("shows the digest: %s", (format, output) => {
    expect(render(format)).toBe(output);
  });

  test("calls the template by the name of the program", () => {
    const rendering = () => renderFormat({ format: "{{", name: "dray inspect", value: summary });
    expect(rendering).toThrow(/^template: dray inspect:1: /);
  });

  test("says of a method that needs a time that there is none", () => {
    expect(render("{{.Created.Year}}", summaryValue(bareSummary))).toEqual({
      output: "",
      message:
        'template: skopeo inspect:1:21: executing "skopeo inspect" at <.Created.Year>: error calling Year: value method time.Time.Year called using nil *Time pointer',
    });
  });

  // An unbounded depth ends the program, not the template. These limits are our own.
  test.each([
    ["parentheses", `{{${"(".repeat(10_000)}1${")".repeat(10_000)}}}`, /nested too deep$/],
    ["branches", `${"{{if 1}}".repeat(10_000)}${"{{end}}".repeat(10_000)}`, /nested too deep$/],
    [
      "templates that call themselves",
      '{{define "a"}}{{template "a"}}{{end}}{{range .}}{{template "a"}}{{end}}',
      /exceeded maximum template depth/,
    ],
    ["blanks", '{{pad "a" 900000000000 1}}', /result too long$/],
  ])("fails on too many %s", (_, format, message) => {
    expect(() => {
      const { failure } = renderFormat({ format, name: "t", value: summary });
      throw failure ?? new Error("There was no failure");
    }).toThrow(expect.objectContaining({ code: "usage", message: expect.stringMatching(message) }));
  });

  test.each([1, 2, 3, 4])("fails on nonsense with nothing but a Failure (seed %d)", (seed) => {
    const pick = picker(seed);
    for (let round = 0; round < 500; round++) {
      const format = Array.from({ length: 1 + pick(12) }, () => pieces[pick(pieces.length)]).join(
        "",
      );
      try {
        renderFormat({ format, name: "t", value: summary });
      } catch (error) {
        if (!(error instanceof Failure))
          throw new Error(`seed ${seed}: ${format}`, { cause: error });
      }
    }
  });
});

/** What templates are made of, and some of what they are not. */
const pieces = [
  ..."{{ }} {{- -}} ( ) | . , := = $ $x .Os .Created .Foo .Labels.z \" ' ` \\n \\ 1 -1 0x 1e9 nil true".split(
    " ",
  ),
  ..."if range with else end define block template break continue printf index slice eq and json".split(
    " ",
  ),
  " ",
  " ",
  " ",
  '"%[2]*.3d%s"',
  '"a"',
  "{{range .Env}}",
  "{{end}}",
  "{{.Os}}",
  "é",
  "\0",
];

/** Returns a function that gives numbers below a limit, the same for the same seed. */
function picker(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

describe("asksForJson", () => {
  test.each(["json", " json ", "{{json}}", "{{ json }}", "{{json.}}", "\t{{ json. }}\n"])(
    "is so for %j",
    (format) => {
      expect(asksForJson(format)).toBe(true);
    },
  );

  test.each(["", "JSON", "{{json .}}", "table json", "{{json}}x", "{ {json}}"])(
    "is not so for %j",
    (format) => {
      expect(asksForJson(format)).toBe(false);
    },
  );
});

describe("jsonOf", () => {
  test.each([
    ["full", fullConfig],
    ["bare", bareConfig],
  ])("gives of a %s config what core writes of it", (_, config) => {
    expect(encodeJson(jsonOf(configValue(config)))).toBe(encodeJson(ociConfig(config)));
  });

  test("gives of a summary what the original prints", () => {
    expect(encodePretty(jsonOf(summaryValue(bareSummary)))).toMatchInlineSnapshot(`
      "{
          "Digest": "sha256:a4ead2cf050746ef96724815ac3ca2cf39f743719eafc8085dfc82dc84280fba",
          "RepoTags": [],
          "Created": null,
          "DockerVersion": "",
          "Labels": null,
          "Architecture": "arm64",
          "Os": "linux",
          "Layers": [
              "sha256:3fc296ba2d370000000000000000000000000000000000000000000000000000",
              "sha256:fb2a7aadd4ec0000000000000000000000000000000000000000000000000000"
          ],
          "LayersData": [
              {
                  "MIMEType": "application/vnd.oci.image.layer.v1.tar+gzip",
                  "Digest": "sha256:3fc296ba2d370000000000000000000000000000000000000000000000000000",
                  "Size": 29,
                  "Annotations": {
                      "a": "1",
                      "b": "\\u003c2\\u003e"
                  }
              },
              {
                  "MIMEType": "application/vnd.oci.image.layer.v1.tar+gzip",
                  "Digest": "sha256:fb2a7aadd4ec0000000000000000000000000000000000000000000000000000",
                  "Size": 29,
                  "Annotations": null
              }
          ],
          "Env": null
      }
      "
    `);
  });
});

describe("bytesOf", () => {
  test("gives back the bytes of a character that a template cut", () => {
    const output = render('{{slice "héllo" 0 2}}');
    expect(typeof output === "string" && [...bytesOf(output)]).toEqual([0x68, 0xc3, 0x0a]);
  });
});
