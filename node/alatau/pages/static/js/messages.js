// What the parties of a channel sign: EIP-712 typed data. The same as node/alatau/channels/messages.py, byte by byte
// (protos/vectors/wallet_pages.json). The page computes every digest itself, from what it shows.

import { keccak_256 } from "../vendor/@noble/hashes/sha3.js";
import { addressWord, concat, toWord, utf8 } from "./bytes.js";

export const LOCKS_MAX = 8;
export const AMOUNT_MAX = (1n << 112n) - 1n;
export const NONCE_MAX = (1n << 64n) - 1n;

export const keccak256 = (bytes) => keccak_256(bytes);

const typeHash = (text) => keccak256(utf8(text));
const DOMAIN = typeHash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
const VOUCHER = typeHash(
  "Voucher(bytes32 channelId,address payer,uint256 nonce,uint256 transferred,bytes32 locksHash)",
);
const RECEIPT = typeHash("Receipt(bytes32 channelId,bytes32 voucherHash)");
const WITHDRAW = typeHash("Withdraw(bytes32 channelId,address participant,uint256 total,uint256 deadline)");
const COOPERATIVE_CLOSE = typeHash(
  "CooperativeClose(bytes32 channelId,uint256 payoutA,uint256 payoutB,uint256 deadline)",
);
const DELEGATION = typeHash("Delegation(bytes32 channelId,address payer,address device,uint256 cap)");
const INVOICE = typeHash(
  "Invoice(address merchant,address hub,uint256 amount,bytes32 secretHash,uint256 issued,uint256 expires," +
    "bytes32 detailsHash)",
);
const ATTACH = typeHash("Attach(bytes32 channelId,bytes32 challenge)");
const STATEMENT = typeHash("Statement(bytes32 channelId,uint256 time)");
const RECEIVE = typeHash(
  "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore," +
    "bytes32 nonce)",
);

const struct = (...words) => keccak256(concat(...words));

// A contract on its chain: {chainId, contract, separator, rpIdHash}.
export function domainOf(name, chainId, contract, rpIdHash) {
  const separator = struct(DOMAIN, keccak256(utf8(name)), keccak256(utf8("1")), toWord(chainId), addressWord(contract));
  return { chainId, contract, separator, rpIdHash };
}

export const channelsDomain = (chainId, contract, rpIdHash) =>
  domainOf("Alatau CityChannels", chainId, contract, rpIdHash);

const typed = (domain, hash) => keccak256(concat(Uint8Array.of(0x19, 0x01), domain.separator, hash));

export function channelId(domain, { a, b, salt }) {
  return keccak256(
    concat(toWord(domain.chainId), addressWord(domain.contract), addressWord(a), addressWord(b), salt),
  );
}

export function locksHash(locks) {
  if (locks.length === 0) return new Uint8Array(32);
  const words = locks.flatMap((lock) => [lock.secretHash, toWord(lock.amount), toWord(lock.expiryBlock)]);
  return keccak256(concat(toWord(32), toWord(locks.length), ...words));
}

export const voucherHash = (voucher) =>
  struct(
    VOUCHER,
    voucher.channelId,
    addressWord(voucher.payer),
    toWord(voucher.nonce),
    toWord(voucher.transferred),
    locksHash(voucher.locks),
  );

export const voucherDigest = (domain, voucher) => typed(domain, voucherHash(voucher));

export const receiptDigest = (domain, voucher) =>
  typed(domain, struct(RECEIPT, voucher.channelId, voucherHash(voucher)));

export const withdrawDigest = (domain, { channelId: id, participant, total, deadline }) =>
  typed(domain, struct(WITHDRAW, id, addressWord(participant), toWord(total), toWord(deadline)));

export const closeDigest = (domain, { channelId: id, payoutA, payoutB, deadline }) =>
  typed(domain, struct(COOPERATIVE_CLOSE, id, toWord(payoutA), toWord(payoutB), toWord(deadline)));

export const delegationDigest = (domain, { channelId: id, payer, device, cap }) =>
  typed(domain, struct(DELEGATION, id, addressWord(payer), addressWord(device), toWord(cap)));

export const attachDigest = (domain, id, challenge) => typed(domain, struct(ATTACH, id, challenge));

export const statementDigest = (domain, id, time) => typed(domain, struct(STATEMENT, id, toWord(time)));

export const invoiceDigest = (domain, invoice) =>
  typed(
    domain,
    struct(
      INVOICE,
      addressWord(invoice.merchant),
      addressWord(invoice.hub),
      toWord(invoice.amount),
      invoice.secretHash,
      toWord(invoice.issued),
      toWord(invoice.expires),
      keccak256(invoice.details),
    ),
  );

// Money signed away to the channels contract; `token` is the domain of the settlement token.
export const moneyDigest = (token, { owner, receiver, amount, validAfter, validBefore, nonce }) =>
  typed(
    token,
    struct(
      RECEIVE,
      addressWord(owner),
      addressWord(receiver),
      toWord(amount),
      toWord(validAfter),
      toWord(validBefore),
      nonce,
    ),
  );

// The nonce of a deposit's authorization.
export const depositNonce = (id, salt) => keccak256(concat(id, salt));

// What a voucher pays in all if the secrets of all its locks become known.
export const voucherTotal = (voucher) =>
  voucher.locks.reduce((sum, lock) => sum + lock.amount, voucher.transferred);
