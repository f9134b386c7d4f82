package alatau.example.verify;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import org.web3j.crypto.Hash;

/** Bytes as the rules put them together. */
public final class Bytes {
  private Bytes() {}

  public static byte[] keccak(byte[]... parts) {
    return Hash.sha3(concat(parts));
  }

  static byte[] keccak(String text) {
    return keccak(text.getBytes(StandardCharsets.US_ASCII));
  }

  static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      whole.writeBytes(part);
    }
    return whole.toByteArray();
  }

  /** At most 32 bytes with zeros before them. */
  public static byte[] word(byte[] bytes) {
    byte[] word = new byte[32];
    System.arraycopy(bytes, 0, word, 32 - bytes.length, bytes.length);
    return word;
  }

  static byte[] word(long number) {
    return word(trimmed(BigInteger.valueOf(number)));
  }

  /** Big-endian bytes without leading zeros: 0 is empty. (`BigInteger.toByteArray` has a byte for the sign.) */
  public static byte[] trimmed(BigInteger number) {
    byte[] bytes = number.toByteArray();
    int zeros = 0;
    while (zeros < bytes.length && bytes[zeros] == 0) {
      zeros++;
    }
    return java.util.Arrays.copyOfRange(bytes, zeros, bytes.length);
  }
}
