// Printing as Go does it.

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

describe("printFormatted", () => {
  test.each([
    ['{{printf "%T" .Digest.Algorithm}}', "digest.Algorithm\n"],
    ['{{printf "%T" .Created}}', "*time.Time\n"],
    ['{{printf "%d" .Created.Month}}', "1\n"],
    ['{{.Os | upper | lower | printf "%s-%s" "x"}}', "x-linux\n"],
    ['{{(printf "%s" .Os) | upper}}', "LINUX\n"],
    ['{{printf "%d" .Os}}', "%!d(string=linux)\n"],
    ['{{printf "%s" 1}}', "%!s(int=1)\n"],
    ['{{printf "%d %d" 1}}', "1 %!d(MISSING)\n"],
    ['{{printf "%d" 1 2}}', "1%!(EXTRA int=2)\n"],
    ['{{printf "%d" 1 .Os}}', "1%!(EXTRA string=linux)\n"],
    ['{{printf "%z" 1}}', "%!z(int=1)\n"],
    ['{{printf "%"}}', "%!(NOVERB)\n"],
    ['{{printf "%!"}}', "%!!(MISSING)\n"],
    ['{{printf "100%%"}}', "100%\n"],
    ['{{printf "%5d|%-5d|%05d|%+d|% d" 1 2 3 4 5}}', "    1|2    |00003|+4| 5\n"],
    [
      '{{printf "%x %X %#x %o %O %b %c %q %U %#U" 255 255 255 8 8 5 65 65 65 65}}',
      "ff FF 0xff 10 0o10 101 A 'A' U+0041 U+0041 'A'\n",
    ],
    [
      '{{printf "%s|%10s|%-10s|%.2s|%q|%x|%X|% x|%#q" "abc" "abc" "abc" "abc" "abc" "abc" "abc" "abc" "abc"}}',
      'abc|       abc|abc       |ab|"abc"|616263|616263|61 62 63|`abc`\n',
    ],
    ['{{printf "%q" .Env}}', '["PATH=/bin:/usr/bin" "X=<&>"]\n'],
    ['{{printf "%d" .Env}}', "[%!d(string=PATH=/bin:/usr/bin) %!d(string=X=<&>)]\n"],
    ['{{printf "%s" .Labels}}', "map[a.b/c:two words k: z:1]\n"],
    ['{{printf "%x" .Env}}', "[504154483d2f62696e3a2f7573722f62696e 583d3c263e]\n"],
    ['{{printf "%5s|" .Env}}', "[PATH=/bin:/usr/bin X=<&>]|\n"],
    ['{{printf "%v %t %s" true false true}}', "true false %!s(bool=true)\n"],
    [
      '{{printf "%f %.2f %e %g %G %8.3f|" 1.5 1.5 1.5 1e21 1e-7 3.14159}}',
      "1.500000 1.50 1.500000e+00 1e+21 1E-07    3.142|\n",
    ],
    ['{{printf "%v %v %v %v" 1.0 1e20 1e21 1e-5}}', "1 1e+20 1e+21 1e-05\n"],
    [
      '{{printf "%6.2f|%-8.1f|%+.1f|%08.2f" 3.14159 2.5 2.5 -2.5}}',
      "  3.14|2.5     |+2.5|-0002.50\n",
    ],
    ['{{printf "%*d" 5 42}}', "   42\n"],
    ['{{printf "%-*d|" 5 42}}', "42   |\n"],
    ['{{printf "%[2]d %[1]d" 1 2}}', "2 1\n"],
    ['{{printf "%[3]d" 1 2}}', "%!d(BADINDEX)\n"],
    ['{{printf "%[x]d" 1 2}}', "%!d(BADINDEX)\n"],
    ['{{printf "%[1]d %d" 1 2}}', "1 2\n"],
    ['{{printf "%.*f" 2 3.14159}}', "3.14\n"],
    ['{{printf "%*d" "x" 42}}', "%!(BADWIDTH)42\n"],
    ['{{printf "%v" nil}}', "<nil>\n"],
    ['{{printf "%d" nil}}', "%!d(<nil>)\n"],
    ['{{printf "%s" .Created}}', "2024-01-02 03:04:05.123456789 +0000 UTC\n"],
    ['{{printf "%d" .Created}}', "&{123456789 63839761445 0}\n"],
    ['{{printf "%v" .Created}}', "2024-01-02 03:04:05.123456789 +0000 UTC\n"],
    ['{{printf "%q" .Created}}', '"2024-01-02 03:04:05.123456789 +0000 UTC"\n'],
    ['{{printf "%t" 1}}', "%!t(int=1)\n"],
    [
      '{{printf "%T %T %T %T %T %T %T" .Digest .Layers .LayersData .Labels .Env 1 1.5}}',
      "digest.Digest []string []types.ImageInspectLayer map[string]string []string int float64\n",
    ],
    ['{{printf "%T %T %T %T" "x" true nil \'a\'}}', "string bool <nil> int\n"],
    ['{{printf "%v|%6v|%-6v|%06v" .Os .Os .Os .Os}}', "linux| linux|linux |0linux\n"],
    ['{{printf "%v|%6v|%-6v|%06v" 42 42 42 42}}', "42|    42|42    |000042\n"],
    [
      '{{printf "%+q %#q %q" "é☺" "a`b" "\\x00\\u2028\\ufeff"}}',
      '"\\u00e9\\u263a" "a`b" "\\x00\\u2028\\ufeff"\n',
    ],
    ['{{printf "%c%c" 0x1F600 233}}', "😀é\n"],
    ['{{printf "%08b" 5}}', "00000101\n"],
    ['{{printf "%x" "héllo"}}', "68c3a96c6c6f\n"],
    ['{{printf "% X" "abc"}}', "61 62 63\n"],
    ['{{printf "%x" -255}}', "-ff\n"],
    ['{{printf "%#o %#b" 8 5}}', "010 0b101\n"],
    ['{{printf "%+.3e" 12345.678}}', "+1.235e+04\n"],
    ['{{printf "%6.3v|" 3.14159}}', "  3.14|\n"],
    ['{{printf "%3c|%-3c|" 65 65}}', "  A|A  |\n"],
    ['{{printf "%t" "x"}}', "%!t(string=x)\n"],
    ['{{printf "%10t|" true}}', "      true|\n"],
    ['{{printf "%5%"}}', "%\n"],
    ['{{printf "%.3d %+.5d" 5 5}}', "005 +00005\n"],
    ['{{printf "%.0d|" 0}}', "|\n"],
    ['{{printf "%s %s" .Os}}', "linux %!s(MISSING)\n"],
    ["{{printf .Os}}", "linux\n"],
    ['{{printf "a\\n"}}', "a\n"],
    ['{{printf "%s\\n" .Os}}', "linux\n"],
    ['{{.Layers | len | printf "%03d"}}', "002\n"],
    ['{{printf "%v" .Labels.nope}}', "<nil>\n"],
    ['{{range .Env}}{{printf "%s\\n" .}}{{end}}', "PATH=/bin:/usr/bin\nX=<&>\n"],
    ['{{printf "%d%%" 5}}', "5%\n"],
    ['{{printf "%v %v" .Created.Month .Created.Weekday}}', "January Tuesday\n"],
    [
      '{{printf "%d %x %q" .Created.Month .Created.Month .Created.Month}}',
      '1 4a616e75617279 "January"\n',
    ],
    ['{{printf "%#v %#v %#v %#v" 1 1.0 "a\\"b" true}}', '1 1 "a\\"b" true\n'],
    ['{{printf "%#v" .Labels}}', 'map[string]string{"a.b/c":"two words", "k":"", "z":"1"}\n'],
    ['{{printf "%+v" .Labels}}', "map[a.b/c:two words k: z:1]\n"],
    ['{{printf "%#v" nil}}', "<nil>\n"],
    ['{{printf "%x" .Digest.Algorithm}}', "736861323536\n"],
    ['{{printf "%5t|%-7t|%q" true false "é"}}', ' true|false  |"é"\n'],
    ['{{printf "%05s|%-05s|%05d|%-05d|" "ab" "ab" -7 -7}}', "000ab|ab   |-0007|-7   |\n"],
    ['{{printf "%+d %+d % d" -1 0 -3}}', "-1 +0 -3\n"],
    ['{{printf "%6.2f%%|% .2f|%+.2e" 12.345 3.0 0.0}}', " 12.35%| 3.00|+0.00e+00\n"],
    [
      '{{printf "%g %g %g %.3g %.10g" 100000.0 1000000.0 0.0001 1234.5678 1234.5678}}',
      "100000 1e+06 0.0001 1.23e+03 1234.5678\n",
    ],
    ['{{printf "%s" nil}} {{printf "%t" nil}}', "%!s(<nil>) %!t(<nil>)\n"],
    ['{{printf "%s %v" .Env nil}}', "[PATH=/bin:/usr/bin X=<&>] <nil>\n"],
    ['{{printf "%!d" 1}}', "%!!(int=1)d\n"],
    ['{{printf "%-" 1}}', "%!(NOVERB)%!(EXTRA int=1)\n"],
    ['{{printf "%é" 1}}', "%!é(int=1)\n"],
    ['{{printf "%[1]s %[1]v" .Os}}', "linux linux\n"],
    ['{{printf "%[1" .Os}}', "%!(NOVERB)\n"],
    ['{{printf "%[1]" .Os}}', "%!(NOVERB)\n"],
    ['{{printf "%[1]*d" 3 4}}', "  4\n"],
    ['{{printf "%[2]*[1]d|" 3 4}}', "   3|\n"],
  ])("printf: %s", (format, output) => {
    expect(render(format)).toEqual({ output, message: undefined });
  });

  test.each([
    ['{{print 1 2 "a" "b" 3}}', "1 2ab3\n"],
    ['{{println 1 "a"}}', "1 a\n\n"],
    ["{{print}}", "\n"],
    ["{{print nil}}", "<nil>\n"],
    ["{{println}}", "\n\n"],
    [
      "{{print 1 .Os 2 .Env .Env}}",
      "1linux2 [PATH=/bin:/usr/bin X=<&>] [PATH=/bin:/usr/bin X=<&>]\n",
    ],
    ["{{print .Labels.nope}}", "<nil>\n"],
    ['{{printf "%.[2]*[1]f|" 3.14159 2}}', "3.14|\n"],
    ['{{printf "%.f|%.0f" 2.5 3.5}}', "2|4\n"],
    ['{{printf "%.*d|" -1 5}}', "%!(BADPREC)5|\n"],
  ])("printing: %s", (format, output) => {
    expect(render(format)).toEqual({ output, message: undefined });
  });
});
