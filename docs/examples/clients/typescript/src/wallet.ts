import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";

import { concat, fromNumber, toNumber } from "./bytes.js";
import type { Node } from "./node.js";
import { addressOf } from "./verify/commit.js";
import { encode } from "./verify/rlp.js";

// snippet: wallet

/** What a transaction does. */
export interface Payment {
  readonly to: Uint8Array;
  readonly wei?: bigint;
  readonly data?: Uint8Array;
  readonly gas: bigint;
}

/** Signs the transactions of one key and numbers them. */
export class Wallet {
  readonly address: Uint8Array;

  constructor(
    private readonly secret: Uint8Array,
    private readonly chainId: bigint,
    /** Wei per gas; the network's, which does not change with load. */
    private readonly fee: bigint,
    public nonce: bigint,
  ) {
    this.address = addressOf(secp256k1.getPublicKey(secret, false));
  }

  /** Asks the node for the network's id and fee, and for the key's next nonce. */
  static async open(node: Node, secret: Uint8Array): Promise<Wallet> {
    const address = addressOf(secp256k1.getPublicKey(secret, false));
    const [status, account] = await Promise.all([node.nodes.getStatus({}), node.state.getAccount({ address })]);
    return new Wallet(secret, status.chainId, toNumber(status.baseFeePerGas), account.nextNonce);
  }

  /** An EIP-1559 transaction with the next nonce, as signed bytes. */
  sign({ to, wei = 0n, data = new Uint8Array(), gas }: Payment): Uint8Array<ArrayBuffer> {
    const numbers = [this.chainId, this.nonce, 0n, this.fee, gas].map((number) => fromNumber(number));
    const fields = [...numbers, to, fromNumber(wei), data, []];
    const digest = keccak_256(envelope(fields));
    const signature = secp256k1.sign(digest, this.secret, { prehash: false, format: "recovered" }); // v, r, s
    const [v, r, s] = [[0, 1], [1, 33], [33, 65]].map(([from, to]) => toNumber(signature.subarray(from, to)));
    this.nonce += 1n;
    return envelope([...fields, ...[v!, r!, s!].map((number) => fromNumber(number))]);
  }
}

/** EIP-2718: the type, 2 for EIP-1559, before the RLP of the fields. */
function envelope(fields: Parameters<typeof encode>[0]): Uint8Array<ArrayBuffer> {
  return concat(Uint8Array.of(2), encode(fields));
}

// end
