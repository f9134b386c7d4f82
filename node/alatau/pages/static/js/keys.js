// Keys of a page: a passkey with a device's key to which it lends sums, or a key of the browser alone. Private keys are
// never readable here: the authenticator holds one, the browser the other (not extractable).

import { p256 } from "../vendor/@noble/curves/nist.js";
import { sha256 } from "../vendor/@noble/hashes/sha2.js";
import { concat, equal } from "./bytes.js";
import { delegationDigest, voucherDigest, voucherTotal } from "./messages.js";
import {
  addressOfKey,
  chipSignature,
  clientDataHead,
  delegatedSignature,
  fromDer,
  lowS,
  passkeySignature,
} from "./signatures.js";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const SIGN = { name: "ECDSA", hash: "SHA-256" };

export class KeyError extends Error {
  // `code`: cancelled, unsupported, foreign.
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const random = (size) => crypto.getRandomValues(new Uint8Array(size));

// Whether passkeys of this network can be made here: the page must be of the relying party's domain.
export function canHavePasskeys(relyingParty) {
  const { hostname } = location;
  const ofSite = relyingParty !== "" && (hostname === relyingParty || hostname.endsWith(`.${relyingParty}`));
  return ofSite && globalThis.PublicKeyCredential !== undefined && navigator.credentials !== undefined;
}

async function newBrowserKey() {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { privateKey: pair.privateKey, key: point.slice(1) };
}

async function browserSignature({ privateKey, key }, digest) {
  const signature = new Uint8Array(await crypto.subtle.sign(SIGN, privateKey, digest));
  return chipSignature(lowS(signature), key);
}

// An account whose key is in the browser's storage alone: {kind, key, address, privateKey}.
export async function createBrowserAccount() {
  const made = await newBrowserKey();
  return { kind: "browser", ...made, address: addressOfKey(made.key) };
}

// An account behind a passkey, and this device's key: {kind, key, address, credentialId, relyingParty, device}.
export async function createPasskeyAccount(relyingParty, label) {
  const credential = await asked(() =>
    navigator.credentials.create({
      publicKey: {
        challenge: random(32),
        rp: { id: relyingParty, name: relyingParty },
        user: { id: random(32), name: label, displayName: label },
        pubKeyCredParams: [{ type: "public-key", alg: -7 }],
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
        attestation: "none",
      },
    }),
  );
  const spki = new Uint8Array(credential.response.getPublicKey() ?? []);
  if (credential.response.getPublicKeyAlgorithm() !== -7 || spki.length < 65) {
    throw new KeyError("unsupported", "this authenticator makes no key on P-256");
  }
  return passkeyAccount(spki.slice(-64), new Uint8Array(credential.rawId), relyingParty);
}

// The account of a passkey that the device has, after the storage was cleared. A signature leaves two keys that could
// have made it; a second one leaves one. `seen` is called between the two.
export async function findPasskeyAccount(relyingParty, seen) {
  const first = await assertion(relyingParty, random(32), []);
  await seen();
  const second = await assertion(relyingParty, random(32), [first.credentialId]);
  const later = candidates(second);
  const found = candidates(first).filter((key) => later.some((other) => equal(key, other)));
  if (found.length !== 1) throw new KeyError("foreign", "the two answers are not of one passkey");
  return passkeyAccount(found[0], first.credentialId, relyingParty);
}

async function passkeyAccount(key, credentialId, relyingParty) {
  const device = await newBrowserKey();
  return {
    kind: "passkey",
    key,
    address: addressOfKey(key),
    credentialId,
    relyingParty,
    device: { ...device, address: addressOfKey(device.key) },
  };
}

function candidates({ signature, authenticatorData, clientData }) {
  const hashed = sha256(concat(authenticatorData, sha256(clientData)));
  const raw = p256.Signature.fromBytes(signature, "compact");
  const keys = [];
  for (const bit of [0, 1, 2, 3]) {
    try {
      keys.push(raw.addRecoveryBit(bit).recoverPublicKey(hashed).toBytes(false).slice(1));
    } catch {
      // no point with this bit
    }
  }
  return keys;
}

// What an authenticator says to a challenge, after its owner has said yes.
async function assertion(relyingParty, challenge, credentialIds) {
  const credential = await asked(() =>
    navigator.credentials.get({
      publicKey: {
        challenge,
        rpId: relyingParty,
        userVerification: "required",
        allowCredentials: credentialIds.map((id) => ({ type: "public-key", id })),
      },
    }),
  );
  const { response } = credential;
  const clientData = new Uint8Array(response.clientDataJSON);
  const head = clientDataHead(challenge);
  if (!equal(clientData.slice(0, head.length), head)) {
    throw new KeyError("unsupported", "this browser writes client data in another order");
  }
  return {
    credentialId: new Uint8Array(credential.rawId),
    signature: fromDer(new Uint8Array(response.signature)),
    authenticatorData: new Uint8Array(response.authenticatorData),
    clientData,
  };
}

async function asked(prompt) {
  try {
    const credential = await prompt();
    if (credential === null) throw new KeyError("cancelled", "nothing was signed");
    return credential;
  } catch (error) {
    if (error instanceof KeyError) throw error;
    if (error.name === "NotAllowedError" || error.name === "AbortError") {
      throw new KeyError("cancelled", "nothing was signed");
    }
    throw new KeyError("unsupported", error.message);
  }
}

// Signs for an account. `grant` is {channelId, cap, signature}, what the passkey has lent this device so far, or null;
// `keepGrant` stores a new one before it is used.
export class Keys {
  constructor(domain, account, grant, keepGrant) {
    this.domain = domain;
    this.account = account;
    this.grant = grant;
    this.keepGrant = keepGrant;
    this.allowance = 0n;
  }

