// OpenID: how somebody proves to a provider who they are, and gets a token that says so.
//
// Both ways prove that whoever fetches the token is who began (PKCE), and no token is taken that was not
// made for this occasion where there is a way to tell.

import { createHash, randomBytes } from "node:crypto";

import { Failure } from "../../failure.ts";
import { shown } from "../../foreign-text.ts";
import type { Callback } from "../../http-callback.ts";
import { isJsonObject, type JsonObject } from "../../json.ts";
import { limits } from "../../limits.ts";
import { parseIdentityToken } from "./identity-token.ts";
import { ask, below, jsonOf, parseServiceUrl, type ServiceAccess, unwanted } from "./service.ts";

/** A provider, and what it knows us by. */
export interface OpenIdClient {
  readonly issuer: URL;
  readonly clientId: string;
  /** Absent where the client has none. */
  readonly clientSecret?: string;
}

/** How a person is spoken to meanwhile. */
export interface Dialogue {
  tell(text: string): Promise<void>;
  /** Tells whether a browser could be started. */
  openBrowser(url: URL): Promise<boolean>;
  /** Asks for the code that the provider shows. */
  askCode(question: string): Promise<string>;
  sleep(ms: number): Promise<void>;
  /** Listens on this machine for the browser to come back. */
  listen(): Promise<Callback>;
}

/** Gets a token by a code that a person types in on any other machine. */
export async function deviceToken(
  client: OpenIdClient,
  dialogue: Dialogue,
  access: ServiceAccess,
): Promise<string> {
  const provider = await discover(client, access);
  const proof = newProof();
  const begun = await post(
    provider.endpoint("device_authorization_endpoint"),
    { client_id: client.clientId, scope, ...proof.challenge },
    access,
  );
  const deviceCode = needText(begun, "device_code");
  const seconds = numberIn(begun, "expires_in") ?? 300;
  const place = textIn(begun, "verification_uri_complete") ?? needText(begun, "verification_uri");
  await dialogue.tell(
    `Enter the verification code ${shown(needText(begun, "user_code"))} in your browser at: ${shown(place)}\n` +
      `Code will be valid for ${seconds} seconds\n`,
  );
  const form = {
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: deviceCode,
    ...proof.verifier,
  };
  let intervalMs = Math.max(1, numberIn(begun, "interval") ?? 5) * 1000;
  for (let waitedMs = 0; waitedMs < seconds * 1000; waitedMs += intervalMs) {
    await dialogue.sleep(intervalMs);
    const answer = await tryToken(provider, client, { form, access });
    if (typeof answer === "string") return answer;
    if (answer.error === "slow_down") intervalMs += 5000;
    else if (answer.error !== "authorization_pending") throw denied(answer.error);
  }
  throw denied("nobody entered the code in time");
}

/** Gets a token by way of a browser, or of a code that is copied from one. */
export async function browserToken(
  client: OpenIdClient,
  dialogue: Dialogue,
  access: ServiceAccess,
): Promise<string> {
  const provider = await discover(client, access);
  const endpoint = provider.endpoint("authorization_endpoint");
  const proof = newProof();
  const state = randomBytes(24).toString("base64url");
  const nonce = randomBytes(24).toString("base64url");
  await using callback = await dialogue.listen();
  const wanted = { response_type: "code", client_id: client.clientId, scope, state, nonce };
  const addressFor = (redirect: string): URL => {
    const url = new URL(endpoint);
    const query = { ...wanted, ...proof.challenge, access_type: "online", redirect_uri: redirect };
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  };
  const own = addressFor(callback.address);
  const opened = await dialogue.openBrowser(own);
  const redirect = opened ? callback.address : outOfBand;
  if (opened) await dialogue.tell(`Your browser will now be opened to:\n${own}\n`);
  else await dialogue.tell(`Go to the following link in a browser:\n\n\t${addressFor(redirect)}\n`);
  const code = opened
    ? codeIn(await callback.wait(access.signal), state)
    : (await dialogue.askCode("Enter verification code: ")).trim();
  const form = {
    grant_type: "authorization_code",
    code,
    redirect_uri: redirect,
    ...proof.verifier,
  };
  const answer = await tryToken(provider, client, { form, access });
  if (typeof answer !== "string") throw denied(answer.error);
  if (parseIdentityToken(answer).claimedNonce !== nonce) {
    throw denied("the identity token was made for another occasion");
  }
  return answer;
}

