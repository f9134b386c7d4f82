package alatau.example.verify;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.web3j.rlp.RlpEncoder;
import org.web3j.rlp.RlpString;

/** Proofs against a block that is believed. */
public final class Proofs {
  private Proofs() {}

  /** An account after a block. */
  public record Account(BigInteger nonce, BigInteger balance, byte[] storageRoot, byte[] codeHash) {}

  /** An account under a state root; empty where the nodes prove that there is none. */
  public static Optional<Account> account(byte[] stateRoot, byte[] address, List<byte[]> nodes) throws Refused {
    Optional<byte[]> value = Trie.lookup(stateRoot, Bytes.keccak(address), nodes);
    if (value.isEmpty()) {
      return Optional.empty();
    }
    List<Item> fields = Item.decode(value.get()).list(4);
    return Optional.of(
        new Account(
            fields.get(0).integer(), fields.get(1).integer(), fields.get(2).bytes(32), fields.get(3).bytes(32)));
  }

  /** A word under a storage root; one that is nowhere is 0. */
  public static BigInteger word(byte[] storageRoot, byte[] slot, List<byte[]> nodes) throws Refused {
    Optional<byte[]> value = Trie.lookup(storageRoot, Bytes.keccak(slot), nodes);
    return value.isEmpty() ? BigInteger.ZERO : Item.decode(value.get()).integer();
  }

  /** The slot of a key's entry in the HashMap at a slot: Vyper hashes the slot first, Solidity the key. */
  public static byte[] vyperEntry(long mapping, byte[] key) {
    return Bytes.keccak(Bytes.word(mapping), Bytes.word(key));
  }

  /** GetReceiptProof's answer, without its header and commit. */
  public record ReceiptProof(
      long index, byte[] transaction, List<byte[]> transactionNodes, byte[] receipt, List<byte[]> receiptNodes) {}

  /** What a transaction came to. */
  public record Receipt(boolean succeeded, List<Log> logs) {}

  /** An event. */
  public record Log(byte[] address, List<byte[]> topics, byte[] data) {}

  /** The receipt of the transaction with a hash, both proved at one index of a block that is believed. */
  public static Receipt receipt(Header header, byte[] hash, ReceiptProof proof) throws Refused {
    if (!Arrays.equals(Bytes.keccak(proof.transaction), hash)) {
      throw new Refused("the node shows another transaction");
    }
    byte[] key = RlpEncoder.encode(RlpString.create(proof.index));
    check(Trie.lookup(header.transactionsRoot(), key, proof.transactionNodes), proof.transaction);
    check(Trie.lookup(header.receiptsRoot(), key, proof.receiptNodes), proof.receipt);
    boolean typed = proof.receipt[0] >= 0; // EIP-2718: a byte for the type before the list
    byte[] encoded = typed ? Arrays.copyOfRange(proof.receipt, 1, proof.receipt.length) : proof.receipt;
    List<Item> fields = Item.decode(encoded).list(4);
    List<Log> logs = new ArrayList<>();
    for (Item entry : fields.get(3).list()) {
      List<Item> log = entry.list(3);
      List<byte[]> topics = new ArrayList<>();
      for (Item topic : log.get(1).list()) {
        topics.add(topic.bytes(32));
      }
      logs.add(new Log(log.get(0).bytes(20), topics, log.get(2).bytes()));
    }
    return new Receipt(fields.get(0).integer().equals(BigInteger.ONE), logs);
  }

  private static void check(Optional<byte[]> found, byte[] value) throws Refused {
    if (found.isEmpty() || !Arrays.equals(found.get(), value)) {
      throw new Refused("the block has something else at this index");
    }
  }
}
