// Checks everything: types, format, build, house rules and tests. What CI runs.
//
//     bun scripts/check.ts
//
// The last line says how many tests passed, failed and were skipped. A step that fails counts as one
// failed test. With DRAY_REQUIRE_PEERS=1 in the environment tests fail where they would be skipped.

import { stripVTControlCharacters } from "node:util";

import { countsOf, noCounts, sum, type TestCounts } from "./test-counts.ts";

const root = `${import.meta.dir}/..`;
const bun = process.execPath;
const folders = ["cli", "core", "transports", "scripts", "test"];

const endToEnd = "test/e2e";
const endToEndTitle = "End-to-end tests";
const failed: TestCounts = { ...noCounts, failed: 1 };

/** Runs one step that either succeeds or not, and shows all it says. */
async function step(title: string, command: readonly string[]): Promise<TestCounts> {
  const exitCode = await run(title, command, console.log);
  return exitCode === 0 ? noCounts : failed;
}

/** A test that takes longer hangs: a busy machine must not look like a broken program. */
const patience = ["--timeout", "180000"];

/** Runs tests, and shows what did not pass. */
async function tests(title: string, args: readonly string[]): Promise<TestCounts> {
  const lines: string[] = [];
  const show = withoutPassed(console.log);
  const exitCode = await run(title, [bun, "test", ...patience, ...args], (line) => {
    lines.push(stripVTControlCharacters(line));
    show(line);
  });
  return countsOf(lines, exitCode);
}

/** Without a fresh executable the end-to-end tests would test an old one. */
function leftOut(): TestCounts {
  console.log(`\n== ${endToEndTitle}: not run, as there is no executable`);
  return noCounts;
}

async function run(
  title: string,
  command: readonly string[],
  show: (line: string) => void,
): Promise<number> {
  console.log(`\n== ${title}`);
  const began = performance.now();
  const child = Bun.spawn([...command], {
    cwd: root,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  await Promise.all([eachLine(child.stdout, show), eachLine(child.stderr, show)]);
  const exitCode = await child.exited;
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const outcome = exitCode === 0 ? "ok" : `FAILED (${child.signalCode ?? `exit code ${exitCode}`})`;
  console.log(`== ${title}: ${outcome}, ${seconds} s`);
  return exitCode;
}

async function eachLine(
  bytes: ReadableStream<Uint8Array>,
  take: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  }
  if (rest !== "") take(rest);
}

/** Leaves out tests that passed, and the names of files of which nothing else is to be said. */
function withoutPassed(show: (line: string) => void): (line: string) => void {
  let heading: string[] = [];
  return (line) => {
    const text = stripVTControlCharacters(line);
    if (/^(\(pass\)|✓) /.test(text)) return;
    if (text === "" || /^test\/\S+\.test\.ts:$/.test(text)) {
      heading = text === "" ? [line] : [...heading, line];
      return;
    }
    for (const each of [...heading, line]) show(each);
    heading = [];
  };
}

async function check(): Promise<TestCounts> {
  const types = await step("Types", [bun, "check", "--no-script"]);
  const format = await step("Format", [bun, "fmt", "--no-script", "--check", ...folders]);
  const build = await step("Build", [bun, "scripts/build.ts"]);
  const ignored = ["--path-ignore-patterns", `${endToEnd}/**`];
  const house = await tests("House rules and unit tests", ignored);
  const whole = await (build.failed === 0 ? tests(endToEndTitle, [endToEnd]) : leftOut());
  return [types, format, build, house, whole].reduce(sum);
}

if (process.argv.length > 2) {
  console.error(
    "It checks everything. For single files: bun check --no-script FILES, bun test FILES",
  );
  process.exitCode = 1;
} else {
  const total = await check();
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
  if (total.skipped > 0) {
    console.log(
      "\nSkipped tests say what they need; .ci/run lists the packages of Debian that have it.",
    );
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
  process.exitCode = total.failed > 0 ? 1 : 0;
}
