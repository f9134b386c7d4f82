// Who signed, in any scheme that an account may sign with; the twin of node/alatau/crypto/signature_schemes.py and of
// node/alatau/channels/delegation.py. Layouts are on the page for makers of wallets.

import { p256 } from "../vendor/@noble/curves/nist.js";
import { secp256k1 } from "../vendor/@noble/curves/secp256k1.js";
import { sha256 } from "../vendor/@noble/hashes/sha2.js";
import { concat, equal, fromWord, toBase64Url, toWord, utf8 } from "./bytes.js";
import { delegationDigest, keccak256, voucherDigest, voucherTotal } from "./messages.js";

export const P256_SCHEME = 1;
export const WEBAUTHN_SCHEME = 2;
export const DELEGATED_SCHEME = 3;
const KEYED_SIZE = 129;
const GRANT_AT = KEYED_SIZE + 32;
const SIGNATURE_LIMIT = 1024;
const AUTHENTICATOR_DATA_MIN = 37;
const REQUIRED_FLAGS = 0x01 | 0x04; // user present, user verified
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const HALF = ORDER >> 1n;
const ADDRESS_DOMAIN = keccak256(utf8("Alatau P-256 account v1"));

// The account of a P-256 key; `key` is x and y, 64 bytes.
export const addressOfKey = (key) => keccak256(concat(ADDRESS_DOMAIN, key)).slice(12);

// Signers give either of two values of s; the contracts take the lower.
export function lowS(signature) {
  const s = fromWord(signature.slice(32, 64));
  return s > HALF ? concat(signature.slice(0, 32), toWord(ORDER - s)) : signature;
}

// r and s, 32 bytes each, of a DER signature.
export function fromDer(der) {
  const integer = (at) => {
    if (der[at] !== 0x02) throw new RangeError("no DER signature");
    const size = der[at + 1];
    let number = der.slice(at + 2, at + 2 + size);
    while (number.length > 32 && number[0] === 0) number = number.slice(1);
    if (number.length > 32 || size === 0) throw new RangeError("no DER signature");
    return { word: concat(new Uint8Array(32 - number.length), number), next: at + 2 + size };
  };
  if (der[0] !== 0x30 || der[1] !== der.length - 2) throw new RangeError("no DER signature");
  const r = integer(2);
  const s = integer(r.next);
  if (s.next !== der.length) throw new RangeError("no DER signature");
  return concat(r.word, s.word);
}

// The bytes for the contract. `proof` is r and s with s low; `key` x and y.
export const chipSignature = (proof, key) => concat(Uint8Array.of(P256_SCHEME), proof, key);

export const passkeySignature = (proof, key, authenticatorData, clientData) =>
  concat(
    Uint8Array.of(WEBAUTHN_SCHEME),
    proof,
    key,
    toWord(authenticatorData.length, 2),
    authenticatorData,
    clientData,
  );

export function delegatedSignature(deviceSignature, cap, grant) {
  if (deviceSignature.length !== KEYED_SIZE || deviceSignature[0] !== P256_SCHEME) {
    throw new RangeError("a device signs by itself");
  }
  return concat(Uint8Array.of(DELEGATED_SCHEME), deviceSignature.slice(1), toWord(cap), grant);
}

// How a browser must begin clientDataJSON for an assertion over this challenge (WebAuthn Level 3, 5.8.1.1).
export const clientDataHead = (challenge) =>
  utf8(`{"type":"webauthn.get","challenge":"${toBase64Url(challenge)}","origin":"`);

// The address of the account that signed a digest, or null.
export function accountSigner(digest, signature, rpIdHash) {
  if (signature.length === 64 || signature.length === 65) return secp256k1Signer(digest, signature);
  return p256Signer(digest, signature, rpIdHash);
}

export function signedBy(digest, signature, signer, rpIdHash) {
  const found = accountSigner(digest, signature, rpIdHash);
  return found !== null && equal(found, signer);
}

// Whether the voucher's payer signed it, or a device that it lent as much to.
export function voucherSignedBy(domain, voucher, signature) {
  const digest = voucherDigest(domain, voucher);
  const byDevice =
    signature.length > GRANT_AT && signature.length <= SIGNATURE_LIMIT && signature[0] === DELEGATED_SCHEME;
  if (!byDevice) return signedBy(digest, signature, voucher.payer, domain.rpIdHash);
  const cap = fromWord(signature.slice(KEYED_SIZE, GRANT_AT));
  const device = keySigner(sha256(digest), signature.slice(1, KEYED_SIZE));
  if (device === null || voucherTotal(voucher) > cap) return false;
  const granted = delegationDigest(domain, { channelId: voucher.channelId, payer: voucher.payer, device, cap });
  const signer = p256Signer(granted, signature.slice(GRANT_AT), domain.rpIdHash);
  return signer !== null && equal(signer, voucher.payer);
}

function secp256k1Signer(digest, signature) {
  const compact = signature.length === 64;
  const parity = compact ? signature[32] >> 7 : signature[64];
  const raw = signature.slice(0, 64);
  if (compact) raw[32] &= 0x7f;
  if (parity > 1) return null;
  try {
    const found = secp256k1.Signature.fromBytes(raw, "compact").addRecoveryBit(parity);
    if (found.hasHighS()) return null;
    const point = found.recoverPublicKey(digest);
    return keccak256(point.toBytes(false).slice(1)).slice(12);
  } catch {
    return null;
  }
}

function p256Signer(digest, signature, rpIdHash) {
  if (signature.length < KEYED_SIZE || signature.length > SIGNATURE_LIMIT) return null;
  const rest = signature.slice(KEYED_SIZE);
  if (signature[0] === P256_SCHEME && rest.length === 0) return keySigner(sha256(digest), signature.slice(1));
  if (signature[0] !== WEBAUTHN_SCHEME) return null;
  const signed = assertionHash(digest, rest, rpIdHash);
  return signed === null ? null : keySigner(signed, signature.slice(1, KEYED_SIZE));
}

function assertionHash(digest, assertion, rpIdHash) {
  if (assertion.length < 2) return null;
  const size = Number(fromWord(assertion.slice(0, 2)));
  const authenticatorData = assertion.slice(2, 2 + size);
  const clientData = assertion.slice(2 + size);
  if (authenticatorData.length !== size || size < AUTHENTICATOR_DATA_MIN) return null;
  if (!equal(authenticatorData.slice(0, 32), rpIdHash)) return null;
  if ((authenticatorData[32] & REQUIRED_FLAGS) !== REQUIRED_FLAGS) return null;
  const head = clientDataHead(digest);
  if (!equal(clientData.slice(0, head.length), head)) return null;
  return sha256(concat(authenticatorData, sha256(clientData)));
}

// The account whose key signed a hash; `proof` is r, s, x, y.
function keySigner(hashed, proof) {
  const key = proof.slice(64, 128);
  try {
    const valid = p256.verify(proof.slice(0, 64), hashed, concat(Uint8Array.of(4), key), {
      prehash: false,
      lowS: true,
    });
    return valid ? addressOfKey(key) : null;
  } catch {
    return null;
  }
}
