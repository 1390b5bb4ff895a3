// Input: what a person types, or a program pipes in, when it is asked.

import { Failure } from "../core/failure.ts";
import { limits } from "../core/limits.ts";
import { print } from "./output/print.ts";
import { isTerminal } from "./output/terminal.ts";

/** Reads standard input, a line at a time. Dispose it, so that the program can end. */
export class Input implements Disposable {
  readonly #signal: AbortSignal;
  readonly #asksOn: "stdout" | "stderr";
  #chunks: AsyncIterator<Uint8Array> | undefined;
  #rest: Uint8Array = new Uint8Array();

  /**
   * Nothing is read before somebody asks. What is being asked ends with `signal`. Whoever asks on standard output
   * has it for that alone.
   */
  constructor(signal: AbortSignal, asksOn: "stdout" | "stderr") {
    this.#signal = signal;
    this.#asksOn = asksOn;
  }

  /** Asks for a line. Fails with `usage` if the input ends before the line does. */
  async askLine(question: string): Promise<string> {
    await this.#say(question);
    const line = new Line();
    for (;;) {
      const key = await this.#key();
      if (key === undefined) throw new Failure("usage", "EOF");
      if (key === newline) return line.text.replace(/\r$/, "");
      line.type(key);
    }
  }

  /**
   * Asks for a line that the terminal does not show. Fails with `usage` if there is no terminal, or the
   * input ends.
   */
  async askSecret(question: string): Promise<string> {
    if (!isTerminal("stdin")) {
      await this.#say(question);
      throw new Failure("usage", "inappropriate ioctl for device", {
        hint: "where there is no terminal, give the password by --password-stdin",
      });
    }
    // Before the question, so that nothing typed in answer is ever shown.
    process.stdin.setRawMode(true);
    try {
      await this.#say(question);
      return await this.#secretLine();
    } finally {
      process.stdin.setRawMode(false);
      await this.#say("\n");
    }
  }

  /** Reads to the end and returns all lines, put together without their ends. */
  async joinedLines(): Promise<string> {
    const line = new Line();
    for (;;) {
      const key = await this.#key();
      if (key === undefined) break;
      line.type(key);
    }
    return line.text.replace(/\r?\n|\r$/g, "");
  }

  [Symbol.dispose](): void {
    if (this.#chunks === undefined) return;
    // A read that still waits would keep the program from ending.
    process.stdin.destroy();
  }

  async #say(text: string): Promise<void> {
    if (this.#asksOn === "stdout") await print(text);
    else await Bun.write(Bun.stderr, text);
  }

  async #secretLine(): Promise<string> {
    const line = new Line();
    for (;;) {
      const key = await this.#key();
      switch (key) {
        case undefined:
          throw new Failure("usage", "EOF");
        case newline:
        case carriageReturn:
          return line.text;
        case interrupt:
          // The terminal makes no signals of keys now, so we do.
          process.kill(process.pid, "SIGINT");
          break;
        case endOfInput:
          if (line.text === "") throw new Failure("usage", "EOF");
          break;
        case backspace:
        case erase:
          line.erase();
          break;
        case eraseLine:
          line.clear();
          break;
        default:
          line.type(key);
      }
    }
  }

  async #key(): Promise<number | undefined> {
    this.#chunks ??= process.stdin[Symbol.asyncIterator]();
    while (this.#rest.length === 0) {
      const { value, done } = await unless(this.#signal, this.#chunks.next());
      if (done === true) return undefined;
      this.#rest = value;
    }
    const [key] = this.#rest;
    this.#rest = this.#rest.subarray(1);
    return key;
  }
}

const newline = 0x0a;
const carriageReturn = 0x0d;
const interrupt = 0x03;
const endOfInput = 0x04;
const backspace = 0x08;
const eraseLine = 0x15;
const erase = 0x7f;

/** A line as it is typed. */
class Line {
  #bytes: number[] = [];

  get text(): string {
    return new TextDecoder().decode(Uint8Array.from(this.#bytes));
  }

  type(byte: number): void {
    if (this.#bytes.length >= limits.inputBytes) {
      throw new Failure("usage", `more than ${limits.inputBytes} bytes were typed`);
    }
    this.#bytes.push(byte);
  }

  /** Takes back the last character, which may be several bytes. */
  erase(): void {
    let last = this.#bytes.pop();
    while (last !== undefined && (last & 0xc0) === 0x80) last = this.#bytes.pop();
  }

  clear(): void {
    this.#bytes = [];
  }
}

async function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
