// The state of a channel and what may change it: the twin of node/alatau/channels/transition.py, rule by rule.
//
// A state is plain data that is never changed: {domain, parties, id, settleBlocks, phase, a, b, window, agreement}. A side
// is {deposited, withdrawn, latest, receipt, submittedNonce}, where `latest` is {voucher, signature} or null. Amounts and
// nonces are BigInt, blocks and seconds are numbers.

import { equal, toHex } from "./bytes.js";
import { AMOUNT_MAX, LOCKS_MAX, NONCE_MAX, channelId, closeDigest, receiptDigest } from "./messages.js";
import { signedBy, voucherSignedBy } from "./signatures.js";

const AGREEMENT_SECONDS_MAX = 86400;

export class ChannelError extends Error {}

export const NO_SIDE = Object.freeze({ deposited: 0n, withdrawn: 0n, latest: null, receipt: null, submittedNonce: 0n });

export function openedState(domain, parties, settleBlocks, deposited = 0n) {
  return {
    domain,
    parties,
    id: channelId(domain, parties),
    settleBlocks,
    phase: "open",
    a: { ...NO_SIDE, deposited },
    b: NO_SIDE,
    window: null,
    agreement: null,
  };
}

export const isA = (state, party) => equal(party, state.parties.a);
export const sideOf = (state, party) => (isA(state, party) ? state.a : state.b);
export const otherParty = (state, party) => (isA(state, party) ? state.parties.b : state.parties.a);
export const nonceOf = (side) => (side.latest === null ? 0n : side.latest.voucher.nonce);
export const transferredOf = (side) => (side.latest === null ? 0n : side.latest.voucher.transferred);
export const locksOf = (side) => (side.latest === null ? [] : side.latest.voucher.locks);
export const lockedOf = (side) => sum(locksOf(side));
export const totalOf = (state) => state.a.deposited + state.b.deposited - state.a.withdrawn - state.b.withdrawn;
export const sum = (locks) => locks.reduce((total, lock) => total + lock.amount, 0n);

export const sameLock = (one, other) =>
  equal(one.secretHash, other.secretHash) && one.amount === other.amount && one.expiryBlock === other.expiryBlock;
export const hasLock = (locks, wanted) => locks.some((lock) => sameLock(lock, wanted));

// What a party can still pay: its own money, plus received, less sent and promised.
export function available(state, party) {
  const mine = sideOf(state, party);
  const theirs = sideOf(state, otherParty(state, party));
  return mine.deposited - mine.withdrawn + transferredOf(theirs) - transferredOf(mine) - lockedOf(mine);
}

// What a and b get if the channel is divided by its newest vouchers.
export function payouts(state) {
  const entitled = state.a.deposited - state.a.withdrawn + transferredOf(state.b) - transferredOf(state.a);
  const total = totalOf(state);
  const payoutA = entitled < 0n ? 0n : entitled > total ? total : entitled;
  return [payoutA, total - payoutA];
}

// A newer voucher of either party. `revealed` maps secret hashes in hexadecimal to blocks, `released` is a set of such.
export function takeVoucher(state, signed, { block, time, revealed, released, checked = false }) {
  require(state.phase === "open", `the channel is ${state.phase}, not open`);
  if (state.agreement !== null && time <= state.agreement.message.deadline) {
    throw new ChannelError(`both may close as agreed until ${state.agreement.message.deadline}`);
  }
  const { voucher } = signed;
  checkNewer(state, voucher);
  const side = sideOf(state, voucher.payer);
  checkAmounts(voucher);
  for (const lock of voucher.locks) {
    if (!hasLock(locksOf(side), lock)) checkLife(lock, block, state.settleBlocks);
  }
  const isDue = (lock) => {
    const hash = toHex(lock.secretHash);
    if (released.has(hash)) return false;
    const revealedAt = revealed.get(hash);
    return lock.expiryBlock >= block || (revealedAt !== undefined && revealedAt <= lock.expiryBlock);
  };
  const dropped = locksOf(side).filter((lock) => !hasLock(voucher.locks, lock));
  const due = transferredOf(side) + sum(dropped.filter(isDue));
  require(voucher.transferred >= due, `${voucher.transferred} transferred, but ${due} was paid or is still due`);
  const after = withSide(state, voucher.payer, { ...side, latest: signed, receipt: null });
  checkCovered(after, voucher.payer);
  if (!checked) checkPayer(state, signed);
  return kept(state, after);
}

// Newer vouchers come back from the other side after this one lost its own: at most one a direction, taken together.
export function takeRestored(state, vouchers) {
  let after = state;
  for (const signed of vouchers) {
    const { voucher } = signed;
    checkNewer(after, voucher);
    const side = sideOf(after, voucher.payer);
    checkAmounts(voucher);
    require(voucher.transferred >= transferredOf(side), "less was transferred than was paid");
    checkPayer(state, signed);
    after = withSide(after, voucher.payer, { ...side, latest: signed, receipt: null });
  }
  checkCovered(after, state.parties.a);
  checkCovered(after, state.parties.b);
  return kept(state, after);
}

