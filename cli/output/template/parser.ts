// Parser: the text of a template → its statements.

import { quoteText, unquote } from "./go-text.ts";
import { templateFailure } from "./go-value.ts";
import { lex, type Token } from "./lexer.ts";
import { readNumber } from "./number.ts";
import {
  type Branch,
  type Command,
  type Operand,
  type Pipe,
  spellPart,
  type Statement,
  type Templates,
} from "./syntax.ts";

/** What has to be known to parse a template. */
export interface ParseRequest {
  readonly text: string;
  /** What the template is called, in errors and by other templates. */
  readonly name: string;
  readonly functions: ReadonlySet<string>;
}

/** Parses a template and the definitions in it. Fails with `usage`, naming template and line. */
export function parseTemplates(request: ParseRequest): Templates {
  return new Parser(request).parse();
}

/** Deeper nesting is nobody's format, and would exhaust the stack. */
const maximumDepth = 500;

/** How a list of statements ended. */
type Closing = "end" | "else" | "text";

class Parser {
  readonly #name: string;
  readonly #functions: ReadonlySet<string>;
  readonly #tokens: readonly Token[];
  readonly #templates = new Map<string, readonly Statement[]>();
  #next = 0;
  #line = 1;
  #variables = ["$"];
  #depth = 0;
  #ranges = 0;

  constructor({ text, name, functions }: ParseRequest) {
    this.#name = name;
    this.#functions = functions;
    this.#tokens = lex(text);
  }

  parse(): Templates {
    const statements: Statement[] = [];
    while (this.#peek().kind !== "end") {
      if (this.#isDefinition()) this.#definition();
      else statements.push(this.#topStatement());
    }
    this.#add(this.#name, statements);
    return this.#templates;
  }

  /** A definition that says nothing does not replace one that does. */
  #add(name: string, statements: readonly Statement[]): void {
    const empty = statements.every((each) => each.kind === "text" && each.text.trim() === "");
    if (!empty || !this.#templates.has(name)) this.#templates.set(name, statements);
  }

  #isDefinition(): boolean {
    if (this.#peek().kind !== "left") return false;
    const [first, second] = this.#tokens.slice(this.#next + 1, this.#next + 3);
    const keyword = first?.kind === "space" ? second : first;
    return keyword?.kind === "keyword" && keyword.text === "define";
  }

  #definition(): void {
    this.#take();
    this.#takeVisible();
    const name = this.#templateName("define clause");
    this.#expectRight("define clause");
    this.#add(name, this.#separately("define clause"));
  }

  /** Parses a body that knows nothing of the variables and loops around it. */
  #separately(context: string): readonly Statement[] {
    const [variables, ranges] = [this.#variables, this.#ranges];
    [this.#variables, this.#ranges] = [["$"], 0];
    const { statements, closing } = this.#body();
    if (closing !== "end") throw this.#failure(`unexpected {{${closing}}} in ${context}`);
    [this.#variables, this.#ranges] = [variables, ranges];
    return statements;
  }

  #topStatement(): Statement {
    const { statement, closing } = this.#statement();
    if (statement === undefined) throw this.#failure(`unexpected {{${closing}}}`);
    return statement;
  }

  /** Parses statements up to their `{{end}}` or `{{else}}`. */
  #body(): { readonly statements: readonly Statement[]; readonly closing: Closing } {
    if (++this.#depth > maximumDepth) throw this.#failure("nested too deep");
    const statements: Statement[] = [];
    while (this.#peekVisible().kind !== "end") {
      const { statement, closing } = this.#statement();
      if (statement === undefined) {
        this.#depth--;
        return { statements, closing };
      }
      statements.push(statement);
    }
    this.#takeVisible();
    throw this.#failure("unexpected EOF");
  }

  #statement(): { readonly statement?: Statement; readonly closing: Closing } {
    const token = this.#takeVisible();
    const { position } = token;
    if (token.kind === "text") {
      return { statement: { kind: "text", position, text: token.text }, closing: "text" };
    }
    if (token.kind !== "left") throw this.#unexpected(token, "input");
    const keyword = this.#peekVisible();
    switch (keyword.kind === "keyword" ? keyword.text : "") {
      case "end":
        this.#takeVisible();
        this.#expectRight("end");
        return { closing: "end" };
      case "else":
        this.#takeVisible();
        if (!this.#isKeyword("if") && !this.#isKeyword("with")) this.#expectRight("else");
        return { closing: "else" };
      default:
        return { statement: this.#action(keyword), closing: "text" };
    }
  }

  #action(keyword: Token): Statement {
    const { position } = keyword;
    switch (keyword.kind === "keyword" ? keyword.text : "") {
      case "if":
      case "with":
      case "range":
        return this.#branch();
      case "template":
        this.#takeVisible();
        return this.#call();
      case "block":
        this.#takeVisible();
        return this.#block();
      case "break":
        return this.#leave("break");
      case "continue":
        return this.#leave("continue");
      default:
        return { kind: "action", position, pipe: this.#pipe("command", "right") };
    }
  }

  #branch(): Branch {
    const { text, position } = this.#takeVisible();
    const kind = text === "if" || text === "with" ? text : "range";
    const known = this.#variables.length;
    const pipe = this.#pipe(kind, "right");
    if (kind === "range") this.#ranges++;
    const { statements: body, closing } = this.#body();
    if (kind === "range") this.#ranges--;
    const otherwise = closing === "else" ? this.#otherwise(kind) : undefined;
    this.#variables.length = known;
    return { kind, position, pipe, body, ...(otherwise === undefined ? {} : { otherwise }) };
  }

  #otherwise(kind: Branch["kind"]): readonly Statement[] {
    // `{{else if …}}` stands for `{{else}}{{if …}}` and needs no end of its own.
    if (kind !== "range" && this.#isKeyword(kind)) return [this.#branch()];
    const { statements, closing } = this.#body();
    if (closing !== "end") throw this.#failure(`expected end; found {{${closing}}}`);
    return statements;
  }

  #leave(kind: "break" | "continue"): Statement {
    const { position } = this.#takeVisible();
    const token = this.#takeVisible();
    if (token.kind !== "right") throw this.#unexpected(token, `{{${kind}}}`);
    if (this.#ranges === 0) throw this.#failure(`{{${kind}}} outside {{range}}`);
    return { kind, position };
  }

  #call(): Statement {
    const { position } = this.#peekVisible();
    const name = this.#templateName("template clause");
    if (this.#peekVisible().kind === "right") {
      this.#takeVisible();
      return { kind: "template", position, name };
    }
    return { kind: "template", position, name, pipe: this.#pipe("template clause", "right") };
  }

  #block(): Statement {
    const { position } = this.#peekVisible();
    const name = this.#templateName("block clause");
    const pipe = this.#pipe("block clause", "right");
    this.#add(name, this.#separately("block clause"));
    return { kind: "template", position, name, pipe };
  }

  #templateName(context: string): string {
    const token = this.#takeVisible();
    if (token.kind !== "string") throw this.#unexpected(token, context);
    return this.#unquoted(token);
  }

