package alatau.example.verify;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import org.web3j.rlp.RlpEncoder;
import org.web3j.rlp.RlpList;
import org.web3j.rlp.RlpString;
import org.web3j.rlp.RlpType;

/** The validators of a height, sorted by address, as far as a header's set hash covers them. */
public record ValidatorSet(List<Member> members) {
  /** One validator. */
  public record Member(byte[] address, BigInteger power) {}

  /** What a header names. */
  public byte[] hash() {
    List<RlpType> encoded =
        members.stream()
            .map(one -> (RlpType) new RlpList(RlpString.create(one.address), RlpString.create(one.power)))
            .toList();
    return Bytes.keccak(RlpEncoder.encode(new RlpList(encoded)));
  }

  public boolean has(byte[] address) {
    return members.stream().anyMatch(one -> Arrays.equals(one.address, address));
  }

  /** The power that the addresses have in this set; who is not in it has none. */
  public BigInteger power(List<byte[]> addresses) {
    return members.stream()
        .filter(one -> addresses.stream().anyMatch(address -> Arrays.equals(one.address, address)))
        .map(Member::power)
        .reduce(BigInteger.ZERO, BigInteger::add);
  }

  public BigInteger totalPower() {
    return members.stream().map(Member::power).reduce(BigInteger.ZERO, BigInteger::add);
  }

  /** Whether more than two thirds of the power is among the signers: they decide a block. */
  public boolean decided(List<byte[]> signers) {
    return triple(power(signers)).compareTo(totalPower().shiftLeft(1)) > 0;
  }

  /** Whether more than a third of the power is among the signers: then an honest one is. */
  public boolean trusts(List<byte[]> signers) {
    return triple(power(signers)).compareTo(totalPower()) > 0;
  }

  private static BigInteger triple(BigInteger number) {
    return number.multiply(BigInteger.valueOf(3));
  }
}
