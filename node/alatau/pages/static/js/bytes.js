// Bytes and numbers as words, hexadecimal and base64url. Amounts are BigInt throughout: token units.

const HEX = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, "0"));

export function toHex(bytes) {
  let text = "0x";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

export function fromHex(text) {
  if (!/^0x(?:[0-9a-fA-F]{2})*$/.test(text)) throw new RangeError("not 0x and pairs of hexadecimal digits");
  const bytes = new Uint8Array((text.length - 2) / 2);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = parseInt(text.slice(2 + 2 * at, 4 + 2 * at), 16);
  return bytes;
}

export function concat(...parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function equal(a, b) {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

export function utf8(text) {
  return new TextEncoder().encode(text);
}

// An unsigned number in `size` bytes, big-endian; what does not fit throws: nothing is taken modulo.
export function toWord(value, size = 32) {
  let rest = BigInt(value);
  if (rest < 0n || rest >= 1n << BigInt(8 * size)) throw new RangeError(`${value} has more than ${size} bytes`);
  const word = new Uint8Array(size);
  for (let at = size - 1; rest > 0n; at -= 1, rest >>= 8n) word[at] = Number(rest & 255n);
  return word;
}

export function fromWord(bytes) {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

// An address of 20 bytes as a word of 32.
export function addressWord(address) {
  if (address.length !== 20) throw new RangeError("an address has 20 bytes");
  return concat(new Uint8Array(12), address);
}

export function toBase64Url(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function fromBase64Url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new RangeError("not base64url");
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(raw, (character) => character.charCodeAt(0));
}
