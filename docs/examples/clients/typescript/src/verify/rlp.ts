import { concat, fromNumber, toNumber } from "../bytes.js";

/** What RLP encodes: bytes, or a list of such. */
export type Item = Uint8Array | Item[];

/** RLP (Yellow Paper, appendix B). */
export function encode(item: Item): Uint8Array<ArrayBuffer> {
  if (!(item instanceof Uint8Array)) {
    const payload = concat(...item.map(encode));
    return concat(prefix(0xc0, payload.length), payload);
  }
  return item.length === 1 && item[0]! < 0x80 ? concat(item) : concat(prefix(0x80, item.length), item);
}

function prefix(offset: number, length: number): Uint8Array {
  if (length < 56) return Uint8Array.of(offset + length);
  const size = fromNumber(BigInt(length));
  return concat(Uint8Array.of(offset + 55 + size.length), size);
}

/** The item that the bytes encode, and encode in the one permitted way. */
export function decode(bytes: Uint8Array): Item {
  const [item, end] = read(bytes, 0, bytes.length);
  if (end !== bytes.length) throw new Error("RLP is followed by something");
  return item;
}

function read(bytes: Uint8Array, at: number, limit: number): [Item, number] {
  const first = bytes[at];
  if (first === undefined || at >= limit) throw new Error("RLP ends too early");
  if (first < 0x80) return [bytes.subarray(at, at + 1), at + 1];
  const list = first >= 0xc0;
  const [start, end] = extent(bytes, at, limit, first - (list ? 0xc0 : 0x80));
  if (!list) {
    if (end === start + 1 && bytes[start]! < 0x80) throw new Error("RLP of a byte is too long");
    return [bytes.subarray(start, end), end];
  }
  const items: Item[] = [];
  for (let next = start; next < end; ) {
    const [item, after] = read(bytes, next, end);
    items.push(item);
    next = after;
  }
  return [items, end];
}

function extent(bytes: Uint8Array, at: number, limit: number, code: number): [number, number] {
  const width = code < 56 ? 0 : code - 55;
  const start = at + 1 + width;
  if (width > 4 || start > limit) throw new Error("RLP ends too early");
  const size = bytes.subarray(at + 1, start);
  const length = width ? Number(toNumber(size)) : code;
  if (width && (size[0] === 0 || length < 56)) throw new Error("RLP of a length is too long");
  if (start + length > limit) throw new Error("RLP ends too early");
  return [start, start + length];
}

/** The item as bytes, of a width where one is given. */
export function asBytes(item: Item | undefined, width?: number): Uint8Array {
  if (!(item instanceof Uint8Array) || (width !== undefined && item.length !== width)) {
    throw new Error(`expected ${width ?? "some"} bytes`);
  }
  return item;
}

/** The item as a list, of a length where one is given. */
export function asList(item: Item | undefined, length?: number): Item[] {
  if (!Array.isArray(item) || (length !== undefined && item.length !== length)) {
    throw new Error(`expected a list of ${length ?? "some"} items`);
  }
  return item;
}

/** The item as an integer, which has no leading zeros. */
export function asInteger(item: Item | undefined): bigint {
  const bytes = asBytes(item);
  if (bytes[0] === 0 || bytes.length > 32) throw new Error("no integer");
  return toNumber(bytes);
}
