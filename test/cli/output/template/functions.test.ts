// Functions and methods of templates.

import { describe, expect, test } from "bun:test";

import { renderFormat } from "../../../../cli/output/template.ts";
import { bytesOf } from "../../../../cli/output/template/go-text.ts";
import { summaryValue } from "../../../../cli/output/template/image-values.ts";
import { fullSummary } from "../../../support/sample-summaries.ts";

// All results were measured with skopeo 1.22.
const value = summaryValue(fullSummary);

function render(format: string) {
  const { output, failure } = renderFormat({ format, name: "skopeo inspect", value });
  return { output: Buffer.from(bytesOf(output)).toString(), message: failure?.message };
}

describe("functions", () => {
  test.each([
    ['{{index .Labels "a.b/c"}}', "two words\n"],
    ['{{index .Labels "nope"}}', "\n"],
    ["{{index .Env 0 1}}", "65\n"],
    ["{{len .Layers}}", "2\n"],
    ["{{len .Digest}}", "71\n"],
    ['{{len "é"}}', "2\n"],
    ["{{slice .Digest 7 19}}", "a4ead2cf0507\n"],
    ["{{slice .Digest 7}}", "a4ead2cf050746ef96724815ac3ca2cf39f743719eafc8085dfc82dc84280fba\n"],
    ["{{$x := .Env}}{{index $x 0}}", "PATH=/bin:/usr/bin\n"],
    ["{{.Os | len}}", "5\n"],
    ['{{range .LayersData}}{{index .Annotations "a"}}|{{end}}', "1||\n"],
    ["{{index .Layers 0 | len}}", "71\n"],
    ['{{index "abc" 1}}', "98\n"],
    ["{{index .Labels}}", "map[a.b/c:two words k: z:1]\n"],
    ['{{len (index .Labels "xxxxxxxxxxxxxxxxxxxxxxxxxxxxx")}}', "0\n"],
    ['{{slice "héllo" 0 2 | printf "%q"}}', '"h\\xc3"\n'],
    ['{{slice "héllo" 0 2}}{{slice "héllo" 2}}', "héllo\n"],
    ['{{len (slice "héllo" 0 2)}}', "2\n"],
    ['{{len "abc" | eq 3}}', "true\n"],
    ['{{index (index .LayersData 0).Annotations "b"}}', "<2>\n"],
    ["{{index .Labels .Os}}", "\n"],
    ["{{slice .Env 1 1}}", "[]\n"],
    ["{{slice .Env}}", "[PATH=/bin:/usr/bin X=<&>]\n"],
    ["{{slice .Os 0 0}}|", "|\n"],
  ])("index, slice and len: %s", (format, output) => {
    expect(render(format)).toEqual({ output, message: undefined });
  });

  test.each([
    ["{{json .Labels}}", '{"a.b/c":"two words","k":"","z":"1"}\n'],
    ["{{json .Env}}", '["PATH=/bin:/usr/bin","X=<&>"]\n'],
    ['{{html "<a>&\'\\""}}', "&lt;a&gt;&amp;&#39;&#34;\n"],
    ["{{html .Labels}}", "map[a.b/c:two words k: z:1]\n"],
    [
      '{{js "it\'s <b> \\"q\\" \\\\ = \\n é \\u2028"}}',
      'it\\\'s \\u003Cb\\u003E \\"q\\" \\\\ \\u003D \\u000A é \\u2028',
    ],
    ['{{urlquery "a b&c/d?é~"}}', "a+b%26c%2Fd%3F%C3%A9~\n"],
    ['{{html 1 "<" }}', "1&lt;\n"],
    ["{{js 1}}", "1\n"],
    ['{{urlquery "a" "b c"}}', "ab+c\n"],
    ["{{html}}", "\n"],
    ["{{html nil}}", "&lt;no value&gt;\n"],
    ['{{html "\\x00"}}', "�\n"],
    ["{{json .Labels.nope}}", "null\n"],
    ['{{json "<é\\u2028>"}}', '"<é\\u2028>"\n'],
    ["{{json 1.5}}", "1.5\n"],
    ["{{json nil}}", "null\n"],
    ["{{json true}}", "true\n"],
    ['{{json (truncate "héllo" 2)}}', '"h\\ufffd"\n'],
    ['{{urlquery (truncate "héllo" 2)}}', "h%C3\n"],
    ['{{html "a" .Os 1 2}}', "alinux1 2\n"],
  ])("json, html, js and urlquery: %s", (format, output) => {
    expect(render(format)).toEqual({ output, message: undefined });
  });

  test.each([
    ['{{join nil ","}}', "\n"],
    ['{{split .Os "n"}}', "[li ux]\n"],
    ['{{lower "ABC"}}', "abc\n"],
    ["{{upper .Os}}", "LINUX\n"],
    ['{{title "hello world"}}', "Hello World\n"],
    ["{{truncate .Os 2}}", "li\n"],
    ["{{truncate .Os 20}}", "linux\n"],
    ["{{pad .Os 2 3}}|", "  linux   |\n"],
    ['{{pad "" 2 3}}|', "|\n"],
    ["{{.Os | upper}}", "LINUX\n"],
    ['{{truncate "abc" 2.0}}', "ab\n"],
    ['{{split "a,b" ","}}', "[a b]\n"],
    ['{{split "abc" ""}}', "[a b c]\n"],
    ['{{split "" ","}}', "[]\n"],
    ['{{split "" ""}}', "[]\n"],
    ['{{join (split "a,b" ",") "-"}}', "a-b\n"],
    ['{{title "hELLO wORLD-foo_bar é"}}', "HELLO WORLD-Foo_bar É\n"],
    ['{{title "--b a  c"}}', "--B A  C\n"],
    ['{{lower "ÀÉ"}}', "àé\n"],
    ['{{truncate "héllo" 2 | printf "%q %s %x"}}', '"h\\xc3" %!s(MISSING) %!x(MISSING)\n'],
    ['{{upper (truncate "héllo" 2)}}', "H�\n"],
  ])("the functions of the original: %s", (format, output) => {
    expect(render(format)).toEqual({ output, message: undefined });
  });

  test.each([
    ['{{.Created.Format "2006-01-02"}}', "2024-01-02\n"],
    ["{{.Created.Unix}}", "1704164645\n"],
    ["{{.Created.Year}}", "2024\n"],
    ["{{.Created.Month}}", "January\n"],
    ["{{.Created.Day}}", "2\n"],
    ["{{.Created.Weekday}}", "Tuesday\n"],
    ["{{.Created.UnixNano}}", "1704164645123456789\n"],
    ["{{.Created.UTC}}", "2024-01-02 03:04:05.123456789 +0000 UTC\n"],
    ["{{.Created.Local}}", "2024-01-02 03:04:05.123456789 +0000 UTC\n"],
    ["{{.Created.IsZero}}", "false\n"],
    ["{{.Created.String}}", "2024-01-02 03:04:05.123456789 +0000 UTC\n"],
    ["{{.Created.Nanosecond}}", "123456789\n"],
    ["{{.Created.YearDay}}", "2\n"],
    ["{{.Created.GoString}}", "time.Date(2024, time.January, 2, 3, 4, 5, 123456789, time.UTC)\n"],
    ["{{.Created.Equal .Created}}", "true\n"],
    ["{{.Created.Before .Created}}", "false\n"],
    ["{{.Created.Month.String}}", "January\n"],
    ["{{json .Created}}", '"2024-01-02T03:04:05.123456789Z"\n'],
    ["{{eq .Created nil}}", "false\n"],
    ["{{gt .Created.Year 2000}}", "true\n"],
    ["{{if .Created}}y{{else}}n{{end}}", "y\n"],
    ['{{if .Created.IsZero}}y{{else if eq .Os "linux"}}L{{else}}n{{end}}', "L\n"],
    ["{{lt .Created.Unix 5}}", "false\n"],
    ["{{json .Created.Year}}", "2024\n"],
  ])("times: %s", (format, output) => {
    expect(render(format)).toEqual({ output, message: undefined });
  });
});
