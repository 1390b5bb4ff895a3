// dray logout: names and passwords, forgotten.

import { access } from "node:fs/promises";

import { type AuthKey, parseAuthKey } from "../../core/config/auth-key.ts";
import { CredentialStorage } from "../../core/config/credential-storage.ts";
import { CredentialFinder } from "../../core/config/credentials.ts";
import { asFailure, during, Failure } from "../../core/failure.ts";
import { type Call, defineTool } from "../command.ts";
import { credentialOptions, verifyLogin } from "../compose.ts";
import { toggle, type Values } from "../flags/flag.ts";
import { loginFile, loginFlags } from "../login-file.ts";
import { print } from "../output/print.ts";

const flags = {
  ...loginFlags,
  all: toggle("all", "Remove the cached credentials for all registries in the auth file", {
    shorthand: "a",
  }),
};

type LogoutCall = Call<Values<typeof flags>>;

/** Logs out of a registry, or of all. */
export const logout = defineTool({
  name: "logout",
  usage: "logout [command options] REGISTRY",
  summary: "Logout of a container registry",
  description: () => "Logout of a container registry on a specified server.",
  examples: ["logout quay.io", "logout --all"],
  flags,
  async run(call) {
    const { operands, flags: said } = call;
    await checkAccess(said.authFile);
    await checkAccess(said.compatAuthFile);
    const choice = loginFile(call);
    const options = credentialOptions(call);
    const storage = new CredentialStorage(choice, options);
    const [registry] = operands;
    if (said.all) {
      if (registry !== undefined) throw usage("--all takes no arguments");
      await storage.removeAll();
      return print("Removed login credentials for all registries\n");
    }
    if (registry === undefined) throw usage("please provide a registry to log out from");
    if (operands.length > 1) throw usage("logout accepts only one registry to log out from");
    const key = parseAuthKey(registry);
    const removed = await during(`logging out of ${JSON.stringify(key.text)}`, () =>
      storage.remove(key),
    );
    if (removed) return print(`Removed login credentials for ${key.text}\n`);
    const finder = new CredentialFinder(options);
    const known = await during("get credentials", () => finder.find(key, choice));
    if (known?.kind !== "basic" || !(await works(call, key, known))) {
      throw new Failure("unauthorized", `not logged into ${key.text}`);
    }
    await print(
      `Not logged into ${key.text} with current tool. Existing credentials were established via docker login. Please use docker logout instead.\n`,
    );
  },
});

async function checkAccess(path: string): Promise<void> {
  if (path === "") return;
  try {
    await access(path);
  } catch (error) {
    const { message } = asFailure(error);
    throw new Failure(
      "config",
      `credential file is not accessible: ${message.replace(/^access/, "faccessat")}`,
    );
  }
}

/** What cannot be found out does not matter here: what the user wanted was something else. */
async function works(
  call: LogoutCall,
  { host }: AuthKey,
  login: { readonly username: string; readonly password: string },
): Promise<boolean> {
  const { tlsVerify } = call.flags;
  try {
    return await verifyLogin(call, host, { login, certDir: "", tlsVerify });
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code === "bug" || failure.code === "canceled") throw failure;
    call.log.debug(`Trying the existing credentials: ${failure.message}`);
    return false;
  }
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
