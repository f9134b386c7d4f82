package alatau.example.verify;

import java.util.List;

/** What a client needs of a header; its 21 fields are Ethereum's. The timestamp is in seconds since 1970. */
public record Header(
    byte[] hash,
    byte[] parentHash,
    byte[] stateRoot,
    byte[] transactionsRoot,
    byte[] receiptsRoot,
    long height,
    long timestamp,
    byte[] setHash) {

  /** A header of its RLP. The hash of the set that decides it is its extra data. */
  public static Header decode(byte[] bytes) throws Refused {
    List<Item> fields = Item.decode(bytes).list(21);
    return new Header(
        Bytes.keccak(bytes),
        fields.get(0).bytes(32),
        fields.get(3).bytes(32),
        fields.get(4).bytes(32),
        fields.get(5).bytes(32),
        fields.get(8).number(),
        fields.get(11).number(),
        fields.get(12).bytes(32));
  }
}
