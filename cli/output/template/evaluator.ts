// Evaluator: what a parsed template says about a value.

import { Failure } from "../../../core/failure.ts";
import { quoteText } from "./go-text.ts";
import { anyType, type GoFunction, type GoType, type GoValue } from "./go-type.ts";
import {
  boolValue,
  floatValue,
  indirect,
  integerValue,
  isTruth,
  methodOf,
  stringValue,
  templateFailure,
  unwrapped,
  zeroOf,
} from "./go-value.ts";
import { printValue } from "./printf.ts";
import {
  type Branch,
  type ChainOperand,
  type Command,
  type NumberOperand,
  type Operand,
  type Pipe,
  spellPart,
  type Statement,
  type Templates,
} from "./syntax.ts";

/** What is needed to run a template. */
export interface EvaluationRequest {
  readonly templates: Templates;
  /** Which of the templates is run. */
  readonly name: string;
  /** The text they were parsed from, for the line and column of an error. */
  readonly text: string;
  readonly functions: ReadonlyMap<string, GoFunction>;
  readonly data: GoValue;
}

/** What a template gave. */
export interface EvaluationResult {
  /** All that was written, up to the failure if there is one; `bytesOf` gives it as it is to be shown. */
  readonly output: string;
  readonly failure?: Failure;
}

/** Runs a template. A failure is returned, with what was written before it. */
export function evaluateTemplate(request: EvaluationRequest): EvaluationResult {
  const evaluator = new Evaluator(request);
  try {
    evaluator.run(request.name, request.data);
    return { output: evaluator.output };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { output: evaluator.output, failure: error };
  }
}

type Given = GoValue | undefined;

/** The value from the stage before, if there is one. */
type Piped = { readonly value: Given } | undefined;

interface Variable {
  readonly name: string;
  value: Given;
}

/** How a list of statements ended. */
type Leaving = "end" | "break" | "continue";

/** Templates that call each other more often than this never end. */
const maximumDepth = 500;

class Evaluator {
  readonly #request: EvaluationRequest;
  #output = "";
  #name = "";
  #depth = 0;
  #variables: Variable[] = [];
  /** What an error points at: the part that was looked at last, as in the original. */
  #at: Operand | Command | Statement | undefined;

  constructor(request: EvaluationRequest) {
    this.#request = request;
  }

  get output(): string {
    return this.#output;
  }

  run(name: string, data: Given): void {
    const statements = this.#request.templates.get(name);
    if (statements === undefined) {
      throw this.#failure(`template ${quoteText(name)} not defined`);
    }
    if (++this.#depth > maximumDepth) {
      throw this.#failure(`exceeded maximum template depth (${maximumDepth})`);
    }
    const [caller, variables] = [this.#name, this.#variables];
    [this.#name, this.#variables] = [name, [{ name: "$", value: data }]];
    this.#walk(data, statements);
    [this.#name, this.#variables] = [caller, variables];
    this.#depth--;
  }

  #walk(dot: Given, statements: readonly Statement[]): Leaving {
    for (const statement of statements) {
      const leaving = this.#statement(dot, statement);
      if (leaving !== "end") return leaving;
    }
    return "end";
  }

  #statement(dot: Given, statement: Statement): Leaving {
    this.#at = statement;
    switch (statement.kind) {
      case "text":
        this.#output += statement.text;
        return "end";
      case "action": {
        const value = this.#pipe(dot, statement.pipe);
        if (statement.pipe.variables.length === 0) this.#output += shown(value);
        return "end";
      }
      case "break":
      case "continue":
        return statement.kind;
      case "template":
        this.#call(dot, statement);
        return "end";
      case "if":
      case "with":
      case "range": {
        const known = this.#variables.length;
        const leaving =
          statement.kind === "range" ? this.#range(dot, statement) : this.#choice(dot, statement);
        this.#variables.length = known;
        return leaving;
      }
    }
  }

  #call(dot: Given, statement: Statement & { readonly kind: "template" }): void {
    // A template that does not exist is an error before its argument is.
    const { name, pipe } = statement;
    if (!this.#request.templates.has(name)) {
      throw this.#failure(`template ${quoteText(name)} not defined`);
    }
    this.run(name, pipe === undefined ? undefined : this.#pipe(dot, pipe));
  }

  #choice(dot: Given, { kind, pipe, body, otherwise }: Branch): Leaving {
    const value = this.#pipe(dot, pipe);
    if (isTruth(value)) return this.#walk(kind === "with" ? value : dot, body);
    return this.#walk(dot, otherwise ?? []);
  }

