// Ethereum's libraries as their users have them, against a node: deploy, call, read events, fail, subscribe.
// Run by `make e2e-tools`: node tools.mjs HTTP WS KEY BYTECODE ABI

import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import * as ethers from "ethers";
import * as viem from "viem";
import { privateKeyToAccount } from "viem/accounts";

const [http, ws, key, contractFile] = process.argv.slice(2);
const { abi, bytecode } = JSON.parse(readFileSync(contractFile, "utf8"));

const withEthers = async () => {
  const provider = new ethers.JsonRpcProvider(http);
  const wallet = new ethers.Wallet(key, provider);
  const factory = new ethers.ContractFactory(abi, bytecode, wallet);
  const counter = await (await factory.deploy(5n)).waitForDeployment();
  assert.equal(await counter.total(), 5n);
  const receipt = await (await counter.add(37n)).wait();
  assert.equal(receipt.status, 1);
  assert.equal(await counter.total(), 42n);
  const [event] = await counter.queryFilter(counter.filters.Added(wallet.address), receipt.blockNumber);
  assert.equal(event.args.amount, 37n);
  assert.equal(await counter.total({ blockTag: receipt.blockNumber - 1 }), 5n);
  await assert.rejects(counter.add.staticCall(2n ** 256n - 1n), { code: "CALL_EXCEPTION", data: "0x" });
  await assert.rejects(counter.add(2n ** 256n - 1n), { code: "CALL_EXCEPTION" });
  const block = await provider.getBlock("latest", true);
  assert.ok(block.number >= receipt.blockNumber);
  assert.equal((await provider.getBlock("finalized")).number >= receipt.blockNumber, true);
  assert.ok((await provider.getFeeData()).gasPrice !== null);
  assert.equal((await provider.getTransaction(receipt.hash)).blockNumber, receipt.blockNumber);
  assert.equal(await provider.getTransactionReceipt("0x" + "77".repeat(32)), null);
  await assert.rejects(provider.broadcastTransaction(await wallet.signTransaction({
    to: wallet.address, nonce: 0, gasLimit: 21000, gasPrice: 0, chainId: (await provider.getNetwork()).chainId, type: 0,
  })), { code: "NONCE_EXPIRED" });
  const batch = await Promise.all(Array.from({ length: 20 }, () => counter.total()));
  assert.ok(batch.every((total) => total === 42n));

  const socket = new ethers.WebSocketProvider(ws);
  await socket.getNetwork();
  const heard = new Promise((resolve) => counter.connect(socket).on("Added", (by, amount) => resolve([by, amount])));
  const seen = new Promise((resolve) => socket.on("block", resolve));
  await new Promise((resolve) => setTimeout(resolve, 500));
  await (await counter.add(1n)).wait();
  assert.deepEqual(await heard, [wallet.address, 1n]);
  assert.ok((await seen) > 0);
  await socket.destroy();
  provider.destroy();
  console.log("ethers " + ethers.version + ": deploys, calls, reads events and errors, subscribes");
};

const withViem = async () => {
  const account = privateKeyToAccount(key);
  const probe = viem.createPublicClient({ transport: viem.http(http) });
  const chain = viem.defineChain({
    id: await probe.getChainId(),
    name: "Alatau",
    nativeCurrency: { name: "wei", symbol: "WEI", decimals: 18 },
    rpcUrls: { default: { http: [http], webSocket: [ws] } },
  });
  const reader = viem.createPublicClient({ chain, transport: viem.http(http, { batch: true }) });
  const wallet = viem.createWalletClient({ account, chain, transport: viem.http(http) });
  const deployed = await reader.waitForTransactionReceipt({
    hash: await wallet.deployContract({ abi, bytecode, args: [5n] }),
  });
  const address = deployed.contractAddress;
  assert.ok(address);
  const { request, result } = await reader.simulateContract({ account, address, abi, functionName: "add", args: [37n] });
  assert.equal(result, 42n);
  const receipt = await reader.waitForTransactionReceipt({ hash: await wallet.writeContract(request) });
  assert.equal(receipt.status, "success");
  const [total, again] = await Promise.all([1, 2].map(() => reader.readContract({ address, abi, functionName: "total" })));
  assert.deepEqual([total, again], [42n, 42n]);
  const overridden = await reader.readContract({
    address, abi, functionName: "total",
    stateOverride: [{ address, stateDiff: [0, 1].map((slot) => ({ slot: viem.toHex(slot, { size: 32 }), value: viem.toHex(9, { size: 32 }) })) }],
  });
  assert.equal(overridden, 9n);
  const logs = await reader.getContractEvents({ address, abi, eventName: "Added", fromBlock: receipt.blockNumber });
  assert.equal(logs[0].args.amount, 37n);
  await assert.rejects(
    reader.simulateContract({ account, address, abi, functionName: "add", args: [2n ** 256n - 1n] }),
    (error) => error.walk((cause) => cause instanceof viem.ContractFunctionRevertedError || cause.code === 3) !== null,
  );
  const proof = await reader.getProof({ address, storageKeys: [viem.pad("0x0", { size: 32 })] });
  assert.equal(proof.address.toLowerCase(), address.toLowerCase());
  assert.ok((await reader.estimateFeesPerGas()).maxFeePerGas !== undefined);
  assert.equal((await reader.getFeeHistory({ blockCount: 2, rewardPercentiles: [50] })).baseFeePerGas.length >= 2, true);
  const filter = await reader.createContractEventFilter({ address, abi, eventName: "Added" });
  const live = viem.createPublicClient({ chain, transport: viem.webSocket(ws) });
  const heard = new Promise((resolve) => {
    const stop = live.watchContractEvent({ address, abi, eventName: "Added", onLogs: (found) => { stop(); resolve(found); } });
  });
  const seen = new Promise((resolve) => {
    const stop = live.watchBlocks({ onBlock: (block) => { stop(); resolve(block.number); } });
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  await reader.waitForTransactionReceipt({
    hash: await wallet.writeContract({ address, abi, functionName: "add", args: [1n] }),
  });
  assert.equal((await heard)[0].args.amount, 1n);
  assert.ok((await seen) > 0n);
  assert.equal((await reader.getFilterChanges({ filter }))[0].args.amount, 1n);
  (await live.transport.getRpcClient()).close();
  console.log("viem: deploys, simulates, calls, overrides, proves, reads events and errors, subscribes");
};

setTimeout(() => {
  console.error("nothing for two minutes: an event or an answer did not come");
  process.exit(1);
}, 120_000);
await withEthers();
await withViem();
process.exit(0);
