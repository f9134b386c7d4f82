package alatau.example.verify;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.web3j.crypto.ECDSASignature;
import org.web3j.crypto.Keys;
import org.web3j.crypto.Sign;
import org.web3j.utils.Numeric;

/** Finality: precommits of more than two thirds of the power, beside the block that they decide. */
public record Commit(long height, long round, byte[] blockHash, List<Precommit> precommits) {
  /** A signature is r, s and the recovery id (0 or 1). */
  public record Precommit(byte[] validator, byte[] signature) {}

  private static final byte[] VOTE_TYPE =
      Bytes.keccak("Vote(uint8 kind,uint64 height,uint32 round,bytes32 blockHash)");
  private static final long PRECOMMIT = 2;
  private static final BigInteger ORDER = Sign.CURVE_PARAMS.getN();

  /** A commit of its RLP. */
  public static Commit decode(byte[] bytes) throws Refused {
    List<Item> fields = Item.decode(bytes).list(4);
    List<Precommit> precommits = new ArrayList<>();
    for (Item entry : fields.get(3).list()) {
      List<Item> pair = entry.list(2);
      precommits.add(new Precommit(pair.get(0).bytes(20), pair.get(1).bytes(65)));
    }
    return new Commit(fields.get(0).number(), fields.get(1).number(), fields.get(2).bytes(32), precommits);
  }

  /** What each validator signed. */
  public byte[] digest(Network network) {
    byte[] vote =
        Bytes.keccak(VOTE_TYPE, Bytes.word(PRECOMMIT), Bytes.word(height), Bytes.word(round), blockHash);
    return Bytes.keccak(new byte[] {0x19, 0x01}, network.domainSeparator(), vote);
  }

  /** Checks that it decides the block at a height against the set that its header names, and gives who signed. */
  public List<byte[]> signers(Network network, long height, byte[] blockHash, ValidatorSet set) throws Refused {
    if (this.height != height || !Arrays.equals(this.blockHash, blockHash)) {
      throw new Refused("the commit is of another block");
    }
    byte[] digest = digest(network);
    List<byte[]> signers = new ArrayList<>();
    for (Precommit one : precommits) {
      if (!signers.isEmpty() && Arrays.compareUnsigned(signers.get(signers.size() - 1), one.validator) >= 0) {
        throw new Refused("signatures are not sorted by address, or one comes twice");
      }
      if (!set.has(one.validator)) {
        throw new Refused(Numeric.toHexString(one.validator) + " signed and is not in the set");
      }
      if (!Arrays.equals(signer(digest, one.signature), one.validator)) {
        throw new Refused("a signature of " + Numeric.toHexString(one.validator) + " that is another's");
      }
      signers.add(one.validator);
    }
    if (!set.decided(signers)) {
      throw new Refused("no more than two thirds signed");
    }
    return signers;
  }

  private static byte[] signer(byte[] digest, byte[] rsv) throws Refused {
    BigInteger r = new BigInteger(1, Arrays.copyOf(rsv, 32));
    BigInteger s = new BigInteger(1, Arrays.copyOfRange(rsv, 32, 64));
    boolean inRange = r.signum() > 0 && r.compareTo(ORDER) < 0 && s.signum() > 0 && s.compareTo(ORDER) < 0;
    if (!inRange || s.compareTo(ORDER.shiftRight(1)) > 0 || rsv[64] < 0 || rsv[64] > 1) {
      throw new Refused("a signature out of range");
    }
    BigInteger key = Sign.recoverFromSignature(rsv[64], new ECDSASignature(r, s), digest);
    if (key == null) {
      throw new Refused("a signature that recovers no key");
    }
    return Numeric.hexStringToByteArray(Keys.getAddress(key));
  }
}
