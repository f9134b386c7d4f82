// The hub over Connect: calls as JSON, and the stream of what it says. Bytes are hexadecimal.

import { concat, toHex, utf8 } from "./bytes.js";

const SERVICE = "/alatau.channel.v1.WalletService/";
const CALL_MS = 20_000;
const OPEN_MS = 60_000; // a transaction until it is final
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
const HEADERS = { "Connect-Protocol-Version": "1", "Alatau-Bytes": "hex" };

export class HubError extends Error {
  // `code` is Connect's, or "unreachable"; `reason` the hub's, if it gave one.
  constructor(code, message, reason = "") {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

function failure(error) {
  const info = (error.details ?? []).find((detail) => detail.type === "google.rpc.ErrorInfo");
  return new HubError(error.code ?? "unknown", error.message ?? "", info?.debug?.reason ?? "");
}

export async function call(method, request = {}, { timeoutMs = CALL_MS } = {}) {
  let response;
  try {
    response = await fetch(SERVICE + method, {
      method: "POST",
      headers: { ...HEADERS, "Content-Type": "application/json" },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(timeoutMs),
      cache: "no-store",
    });
  } catch (error) {
    throw new HubError("unreachable", error.message);
  }
  let answer = {};
  try {
    answer = await response.json();
  } catch {
    if (response.ok) throw new HubError("unknown", "the hub's answer is no JSON");
  }
  if (!response.ok) throw failure(answer);
  return answer;
}

export const getNetwork = () => call("GetNetwork");
export const getAccount = (address) => call("GetAccount", { address: toHex(address) });
export const openChannel = (salt, money) =>
  call("OpenChannel", { salt: toHex(salt), money }, { timeoutMs: OPEN_MS });
export const deposit = (parties, salt, money) =>
  call("Deposit", { parties, salt: toHex(salt), money }, { timeoutMs: OPEN_MS });
export const claim = (address) => call("Claim", { address: toHex(address) }, { timeoutMs: OPEN_MS });
export const say = (session, messages) => call("Say", { session, messages });

// What the hub says, answer by answer, until `signal` ends it. Throws HubError when the stream does.
export async function* listen(signal) {
  let response;
  const body = utf8("{}");
  try {
    response = await fetch(`${SERVICE}Listen`, {
      method: "POST",
      headers: { ...HEADERS, "Content-Type": "application/connect+json" },
      body: concat(Uint8Array.of(0, 0, 0, 0, body.length), body),
      signal,
      cache: "no-store",
    });
  } catch (error) {
    throw new HubError("unreachable", error.message);
  }
  if (!response.ok || response.body === null) throw new HubError("unknown", `status ${response.status}`);
  const reader = response.body.getReader();
  let rest = new Uint8Array(0);
  for (;;) {
    while (rest.length >= 5) {
      const size = new DataView(rest.buffer, rest.byteOffset).getUint32(1);
      if (size > MESSAGE_BYTES_MAX) throw new HubError("unknown", "the hub's answer is too long");
      if (rest.length < 5 + size) break;
      const answer = JSON.parse(new TextDecoder().decode(rest.slice(5, 5 + size)));
      if (rest[0] & 2) throw answer.error ? failure(answer.error) : new HubError("ended", "the stream has ended");
      rest = rest.slice(5 + size);
      yield answer;
    }
    let part;
    try {
      part = await reader.read();
    } catch (error) {
      throw new HubError("unreachable", error.message);
    }
    if (part.done) throw new HubError("ended", "the stream has ended");
    rest = concat(rest, part.value);
  }
}
