// Reads proofs as JSON lines {root, key, nodes} from standard input; writes the proved value of each, or "absent"
// or "refused", a line each. All bytes are hex. The key is hashed here, the nodes are checked by @ethereumjs/mpt.

import { createInterface } from "node:readline";
import { createMPT, verifyMPTWithMerkleProof } from "@ethereumjs/mpt";
import { bytesToHex, hexToBytes } from "@ethereumjs/util";

for await (const line of createInterface({ input: process.stdin })) {
  const { root, key, nodes } = JSON.parse(line);
  const trie = await createMPT({ useKeyHashing: true });
  try {
    const value = await verifyMPTWithMerkleProof(trie, hexToBytes(root), hexToBytes(key), nodes.map(hexToBytes));
    console.log(value === null ? "absent" : bytesToHex(value));
  } catch {
    console.log("refused");
  }
}
