import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";

import { concat, equal, fromNumber, toHex } from "../bytes.js";
import { asBytes, asInteger, asList, decode, encode } from "./rlp.js";

/** Names a network: both values come from people, not from the node that is checked. */
export interface Network {
  readonly chainId: bigint;
  readonly genesisHash: Uint8Array;
}

/** A member of a set, as far as a header's set hash covers it. */
export interface Validator {
  readonly address: Uint8Array;
  readonly power: bigint;
}

/** A commit: precommits of more than two thirds of the power, beside the block that they decide. */
export interface Commit {
  readonly height: bigint;
  readonly round: bigint;
  readonly blockHash: Uint8Array;
  /** Signatures are r, s and the recovery id (0 or 1). */
  readonly signatures: readonly { readonly validator: Uint8Array; readonly signature: Uint8Array }[];
}

const text = (words: string): Uint8Array => keccak_256(new TextEncoder().encode(words));
const word = (number: bigint): Uint8Array => fromNumber(number, 32);
const DOMAIN_TYPE = text("EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)");
const VOTE_TYPE = text("Vote(uint8 kind,uint64 height,uint32 round,bytes32 blockHash)");
const PRECOMMIT = 2n;

/** What a header names as its set. */
export function setHash(set: readonly Validator[]): Uint8Array {
  return keccak_256(encode(set.map(({ address, power }) => [address, fromNumber(power)])));
}

/** The power that the addresses have in a set; who is not in it has none. */
export function powerOf(set: readonly Validator[], addresses: readonly Uint8Array[]): bigint {
  const names = new Set(addresses.map(toHex));
  return set.reduce((sum, { address, power }) => (names.has(toHex(address)) ? sum + power : sum), 0n);
}

/** The power of all. */
export function totalPower(set: readonly Validator[]): bigint {
  return set.reduce((sum, { power }) => sum + power, 0n);
}

/** The EIP-712 domain separator of a network's votes. */
export function domainSeparator({ chainId, genesisHash }: Network): Uint8Array {
  return keccak_256(concat(DOMAIN_TYPE, text("Alatau Consensus"), text("1"), word(chainId), genesisHash));
}

/** What each validator of a commit signed. */
export function commitDigest(network: Network, commit: Commit): Uint8Array {
  const vote = keccak_256(
    concat(VOTE_TYPE, word(PRECOMMIT), word(commit.height), word(commit.round), commit.blockHash),
  );
  return keccak_256(concat(Uint8Array.of(0x19, 0x01), domainSeparator(network), vote));
}

/** A commit of its RLP. */
export function decodeCommit(bytes: Uint8Array): Commit {
  const [height, round, blockHash, signatures] = asList(decode(bytes), 4);
  return {
    height: asInteger(height),
    round: asInteger(round),
    blockHash: asBytes(blockHash, 32),
    signatures: asList(signatures).map((entry) => {
      const [validator, signature] = asList(entry, 2);
      return { validator: asBytes(validator, 20), signature: asBytes(signature, 65) };
    }),
  };
}

/**
 * Checks that an encoded commit decides the block at a height against the set that its header names, and gives who
 * signed. Throws where it does not.
 */
export function signersOf(
  network: Network,
  encoded: Uint8Array,
  height: bigint,
  blockHash: Uint8Array,
  set: readonly Validator[],
): Uint8Array[] {
  const commit = decodeCommit(encoded);
  if (commit.height !== height || !equal(commit.blockHash, blockHash)) {
    throw new Error("the commit is of another block");
  }
  const digest = commitDigest(network, commit);
  const signers: Uint8Array[] = [];
  for (const { validator, signature } of commit.signatures) {
    const before = signers.at(-1);
    if (before && toHex(before) >= toHex(validator)) {
      throw new Error("signatures are not sorted by address, or one comes twice");
    }
    if (!set.some(({ address }) => equal(address, validator))) {
      throw new Error(`${toHex(validator)} signed and is not in the set`);
    }
    if (!equal(signerOf(digest, signature), validator)) {
      throw new Error(`the signature of ${toHex(validator)} is another's, or over something else`);
    }
    signers.push(validator);
  }
  if (3n * powerOf(set, signers) <= 2n * totalPower(set)) throw new Error("no more than two thirds signed");
  return signers;
}

/** The address that signed a digest; r, s and the recovery id (0 or 1), s in the lower half of the order. */
export function signerOf(digest: Uint8Array, signature: Uint8Array): Uint8Array {
  const [recovery] = signature.subarray(64);
  if (recovery !== 0 && recovery !== 1) throw new Error("a recovery id is 0 or 1");
  const parsed = secp256k1.Signature.fromBytes(concat(Uint8Array.of(recovery), signature.subarray(0, 64)), "recovered");
  if (parsed.hasHighS()) throw new Error("s is in the upper half of the order");
  return addressOf(parsed.recoverPublicKey(digest).toBytes(false));
}

/** The address of an uncompressed public key (65 bytes). */
export function addressOf(publicKey: Uint8Array): Uint8Array {
  return keccak_256(publicKey.subarray(1)).subarray(12);
}
