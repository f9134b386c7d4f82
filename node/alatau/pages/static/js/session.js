// What a party and a hub say to each other, as Connect's JSON (bytes in hexadecimal) and back.

import { fromHex, toHex } from "./bytes.js";
import { amountBytes, readAmount } from "./invoice.js";

const hex = (bytes) => toHex(bytes);
const bytes = (text) => (text === undefined ? new Uint8Array(0) : fromHex(text));
const amount = (value) => toHex(amountBytes(value));
export const readUnits = (text) => readAmount(bytes(text));

export function sized(text, size, what) {
  const value = bytes(text);
  if (value.length !== size) throw new RangeError(`${what} has ${value.length} bytes, expected ${size}`);
  return value;
}

// Numbers of 64 bits come as text; blocks and seconds are numbers here.
export function readNumber(text) {
  const value = Number(text ?? 0);
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${text} is no number of blocks or seconds`);
  return value;
}

export function writeVoucher({ voucher, signature }) {
  return {
    channelId: hex(voucher.channelId),
    payer: hex(voucher.payer),
    nonce: String(voucher.nonce),
    transferred: amount(voucher.transferred),
    locks: voucher.locks.map((lock) => ({
      secretHash: hex(lock.secretHash),
      amount: amount(lock.amount),
      expiryBlock: String(lock.expiryBlock),
    })),
    signature: hex(signature),
  };
}

export function readVoucher(json) {
  return {
    voucher: {
      channelId: sized(json.channelId, 32, "channelId"),
      payer: sized(json.payer, 20, "payer"),
      nonce: BigInt(json.nonce ?? 0),
      transferred: readUnits(json.transferred),
      locks: (json.locks ?? []).map((lock) => ({
        secretHash: sized(lock.secretHash, 32, "secretHash"),
        amount: readUnits(lock.amount),
        expiryBlock: readNumber(lock.expiryBlock),
      })),
    },
    signature: bytes(json.signature),
  };
}

export function writeInvoice(invoice) {
  return {
    merchant: hex(invoice.merchant),
    hub: hex(invoice.hub),
    amount: amount(invoice.amount),
    secretHash: hex(invoice.secretHash),
    issued: String(invoice.issued),
    expires: String(invoice.expires),
    details: hex(invoice.details),
    signature: hex(invoice.signature),
  };
}

export function readInvoice(json) {
  return {
    merchant: sized(json.merchant, 20, "merchant"),
    hub: sized(json.hub, 20, "hub"),
    amount: readUnits(json.amount),
    secretHash: sized(json.secretHash, 32, "secretHash"),
    issued: readNumber(json.issued),
    expires: readNumber(json.expires),
    details: bytes(json.details),
    signature: bytes(json.signature),
  };
}

// A PartyMessage. `attachSignature` is over the session's challenge, for Attach only.
export function writeRequest(channelId, request, attachSignature = new Uint8Array(0)) {
  return { channelId: hex(channelId), ...writeSaid(request, attachSignature) };
}

function writeSaid(request, attachSignature) {
  switch (request.kind) {
    case "attach":
      return {
        attach: {
          ...(request.own ? { own: writeVoucher(request.own) } : {}),
          ...(request.hubs ? { hubs: writeVoucher(request.hubs) } : {}),
          invoices: request.invoices.map(writeInvoice),
          signature: hex(attachSignature),
        },
      };
    case "pay":
      return { pay: { invoice: writeInvoice(request.invoice), voucher: writeVoucher(request.voucher) } };
    case "secret":
      return { secret: { secret: hex(request.secret) } };
    case "fail":
      return { fail: { secretHash: hex(request.secretHash), expiryBlock: String(request.expiryBlock) } };
    case "receipt":
      return { receipt: { nonce: String(request.nonce), signature: hex(request.signature) } };
    case "fold":
      return { fold: writeVoucher(request.voucher) };
    case "refund":
      return { refund: { invoiceHash: hex(request.invoiceHash), voucher: writeVoucher(request.voucher) } };
    case "agree":
      return {
        agree: {
          payoutA: amount(request.message.payoutA),
          payoutB: amount(request.message.payoutB),
          deadline: String(request.message.deadline),
          signature: hex(request.signature),
        },
      };
    default:
      throw new TypeError(`nobody says ${request.kind}`);
  }
}

// A HubMessage: {channelId, message}.
export function readHubMessage(json) {
  return { channelId: sized(json.channelId, 32, "channelId"), message: readSaid(json) };
}

function readSaid(json) {
  const signedOrNull = (one) => (one === undefined ? null : readVoucher(one));
  if (json.attached) {
    return {
      kind: "attached",
      own: signedOrNull(json.attached.own),
      hubs: signedOrNull(json.attached.hubs),
      released: (json.attached.released ?? []).map((hash) => sized(hash, 32, "released")),
    };
  }
  if (json.voucher) {
    return {
      kind: "voucher",
      signed: readVoucher(json.voucher.voucher),
      invoices: (json.voucher.invoices ?? []).map(readInvoice),
      refunds: (json.voucher.refunds ?? []).map(readRefund),
    };
  }
  if (json.secret) {
    return {
      kind: "secret",
      invoiceHash: sized(json.secret.invoiceHash, 32, "invoiceHash"),
      secret: sized(json.secret.secret, 32, "secret"),
    };
  }
  if (json.pending !== undefined) return { kind: "pending", invoiceHash: sized(json.pending, 32, "pending") };
  if (json.cancelled) {
    return {
      kind: "cancelled",
      invoiceHash: sized(json.cancelled.invoiceHash, 32, "invoiceHash"),
      secretHash: sized(json.cancelled.secretHash, 32, "secretHash"),
    };
  }
  if (json.accepted) {
    return { kind: "accepted", nonce: BigInt(json.accepted.nonce ?? 0), signature: bytes(json.accepted.signature) };
  }
  if (json.refunded) {
    return { kind: "refunded", refund: readRefund(json.refunded.refund), proof: readVoucher(json.refunded.proof) };
  }
  if (json.agreed) {
    const { payoutA, payoutB, deadline, signature } = json.agreed;
    const message = { payoutA: readUnits(payoutA), payoutB: readUnits(payoutB), deadline: readNumber(deadline) };
    return { kind: "agreed", message, signature: bytes(signature) };
  }
  if (json.wanted) {
    return { kind: "wanted", secretHashes: (json.wanted.secretHashes ?? []).map((hash) => sized(hash, 32, "wanted")) };
  }
  if (json.refused) {
    const reason = (json.refused.reason ?? "").replace("REFUSAL_REASON_", "");
    const { text = "", details = {} } = json.refused;
    return { kind: "refused", reason, text, subject: bytes(json.refused.subject), details };
  }
  return { kind: "unknown" };
}

function readRefund(json) {
  return {
    invoiceHash: sized(json.invoiceHash, 32, "invoiceHash"),
    nonce: BigInt(json.nonce ?? 0),
    amount: readUnits(json.amount),
    time: readNumber(json.time),
  };
}

// ChannelStanding of WalletService.
export function readStanding(json) {
  const phase = { CHANNEL_PHASE_OPEN: "open", CHANNEL_PHASE_CLOSING: "closing", CHANNEL_PHASE_SETTLED: "settled" };
  return {
    channelId: sized(json.channelId, 32, "channelId"),
    parties: {
      a: sized(json.parties.a, 20, "a"),
      b: sized(json.parties.b, 20, "b"),
      salt: sized(json.parties.salt, 32, "salt"),
    },
    phase: phase[json.phase] ?? "open",
    deposited: readUnits(json.deposited),
    hubDeposited: readUnits(json.hubDeposited),
    withdrawn: readUnits(json.withdrawn),
    hubWithdrawn: readUnits(json.hubWithdrawn),
    window: json.settleBlock ? { block: readNumber(json.settleBlock), time: readNumber(json.settleTime) } : null,
  };
}
