// An invoice: what a merchant asks to be paid. As text `alatau:` and base64url of its protobuf
// (alatau.channel.v1.Invoice), in a QR code or behind # in a link.

import { concat, equal, fromBase64Url, fromWord, toBase64Url, toHex, toWord, utf8 } from "./bytes.js";
import { AMOUNT_MAX, invoiceDigest, keccak256 } from "./messages.js";
import { signedBy } from "./signatures.js";

export const INVOICE_SCHEME = "alatau:";
export const RECEIPT_SCHEME = "alatau-paid:";
const TEXT_MAX = 4096;
const DETAILS_BYTES_MAX = 1024;
const LIFE_SECONDS_MAX = 7 * 86400;

// What a page shows of the details; everything else that stands in them is ignored.
export const DETAIL_NAMES = ["name", "register_number", "receipt_number", "fiscal_sign", "operator", "reference"];

export class InvoiceError extends Error {
  // `code` names what is wrong, for the page's words: damaged, expired, forged, range, hub.
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export function invoiceText(invoice) {
  return INVOICE_SCHEME + toBase64Url(encode(invoice));
}

// The invoice in a scanned text or a link. Nothing is checked yet.
export function readInvoiceText(text) {
  const at = text.lastIndexOf(INVOICE_SCHEME);
  if (at < 0 || text.length > TEXT_MAX) throw new InvoiceError("damaged", "this is no invoice");
  return damagedUnless(() => decode(fromBase64Url(text.slice(at + INVOICE_SCHEME.length).trim())));
}

export function receiptText(invoice, secret) {
  return RECEIPT_SCHEME + toBase64Url(concat(secret, encode(invoice)));
}

export function readReceiptText(text) {
  if (!text.trim().startsWith(RECEIPT_SCHEME) || text.length > TEXT_MAX) {
    throw new InvoiceError("damaged", "this is no receipt");
  }
  const data = damagedUnless(() => fromBase64Url(text.trim().slice(RECEIPT_SCHEME.length)));
  return { secret: data.slice(0, 32), invoice: damagedUnless(() => decode(data.slice(32))) };
}

// What a payer checks before money moves; `now` in seconds since 1970.
export function checkInvoice(domain, invoice, now) {
  if (!(invoice.amount > 0n && invoice.amount <= AMOUNT_MAX)) throw new InvoiceError("range", "the amount is out of range");
  if (invoice.details.length > DETAILS_BYTES_MAX) throw new InvoiceError("range", "the details are too long");
  if (!(invoice.issued < invoice.expires && invoice.expires <= invoice.issued + LIFE_SECONDS_MAX)) {
    throw new InvoiceError("range", "an invoice lives at most a week");
  }
  if (invoice.expires < now) throw new InvoiceError("expired", "the invoice has expired");
  checkSignature(domain, invoice);
}

// That a merchant asked for the invoice and gave its secret away, as it does for the money only.
export function checkReceipt(domain, { invoice, secret }) {
  checkSignature(domain, invoice);
  if (!equal(keccak256(secret), invoice.secretHash)) {
    throw new InvoiceError("forged", "the secret is not the one that the invoice names");
  }
}

export function writeDetails(fields) {
  const kept = Object.fromEntries(DETAIL_NAMES.filter((name) => fields[name]).map((name) => [name, fields[name]]));
  const data = Object.keys(kept).length > 0 ? utf8(JSON.stringify(kept)) : new Uint8Array(0);
  if (data.length > DETAILS_BYTES_MAX) throw new InvoiceError("range", "the details are too long");
  return data;
}

// Texts by name; of a merchant's making, to be shown as text and nothing else.
export function readDetails(data) {
  if (data.length === 0) return {};
  let fields;
  try {
    fields = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data));
  } catch {
    throw new InvoiceError("damaged", "the details are no JSON");
  }
  if (fields === null || typeof fields !== "object" || Array.isArray(fields)) {
    throw new InvoiceError("damaged", "the details are no JSON object");
  }
  const known = DETAIL_NAMES.filter((name) => typeof fields[name] === "string" && fields[name]);
  return Object.fromEntries(known.map((name) => [name, fields[name]]));
}

function checkSignature(domain, invoice) {
  if (!signedBy(invoiceDigest(domain, invoice), invoice.signature, invoice.merchant, domain.rpIdHash)) {
    throw new InvoiceError("forged", "the invoice is not signed by its merchant");
  }
}

function damagedUnless(read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof InvoiceError) throw error;
    throw new InvoiceError("damaged", `it is damaged: ${error.message}`);
  }
}

// Protobuf, as far as an invoice needs it: numbers as varints, everything else with its length.

const BYTES_FIELDS = { 1: "merchant", 2: "hub", 3: "amount", 4: "secretHash", 7: "details", 8: "signature" };
const NUMBER_FIELDS = { 5: "issued", 6: "expires" };

function encode(invoice) {
  const parts = [];
  for (let number = 1; number <= 8; number += 1) {
    if (number in NUMBER_FIELDS) {
      const value = invoice[NUMBER_FIELDS[number]];
      if (value) parts.push(Uint8Array.of(number << 3), varint(value));
      continue;
    }
    const value = number === 3 ? amountBytes(invoice.amount) : invoice[BYTES_FIELDS[number]];
    if (value.length) parts.push(Uint8Array.of((number << 3) | 2), varint(value.length), value);
  }
  return concat(...parts);
}

function decode(data) {
  const invoice = { details: new Uint8Array(0), amount: 0n, issued: 0, expires: 0 };
  let at = 0;
  const number = () => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (at >= data.length) throw new RangeError("it ends early");
      const byte = data[at];
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number is too long");
  };
  while (at < data.length) {
    const tag = Number(number());
    const field = tag >> 3;
    if ((tag & 7) === 0) {
      const value = number();
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError("a number is too large");
      if (field in NUMBER_FIELDS) invoice[NUMBER_FIELDS[field]] = Number(value);
    } else if ((tag & 7) === 2) {
      const size = Number(number());
      if (at + size > data.length) throw new RangeError("it ends early");
      const value = data.slice(at, at + size);
      at += size;
      if (field in BYTES_FIELDS) invoice[BYTES_FIELDS[field]] = field === 3 ? readAmount(value) : value;
    } else {
      throw new RangeError("a field of an unknown kind");
    }
  }
  const sizes = { merchant: 20, hub: 20, secretHash: 32 };
  for (const [name, size] of Object.entries(sizes)) {
    if (invoice[name]?.length !== size) throw new RangeError(`${name} has not ${size} bytes`);
  }
  if (!invoice.signature) throw new RangeError("there is no signature");
  return invoice;
}

function varint(value) {
  const bytes = [];
  let rest = BigInt(value);
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

// Amounts on the wire: unsigned, big-endian, without leading zeros.
export function amountBytes(amount) {
  const word = toWord(amount);
  let at = 0;
  while (at < 32 && word[at] === 0) at += 1;
  return word.slice(at);
}

export function readAmount(bytes) {
  if (bytes.length > 32 || bytes[0] === 0) throw new RangeError(`${toHex(bytes)} is no amount`);
  return fromWord(bytes);
}
