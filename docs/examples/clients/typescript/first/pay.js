// Makes one payment of settlement tokens and waits until it is final.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { fromHex, nodeAt, openKeystore, payTokens, toHex, Wallet } from "@alatau/client";
import { connect } from "@alatau/client/node";

const { values: options } = parseArgs({
  options: {
    node: { type: "string", default: "localhost:7101" },
    ca: { type: "string", default: "ca.pem" },
    keystore: { type: "string", default: "resident_1.json" },
    "password-file": { type: "string", default: "password" },
    to: { type: "string", default: "" },
    amount: { type: "string", default: "1234" }, // hundredths of a token
  },
});

// A connection over TLS that trusts the file's authorities, and nobody else.
const node = nodeAt(connect(options.node, options.ca));

// The key; the wallet asks for the network's id and fee, and for the key's next nonce.
const secret = await openKeystore(readFileSync(options.keystore, "utf8"), readFileSync(options["password-file"], "utf8"));
const wallet = await Wallet.open(node, secret);
const { systemContracts } = await node.nodes.getStatus({});
const token = systemContracts.find(({ name }) => name === "SettlementToken");
if (!token) throw new Error("the network has no settlement token");

const receipt = await payTokens(node, wallet, token.address, fromHex(options.to), BigInt(options.amount));
const { height } = receipt.position;
console.log(`${toHex(receipt.transactionHash)} is final at height ${height}, succeeded: ${receipt.succeeded}`);
process.exit(0); // the connection is kept open for further calls
