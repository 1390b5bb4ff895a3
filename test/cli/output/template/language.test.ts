// The language of templates: what they may say, and what it means.

import { describe, expect, test } from "bun:test";

import { renderFormat } from "../../../../cli/output/template.ts";
import { summaryValue } from "../../../../cli/output/template/image-values.ts";
import { fullSummary } from "../../../support/sample-summaries.ts";

// All results were measured with skopeo 1.22.
const value = summaryValue(fullSummary);

function render(format: string) {
  const { output, failure } = renderFormat({ format, name: "skopeo inspect", value });
  return { output, message: failure?.message };
}

describe("evaluateTemplate", () => {
  test.each([
    ["{{(.Os)}}", "linux\n"],
    ["{{(.Labels.nope).y}}", "<no value>\n"],
    ["{{.Created.Format .Os}}", "linux\n"],
    [
      "{{.Created.UnixMilli}} {{.Created.UnixMicro}} {{.Created.Hour}} {{.Created.Minute}} {{.Created.Second}}",
      "1704164645123 1704164645123456 3 4 5\n",
    ],
    ["{{(.Created).Year}}", "2024\n"],
    ["{{(.Created.UTC).Year}}", "2024\n"],
    ["{{.Created.UTC.Year}}", "2024\n"],
    ["{{.Labels | len}}", "3\n"],
    ["{{.Os|upper}}", "LINUX\n"],
    ['{{.Os|upper|printf "%s"|len}}', "5\n"],
    ["{{.Os | .Created.Format}}", "linux\n"],
    ['{{.Created.Format "Mon Jan _2 15:04:05 MST 2006"}}', "Tue Jan  2 03:04:05 UTC 2024\n"],
    [
      '{{.Created.Format "2006-01-02T15:04:05.999999999Z07:00"}}',
      "2024-01-02T03:04:05.123456789Z\n",
    ],
    [
      '{{.Created.Format "02/01/06 03:04:05.000 PM pm -0700 -07 Z0700 January Monday 2 1 3 4 5 002 __2 .00 ,000000"}}',
      "02/01/24 03:04:05.123 AM am +0000 +00 Z January Tuesday 2 1 3 4 5 002   2 .12 ,123456\n",
    ],
    ['{{.Created.Format "15h"}}', "03h\n"],
    [
      '{{.Created.Format "Jan2 1st Month Monda Januar 20060"}}',
      "Jan2 1st Month Monda Januar 20240\n",
    ],
    [
      '{{.Created.Format "-07:00:00 Z07:00:00 -070000 Z070000 Z07 MST"}}',
      "+00:00:00 Z +000000 Z Z UTC\n",
    ],
    ['{{.Created.Format "05.999 05.9999999999 05,9 5.0"}}', "05.123 05.123456789 05,1 5.1\n"],
    ["{{.Created.After .Created}}", "false\n"],
    ['{{.Created.Local.Format "2006"}}', "2024\n"],
    ['{{.Created.Format "Jan 2, 2006 at 3:04pm (MST)"}}', "Jan 2, 2024 at 3:04am (UTC)\n"],
    ['{{.Name | printf "%q"}}', '""\n'],
    ["{{.Os}}/{{.Architecture}}", "linux/amd64\n"],
    ["{{range.Env}}{{.}}{{end}}", "PATH=/bin:/usr/binX=<&>\n"],
    ["{{.Os|print|len|print}}", "5\n"],
    ["{{.5}} {{5.}}", "0.5 5\n"],
  ])("fields: %s", (format, output) => {
    expect(render(format)).toEqual({ output, message: undefined });
  });

  test.each([
    ["{{.Labels.nope}}", "<no value>\n"],
    ["{{.Labels.z}}", "1\n"],
    ["{{.Digest.Algorithm}}", "sha256\n"],
    ["{{.Digest.Encoded}}", "a4ead2cf050746ef96724815ac3ca2cf39f743719eafc8085dfc82dc84280fba\n"],
    ["{{.Digest.Hex}}", "a4ead2cf050746ef96724815ac3ca2cf39f743719eafc8085dfc82dc84280fba\n"],
    ["{{.Digest.Algorithm.String}}", "sha256\n"],
    ["{{.Env | json}}", '["PATH=/bin:/usr/bin","X=<&>"]\n'],
    ["{{- /* c */ -}} x", "x\n"],
    ["a  {{- .Os}}", "alinux\n"],
    ["{{- .Os -}}", "linux"],
    ['{{"abc"}}', "abc\n"],
    ['{{"a\\tb\\x41\\u00e9\\101"}}', "a\tbAéA\n"],
    ["{{'a'}}", "97\n"],
    ["{{'\\n'}}", "10"],
    ["{{1}}", "1\n"],
    ["{{1.50}}", "1.5\n"],
    ["{{1e3}}", "1000\n"],
    ["{{1e100}}", "1e+100\n"],
    ["{{0x1F}}", "31\n"],
    ["{{0b101}}", "5\n"],
    ["{{0o17}}", "15\n"],
    ["{{017}}", "15\n"],
    ["{{1_000}}", "1000\n"],
    ["{{-5}}", "-5\n"],
    ["{{+5}}", "5\n"],
    ["{{9223372036854775807}}", "9223372036854775807\n"],
    ["{{1.0}}", "1\n"],
    ["{{true}}", "true\n"],
    ["{{false}}", "false\n"],
    ["{{.Os |}}", "linux\n"],
    ["{{.1}}", "0.1\n"],
    ['{{print "x" .Os 1 2 true .Env nil}}', "xlinux1 2 true [PATH=/bin:/usr/bin X=<&>] <nil>\n"],
    ["{{.Labels.a.b}}", "<no value>\n"],
    ["{{.Labels.nope.y}}", "<no value>\n"],
    ["{{.Name}}|{{.Tag}}", "|\n"],
    ['{{"2006" | .Created.Format}}', "2024\n"],
  ])("literals: %s", (format, output) => {
    expect(render(format)).toEqual({ output, message: undefined });
  });

  test.each([
    ["{{$x := 1}}{{$x}}", "1\n"],
    ["{{$x := 1}}{{$x = 2}}{{$x}}", "2\n"],
    ["{{$x := .}}{{$x.Os}}", "linux\n"],
    ['{{block "b" .Os}}<{{.}}>{{end}}', "<linux>\n"],
    ["{{$x := .Labels.nope}}{{$x}}", "<no value>\n"],
    [
      '{{urlquery "!*\'();:@&=+$,/?#[] %ABC-_.~"}}',
      "%21%2A%27%28%29%3B%3A%40%26%3D%2B%24%2C%2F%3F%23%5B%5D+%25ABC-_.~\n",
    ],
    ['{{$x := "a"}}{{$x | printf "%s%s" "b"}}', "ba\n"],
    ["{{($x := 1)}}", "1\n"],
    ["{{print ($x := 1)}}{{$x}}", "11\n"],
    ['{{block "x" .}}{{.Os}}{{end}}{{template "x" .}}', "linuxlinux\n"],
    ["{{range $i, $e := .RepoTags}}a{{else}}{{$i}}b{{end}}", "[]b\n"],
    ['{{$i := 0}}{{$e := ""}}{{range $i, $e = .Env}}{{end}}{{$i}}{{$e}}', "1X=<&>\n"],
    ["{{$i := 0}}{{range $i = .Env}}{{end}}{{$i}}", "X=<&>\n"],
    ["{{with $x := 3}}{{$x}}{{.}}{{end}}", "33\n"],
    [
      '{{range .Env}}{{$p := split . "="}}{{index $p 0}}->{{index $p 1}};{{end}}',
      "PATH->/bin:/usr/bin;X-><&>;\n",
    ],
    ["{{$x:=1}}{{$x}}", "1\n"],
    ["{{$x := .Os | upper}}{{$x}}", "LINUX\n"],
  ])("variables and templates: %s", (format, output) => {
    expect(render(format)).toEqual({ output, message: undefined });
  });

  test.each([
    ["{{/* c */}}x", "x\n"],
    ["{{ .Os -}}   x", "linuxx\n"],
    ["{{-3}}", "-3\n"],
    ["{{- 3 -}}|", "3|\n"],
    ["{{3 -}} |", "3|\n"],
    ["a {{- /* x */ -}} b", "ab\n"],
    ["a{{/* x */}}b", "ab\n"],
    ["a{{/* x */ -}} b", "ab\n"],
    ["{{/**/}}", "\n"],
    ["{{- /* x */}}  a", "  a\n"],
    ['{{- "a" -}}', "a"],
  ])("trimming and comments: %s", (format, output) => {
    expect(render(format)).toEqual({ output, message: undefined });
  });

  test.each([
    ['{{range .Env}}{{.}}{{"\\n"}}{{end}}', "PATH=/bin:/usr/bin\nX=<&>\n"],
    ["{{range .Env}}{{.}}\\n{{end}}", "PATH=/bin:/usr/bin\nX=<&>\n\n"],
    ["{{range 3}}{{.}}{{end}}", "012\n"],
    ["{{range $i := 3}}{{$i}}{{end}}", "012\n"],
    ["{{range .Labels}}{{.}},{{end}}", "two words,,1,\n"],
    ["{{range $k, $v := .Labels}}{{$k}}={{$v}},{{end}}", "a.b/c=two words,k=,z=1,\n"],
    ["{{range $v := .Labels}}{{$v}},{{end}}", "two words,,1,\n"],
    ["{{range .Env}}{{.}}{{break}}{{end}}", "PATH=/bin:/usr/bin\n"],
    ["{{range .Env}}{{continue}}{{.}}{{end}}", "\n"],
    ["{{break}}", ""],
    ["{{continue}}", ""],
    ["{{range .RepoTags}}x{{else}}none{{end}}", "none\n"],
    ["{{range .Labels.nope}}x{{else}}e{{end}}", "e\n"],
    ["{{range .LayersData}}{{.Annotations.a}} {{end}}", "1 <no value> \n"],
    ["{{$x := 1}}{{range .Env}}{{$x = .}}{{end}}{{$x}}", "X=<&>\n"],
    ["{{range .LayersData}}{{eq .Size 29}}{{gt .Size 1}}{{end}}", "truetruetruetrue\n"],
    [
      '{{range .LayersData}}{{if gt .Size 28}}{{.Digest.Encoded | printf "%.12s"}} {{end}}{{end}}',
      "3fc296ba2d37 fb2a7aadd4ec \n",
    ],
    [
      '{{range .LayersData}}{{printf "%-20s %10d" (truncate .MIMEType 10) .Size}}\\n{{end}}',
      "applicatio                   29\napplicatio                   29\n\n",
    ],
    ["{{break}}x", ""],
    ["{{range .Env}}{{if true}}{{break}}{{end}}x{{end}}", "\n"],
    ["{{range $i, $e := .Env}}{{if eq $i 0}}{{continue}}{{end}}{{$i}}{{$e}}{{end}}", "1X=<&>\n"],
    ["{{with .Os}}{{break}}{{end}}", ""],
    ["{{range 0}}a{{else}}b{{end}}", "b\n"],
    ["{{range -1}}a{{else}}b{{end}}", "b\n"],
  ])("loops: %s", (format, output) => {
    expect(render(format)).toEqual({ output, message: undefined });
  });

  test.each([
    ['{{eq .Os "linux"}}', "true\n"],
    ['{{eq .Os "a" "b" "linux"}}', "true\n"],
    ['{{eq .Digest "x"}}', "false\n"],
    ["{{eq nil nil}}", "true\n"],
    ["{{eq .Labels nil}}", "false\n"],
    ['{{ne .Os "linux"}}', "false\n"],
    ["{{lt 1 2}}", "true\n"],
    ['{{lt "a" "b"}}', "true\n"],
    ["{{le 2 2}}", "true\n"],
    ["{{ge 1 2}}", "false\n"],
    ["{{and true false}}", "false\n"],
    ["{{and 1 0 2}}", "0\n"],
    ['{{or 0 "" "x"}}', "x\n"],
    ["{{or 1 .Foo}}", "1\n"],
    ["{{not .Tag}}", "true\n"],
    ["{{if .Tag}}y{{else}}n{{end}}", "n\n"],
    ["{{if .Labels}}y{{else}}n{{end}}", "y\n"],
    ["{{with .Tag}}y{{else}}n{{end}}", "n\n"],
    ["{{with .Tag}}y{{else with .Os}}{{.}}{{else}}n{{end}}", "linux\n"],
    ["{{with $x := .Os}}{{$x}}{{.}}{{end}}", "linuxlinux\n"],
    ["{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2\n"],
    ["{{$x := 1}}{{if true}}{{$x := 2}}{{end}}{{$x}}", "1\n"],
    ['{{if eq .Os "linux" | not}}a{{else}}b{{end}}', "b\n"],
    ['{{if and (eq .Os "linux") (ne .Architecture "arm")}}ok{{end}}', "ok\n"],
    ['{{if or (eq .Os "x") (gt (len .Layers) 1)}}ok{{end}}', "ok\n"],
    ["{{if .Labels.nope}}x{{else}}n{{end}}", "n\n"],
    ['{{eq .Labels.nope "x"}}', "false\n"],
    ['{{eq .Labels.nope ""}}', "false\n"],
    ["{{with .Labels.nope}}{{.}}{{end}}", "\n"],
    ["{{range $i, $e := .Env}}{{if $i}}, {{end}}{{$e}}{{end}}", "PATH=/bin:/usr/bin, X=<&>\n"],
    ["{{range $i, $e := .Env}}{{if gt $i 0}}, {{end}}{{$e}}{{end}}", "PATH=/bin:/usr/bin, X=<&>\n"],
    ["{{and .Os .Tag .Foo}}", "\n"],
    ["{{not nil}}", "true\n"],
    ["{{not (eq 1 1)}}", "false\n"],
    ["{{eq 1 2 | not}}", "true\n"],
    ["{{eq 'a' 97}}", "true\n"],
    ["{{eq true true}}", "true\n"],
    ["{{eq 1.5 1.5}}", "true\n"],
    ["{{if $x := 0}}{{else}}{{$x}}{{end}}", "0\n"],
    ["{{if 1.0}}t{{end}}{{if 0.0}}t{{else}}f{{end}}", "tf\n"],
    ["{{if .}}t{{end}}", "t\n"],
    ["{{with .Created}}{{.Year}}{{end}}", "2024\n"],
    ["{{with $x := .Tag}}a{{else}}{{$x}}|{{end}}", "|\n"],
    ["{{with .Os}}{{.}}{{else with .Tag}}b{{end}}", "linux\n"],
  ])("comparisons and logic: %s", (format, output) => {
    expect(render(format)).toEqual({ output, message: undefined });
  });
});
