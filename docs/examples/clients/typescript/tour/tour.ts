// Pays, follows, reads errors, and verifies what it was told: `npm run tour -- --help`.
import { readFileSync, writeFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";

import { equal, fromHex, toHex, toNumber } from "../src/bytes.js";
import { connect } from "../src/connect.js";
import { type Failure, readFailure } from "../src/failure.js";
import { follow, transfersTo } from "../src/follow.js";
import { openKeystore } from "../src/keystore.js";
import { type Node, nodeAt } from "../src/node.js";
import { payTokens } from "../src/pay.js";
import { blocksOf, isPayment, provePayment, proveTokens } from "../src/prove.js";
import { verifierSize } from "./size.js";
import { LightClient, type Network } from "../src/verify/index.js";
import { Wallet } from "../src/wallet.js";

const { values: options } = parseArgs({
  options: {
    node: { type: "string", default: "localhost:7101" },
    ca: { type: "string", default: "ca.pem" },
    keystore: { type: "string", default: "resident_1.json" },
    "password-file": { type: "string", default: "password" },
    to: { type: "string" },
    genesis: { type: "string" },
    "chain-id": { type: "string", default: "7773" },
    report: { type: "string" },
  },
});

/** Subscribes and then pays; is cut off, pays again, and resumes after what it saw. */
async function payAndFollow(node: Node, wallet: Wallet, token: Uint8Array, receiver: Uint8Array) {
  const filter = transfersTo(token, receiver);
  const cut = new AbortController();
  const began = performance.now();
  const stream = await follow(node, filter, undefined, cut.signal);
  const ready = performance.now() - began;
  console.log(`the subscription stands after ${ready.toFixed(1)} ms`);
  const first = await payTokens(node, wallet, token, receiver, 1234n);
  console.log(`final at height ${first.position!.height}, succeeded: ${first.succeeded}`);
  const seen = await stream.next();
  if (seen.done) throw new Error("the stream ended");
  cut.abort();

  const second = await payTokens(node, wallet, token, receiver, 5678n);
  for await (const { logs } of await follow(node, filter, seen.value.cursor)) {
    const [log] = logs;
    if (logs.length !== 1 || !equal(log!.transactionHash, second.transactionHash)) {
      throw new Error("the cursor did not resume with the second payment");
    }
    console.log(`resumed: seen each once, amount ${toNumber(log!.data)}`);
    break;
  }
  return { paid: second, ready };
}

/** Makes a node refuse, and reads why. */
async function refusals(node: Node, wallet: Wallet, receiver: Uint8Array): Promise<void> {
  const next = wallet.nonce;
  wallet.nonce -= 1n;
  const transaction = wallet.sign({ to: receiver, wei: 1n, gas: 21_000n });
  const used = await refused(node.transactions.submitTransaction({ transaction }));
  if (used.reason !== "NONCE_TOO_LOW" || used.values.nextNonce !== next) throw new Error(`refused as ${used.message}`);
  console.log(`refused as ${used.reason}, next nonce ${used.values.nextNonce}`);
  const short = await refused(node.state.getAccount({ address: Uint8Array.of(1, 2, 3) }));
  if (short.reason !== "INVALID_REQUEST" || !short.violations["address"]) throw new Error(`refused as ${short.message}`);
  console.log(`refused as ${short.reason}, address: ${short.violations["address"]}`);
}

async function refused(call: Promise<unknown>): Promise<Failure> {
  return call.then(
    () => Promise.reject(new Error("the node took it")),
    (error: unknown) => readFailure(error),
  );
}

async function proofs(node: Node, network: Network, hash: Uint8Array, token: Uint8Array, receiver: Uint8Array) {
  // snippet: proofs
  // network is the chain id and the genesis hash, from people; hash is of a final transaction.
  const client = await LightClient.begin(network, blocksOf(node));
  const receipt = await provePayment(node, client, hash);
  if (!isPayment(receipt, token)) throw new Error("the proved receipt is of no payment");
  console.log(`proved: the payment is final in block ${toHex(client.newest.header.hash)}`);
  // end
  const balance = await proveTokens(node, client, token, receiver);
  const { height } = client.newest.header;
  console.log(`proved: ${toHex(receiver)} has ${balance} tokens (in hundredths) at height ${height}`);
}

const node = nodeAt(connect(options.node, options.ca));
const secret = await openKeystore(readFileSync(options.keystore, "utf8"), readFileSync(options["password-file"], "utf8"));
const wallet = await Wallet.open(node, secret);
const { contract } = await node.nodes.getSystemContract({ name: "SettlementToken" });
const [token, receiver] = [contract!.address, fromHex(options.to ?? "")];
console.log(`paying from ${toHex(wallet.address)}`);
const { paid, ready } = await payAndFollow(node, wallet, token, receiver);
await refusals(node, wallet, receiver);
const network = { chainId: BigInt(options["chain-id"]), genesisHash: fromHex(options.genesis ?? "") };
await proofs(node, network, paid.transactionHash, token, receiver);
if (options.report) {
  const report = { subscribe_ready_ms: Number(ready.toFixed(3)), verify_kb_gzip: await verifierSize() };
  writeFileSync(options.report, JSON.stringify(report));
}
process.exit(0); // the connection is kept open for further calls
