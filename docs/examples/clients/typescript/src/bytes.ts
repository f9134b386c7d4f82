// Bytes as hex and as the API's amounts. Nothing here needs Node.

/** Bytes as 0x hex. */
export function toHex(bytes: Uint8Array): string {
  return "0x" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Bytes of hex with or without 0x; an odd number of digits is an error. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  const digits = hex.startsWith("0x") ? hex.slice(2) : hex;
  if (digits.length % 2 || !/^[0-9a-fA-F]*$/.test(digits)) throw new Error(`${hex} is no hex`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

// snippet: amounts

/** The number that big-endian bytes hold. In the API zero is empty, which other libraries refuse (viem's bytesToBigInt). */
export function toNumber(bytes: Uint8Array): bigint {
  return bytes.length ? BigInt(toHex(bytes)) : 0n;
}

/** Big-endian bytes without leading zeros; or, with a width, padded to it. */
export function fromNumber(number: bigint, width?: number): Uint8Array<ArrayBuffer> {
  if (number < 0n) throw new RangeError(`${number} is negative`);
  const digits = number ? number.toString(16) : "";
  const bytes = fromHex(digits.length % 2 ? `0${digits}` : digits);
  return width === undefined ? bytes : padded(bytes, width);
}

// end

/** Bytes with zeros before them, to a width. */
export function padded(bytes: Uint8Array, width: number): Uint8Array<ArrayBuffer> {
  if (bytes.length > width) throw new RangeError(`${bytes.length} bytes are more than ${width}`);
  const wide = new Uint8Array(width);
  wide.set(bytes, width - bytes.length);
  return wide;
}

/** Bytes one after the other. */
export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whether two byte strings are the same. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
