import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";

import { fromHex } from "../src/bytes.js";
import { type Failure, readFailure } from "../src/failure.js";
import { openKeystore } from "../src/keystore.js";
import { nodeAt } from "../src/node.js";
import { Wallet } from "../src/wallet.js";

// The ways of a browser, by fetch, to the node that the environment names, as `make e2e-clients` sets it.
const named = (name: string): string => process.env[`ALATAU_${name}`] ?? "";
const baseUrl = `http://${named("HTTP")}`;
const skip = named("HTTP") ? false : "ALATAU_HTTP names no node";
const transports = {
  "Connect in JSON": createConnectTransport({ baseUrl }),
  "Connect in protobuf": createConnectTransport({ baseUrl, useBinaryFormat: true }),
  "gRPC-Web": createGrpcWebTransport({ baseUrl }),
};

for (const [name, transport] of Object.entries(transports)) {
  test(`${name}: a payment is sent, seen by a subscription, and refused the second time`, { skip }, async () => {
    const node = nodeAt(transport);
    const secret = await openKeystore(readFileSync(named("KEYSTORE"), "utf8"), readFileSync(named("PASSWORD_FILE"), "utf8"));
    const wallet = await Wallet.open(node, secret);
    const { height } = await node.nodes.getStatus({});
    const seenEnough = new AbortController();
    const { signal } = seenEnough;
    const blocks = node.blocks.subscribeBlocks({ fromHeight: height + 1n }, { signal })[Symbol.asyncIterator]();
    const begun = await blocks.next();
    assert.equal(begun.value.block, undefined);

    const transaction = wallet.sign({ to: fromHex(named("TO")), wei: 1n, gas: 21_000n });
    const { hash } = await node.transactions.submitTransaction({ transaction });
    const { receipt } = await node.transactions.getReceipt({ hash, wait: true });
    assert.ok(receipt!.succeeded);
    let seen = height;
    while (seen < receipt!.position!.height) seen = (await blocks.next()).value.height;
    seenEnough.abort();

    wallet.nonce -= 1n;
    const again = wallet.sign({ to: fromHex(named("TO")), wei: 2n, gas: 21_000n });
    const failure: Failure | undefined = await node.transactions
      .submitTransaction({ transaction: again })
      .then(() => undefined, readFailure);
    assert.equal(failure?.reason, "NONCE_TOO_LOW");
    assert.equal(failure.values.nextNonce, wallet.nonce);
  });
}