const scope = "openid email";
const outOfBand = "urn:ietf:wg:oauth:2.0:oob";

/** As https://www.rfc-editor.org/rfc/rfc7636 says. */
function newProof() {
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  return {
    verifier: { code_verifier: verifier },
    challenge: { code_challenge: challenge, code_challenge_method: "S256" },
  };
}

function codeIn(query: URLSearchParams, state: string): string {
  if (query.get("state") !== state) throw denied("the browser came back from another occasion");
  const code = query.get("code");
  if (code === null || code === "") throw denied(query.get("error") ?? "there is no code");
  return code;
}

/** What a provider says about itself. */
interface Provider {
  readonly host: string;
  /** Fails with `refused` if there is none that may be asked. */
  endpoint(name: string): URL;
}

async function discover({ issuer }: OpenIdClient, access: ServiceAccess): Promise<Provider> {
  const url = below(issuer, "/.well-known/openid-configuration");
  const answer = await ask({ method: "GET", url, headers: { Accept: "application/json" } }, access);
  if (answer.status !== 200) throw unwanted(answer, url);
  const document = jsonOf(answer, url);
  if (!isJsonObject(document)) throw denied(`${url.host} says nothing about itself`);
  const { host } = issuer;
  return {
    host,
    endpoint(name) {
      const text = textIn(document, name);
      if (text === undefined) throw denied(`${host} has no ${name}`);
      const endpoint = parseServiceUrl(text, name);
      if (endpoint.protocol === "https:" || issuer.protocol === "http:") return endpoint;
      throw denied(`${host} leads from https to http for its ${name}`);
    },
  };
}

type Form = Readonly<Record<string, string>>;

async function post(url: URL, form: Form, access: ServiceAccess): Promise<JsonObject> {
  const answer = await ask({ method: "POST", url, headers: asJson, body: bodyOf(form) }, access);
  if (answer.status !== 200) throw unwanted(answer, url, secretsIn(form));
  const json = jsonOf(answer, url);
  if (isJsonObject(json)) return json;
  throw denied(`${url.host} answered nothing`);
}

/** Returns a token, or why there is none yet. */
async function tryToken(
  provider: Provider,
  { clientId, clientSecret }: OpenIdClient,
  { form, access }: { readonly form: Form; readonly access: ServiceAccess },
): Promise<string | { readonly error: string }> {
  const url = provider.endpoint("token_endpoint");
  const secret = clientSecret === undefined ? {} : { client_secret: clientSecret };
  const sent = { ...form, client_id: clientId, ...secret };
  const body = bodyOf(sent);
  const answer = await ask({ method: "POST", url, headers: asJson, body }, access);
  const json = jsonOf(answer, url);
  if (!isJsonObject(json)) throw denied(`${url.host} answered nothing`);
  if (answer.status === 200) return needText(json, "id_token");
  const error = textIn(json, "error") ?? `HTTP status ${answer.status}`;
  return { error: secretsIn(sent).reduce((text, each) => text.replaceAll(each, "***"), error) };
}

/** What a provider may quote, and nobody should read: codes, verifiers and the client's secret. */
function secretsIn(form: Form): readonly string[] {
  const names = ["code", "device_code", "code_verifier", "client_secret"];
  return names.flatMap((name) => (form[name] ? [form[name]] : []));
}

const asJson = { Accept: "application/json" };

function bodyOf(form: Form) {
  return {
    mediaType: "application/x-www-form-urlencoded",
    text: new URLSearchParams(form).toString(),
  };
}

function textIn(json: JsonObject, name: string): string | undefined {
  const value = json[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function needText(json: JsonObject, name: string): string {
  const text = textIn(json, name);
  if (text === undefined) throw denied(`the answer has no ${name}`);
  return text;
}

function numberIn(json: JsonObject, name: string): number | undefined {
  const value = json[name];
  return typeof value === "number" && value > 0 && value < limits.loginSeconds ? value : undefined;
}

function denied(why: string): Failure {
  return new Failure("unauthorized", `getting an identity token: ${shown(why)}`);
}
