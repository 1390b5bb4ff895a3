// Members: what one object of a manifest says, read by type and name.
//
// Readers written in Go ignore the letter case of names. So do we, or we would read another image than
// they; and where two spellings of one name compete, nobody can tell which image is meant.

import { type Digest, parseDigest } from "../content/digest.ts";
import { Failure, inContext } from "../failure.ts";
import { foldName, isJsonObject, type Json, type JsonObject } from "../json.ts";

/** One object of a manifest. A member that is null counts as absent. All readers fail with `corrupt`. */
export class Members {
  readonly #object: JsonObject;
  readonly #place: string;

  /** `place` says where the object stands, such as `layers[2]`; empty for the manifest itself. */
  constructor(value: Json, place = "") {
    if (!isJsonObject(value)) throw fault(place, "is not an object");
    this.#object = value;
    this.#place = place;
  }

  /** Tells whether there is such a member, in whatever letter case. */
  has(name: string): boolean {
    return this.#value(name) !== undefined;
  }

  /** Returns a text; empty where there is none. */
  text(name: string): string {
    const value = this.#value(name) ?? "";
    if (typeof value !== "string") throw this.#fault(name, "is not a string");
    return value;
  }

  /** Returns an integer, exactly; zero where there is none. */
  integer(name: string): number {
    const value = this.#value(name) ?? 0;
    if (typeof value !== "number") throw this.#fault(name, "is not a number");
    if (!Number.isSafeInteger(value)) throw this.#fault(name, `is ${value}, no exact integer`);
    return value;
  }

  /** Returns a size in bytes, which has to be there: an integer from 0 to 2^53. */
  size(name: string): number {
    if (!this.has(name)) throw this.#fault(name, "is missing");
    const value = this.integer(name);
    if (value < 0) throw this.#fault(name, `is ${value}, less than nothing`);
    return value;
  }

  /** Returns a digest, which has to be there. */
  digest(name: string): Digest {
    const text = this.text(name);
    try {
      return parseDigest(text);
    } catch (error) {
      throw inContext(this.#placeOf(name), error);
    }
  }

  /** Returns the texts of an array; undefined where there is none. */
  texts(name: string): readonly string[] | undefined {
    return this.#array(name)?.map((item, index) => {
      if (item === null) return "";
      if (typeof item === "string") return item;
      throw this.#fault(`${name}[${index}]`, "is not a string");
    });
  }

  /** Returns an object that holds nothing but texts, by their names; undefined where there is none. */
  textsByName(name: string): Readonly<Record<string, string>> | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (!isJsonObject(value)) throw this.#fault(name, "is not an object");
    const texts: Record<string, string> = Object.create(null);
    for (const [key, text] of Object.entries(value)) {
      if (text !== null && typeof text !== "string") {
        throw this.#fault(`${name}[${JSON.stringify(key)}]`, "is not a string");
      }
      texts[key] = text ?? "";
    }
    return texts;
  }

  /** Returns an object of its own; undefined where there is none. */
  object(name: string): Members | undefined {
    const value = this.#value(name);
    return value === undefined ? undefined : new Members(value, this.#placeOf(name));
  }

  /** Returns an object that has to be there. */
  needed(name: string): Members {
    const object = this.object(name);
    if (object === undefined) throw this.#fault(name, "is missing");
    return object;
  }

  /** Returns the objects of an array; none where there is none. */
  objects(name: string): readonly Members[] {
    const items = this.#array(name) ?? [];
    return items.map((item, index) => new Members(item, this.#placeOf(`${name}[${index}]`)));
  }

  #array(name: string): readonly Json[] | undefined {
    const value = this.#value(name);
    if (value === undefined || Array.isArray(value)) return value;
    throw this.#fault(name, "is not an array");
  }

  #value(name: string): Json | undefined {
    const folded = foldName(name);
    const spellings = Object.keys(this.#object).filter((key) => foldName(key) === folded);
    const [spelling, other] = spellings;
    if (spelling === undefined) return undefined;
    if (other !== undefined) {
      const both = `${JSON.stringify(spelling)} and ${JSON.stringify(other)}`;
      throw fault(this.#place, `is ambiguous, with both ${both}`);
    }
    return this.#object[spelling] ?? undefined;
  }

  #placeOf(name: string): string {
    return this.#place === "" ? name : `${this.#place}.${name}`;
  }

  #fault(name: string, what: string): Failure {
    return fault(this.#placeOf(name), what);
  }
}

function fault(place: string, what: string): Failure {
  return new Failure("corrupt", `Invalid manifest: ${place === "" ? "it" : place} ${what}`);
}
