import { keccak_256 } from "@noble/hashes/sha3.js";

import { concat, equal, fromNumber, padded } from "../bytes.js";
import { asBytes, asInteger, asList, decode, encode } from "./rlp.js";
import { lookup } from "./trie.js";

/** An account after a block. */
export interface Account {
  readonly nonce: bigint;
  readonly balance: bigint;
  readonly storageRoot: Uint8Array;
  readonly codeHash: Uint8Array;
}

/** An account under a state root; undefined where the nodes prove that there is none. */
export function verifyAccount(
  stateRoot: Uint8Array,
  address: Uint8Array,
  nodes: readonly Uint8Array[],
): Account | undefined {
  const value = lookup(stateRoot, keccak_256(address), nodes);
  if (!value) return undefined;
  const [nonce, balance, storageRoot, codeHash] = asList(decode(value), 4);
  return {
    nonce: asInteger(nonce),
    balance: asInteger(balance),
    storageRoot: asBytes(storageRoot, 32),
    codeHash: asBytes(codeHash, 32),
  };
}

/** A word under a storage root; one that is nowhere is 0. */
export function verifyWord(storageRoot: Uint8Array, slot: Uint8Array, nodes: readonly Uint8Array[]): bigint {
  const value = lookup(storageRoot, keccak_256(slot), nodes);
  return value ? asInteger(decode(value)) : 0n;
}

/** The slot of a key's entry in the HashMap at a slot: Vyper hashes the slot first, Solidity the key. */
export function vyperEntry(mapping: bigint, key: Uint8Array): Uint8Array {
  return keccak_256(concat(fromNumber(mapping, 32), padded(key, 32)));
}

/** GetReceiptProof's answer, without its header and commit. */
export interface ReceiptProof {
  readonly index: number;
  readonly transaction: Uint8Array;
  readonly transactionNodes: readonly Uint8Array[];
  readonly receipt: Uint8Array;
  readonly receiptNodes: readonly Uint8Array[];
}

/** What a transaction came to. */
export interface ProvedReceipt {
  readonly succeeded: boolean;
  readonly logs: readonly { address: Uint8Array; topics: readonly Uint8Array[]; data: Uint8Array }[];
}

/** The receipt of the transaction with a hash, both proved at one index of a block that is believed. Throws otherwise. */
export function verifyReceipt(
  roots: { readonly transactionsRoot: Uint8Array; readonly receiptsRoot: Uint8Array },
  hash: Uint8Array,
  proof: ReceiptProof,
): ProvedReceipt {
  if (!equal(keccak_256(proof.transaction), hash)) throw new Error("the node shows another transaction");
  const key = encode(fromNumber(BigInt(proof.index)));
  for (const [root, nodes, value] of [
    [roots.transactionsRoot, proof.transactionNodes, proof.transaction],
    [roots.receiptsRoot, proof.receiptNodes, proof.receipt],
  ] as const) {
    const found = lookup(root, key, nodes);
    if (!found || !equal(found, value)) throw new Error("the block has something else at this index");
  }
  const typed = proof.receipt[0]! < 0x80; // EIP-2718: a byte for the type before the list
  const [status, , , logs] = asList(decode(typed ? proof.receipt.subarray(1) : proof.receipt), 4);
  return {
    succeeded: asInteger(status) === 1n,
    logs: asList(logs).map((entry) => {
      const [address, topics, data] = asList(entry, 3);
      return {
        address: asBytes(address, 20),
        topics: asList(topics).map((topic) => asBytes(topic, 32)),
        data: asBytes(data),
      };
    }),
  };
}
