import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { keccak_256 } from "@noble/hashes/sha3.js";

import { fromHex, fromNumber, toHex } from "../src/bytes.js";
import * as verify from "../src/verify/index.js";

const path = process.env["ALATAU_VECTORS"] ?? "../../../../protos/vectors/verification.json";
const file = JSON.parse(readFileSync(path, "utf8"));
const network = { chainId: BigInt(file.chain_id), genesisHash: fromHex(file.genesis_hash) };
const sets: verify.Validator[][] = file.validator_sets.map((set: { members: { address: string; power: number }[] }) =>
  set.members.map(({ address, power }) => ({ address: fromHex(address), power: BigInt(power) })),
);
const bytesOf = (nodes: string[]): Uint8Array[] => nodes.map(fromHex);

/** Whether a check holds; what it throws is why it does not. */
function holds(check: () => boolean): boolean {
  try {
    return check();
  } catch (error) {
    assert.ok(error instanceof Error && !(error instanceof TypeError), String(error));
    return false;
  }
}

test("sets and headers", () => {
  file.validator_sets.forEach((vector: { hash: string; total_power: number }, index: number) => {
    assert.equal(toHex(verify.setHash(sets[index]!)), vector.hash);
    assert.equal(verify.totalPower(sets[index]!), BigInt(vector.total_power));
  });
  for (const { rlp, hash, fields } of file.headers) {
    const header = verify.decodeHeader(fromHex(rlp));
    assert.equal(toHex(header.hash), hash);
    assert.equal(toHex(header.parentHash), fields.parent_hash);
    assert.equal(toHex(header.stateRoot), fields.state_root);
    assert.equal(toHex(header.setHash), fields.extra_data);
    assert.equal(header.height, BigInt(fields.number));
    assert.equal(header.timestamp, BigInt(fields.timestamp));
  }
  assert.equal(toHex(verify.domainSeparator(network)), file.domain_separator);
});

for (const vector of file.commits) {
  test(`commit of ${vector.height}: ${vector.why ?? "right"}`, () => {
    const set = sets[vector.validator_set]!;
    const [commit, block] = [fromHex(vector.commit), fromHex(vector.block_hash)];
    const decided = holds(
      () => verify.signersOf(network, commit, BigInt(vector.height), block, set).length > 0,
    );
    assert.equal(decided, vector.valid);
    assert.equal(toHex(verify.commitDigest(network, verify.decodeCommit(commit))), vector.digest);
    assert.equal(toHex(keccak_256(commit)), vector.commit_hash);
  });
}

for (const vector of file.trust) {
  test(`trust: ${vector.why}`, () => {
    const [own, signers] = [sets[vector.own_set]!, bytesOf(vector.signers)];
    const decided = 3n * verify.powerOf(own, signers) > 2n * verify.totalPower(own);
    assert.equal(decided && verify.trusts(sets[vector.trusted_set]!, signers), vector.believed);
  });
}

for (const vector of file.state_proofs) {
  test(`state of ${vector.address}: ${vector.why ?? "right"}`, () => {
    const right = holds(() => {
      const nodes = bytesOf(vector.account_nodes);
      const account = verify.verifyAccount(fromHex(vector.state_root), fromHex(vector.address), nodes);
      if (!account || !vector.account) return !account && !vector.account;
      const { nonce, balance, storage_root, code_hash } = vector.account;
      return (
        account.nonce === BigInt(nonce) &&
        account.balance === BigInt(balance) &&
        toHex(account.storageRoot) === storage_root &&
        toHex(account.codeHash) === code_hash &&
        vector.slots.every(
          (slot: { slot: string; value: string; nodes: string[] }) =>
            verify.verifyWord(account.storageRoot, fromNumber(BigInt(slot.slot), 32), bytesOf(slot.nodes)) ===
            BigInt(slot.value),
        )
      );
    });
    assert.equal(right, vector.valid);
  });
}

for (const vector of file.receipt_proofs) {
  test(`receipt ${vector.index}: ${vector.why ?? "right"}`, () => {
    const proof = {
      index: vector.index,
      transaction: fromHex(vector.transaction),
      transactionNodes: bytesOf(vector.transaction_nodes),
      receipt: fromHex(vector.receipt),
      receiptNodes: bytesOf(vector.receipt_nodes),
    };
    const header = verify.decodeHeader(fromHex(vector.header));
    const right = holds(
      () => verify.verifyReceipt(header, fromHex(vector.transaction_hash), proof).succeeded === vector.succeeded,
    );
    assert.equal(right, vector.valid);
  });
}

/** Answers from the vectors: the blocks, their commits and their sets. */
function chain(asked: bigint[]): verify.Source {
  return async (height) => {
    asked.push(height);
    const commit = file.commits.find((one: { valid: boolean; height: number }) => one.valid && BigInt(one.height) === height);
    return {
      header: fromHex(file.headers[Number(height)].rlp),
      commit: commit ? fromHex(commit.commit) : new Uint8Array(),
      set: sets[commit?.validator_set ?? 0]!,
    };
  };
}

test("the light client goes over a block half way where the set has changed too much", async () => {
  const asked: bigint[] = [];
  let now = Number(BigInt(file.headers[4].fields.timestamp));
  const client = await verify.LightClient.begin(network, chain(asked), 3600, () => now);
  assert.equal(toHex((await client.advance(4n)).header.hash), file.headers[4].hash);
  assert.ok(asked.length > 3, String(asked));
  await assert.rejects(client.advance(3n), /below/);

  now += 3601;
  const late = await verify.LightClient.begin(network, chain([]), 3600, () => now);
  await assert.rejects(late.advance(4n), verify.TrustExpiredError);
  const elsewhere = { ...network, genesisHash: new Uint8Array(32) };
  await assert.rejects(verify.LightClient.begin(elsewhere, chain([])), /another network/);
});
