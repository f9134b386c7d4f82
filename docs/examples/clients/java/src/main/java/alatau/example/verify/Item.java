package alatau.example.verify;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What RLP encodes, bytes or a list (Yellow Paper, appendix B). What decodes is encoded in the one permitted way. */
sealed interface Item {
  record Text(byte[] value) implements Item {}

  record Items(List<Item> values) implements Item {}

  /** The item that the bytes encode, with nothing behind it. */
  static Item decode(byte[] bytes) throws Refused {
    Reader reader = new Reader(bytes);
    Item item = reader.next(bytes.length, 32);
    if (reader.at != bytes.length) {
      throw new Refused("RLP is followed by something");
    }
    return item;
  }

  default byte[] bytes() throws Refused {
    if (this instanceof Text text) {
      return text.value;
    }
    throw new Refused("a list where bytes are expected");
  }

  default byte[] bytes(int width) throws Refused {
    if (bytes().length != width) {
      throw new Refused("expected " + width + " bytes");
    }
    return bytes();
  }

  /** An integer of at most 256 bits, without leading zeros. */
  default BigInteger integer() throws Refused {
    byte[] bytes = bytes();
    if (bytes.length > 32 || bytes.length > 0 && bytes[0] == 0) {
      throw new Refused("no integer");
    }
    return new BigInteger(1, bytes);
  }

  default long number() throws Refused {
    BigInteger integer = integer();
    if (integer.bitLength() > 63) {
      throw new Refused("a number of more than 63 bits");
    }
    return integer.longValue();
  }

  default List<Item> list() throws Refused {
    if (this instanceof Items items) {
      return items.values;
    }
    throw new Refused("bytes where a list is expected");
  }

  default List<Item> list(int length) throws Refused {
    if (list().size() != length) {
      throw new Refused("expected " + length + " items");
    }
    return list();
  }

  /** Reads items one after the other. */
  final class Reader {
    private final byte[] bytes;
    private int at;

    private Reader(byte[] bytes) {
      this.bytes = bytes;
    }

    private Item next(int limit, int depth) throws Refused {
      if (at >= limit) {
        throw new Refused("RLP ends too early");
      }
      int first = bytes[at++] & 0xff;
      if (first < 0x80) {
        return new Text(new byte[] {(byte) first});
      }
      boolean isList = first >= 0xc0;
      int end = end(limit, first - (isList ? 0xc0 : 0x80));
      if (!isList) {
        if (end == at + 1 && bytes[at] >= 0) {
          throw new Refused("RLP of a byte is too long");
        }
        byte[] value = Arrays.copyOfRange(bytes, at, end);
        at = end;
        return new Text(value);
      }
      if (depth == 0) {
        throw new Refused("RLP of too many lists within lists");
      }
      List<Item> items = new ArrayList<>();
      while (at < end) {
        items.add(next(end, depth - 1));
      }
      return new Items(List.copyOf(items));
    }

    /** Where the payload ends; `code` is the first byte without the offset of its kind. */
    private int end(int limit, int code) throws Refused {
      int width = Math.max(0, code - 55);
      if (width > 4 || width > limit - at) {
        throw new Refused("RLP ends too early");
      }
      long length = width == 0 ? code : new BigInteger(1, Arrays.copyOfRange(bytes, at, at + width)).longValue();
      if (width > 0 && (bytes[at] == 0 || length < 56)) {
        throw new Refused("RLP of a length is too long");
      }
      at += width;
      if (length > limit - at) {
        throw new Refused("RLP ends too early");
      }
      return at + (int) length;
    }
  }
}
