// UploadSession: what a registry opens for one blob that is on its way.

import type { Digest } from "../../core/content/digest.ts";
import { Failure, asFailure } from "../../core/failure.ts";
import type { TransportLog } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import type { RegistryClient, RegistryResponse } from "./client.ts";

/** An open upload. It is committed with a digest, or abandoned. */
export class UploadSession {
  readonly #client: RegistryClient;
  readonly #log: TransportLog;
  #address: URL;
  #held = 0;
  #leastBytes = 0;

  constructor(address: URL, client: RegistryClient, log: TransportLog) {
    this.#client = client;
    this.#log = log;
    this.#address = address;
  }

  /** Begins an upload in the client's repository. */
  static async begin(
    client: RegistryClient,
    { signal, log }: { readonly signal: AbortSignal; readonly log: TransportLog },
  ): Promise<UploadSession> {
    const target = `/v2/${client.repository}/blobs/uploads/`;
    const what = `initiating layer upload to ${target} in ${client.host}`;
    const response = await client.request({ method: "POST", target, signal });
    if (response.status !== 202) throw (await client.failure(response, what)).failure;
    return UploadSession.from(response, client, log);
  }

  /** Takes up the session that an answer tells of. */
  static async from(
    response: RegistryResponse,
    client: RegistryClient,
    log: TransportLog,
  ): Promise<UploadSession> {
    const session = new UploadSession(await addressIn(response), client, log);
    const least = response.headers.get("oci-chunk-min-length") ?? "";
    if (/^\d{1,12}$/.test(least)) session.#leastBytes = Number(least);
    return session;
  }

  /** Where the next request goes. Every answer of the registry may move it. */
  get address(): URL {
    return this.#address;
  }

  /** How many bytes the registry holds, from the blob's start, as far as we know. */
  get held(): number {
    return this.#held;
  }

  /** How many bytes each piece but the last has to have at least, as the registry wants it. */
  get leastBytes(): number {
    return this.#leastBytes;
  }

  /** Where the request goes that makes a blob of what the registry holds. */
  addressFor(digest: Digest): URL {
    const address = new URL(this.#address);
    // Appended as text: what stands there is the registry's, perhaps signed, and is not spelled anew.
    address.search += `${address.search === "" ? "?" : "&"}digest=${encodeURIComponent(digest)}`;
    return address;
  }

  /** Notes that the registry took all bytes up to `held`, and where it wants to go on. */
  async advance(response: RegistryResponse, held: number): Promise<void> {
    this.#address = await addressIn(response);
    this.#held = held;
  }

  /** Asks the registry where the upload stands. Nothing held also means: not worth going on with. */
  async ask(signal: AbortSignal): Promise<number> {
    const response = await this.#client.request({ method: "GET", target: this.#address, signal });
    await response.discard();
    const held = heldIn(response);
    const told = response.status >= 200 && response.status < 300 && held !== undefined;
    this.#held = told ? held : 0;
    if (told && response.headers.has("location")) this.#address = await addressIn(response);
    return this.#held;
  }

  /** Tells the registry that nothing more will come, as far as it still listens. */
  async abandon(): Promise<void> {
    try {
      const response = await this.#client.request({
        method: "DELETE",
        target: this.#address,
        signal: AbortSignal.timeout(limits.cleanUpMs),
        heals: false,
      });
      await response.discard();
    } catch (error) {
      // The registry forgets it in time; whatever made us give up is the news.
      this.#log.debug(`Canceling an upload failed: ${asFailure(error).message}`);
    }
  }
}

/** Returns how many bytes an answer says that the registry holds, if it says so. */
export function heldIn({ headers }: RegistryResponse): number | undefined {
  const [, last = "0"] = /^0-(\d{1,15})$/.exec(headers.get("range") ?? "") ?? [];
  // The specification cannot tell one byte from none: both are "0-0".
  return last === "0" ? undefined : Number(last) + 1;
}

/** Returns where an answer says that the upload goes on, and gives its body up. */
async function addressIn(response: RegistryResponse): Promise<URL> {
  await response.discard();
  const location = response.headers.get("location");
  const address = location === null ? null : URL.parse(location, response.url.href);
  if (address !== null) return address;
  throw new Failure(
    "refused",
    `determining upload URL: ${response.url.host} sent ${location === null ? "no" : "an unreadable"} Location`,
  );
}
