// dray login: a name and a password that a registry takes, kept for other commands.

import { parseAuthKey, type AuthKey } from "../../core/config/auth-key.ts";
import { CredentialStorage, type Login } from "../../core/config/credential-storage.ts";
import { CredentialFinder } from "../../core/config/credentials.ts";
import { during, Failure } from "../../core/failure.ts";
import type { Credentials } from "../../core/image/registry-access.ts";
import { type Call, defineTool } from "../command.ts";
import { credentialOptions, verifyLogin } from "../compose.ts";
import { text, toggle, type Values } from "../flags/flag.ts";
import { Input } from "../input.ts";
import { loginFile, loginFlags } from "../login-file.ts";
import { print } from "../output/print.ts";

const flags = {
  ...loginFlags,
  certDir: text("cert-dir", "use certificates at the specified path to access the registry"),
  getLogin: toggle("get-login", "Return the current login user for the registry"),
  password: text("password", "Password for registry", { shorthand: "p" }),
  passwordFromInput: toggle("password-stdin", "Take the password from stdin"),
  username: text("username", "Username for registry", { shorthand: "u" }),
  verbose: toggle("verbose", "Write more detailed information to stdout", { shorthand: "v" }),
};

type LoginCall = Call<Values<typeof flags>>;

/** Logs in to a registry. Nothing is kept that the registry did not take. */
export const login = defineTool({
  name: "login",
  usage: "login [command options] REGISTRY",
  summary: "Login to a container registry",
  description: () => "Login to a container registry on a specified server.",
  examples: [
    "login quay.io",
    "login --username jo --password-stdin registry.example.com < password",
  ],
  flags,
  async run(call) {
    const { operands, flags: said } = call;
    const choice = loginFile(call);
    const [registry] = operands;
    if (registry === undefined) throw usage("please provide a registry to log in to");
    if (operands.length > 1) throw usage("login accepts only one registry to log in to");
    const key = parseAuthKey(registry);
    const options = credentialOptions(call);
    const finder = new CredentialFinder(options);
    const known = await during("get credentials", () => finder.find(key, choice));
    if (said.getLogin) return print(`${usernameOf(known, key)}\n`);
    if (known?.kind === "identity") {
      throw new Failure("config", "currently logged in, auth file contains an Identity token", {
        hint: "log out first",
      });
    }
    using input = new Input(call.signal, "stdout");
    const given = await givenLogin(call, input);
    const old = known?.kind === "basic" ? known : undefined;
    if (await isStillGood(call, key, given, old)) return;
    const asked = await during("getting username and password", () =>
      askFor(given, old?.username ?? "", input),
    );
    await check(call, key, asked);
    const place = await new CredentialStorage(choice, options).store(key, asked);
    const where = said.verbose ? `Used:  ${place}\n` : "";
    await print(`${where}Login Succeeded!\n`);
  },
});

function usernameOf(known: Credentials | undefined, { text }: AuthKey): string {
  const named = known?.kind === "basic" || known?.kind === "identity" ? known.username : "";
  if (named !== "") return named;
  throw new Failure("unauthorized", `not logged into ${text}`);
}

/** Returns what was said beforehand, each part empty if it was not. */
async function givenLogin({ flags: said }: LoginCall, input: Input): Promise<Login> {
  const { username, password, passwordFromInput } = said;
  if (!passwordFromInput) return { username, password };
  if (password !== "") throw usage("can't specify both --password-stdin and --password");
  if (username === "") throw usage("must provide --username with --password-stdin");
  return { username, password: await input.joinedLines() };
}

/** Tells whether nothing new was said and the registry takes what is kept; says so to the user. */
async function isStillGood(
  call: LoginCall,
  key: AuthKey,
  given: Login,
  old: Login | undefined,
): Promise<boolean> {
  if (given.username !== "" || given.password !== "") return false;
  if (old === undefined || old.username === "" || old.password === "") return false;
  await print(`Authenticating with existing credentials for ${key.text}\n`);
  if (await accepts(call, key, old)) {
    await print(`Existing credentials are valid. Already logged in to ${key.host}\n`);
    return true;
  }
  await print("Existing credentials are invalid, please enter valid username and password\n");
  return false;
}

async function askFor(given: Login, old: string, input: Input): Promise<Login> {
  const question = old === "" ? "Username: " : `Username (${old}): `;
  const username = given.username || (await askUsername(question, input)) || old;
  const password =
    given.password || (await during("reading password", () => input.askSecret("Password: ")));
  return { username, password };
}

function askUsername(question: string, input: Input): Promise<string> {
  return during("reading username", async () => (await input.askLine(question)).trim());
}

async function check(call: LoginCall, key: AuthKey, asked: Login): Promise<void> {
  const name = JSON.stringify(key.text);
  const accepted = await during(`authenticating creds for ${name}`, () =>
    accepts(call, key, asked),
  );
  if (accepted) return;
  throw new Failure("unauthorized", `logging into ${name}: invalid username/password`);
}

function accepts(call: LoginCall, { host }: AuthKey, login: Login): Promise<boolean> {
  const { certDir, tlsVerify } = call.flags;
  return verifyLogin(call, host, { login, certDir, tlsVerify });
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