  #range(dot: Given, { pipe, body, otherwise }: Branch): Leaving {
    const items = this.#items(this.#pipe(dot, pipe), pipe);
    const known = this.#variables.length;
    let empty = true;
    for (const [index, item] of items) {
      empty = false;
      this.#bind(pipe, [index, item]);
      const leaving = this.#walk(item, body);
      this.#variables.length = known;
      if (leaving === "break") break;
    }
    return empty ? this.#walk(dot, otherwise ?? []) : "end";
  }

  /** Gives the variables of a range their values for one round. */
  #bind({ variables, assigns }: Pipe, [index, item]: readonly [Given, Given]): void {
    const values = variables.length > 1 ? [index, item] : [item];
    variables.forEach((name, at) => {
      if (assigns) this.#assign(name, values[at]);
      // The pipe has just declared them; those are the last ones.
      else this.#last(variables.length - at).value = values[at];
    });
  }

  #last(fromTop: number): Variable {
    const variable = this.#variables[this.#variables.length - fromTop];
    if (variable === undefined) throw this.#failure("no such variable");
    return variable;
  }

  *#items(given: Given, pipe: Pipe): Generator<readonly [Given, Given]> {
    const value = indirect(given);
    switch (value?.kind) {
      case undefined:
        return;
      case "slice": {
        const inAny = value.type.element.kind === "any";
        for (const [index, item] of (value.items ?? []).entries()) {
          yield [integerValue(index), inAny ? { kind: "any", type: anyType, value: item } : item];
        }
        return;
      }
      case "map":
        for (const [key, item] of value.entries ?? []) yield [stringValue(key), item];
        return;
      case "integer":
        if (pipe.variables.length > 1) {
          const number = printValue(value);
          throw this.#failure(`can't use ${number} to iterate over more than one variable`);
        }
        for (let count = 0n; count < value.value; count++) {
          const item: GoValue = { ...value, value: count };
          yield [item, item];
        }
        return;
      default:
        throw this.#failure(`range can't iterate over ${shown(value)}`);
    }
  }

  #pipe(dot: Given, pipe: Pipe): Given {
    this.#at = pipe;
    let piped: Piped;
    for (const command of pipe.commands) {
      piped = { value: unwrapped(this.#command(dot, command, piped)) };
    }
    const value = piped?.value;
    for (const name of pipe.variables) {
      if (pipe.assigns) this.#assign(name, value);
      else this.#variables.push({ name, value });
    }
    return value;
  }

  #assign(name: string, value: Given): void {
    this.#variable(name).value = value;
  }

  #variable(name: string): Variable {
    const variable = this.#variables.findLast((each) => each.name === name);
    if (variable === undefined) throw this.#failure(`undefined variable: ${name}`);
    return variable;
  }

  #command(dot: Given, command: Command, piped: Piped): Given {
    const { first, operands } = command;
    const given = operands.slice(1);
    switch (first.kind) {
      case "function":
        this.#at = first;
        return this.#function(dot, { name: first.name, at: command, given, piped });
      case "field":
        this.#at = first;
        return this.#path(dot, { from: dot, path: first.path, at: first, given, piped });
      case "chain":
        return this.#chain(dot, first, { given, piped });
      case "variable":
        this.#at = first;
        if (first.path.length > 0) {
          const from = this.#variable(first.name).value;
          return this.#path(dot, { from, path: first.path, at: first, given, piped });
        }
        break;
      default:
        break;
    }
    this.#at = first;
    if (given.length > 0 || piped !== undefined) {
      throw this.#failure(`can't give argument to non-function ${spellPart(first)}`);
    }
    return this.#operand(dot, first);
  }

  /** Returns the value of an operand that stands for itself. */
  #operand(dot: Given, operand: Operand): Given {
    switch (operand.kind) {
      case "dot":
        return dot;
      case "nil":
        throw this.#failure("nil is not a command");
      case "bool":
        return boolValue(operand.value);
      case "string":
        return stringValue(operand.value);
      case "number":
        return this.#ideal(operand);
      case "variable": {
        const { value } = this.#variable(operand.name);
        if (operand.path.length === 0) return value;
        return this.#path(dot, { from: value, path: operand.path, at: operand, given: [] });
      }
      case "field":
        return this.#path(dot, { from: dot, path: operand.path, at: operand, given: [] });
      case "chain":
        return this.#chain(dot, operand, { given: [] });
      case "function":
        return this.#function(dot, { name: operand.name, at: operand, given: [] });
      case "pipe":
        return this.#pipe(dot, operand);
    }
  }

  #ideal(number: NumberOperand): GoValue {
    if (number.ideal === "float" || number.integer === undefined) return floatValue(number.float);
    if (BigInt.asIntN(64, number.integer) !== number.integer) {
      throw this.#failure(`${number.literal} overflows int`);
    }
    return integerValue(number.integer);
  }

  #chain(dot: Given, chain: ChainOperand, { given, piped }: Arguments): Given {
    this.#at = chain;
    const from = this.#argument(dot, chain.of, anyType);
    return this.#path(dot, { from, path: chain.path, at: chain, given, piped });
  }

  /** Follows fields from a value. Only the last may be a method with arguments. */
  #path(dot: Given, request: PathRequest): Given {
    const { path, at, given, piped } = request;
    let value = request.from;
    for (const [index, name] of path.entries()) {
      const last = index === path.length - 1;
      const step = last ? { at, given, piped } : { at, given: [] };
      value = this.#field(dot, value, { name, ...step });
    }
    return value;
  }

  #field(dot: Given, receiver: Given, call: CallRequest): Given {
    const { name, given, piped } = call;
    if (receiver === undefined) return undefined;
    const typeName = receiver.type.name;
    const held = unwrapped(receiver);
    const method = held && methodOf(held, name);
    if (method !== undefined) return this.#apply(dot, method, call);
    const value = indirect(receiver);
    const hasArguments = given.length > 0 || piped !== undefined;
    if (value?.kind === "struct") {
      const field = fieldOf(value, name);
      if (field !== undefined && hasArguments) {
        throw this.#failure(`${name} has arguments but cannot be invoked as function`);
      }
      if (field !== undefined) return field;
    }
    if (value?.kind === "map") {
      if (hasArguments) throw this.#failure(`${name} is not a method but has arguments`);
      return value.entries?.get(name);
    }
    throw this.#failure(`can't evaluate field ${name} in type ${typeName}`);
  }

  #function(dot: Given, call: CallRequest): Given {
    const known = this.#request.functions.get(call.name);
    if (known === undefined)
      throw this.#failure(`${quoteText(call.name)} is not a defined function`);
    return this.#apply(dot, known, call);
  }

  #apply(dot: Given, called: GoFunction, call: CallRequest): Given {
    const { name, at, given, piped } = call;
    const count = given.length + (piped === undefined ? 0 : 1);
    const { parameters, variadic } = called;
    if (variadic === undefined ? count !== parameters.length : count < parameters.length) {
      const wanted = `${variadic === undefined ? "" : "at least "}${parameters.length}`;
      throw this.#failure(`wrong number of args for ${name}: want ${wanted} got ${count}`);
    }
    const typeOf = (index: number): GoType => parameters[index] ?? variadic ?? anyType;
    if (called.settledBy !== undefined) return this.#settle(dot, called.settledBy, call);
    const values = given.map((operand, index) => this.#argument(dot, operand, typeOf(index)));
    if (piped !== undefined) values.push(this.#typed(piped.value, typeOf(given.length)));
    try {
      return called.call(...values);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#at = at;
      throw this.#failure(`error calling ${name}: ${error.message}`);
    }
  }

  /** `and` and `or`: the first argument that settles the matter, or else the last one. */
  #settle(dot: Given, by: boolean, { given, piped }: CallRequest): Given {
    let value: Given;
    for (const operand of given) {
      value = this.#argument(dot, operand, anyType);
      if (isTruth(value) === by) return value;
    }
    return piped === undefined ? value : piped.value;
  }

  /** Returns an operand as an argument of the type that a parameter wants. */
  #argument(dot: Given, operand: Operand, wanted: GoType): Given {
    this.#at = operand;
    switch (operand.kind) {
      case "nil":
        if (wanted.kind === "any") return undefined;
        if (!isNillable(wanted)) throw this.#failure(`cannot assign nil to ${wanted.name}`);
        return zeroOf(wanted);
      case "bool":
      case "string":
      case "number":
        return this.#literal(operand, wanted);
      default:
        return this.#typed(unwrapped(this.#operand(dot, operand)), wanted);
    }
  }

  #literal(
    operand: Operand & { readonly kind: "bool" | "string" | "number" },
    wanted: GoType,
  ): Given {
    const found = spellPart(operand);
    switch (wanted.kind) {
      case "any":
        return this.#operand(undefined, operand);
      case "string":
        if (operand.kind === "string") return stringValue(operand.value);
        throw this.#failure(`expected string; found ${found}`);
      case "integer":
        if (operand.kind === "number" && operand.integer !== undefined) {
          return integerValue(operand.integer, wanted);
        }
        throw this.#failure(`expected integer; found ${found}`);
      default:
        throw this.#failure(`can't handle ${found} for arg of type ${wanted.name}`);
    }
  }

  /** Returns a value as one of the type that a parameter wants. */
  #typed(value: Given, wanted: GoType): Given {
    if (wanted.kind === "any") return value;
    if (value === undefined) {
      if (isNillable(wanted)) return zeroOf(wanted);
      throw this.#failure(`invalid value; expected ${wanted.name}`);
    }
    if (value.type.name === wanted.name) return value;
    if (value.kind === "pointer" && value.type.target.name === wanted.name) {
      if (value.target !== undefined) return value.target;
      throw this.#failure(`dereference of nil pointer of type ${wanted.name}`);
    }
    throw this.#failure(`wrong type for value; expected ${wanted.name}; got ${value.type.name}`);
  }

  #failure(message: string): Failure {
    const at = this.#at;
    if (at === undefined) return templateFailure(`template: ${this.#request.name}: ${message}`);
    const before = Buffer.from(this.#request.text.slice(0, at.position));
    const line = before.toString().split("\n").length;
    const column = before.length - (before.lastIndexOf("\n") + 1);
    const place = `${this.#request.name}:${line}:${column}`;
    const executing = `executing ${quoteText(this.#name)} at <${spellPart(at)}>`;
    return templateFailure(`template: ${place}: ${executing}: ${message}`);
  }
}

interface Arguments {
  readonly given: readonly Operand[];
  readonly piped?: Piped;
}

interface CallRequest extends Arguments {
  readonly name: string;
  /** What an error within the call points at. */
  readonly at: Operand | Command;
}

interface PathRequest extends Arguments {
  readonly from: Given;
  readonly path: readonly string[];
  readonly at: Operand;
}

/** Returns a field of a struct, also one of a struct that is embedded in it. */
function fieldOf(struct: GoValue & { readonly kind: "struct" }, name: string): GoValue | undefined {
  const index = struct.type.fields.findIndex((field) => field.name === name);
  if (index >= 0) return struct.fields[index];
  for (const [at, { json }] of struct.type.fields.entries()) {
    const embedded = json === "" ? struct.fields[at] : undefined;
    const field = embedded?.kind === "struct" ? fieldOf(embedded, name) : undefined;
    if (field !== undefined) return field;
  }
  return undefined;
}

function isNillable({ kind }: GoType): boolean {
  return kind === "slice" || kind === "map" || kind === "pointer" || kind === "any";
}

/** What an action writes. */
function shown(value: Given): string {
  const held = indirect(value);
  return held === undefined ? "<no value>" : printValue(held);
}