export function takeReceipt(state, payer, signature) {
  const side = sideOf(state, payer);
  require(side.latest !== null, "there is no voucher to give a receipt for");
  const digest = receiptDigest(state.domain, side.latest.voucher);
  require(
    signedBy(digest, signature, otherParty(state, payer), state.domain.rpIdHash),
    "the receipt is not signed by the payee, or for another voucher",
  );
  return kept(state, withSide(state, payer, { ...side, receipt: signature }));
}

export function takeDeposited(state, party, total) {
  checkTotal(total);
  return kept(state, withSide(state, party, { ...sideOf(state, party), deposited: total }));
}

export function takeWithdrawn(state, party, total) {
  checkTotal(total);
  const side = sideOf(state, party);
  require(total - side.withdrawn <= available(state, party), `cannot take out ${total}`);
  return kept(state, withSide(state, party, { ...side, withdrawn: total }));
}

export function takeClosing(state, window) {
  require(state.phase === "open", `the channel is ${state.phase}, not open`);
  return kept(state, { ...state, phase: "closing", window });
}

export const takeSettled = (state) => kept(state, { ...state, phase: "settled" });

// A party signed how to divide the channel: by the newest vouchers, with no lock pending.
export function takeAgreement(state, message, party, signature, time) {
  require(state.phase !== "settled", "the channel is settled");
  require(equal(message.channelId, state.id), "the agreement is about another channel");
  require(
    time <= message.deadline && message.deadline <= time + AGREEMENT_SECONDS_MAX,
    `an agreement is good for at most ${AGREEMENT_SECONDS_MAX} s`,
  );
  require(locksOf(state.a).length === 0 && locksOf(state.b).length === 0, "payments are pending");
  const [payoutA, payoutB] = payouts(state);
  require(message.payoutA === payoutA && message.payoutB === payoutB, "the newest vouchers divide otherwise");
  let { agreement } = state;
  if (agreement === null || agreement.message.deadline < time) {
    agreement = { message, signatureA: null, signatureB: null };
  }
  require(agreement.message.deadline === message.deadline, `another agreement is good until then`);
  const digest = closeDigest(state.domain, message);
  require(signedBy(digest, signature, party, state.domain.rpIdHash), "the agreement is not signed by its party");
  const signed = isA(state, party) ? { signatureA: signature } : { signatureB: signature };
  return kept(state, { ...state, agreement: { ...agreement, ...signed } });
}

function checkNewer(state, voucher) {
  const isParty = equal(voucher.payer, state.parties.a) || equal(voucher.payer, state.parties.b);
  require(equal(voucher.channelId, state.id) && isParty, "the voucher is of another channel");
  const before = nonceOf(sideOf(state, voucher.payer));
  require(before < voucher.nonce && voucher.nonce <= NONCE_MAX, `nonce ${voucher.nonce} is not above ${before}`);
}

function checkAmounts(voucher) {
  require(voucher.locks.length <= LOCKS_MAX, `${voucher.locks.length} locks, at most ${LOCKS_MAX}`);
  const hashes = new Set(voucher.locks.map((lock) => toHex(lock.secretHash)));
  require(hashes.size === voucher.locks.length, "two locks wait for one secret");
  for (const lock of voucher.locks) {
    require(lock.secretHash.length === 32, "a hash has 32 bytes");
    require(lock.amount > 0n && lock.amount <= AMOUNT_MAX, "a lock's amount is out of range");
  }
  checkTotal(voucher.transferred);
}

function checkTotal(total) {
  require(total >= 0n && total <= AMOUNT_MAX, "the amount is out of range");
}

function checkLife(lock, block, settleBlocks) {
  require(
    block < lock.expiryBlock && lock.expiryBlock < block + settleBlocks,
    `a lock expires at block ${lock.expiryBlock}, now is ${block}: out of the contract's window`,
  );
}

function checkCovered(state, party) {
  const left = available(state, party);
  require(left >= 0n, `the payer has ${-left} too little`);
}

function checkPayer(state, { voucher, signature }) {
  require(voucherSignedBy(state.domain, voucher, signature), "the voucher is not signed by its payer");
}

function withSide(state, party, side) {
  if (equal(party, state.parties.a)) return { ...state, a: side };
  if (equal(party, state.parties.b)) return { ...state, b: side };
  throw new ChannelError("not a party of this channel");
}

// What no change may break; a failure is a defect of this file.
function kept(before, after) {
  const grows = (read) => read(after.a) >= read(before.a) && read(after.b) >= read(before.b);
  const holds =
    equal(after.id, before.id) &&
    totalOf(after) >= 0n &&
    grows((side) => side.deposited) &&
    grows((side) => side.withdrawn) &&
    grows(nonceOf) &&
    grows(transferredOf) &&
    [after.a, after.b].every((side) => locksOf(side).length <= LOCKS_MAX) &&
    available(after, after.parties.a) >= 0n &&
    available(after, after.parties.b) >= 0n;
  if (!holds) throw new Error("an invariant of the channel does not hold");
  return after;
}

function require(condition, message) {
  if (!condition) throw new ChannelError(message);
}
