import { equal, toHex } from "./bytes.js";
import { BlockView } from "./gen/alatau/api/v1/block_pb.js";
import type { Node } from "./node.js";
import { decodeHeader, type LightClient, type Source } from "./verify/light.js";
import { type ProvedReceipt, verifyAccount, verifyReceipt, verifyWord, vyperEntry } from "./verify/proof.js";

// snippet: prove

/** A node as a source of blocks for the light client, which believes none of it without a check. */
export function blocksOf(node: Node): Source {
  return async (height) => {
    const [{ block }, { validators }] = await Promise.all([
      node.blocks.getBlock({ id: { case: "height", value: height }, view: BlockView.RAW }),
      node.nodes.listValidators({ height }),
    ]);
    return { header: block!.raw!.header, commit: block!.raw!.commit, set: validators };
  };
}

/** Asks for the proof of a final transaction and verifies it against a block that the client believes. */
export async function provePayment(node: Node, client: LightClient, hash: Uint8Array): Promise<ProvedReceipt> {
  const { proof } = await node.transactions.getReceiptProof({ hash });
  if (!proof) throw new Error("the node proves nothing");
  const { header } = await client.advance(decodeHeader(proof.header).height);
  return verifyReceipt(header, hash, proof);
}

/** Where SettlementToken keeps `_accounts`, a HashMap[address, uint256]: storage_layout in abi/SettlementToken.json. */
const ACCOUNTS_SLOT = 0n;

/** Proves what an account has of the token: the low 128 bits of its word. */
export async function proveTokens(
  node: Node,
  client: LightClient,
  token: Uint8Array,
  holder: Uint8Array,
): Promise<bigint> {
  const slot = vyperEntry(ACCOUNTS_SLOT, holder);
  const { proof, height } = await node.state.getProof({ address: token, slots: [slot] });
  const { header } = await client.advance(height);
  const account = verifyAccount(header.stateRoot, token, proof?.accountNodes ?? []);
  const [word] = proof?.slots ?? [];
  if (!account || !word) throw new Error(`the node proves no account ${toHex(token)} with this slot`);
  return BigInt.asUintN(128, verifyWord(account.storageRoot, slot, word.nodes));
}

// end

/** Whether a proved receipt is of a payment by the token. */
export function isPayment(receipt: ProvedReceipt, token: Uint8Array): boolean {
  return receipt.succeeded && receipt.logs.some(({ address }) => equal(address, token));
}
