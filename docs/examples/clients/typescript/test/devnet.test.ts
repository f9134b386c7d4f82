import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";

import { fromHex, padded, toNumber } from "../src/bytes.js";
import { connect } from "../src/connect.js";
import { type Failure, readFailure } from "../src/failure.js";
import { follow, transfersTo } from "../src/follow.js";
import { BlockView } from "../src/gen/alatau/api/v1/block_pb.js";
import { openKeystore } from "../src/keystore.js";
import { nodeAt } from "../src/node.js";
import { Wallet } from "../src/wallet.js";

// The node that the environment names, as `make e2e-clients` sets it.
const named = (name: string): string => process.env[`ALATAU_${name}`] ?? "";
const skip = named("NODE") ? false : "ALATAU_NODE names no node";
const network = async () => {
  const node = nodeAt(connect(named("NODE"), named("CA")));
  const secret = await openKeystore(readFileSync(named("KEYSTORE"), "utf8"), readFileSync(named("PASSWORD_FILE"), "utf8"));
  return { node, wallet: await Wallet.open(node, secret), receiver: fromHex(named("TO")) };
};
const refused = (call: Promise<unknown>): Promise<Failure | undefined> => call.then(() => undefined, readFailure);

test("large blocks come in pages of at most 4 MiB", { skip }, async () => {
  const { node } = await network();
  const [from, to] = named("LARGE_BLOCKS").split("-").map(BigInt);
  let size = 0;
  let pageToken = "";
  do {
    const page = await node.blocks.listBlocks({ fromHeight: from!, toHeight: to!, view: BlockView.FULL, pageToken });
    for (const { transactions } of page.blocks) for (const { raw } of transactions) size += raw.length;
    pageToken = page.nextPageToken;
  } while (pageToken);
  assert.ok(size > 4 << 20, `${size} bytes are not enough to show anything`);
});

test("amounts with leading zeros are taken, an empty amount is zero", { skip }, async () => {
  const { node, wallet } = await network();
  const message = { sender: wallet.address, to: new Uint8Array(20), value: padded(Uint8Array.of(1), 32) };
  await node.transactions.call({ message: { ...message, gasPrice: new Uint8Array(4) } });
  const { account } = await node.state.getAccount({ address: padded(Uint8Array.of(0xde, 0xad), 20) });
  assert.equal(account!.balance.length, 0);
  assert.equal(toNumber(account!.balance), 0n);
});

test("who would replace a waiting transaction is told when to come again", { skip }, async () => {
  const { node, wallet, receiver } = await network();
  const next = wallet.nonce;
  const submit = (nonce: bigint, wei: bigint) => {
    wallet.nonce = nonce;
    return node.transactions.submitTransaction({ transaction: wallet.sign({ to: receiver, wei, gas: 21_000n }) });
  };
  await submit(next + 1n, 0n);
  const failure = await refused(submit(next + 1n, 1n));
  assert.equal(failure?.reason, "UNDERPRICED");
  assert.equal(failure.code, Code.FailedPrecondition);
  assert.ok(failure.retryInMs! > 0 && failure.retryInMs! <= 10_000, String(failure.retryInMs));
  assert.equal(failure.metadata["retry_in_ms"], String(failure.retryInMs));
  wallet.nonce = next; // the one that was missing
  await node.transactions.submitAndWait({ transaction: wallet.sign({ to: receiver, wei: 1n, gas: 21_000n }) });
});

test("a bad cursor is a violation of its field", { skip }, async () => {
  const { node, receiver } = await network();
  const failure = await refused(follow(node, transfersTo(receiver, receiver), "no cursor"));
  assert.equal(failure?.reason, "INVALID_CURSOR");
  assert.ok(failure.violations["cursor"]);
});
