// JSON schema check: the part of JSON Schema that our own schemas use, strictly.

/** Returns what is wrong with a value by a schema, each as `path: why`; nothing if it fits. */
export function schemaFaults(value: unknown, schema: object, path = "$"): readonly string[] {
  const rules = Object.entries(schema);
  return rules.flatMap(([rule, wanted]) => {
    const check = checks[rule];
    if (check === undefined) return [`${path}: nobody knows the rule ${rule}`];
    return check(value, wanted as never, path, schema);
  });
}

type Check = (value: unknown, wanted: never, path: string, schema: object) => readonly string[];

const ignored: Check = () => [];

const checks: Readonly<Record<string, Check>> = {
  $schema: ignored,
  title: ignored,
  description: ignored,
  type(value, wanted: string, path) {
    return typeOf(value).includes(wanted) ? [] : [`${path}: is no ${wanted}`];
  },
  const: (value, wanted: unknown, path) => (value === wanted ? [] : [`${path}: is not ${wanted}`]),
  enum(value, wanted: readonly unknown[], path) {
    return wanted.includes(value) ? [] : [`${path}: is none of ${wanted.join(", ")}`];
  },
  pattern(value, wanted: string, path) {
    return typeof value === "string" && !new RegExp(wanted).test(value)
      ? [`${path}: does not match ${wanted}`]
      : [];
  },
  minimum(value, wanted: number, path) {
    return typeof value === "number" && value < wanted ? [`${path}: is less than ${wanted}`] : [];
  },
  items(value, wanted: object, path) {
    if (!Array.isArray(value)) return [];
    return value.flatMap((item, index) => schemaFaults(item, wanted, `${path}[${index}]`));
  },
  required(value, wanted: readonly string[], path) {
    const missing = wanted.filter((name) => !Object.hasOwn(Object(value), name));
    return missing.map((name) => `${path}: has no ${name}`);
  },
  // Beyond the specification: what we write ourselves has no member that we do not describe.
  properties(value, wanted: Readonly<Record<string, object>>, path) {
    return Object.entries(Object(value)).flatMap(([name, member]) => {
      const schema = wanted[name];
      if (schema === undefined) return [`${path}: nobody described ${name}`];
      return schemaFaults(member, schema, `${path}.${name}`);
    });
  },
  additionalProperties(value, wanted: object, path) {
    return Object.entries(Object(value)).flatMap(([name, member]) =>
      schemaFaults(member, wanted, `${path}.${name}`),
    );
  },
  oneOf(value, wanted: readonly object[], path) {
    const faults = wanted.map((each) => schemaFaults(value, each, path));
    const fitting = faults.filter((each) => each.length === 0).length;
    if (fitting === 1) return [];
    const closest = faults.toSorted((a, b) => a.length - b.length)[0] ?? [];
    return [`${path}: fits ${fitting} of ${wanted.length}; closest: ${closest.join("; ")}`];
  },
};

function typeOf(value: unknown): readonly string[] {
  if (value === null) return ["null"];
  if (Array.isArray(value)) return ["array"];
  if (typeof value === "number")
    return Number.isInteger(value) ? ["integer", "number"] : ["number"];
  return [typeof value];
}