  get asks() {
    return this.account.kind === "passkey";
  }

  get address() {
    return this.account.address;
  }

  // By the account itself: a passkey asks its owner, and the digest is the challenge.
  async sign(digest) {
    if (!this.asks) return browserSignature(this.account, digest);
    const { relyingParty, credentialId, key } = this.account;
    const said = await assertion(relyingParty, digest, [credentialId]);
    return passkeySignature(lowS(said.signature), key, said.authenticatorData, said.clientData);
  }

  // A voucher: by the browser's key, or by this device within what its passkey has lent. Beyond that the passkey is asked to
  // lend just as much more as the voucher needs, and `allowance` besides.
  async voucher(voucher) {
    const digest = voucherDigest(this.domain, voucher);
    if (!this.asks) return browserSignature(this.account, digest);
    const total = voucherTotal(voucher);
    await this.lend(voucher.channelId, total, total + this.allowance);
    return this.#byDevice(digest);
  }

  // That a connection is this account's: never a prompt where this device has been lent anything in the channel.
  async attach(channelId, digest) {
    if (!this.asks) return browserSignature(this.account, digest);
    return this.#lentHere(channelId) ? this.#byDevice(digest) : this.sign(digest);
  }

  // Make sure that this device may pay `needed` in all; if it may not yet, ask to lend it `cap`.
  async lend(channelId, needed, cap) {
    if (!this.asks || (this.#lentHere(channelId) && this.grant.cap >= needed)) return;
    const { address, device } = this.account;
    const digest = delegationDigest(this.domain, { channelId, payer: address, device: device.address, cap });
    const grant = { channelId, cap, signature: await this.sign(digest) };
    await this.keepGrant(grant);
    this.grant = grant;
  }

  // For the party's core.
  get signer() {
    return { voucher: (voucher) => this.voucher(voucher), account: (digest) => this.sign(digest) };
  }

  #lentHere(channelId) {
    return this.grant !== null && equal(this.grant.channelId, channelId);
  }

  async #byDevice(digest) {
    const proof = await browserSignature(this.account.device, digest);
    return delegatedSignature(proof, this.grant.cap, this.grant.signature);
  }
}

