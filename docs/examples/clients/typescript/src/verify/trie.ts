import { keccak_256 } from "@noble/hashes/sha3.js";

import { equal, fromHex, toHex } from "../bytes.js";
import { asBytes, asList, decode, type Item } from "./rlp.js";

/** Root of the trie that holds nothing. */
export const EMPTY_ROOT = fromHex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");

/**
 * The value of a key under a root (Yellow Paper, appendix D); undefined where the nodes prove that there is none.
 * Throws where a node is missing, is none, or is not on the way.
 */
export function lookup(root: Uint8Array, key: Uint8Array, nodes: readonly Uint8Array[]): Uint8Array | undefined {
  if (equal(root, EMPTY_ROOT) && nodes.length === 0) return undefined;
  const byHash = new Map(nodes.map((node) => [toHex(keccak_256(node)), node]));
  let used = 0;
  const resolve = (child: Item): Item => {
    if (Array.isArray(child)) return child; // shorter than 32 bytes: it lies inside its parent
    const node = byHash.get(toHex(asBytes(child, 32)));
    if (!node) throw new Error(`the proof has no node ${toHex(child)}`);
    used += 1;
    return decode(node);
  };
  const value = walk(resolve(root), nibblesOf(key), resolve);
  if (used !== nodes.length) throw new Error("the proof has nodes that are not on the way");
  return value;
}

function walk(node: Item, path: number[], resolve: (child: Item) => Item): Uint8Array | undefined {
  const items = asList(node);
  if (items.length === 17) {
    const [next, ...rest] = path;
    const child = items[next ?? 16]!;
    if (child instanceof Uint8Array && child.length === 0) return undefined;
    return next === undefined ? asBytes(child) : walk(resolve(child), rest, resolve);
  }
  if (items.length !== 2) throw new Error("a node has 2 or 17 items");
  const [leaf, part] = compactPath(asBytes(items[0]));
  const same = part.length <= path.length && part.every((nibble, index) => nibble === path[index]);
  if (leaf) return same && part.length === path.length ? asBytes(items[1]) : undefined;
  return same ? walk(resolve(items[1]!), path.slice(part.length), resolve) : undefined;
}

function nibblesOf(bytes: Uint8Array): number[] {
  return Array.from(bytes).flatMap((byte) => [byte >> 4, byte & 15]);
}

/** Hex-prefix encoding (Yellow Paper, appendix C): whether it is a leaf's, and the path. */
function compactPath(bytes: Uint8Array): [boolean, number[]] {
  const [flag, ...rest] = nibblesOf(bytes);
  if (flag === undefined || flag > 3) throw new Error("no path of a node");
  if (flag & 1) return [flag > 1, rest];
  if (rest.shift() !== 0) throw new Error("no path of a node");
  return [flag > 1, rest];
}
