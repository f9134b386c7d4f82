// A wallet's or a till's rules: what it signs, what it believes, when it gives a secret away. The twin of
// node/alatau/channels/party/core.py; that file's docstring has the rules, and the tests replay one against the other.
//
// Every method is a step: it gives effects, which the host does in order, after all `put` are on the disk. A step that
// fails, because a signature was refused for instance, leaves everything as it was. One step at a time.

import { equal, toHex } from "./bytes.js";
import {
  ChannelError,
  available,
  hasLock,
  locksOf,
  nonceOf,
  otherParty,
  payouts,
  sameLock,
  sideOf,
  takeAgreement,
  takeClosing,
  takeDeposited,
  takeReceipt,
  takeRestored,
  takeSettled,
  takeVoucher,
  takeWithdrawn,
  transferredOf,
} from "./channel.js";
import { InvoiceError, checkInvoice } from "./invoice.js";
import { closeDigest, invoiceDigest, keccak256, receiptDigest } from "./messages.js";

// A secret that is given away later than so many blocks before its lock expires might not reach the chain in time.
const SECRET_BLOCKS_MIN = 3;
// After so many blocks a voucher that is still not good is a dispute.
const DOUBT_BLOCKS = 3;
// Note of a payment that was signed and did not reach the hub: it may be begun again at once.
export const NEVER_TAKEN = "the hub never took it";

// Phases of a payment of one's own whose outcome is not known.
const OPEN_PHASES = ["offered", "taken"];
export const isUnderWay = (outgoing) => OPEN_PHASES.includes(outgoing.phase);

export class Party {
  // `signer` has `voucher(voucher)` and `account(digest, purpose)`, both of which give a promise of bytes.
  constructor(state, me, signer, { stale = false, outgoing = [], incoming = [], refunding = null } = {}) {
    this.state = state;
    this.me = me;
    this.signer = signer;
    this.stale = stale;
    this.agreed = false;
    this.outgoing = new Map(outgoing.map((one) => [toHex(one.invoiceHash), one]));
    this.incoming = new Map(incoming.map((one) => [toHex(one.invoice.secretHash), one]));
    this.refunding = refunding;
    this.revealed = new Map();
    this.failedLocks = new Set();
    this.released = new Set();
    this.proven = new Set();
    this.doubtful = null;
  }

  get hub() {
    return otherParty(this.state, this.me);
  }

  get mine() {
    return sideOf(this.state, this.me);
  }

  get hubs() {
    return sideOf(this.state, this.hub);
  }

  get spendable() {
    return available(this.state, this.me);
  }

