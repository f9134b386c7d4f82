import { keccak_256 } from "@noble/hashes/sha3.js";

import { concat, fromNumber, padded } from "./bytes.js";
import type { Receipt } from "./gen/alatau/api/v1/transaction_pb.js";
import type { Node } from "./node.js";
import type { Wallet } from "./wallet.js";

// snippet: pay

/** The call of an ERC-20 token's transfer(address,uint256). */
export function transferCall(to: Uint8Array, amount: bigint): Uint8Array {
  const selector = keccak_256(new TextEncoder().encode("transfer(address,uint256)")).subarray(0, 4);
  return concat(selector, padded(to, 32), fromNumber(amount, 32));
}

/**
 * Signs a payment, submits it and waits until it is final; look at `succeeded`. Submitting the same bytes again is safe:
 * after a lost connection do just that.
 */
export async function payTokens(
  node: Node,
  wallet: Wallet,
  token: Uint8Array,
  to: Uint8Array,
  amount: bigint,
): Promise<Receipt> {
  const transaction = wallet.sign({ to: token, data: transferCall(to, amount), gas: 200_000n });
  const { receipt } = await node.transactions.submitAndWait({ transaction });
  return receipt!;
}

// end