  #pipe(context: string, closing: "right" | ")"): Pipe {
    const { position } = this.#peekVisible();
    const { variables, assigns } = this.#declaration(context);
    const commands: Command[] = [];
    for (;;) {
      const token = this.#peekVisible();
      if (token.kind === closing) break;
      if (!startsOperand(token)) {
        this.#takeVisible();
        throw this.#unexpected(token, context);
      }
      commands.push(this.#command());
    }
    this.#takeVisible();
    if (commands.length === 0) throw this.#failure(`missing value for ${context}`);
    const idle = commands.findIndex(({ first }, stage) => stage > 0 && !isExecutable(first));
    if (idle > 0) throw this.#failure(`non executable command in pipeline stage ${idle + 1}`);
    return { kind: "pipe", position, variables, assigns, commands };
  }

  /** Parses `$x :=`, `$x =` or, in a range, `$x, $y :=`, if there is one. */
  #declaration(context: string): {
    readonly variables: readonly string[];
    readonly assigns: boolean;
  } {
    const variables: string[] = [];
    for (;;) {
      const variable = this.#peekVisible();
      if (variable.kind !== "variable") return { variables, assigns: false };
      const start = this.#next;
      this.#takeVisible();
      const { kind, text } = this.#peekVisible();
      if (kind !== "=" && kind !== ":=" && text !== ",") {
        this.#next = start;
        return { variables, assigns: false };
      }
      this.#takeVisible();
      variables.push(variable.text);
      this.#variables.push(variable.text);
      if (text !== ",") return { variables, assigns: kind === "=" };
      if (context !== "range" || variables.length > 1) {
        throw this.#failure(`too many declarations in ${context}`);
      }
      if (!["variable", "right", ")"].includes(this.#peekVisible().kind)) {
        throw this.#failure("range can only initialize variables");
      }
    }
  }

  #command(): Command {
    const { position } = this.#peekVisible();
    const operands: Operand[] = [];
    for (;;) {
      this.#peekVisible();
      if (startsOperand(this.#peekVisible())) operands.push(this.#operand());
      const token = this.#peek();
      if (token.kind === "right" || token.kind === ")") break;
      this.#take();
      if (token.kind === "|") break;
      if (token.kind !== "space") throw this.#unexpected(token, "operand");
    }
    const [first] = operands;
    if (first === undefined) throw this.#failure("empty command");
    return { kind: "command", position, first, operands };
  }

  #operand(): Operand {
    const of = this.#term();
    const { kind, position } = this.#peek();
    if (kind !== "field") return of;
    const path: string[] = [];
    while (this.#peek().kind === "field") path.push(this.#take().text.slice(1));
    switch (of.kind) {
      case "field":
        return { ...of, position, path: [...of.path, ...path] };
      case "variable":
        return { ...of, position, path };
      case "bool":
      case "string":
      case "number":
      case "nil":
      case "dot":
        throw this.#failure(`unexpected . after term ${quoteText(spellPart(of))}`);
      case "function":
      case "pipe":
      case "chain":
        return { kind: "chain", position, of, path };
    }
  }

  #term(): Operand {
    const token = this.#takeVisible();
    const { position, text } = token;
    switch (token.kind) {
      case "word":
        if (this.#functions.has(text)) return { kind: "function", position, name: text };
        throw this.#failure(`function ${quoteText(text)} not defined`);
      case "variable":
        if (this.#variables.includes(text)) {
          return { kind: "variable", position, name: text, path: [] };
        }
        throw this.#failure(`undefined variable ${quoteText(text)}`);
      case "field":
        return { kind: "field", position, path: [text.slice(1)] };
      case "bool":
        return { kind: "bool", position, value: text === "true" };
      case "string":
        return { kind: "string", position, value: this.#unquoted(token), literal: text };
      case "(":
        return this.#parenthesized();
      case "number":
      case "character":
        return this.#number(token);
      default:
        return { kind: text === "nil" ? "nil" : "dot", position };
    }
  }

  #parenthesized(): Pipe {
    if (++this.#depth > maximumDepth) throw this.#failure("nested too deep");
    const pipe = this.#pipe("parenthesized pipeline", ")");
    this.#depth--;
    return pipe;
  }

  #number({ text, position }: Token): Operand {
    const number = readNumber(text);
    if (typeof number === "string") throw this.#failure(number);
    return { kind: "number", position, literal: text, ...number };
  }

  #unquoted({ text }: Token): string {
    const meant = unquote(text);
    if (meant === undefined) throw this.#failure("invalid syntax");
    return meant;
  }

  #expectRight(context: string): void {
    const token = this.#takeVisible();
    if (token.kind !== "right") throw this.#unexpected(token, context);
  }

  #isKeyword(text: string): boolean {
    const token = this.#peekVisible();
    return token.kind === "keyword" && token.text === text;
  }

  /** Returns the next token; behind the last one, the last one. */
  #peek(): Token {
    const token = this.#tokens[Math.min(this.#next, this.#tokens.length - 1)];
    if (token === undefined) throw this.#failure("unexpected EOF");
    this.#line = token.line;
    return token;
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  #peekVisible(): Token {
    while (this.#peek().kind === "space") this.#next++;
    return this.#peek();
  }

  #takeVisible(): Token {
    this.#peekVisible();
    return this.#take();
  }

  #unexpected(token: Token, context: string): Error {
    if (token.kind === "error") return this.#failure(token.text);
    return this.#failure(`unexpected ${shown(token)} in ${context}`);
  }

  #failure(message: string): Error {
    return templateFailure(`template: ${this.#name}:${this.#line}: ${message}`);
  }
}

function startsOperand({ kind, text }: Token): boolean {
  switch (kind) {
    case "keyword":
      return text === "." || text === "nil";
    case "word":
    case "variable":
    case "field":
    case "bool":
    case "number":
    case "character":
    case "string":
    case "(":
      return true;
    default:
      return false;
  }
}

function isExecutable({ kind }: Operand): boolean {
  return !["bool", "dot", "nil", "number", "string"].includes(kind);
}

function shown({ kind, text }: Token): string {
  if (kind === "end") return "EOF";
  if (kind === "keyword") return `<${text}>`;
  const cut = [...text];
  return cut.length > 10 ? `${quoteText(cut.slice(0, 10).join(""))}...` : quoteText(text);
}