  // The first thing to say on a connection.
  hello() {
    return this.#step((out) => {
      this.agreed = false;
      const invoices = [];
      for (const lock of locksOf(this.mine)) {
        const outgoing = [...this.outgoing.values()].find((one) => sameLock(one.lock, lock));
        if (outgoing) invoices.push(outgoing.invoice);
      }
      out.push({ send: { kind: "attach", own: this.mine.latest, hubs: this.hubs.latest, invoices } });
    });
  }

  // Ask to be paid; `secret` is 32 random bytes that were never used.
  invoice(amount, secret, now, { seconds, details = new Uint8Array(0) }) {
    return this.#step(async (out) => {
      const secretHash = keccak256(secret);
      if (this.incoming.has(toHex(secretHash))) throw new InvoiceError("range", "this secret was used before");
      const unsigned = {
        merchant: this.me,
        hub: this.hub,
        amount,
        secretHash,
        issued: now.time,
        expires: now.time + seconds,
        details,
      };
      const invoiceHash = invoiceDigest(this.state.domain, unsigned);
      const invoice = { ...unsigned, signature: await this.signer.account(invoiceHash, "invoice") };
      checkInvoice(this.state.domain, invoice, now.time);
      this.#putIncoming(out, {
        invoice,
        invoiceHash,
        secret,
        phase: "issued",
        paidTime: 0,
        refunded: 0n,
        refunds: [],
      });
    });
  }

  // Pay an invoice, or ask again what became of it. `life` is in blocks.
  pay(invoice, fee, life, now) {
    return this.#step(async (out) => {
      const invoiceHash = invoiceDigest(this.state.domain, invoice);
      const known = this.outgoing.get(toHex(invoiceHash));
      if (known?.phase === "paid") {
        out.push({ tell: "paid", outgoing: known });
        return;
      }
      if (known && isUnderWay(known)) return;
      this.#requireAgreed();
      if ([...this.outgoing.values()].some((one) => one.phase === "offered")) {
        throw new ChannelError("the hub has not answered for the payment before this one");
      }
      checkInvoice(this.state.domain, invoice, now.time);
      if (!equal(invoice.hub, this.hub)) throw new InvoiceError("hub", "the merchant is paid at another hub");
      if (fee < 0n || fee > invoice.amount) throw new InvoiceError("range", `a fee of ${fee} is none`);
      const lock = { secretHash: invoice.secretHash, amount: invoice.amount + fee, expiryBlock: now.block + life };
      if (lock.amount > this.spendable) {
        throw new ChannelError(`cannot pay ${lock.amount}: ${this.spendable} is available`);
      }
      this.released.delete(toHex(lock.secretHash));
      await this.#sign(transferredOf(this.mine), [...locksOf(this.mine), lock], now);
      const made = {
        invoice,
        invoiceHash,
        lock,
        time: now.time,
        phase: "offered",
        secret: null,
        refunded: 0n,
        note: "",
      };
      this.#putOutgoing(out, made);
      out.push({ put: "channel" });
      out.push({ send: { kind: "pay", invoice, voucher: this.mine.latest } });
    });
  }

  // Pay a part of an invoice of one's own back to whoever paid it.
  refund(secretHash, amount, now) {
    return this.#step(async (out) => {
      this.#requireAgreed();
      const paid = this.incoming.get(toHex(secretHash));
      if (paid?.phase !== "paid" || amount <= 0n || amount > paid.invoice.amount - paid.refunded) {
        throw new ChannelError(`cannot refund ${amount} of this invoice`);
      }
      if (amount > this.spendable) throw new ChannelError(`cannot refund ${amount}: ${this.spendable} is available`);
      await this.#sign(transferredOf(this.mine) + amount, locksOf(this.mine), now);
      const refunds = [...paid.refunds, [now.time, amount]];
      this.#putIncoming(out, { ...paid, refunded: paid.refunded + amount, refunds });
      this.refunding = { kind: "refund", invoiceHash: paid.invoiceHash, voucher: this.mine.latest };
      out.push({ put: "channel" }, { put: "refunding" }, { send: this.refunding });
    });
  }

  // Propose to divide the channel by the newest vouchers.
  close(deadline, now) {
    return this.#step(async (out) => {
      this.#requireAgreed();
      const [payoutA, payoutB] = payouts(this.state);
      const message = { channelId: this.state.id, payoutA, payoutB, deadline };
      const signature = await this.signer.account(closeDigest(this.state.domain, message), "close");
      this.state = takeAgreement(this.state, message, this.me, signature, now.time);
      out.push({ put: "channel" }, { send: { kind: "agree", message, signature } });
    });
  }

  // What the chain says of the channel, as it is told here: {deposited, hubDeposited, withdrawn, hubWithdrawn, phase,
  // window}. Numbers that went down are old news.
  news(standing, now) {
    return this.#step(async (out) => {
      const before = this.state;
      const grow = (party, total, read, take) => {
        if (total > read(sideOf(this.state, party))) this.state = take(this.state, party, total);
      };
      grow(this.me, standing.deposited, (side) => side.deposited, takeDeposited);
      grow(this.hub, standing.hubDeposited, (side) => side.deposited, takeDeposited);
      grow(this.me, standing.withdrawn, (side) => side.withdrawn, takeWithdrawn);
      grow(this.hub, standing.hubWithdrawn, (side) => side.withdrawn, takeWithdrawn);
      if (standing.phase === "closing" && this.state.phase === "open") {
        this.state = takeClosing(this.state, standing.window);
      }
      if (standing.phase === "settled" && this.state.phase !== "settled") this.state = takeSettled(this.state);
      if (this.state !== before) out.push({ put: "channel" });
      await this.#judgeAgain(out, now);
    });
  }

  // What the hub says; `message` is as session.js reads it.
  hear(message, now) {
    return this.#step((out) => this.#heard(out, message, now));
  }

  // A new block: drop own locks that have run out. Called whether or not the hub is there.
  expire(now) {
    return this.#step(async (out) => {
      for (const lock of locksOf(this.hubs)) {
        const mine = this.incoming.get(toHex(lock.secretHash));
        const near = now.block <= lock.expiryBlock && lock.expiryBlock <= now.block + SECRET_BLOCKS_MIN;
        if (mine?.phase === "locked" && near) {
          out.push({ tell: "reveal", secret: mine.secret, byBlock: lock.expiryBlock });
        }
      }
      if (this.doubtful !== null && this.doubtful.block + DOUBT_BLOCKS <= now.block) {
        out.push({ tell: "dispute", text: this.doubtful.text });
        this.doubtful = null;
      }
      if (!this.agreed) return;
      if (this.refunding !== null) {
        out.push({ send: this.refunding });
        return;
      }
      for (const outgoing of [...this.outgoing.values()]) {
        const revealedAt = this.revealed.get(toHex(outgoing.lock.secretHash));
        const due = revealedAt !== undefined && revealedAt <= outgoing.lock.expiryBlock;
        if (isUnderWay(outgoing) && outgoing.lock.expiryBlock < now.block && !due) {
          this.#failed(out, outgoing, "expired");
        }
      }
      await this.#fold(out, now);
    });
  }

  async #heard(out, message, now) {
    switch (message.kind) {
      case "attached":
        await this.#attached(out, message, now);
        break;
      case "voucher":
        await this.#paidToMe(out, message, now);
        break;
      case "secret":
        await this.#paidByMe(out, message, now);
        break;
      case "cancelled": {
        this.released.add(toHex(message.secretHash));
        const outgoing = this.outgoing.get(toHex(message.invoiceHash));
        if (outgoing && isUnderWay(outgoing)) this.#failed(out, outgoing, "the merchant did not take it");
        await this.#fold(out, now);
        break;
      }
      case "refused":
        await this.#refused(out, message, now);
        break;
      case "accepted":
        if (message.nonce === nonceOf(this.mine)) {
          this.state = takeReceipt(this.state, this.me, message.signature);
          out.push({ put: "channel" });
        }
        break;
      case "refunded": {
        const { refund, proof } = message;
        if (this.refunding !== null && this.refunding.voucher.voucher.nonce === refund.nonce) {
          await this.#refundDone(out, now);
        }
        out.push({ tell: "refunded", amount: refund.amount, invoiceHash: refund.invoiceHash, proof });
        break;
      }
      case "agreed":
        this.state = takeAgreement(this.state, { ...message.message, channelId: this.state.id }, this.hub, message.signature, now.time);
        out.push({ tell: "agreed" }, { put: "channel" });
        break;
      case "wanted":
        for (const secretHash of message.secretHashes) {
          const wanted = this.incoming.get(toHex(secretHash));
          if (wanted && wanted.phase !== "issued") out.push({ send: { kind: "secret", secret: wanted.secret } });
        }
        break;
      case "pending": {
        const taken = this.outgoing.get(toHex(message.invoiceHash));
        if (taken?.phase === "offered") this.#putOutgoing(out, { ...taken, phase: "taken" });
        break;
      }
      default:
        break;
    }
  }

  async #attached(out, said, now) {
    const lost = said.own !== null && said.own.voucher.nonce > nonceOf(this.mine);
    const newer = said.hubs !== null && said.hubs.voucher.nonce > nonceOf(this.hubs);
    if (lost || this.stale) {
      const before = this.hubs;
      const back = [lost ? said.own : null, newer ? said.hubs : null].filter((signed) => signed !== null);
      this.state = takeRestored(this.state, back);
      out.push({ put: "channel" });
      this.#folded(out, before, now);
    } else if (newer) {
      this.#adopt(out, { signed: said.hubs, invoices: [], refunds: [] }, now);
    }
    this.agreed = true;
    this.stale = false;
    const theirs = said.own === null ? null : said.own.voucher;
    const known = theirs === null ? [] : theirs.locks;
    for (const secretHash of said.released) this.released.add(toHex(secretHash));
    for (const lock of locksOf(this.mine)) {
      if (!hasLock(known, lock)) this.released.add(toHex(lock.secretHash));
    }
    for (const outgoing of [...this.outgoing.values()]) {
      if (isUnderWay(outgoing) && this.released.has(toHex(outgoing.lock.secretHash))) {
        this.#failed(out, outgoing, NEVER_TAKEN);
      } else if (outgoing.phase === "offered") {
        this.#putOutgoing(out, { ...outgoing, phase: "taken" });
      }
    }
    for (const lock of locksOf(this.hubs)) {
      const mine = this.incoming.get(toHex(lock.secretHash));
      if (mine?.phase === "locked") out.push({ send: { kind: "secret", secret: mine.secret } });
    }
    const behind = (theirs === null ? 0n : theirs.nonce) < nonceOf(this.mine);
    if (this.refunding !== null && behind) {
      out.push({ send: this.refunding });
      return;
    }
    if (this.refunding !== null) await this.#refundDone(out, now);
    const folded = await this.#fold(out, now);
    if (behind && !folded && this.mine.latest !== null) {
      out.push({ send: { kind: "fold", voucher: this.mine.latest } });
    }
  }

  async #refundDone(out, now) {
    this.refunding = null;
    out.push({ put: "refunding" });
    await this.#fold(out, now);
  }

  async #judgeAgain(out, now) {
    if (this.doubtful !== null) {
      const { said } = this.doubtful;
      this.doubtful = null;
      await this.#paidToMe(out, said, now);
    }
  }

  async #paidToMe(out, said, now) {
    const before = this.hubs;
    if (said.signed.voucher.nonce > nonceOf(before)) this.#adopt(out, said, now);
    const { latest } = this.hubs;
    if (latest === null || !sameVoucher(latest, said.signed)) return;
    for (const lock of latest.voucher.locks) this.#takeLock(out, lock, now);
    const gone = locksOf(before).filter((lock) => !hasLock(latest.voucher.locks, lock));
    if (gone.some((lock) => this.failedLocks.has(toHex(lock.secretHash)))) {
      const signature = await this.signer.account(receiptDigest(this.state.domain, latest.voucher), "receipt");
      out.push({ send: { kind: "receipt", nonce: latest.voucher.nonce, signature } });
    }
    for (const refund of said.refunds) {
      const paid = this.outgoing.get(toHex(refund.invoiceHash));
      if (paid) this.#putOutgoing(out, { ...paid, refunded: paid.refunded + refund.amount });
      out.push({ tell: "refunded", amount: refund.amount, invoiceHash: refund.invoiceHash, proof: latest });
    }
  }

  // A newer voucher of the hub's, if it takes nothing away.
  #adopt(out, said, now) {
    const before = this.hubs;
    const late = (lock) => !hasLock(locksOf(before), lock) && lock.expiryBlock <= now.block;
    if (said.signed.voucher.locks.some(late)) return; // it came too late to be of use
    try {
      const { revealed, failedLocks } = this;
      this.state = takeVoucher(this.state, said.signed, {
        block: now.block,
        time: now.time,
        revealed,
        released: failedLocks,
      });
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error;
      this.doubtful = { said, block: now.block, text: error.message };
      return;
    }
    this.doubtful = null;
    out.push({ put: "channel" });
    this.#folded(out, before, now);
  }

  #takeLock(out, lock, now) {
    const hash = toHex(lock.secretHash);
    const mine = this.incoming.get(hash);
    const inTime = lock.expiryBlock >= now.block + SECRET_BLOCKS_MIN;
    const unpaid = mine !== undefined && (mine.phase === "issued" || mine.phase === "expired");
    if (mine?.phase === "locked") {
      out.push({ send: { kind: "secret", secret: mine.secret } });
    } else if (unpaid && lock.amount === mine.invoice.amount && inTime) {
      this.failedLocks.delete(hash);
      this.#putIncoming(out, { ...mine, phase: "locked" });
      out.push({ send: { kind: "secret", secret: mine.secret } });
    } else if (lock.expiryBlock >= now.block) {
      this.failedLocks.add(hash);
      out.push({ send: { kind: "fail", secretHash: lock.secretHash, expiryBlock: lock.expiryBlock } });
    }
  }

  // Of locks that left the hub's list after their secret was given away, those are paid that the amount covers.
  #folded(out, before, now) {
    const kept = new Set(locksOf(this.hubs).map((lock) => toHex(lock.secretHash)));
    let left = transferredOf(this.hubs) - transferredOf(before);
    const latestFirst = [...locksOf(before)].sort((one, other) => other.expiryBlock - one.expiryBlock);
    for (const lock of latestFirst) {
      const mine = this.incoming.get(toHex(lock.secretHash));
      if (kept.has(toHex(lock.secretHash)) || mine?.phase !== "locked") continue;
      if (lock.amount <= left) {
        left -= lock.amount;
        const paid = { ...mine, phase: "paid", paidTime: now.time };
        out.push({ tell: "received", incoming: paid });
        this.#putIncoming(out, paid);
      } else {
        this.#putIncoming(out, { ...mine, phase: "expired" });
      }
    }
  }

  async #paidByMe(out, { invoiceHash, secret }, now) {
    const outgoing = this.outgoing.get(toHex(invoiceHash));
    const secretHash = keccak256(secret);
    if (!outgoing && locksOf(this.mine).some((lock) => equal(lock.secretHash, secretHash))) {
      this.proven.add(toHex(secretHash));
      await this.#fold(out, now);
      return;
    }
    if (!outgoing || !equal(secretHash, outgoing.invoice.secretHash)) {
      out.push({ tell: "dispute", text: "the hub sent a secret that pays nothing" });
      return;
    }
    if (outgoing.phase !== "paid") this.#putOutgoing(out, { ...outgoing, phase: "paid", secret });
    await this.#fold(out, now);
    out.push({ tell: "paid", outgoing: this.outgoing.get(toHex(invoiceHash)) });
  }

  async #refused(out, said, now) {
    const { reason, subject } = said;
    if (this.refunding !== null && equal(subject, this.refunding.invoiceHash)) {
      if (reason === "PAYMENT_UNKNOWN" || reason === "REFUND_TOO_LARGE") await this.#refundBounced(out, now);
      return; // else it is said again with the next block
    }
    const outgoing = this.outgoing.get(toHex(subject));
    if (!outgoing && subject.length === 0) out.push({ tell: "refusal", reason, text: said.text });
    if (outgoing?.phase !== "offered" || reason === "NOT_AGREED") return;
    this.released.add(toHex(outgoing.lock.secretHash));
    const after = { ...outgoing, phase: "refused", note: said.text };
    this.#putOutgoing(out, after);
    out.push({ tell: "failed", outgoing: after, reason, details: said.details });
    await this.#fold(out, now);
  }

  async #refundBounced(out, now) {
    for (const paid of this.incoming.values()) {
      if (equal(paid.invoiceHash, this.refunding.invoiceHash)) {
        this.#putIncoming(out, { ...paid, refunded: paid.invoice.amount, refunds: paid.refunds.slice(0, -1) });
        break;
      }
    }
    await this.#refundDone(out, now);
  }

  #failed(out, outgoing, note) {
    const after = { ...outgoing, phase: "cancelled", note };
    this.#putOutgoing(out, after);
    out.push({ tell: "failed", outgoing: after, reason: "", details: {} });
  }

  // Sign a voucher without the locks that are paid, let go or run out; gives whether there were any.
  async #fold(out, now) {
    const locks = locksOf(this.mine);
    if (!this.agreed || this.refunding !== null || locks.length === 0 || this.state.phase !== "open") return false;
    const byHash = new Map([...this.outgoing.values()].map((one) => [toHex(one.lock.secretHash), one]));
    let paid = 0n;
    const kept = [];
    for (const lock of locks) {
      const hash = toHex(lock.secretHash);
      const outgoing = byHash.get(hash);
      if (outgoing?.phase === "paid" || this.proven.has(hash)) paid += lock.amount;
      else if (outgoing === undefined ? !this.#isOver(lock, now) : isUnderWay(outgoing)) kept.push(lock);
    }
    if (kept.length === locks.length) return false;
    await this.#sign(transferredOf(this.mine) + paid, kept, now);
    out.push({ put: "channel" }, { send: { kind: "fold", voucher: this.mine.latest } });
    return true;
  }

  // Whether a lock of a payment that was forgotten may be dropped.
  #isOver(lock, now) {
    const hash = toHex(lock.secretHash);
    if (this.released.has(hash)) return true;
    const revealedAt = this.revealed.get(hash);
    return lock.expiryBlock < now.block && (revealedAt === undefined || revealedAt > lock.expiryBlock);
  }

  async #sign(transferred, locks, now) {
    const voucher = { channelId: this.state.id, payer: this.me, nonce: nonceOf(this.mine) + 1n, transferred, locks };
    const { revealed, released } = this;
    const rules = { block: now.block, time: now.time, revealed, released, checked: true };
    takeVoucher(this.state, { voucher, signature: new Uint8Array(0) }, rules); // refused before anybody is asked to sign
    const signature = await this.signer.voucher(voucher);
    this.state = takeVoucher(this.state, { voucher, signature }, rules);
  }

  #putOutgoing(out, outgoing) {
    this.outgoing.set(toHex(outgoing.invoiceHash), outgoing);
    out.push({ put: "outgoing", outgoing });
  }

  #putIncoming(out, incoming) {
    this.incoming.set(toHex(incoming.invoice.secretHash), incoming);
    out.push({ put: "incoming", incoming });
  }

  #requireAgreed() {
    if (!this.agreed) throw new ChannelError("nothing is signed before the hub has been asked what it knows");
    if (this.refunding !== null) throw new ChannelError("a refund waits for the hub's answer");
  }

  async #step(work) {
    const before = {
      state: this.state,
      agreed: this.agreed,
      stale: this.stale,
      refunding: this.refunding,
      doubtful: this.doubtful,
      outgoing: new Map(this.outgoing),
      incoming: new Map(this.incoming),
      failedLocks: new Set(this.failedLocks),
      released: new Set(this.released),
      proven: new Set(this.proven),
    };
    const out = [];
    try {
      await work(out);
    } catch (error) {
      Object.assign(this, before);
      throw error;
    }
    return out;
  }
}

const sameVoucher = (one, other) =>
  one.voucher.nonce === other.voucher.nonce &&
  equal(one.signature, other.signature) &&
  one.voucher.transferred === other.voucher.transferred &&
  one.voucher.locks.length === other.voucher.locks.length &&
  one.voucher.locks.every((lock, at) => sameLock(lock, other.voucher.locks[at]));
