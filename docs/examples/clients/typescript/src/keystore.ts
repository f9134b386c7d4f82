import { ctr } from "@noble/ciphers/aes.js";
import { pbkdf2Async } from "@noble/hashes/pbkdf2.js";
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";

import { concat, equal, fromHex } from "./bytes.js";

const MEMORY_MAX = 1 << 30; // bytes; the usual parameters take 256 MiB
const ROUNDS_MAX = 10_000_000;

interface KeystoreFile {
  readonly version: number;
  readonly crypto: {
    readonly cipher: string;
    readonly cipherparams: { readonly iv: string };
    readonly ciphertext: string;
    readonly kdf: string;
    readonly kdfparams: { n: number; r: number; p: number; c: number; dklen: number; prf: string; salt: string };
    readonly mac: string;
  };
}

/**
 * The secret of a keystore file (Web3 Secret Storage, version 3). The password may be the text of a file: it ends where its
 * line does. Throws where the password is wrong.
 */
export async function openKeystore(text: string, password: string): Promise<Uint8Array> {
  const { version, crypto } = JSON.parse(text) as KeystoreFile;
  if (version !== 3 || crypto.cipher !== "aes-128-ctr") throw new Error("no keystore of version 3");
  const derived = await derive(crypto, new TextEncoder().encode(password.replace(/[\r\n]+$/, "")));
  const ciphertext = fromHex(crypto.ciphertext);
  if (!equal(keccak_256(concat(derived.subarray(16, 32), ciphertext)), fromHex(crypto.mac))) {
    throw new Error("the password does not open this keystore");
  }
  return ctr(derived.subarray(0, 16), fromHex(crypto.cipherparams.iv)).decrypt(ciphertext);
}

function derive({ kdf, kdfparams }: KeystoreFile["crypto"], password: Uint8Array): Promise<Uint8Array> {
  const { n, r, p, c, dklen, prf, salt } = kdfparams;
  if (dklen !== 32) throw new Error("a keystore derives 32 bytes");
  if (kdf === "scrypt") return scryptAsync(password, fromHex(salt), { N: n, r, p, dkLen: dklen, maxmem: MEMORY_MAX });
  if (kdf !== "pbkdf2" || prf !== "hmac-sha256" || c > ROUNDS_MAX) throw new Error("an unknown way to derive the key");
  return pbkdf2Async(sha256, password, fromHex(salt), { c, dkLen: dklen });
}
