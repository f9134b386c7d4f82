package alatau.example.verify;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.web3j.utils.Numeric;

/** Proofs of Merkle Patricia tries (Yellow Paper, appendix D). */
public final class Trie {
  /** Root of the trie that holds nothing: keccak256 of the RLP of an empty string. */
  static final byte[] EMPTY_ROOT = Bytes.keccak(new byte[] {(byte) 0x80});

  private final Map<String, byte[]> nodes = new HashMap<>();
  private int used;

  private Trie(List<byte[]> nodes) {
    for (byte[] node : nodes) {
      this.nodes.put(Numeric.toHexString(Bytes.keccak(node)), node);
    }
  }

  /** The value of a key under a root; empty where the nodes prove that there is none. All must be on the way. */
  public static Optional<byte[]> lookup(byte[] root, byte[] key, List<byte[]> nodes) throws Refused {
    if (Arrays.equals(root, EMPTY_ROOT) && nodes.isEmpty()) {
      return Optional.empty();
    }
    Trie trie = new Trie(nodes);
    Optional<byte[]> value = trie.walk(new Item.Text(root), nibbles(key));
    if (trie.used != nodes.size()) {
      throw new Refused("the proof has nodes that are not on the way");
    }
    return value;
  }

  private Optional<byte[]> walk(Item child, byte[] path) throws Refused {
    List<Item> node = resolve(child).list();
    if (node.size() == 17) {
      if (path.length == 0) {
        return Optional.of(node.get(16).bytes()).filter(value -> value.length > 0);
      }
      Item next = node.get(path[0]);
      boolean none = next instanceof Item.Text text && text.value().length == 0;
      return none ? Optional.empty() : walk(next, Arrays.copyOfRange(path, 1, path.length));
    }
    if (node.size() != 2) {
      throw new Refused("a node has 2 or 17 items");
    }
    byte[] flagged = nibbles(node.get(0).bytes()); // hex-prefix encoding, appendix C
    if (flagged.length == 0 || flagged[0] > 3 || (flagged[0] & 1) == 0 && flagged[1] != 0) {
      throw new Refused("no path of a node");
    }
    boolean leaf = flagged[0] > 1;
    byte[] part = Arrays.copyOfRange(flagged, (flagged[0] & 1) == 1 ? 1 : 2, flagged.length);
    boolean same = part.length <= path.length && Arrays.equals(part, Arrays.copyOf(path, part.length));
    if (leaf) {
      return same && part.length == path.length ? Optional.of(node.get(1).bytes()) : Optional.empty();
    }
    return same ? walk(node.get(1), Arrays.copyOfRange(path, part.length, path.length)) : Optional.empty();
  }

  private Item resolve(Item child) throws Refused {
    if (child instanceof Item.Items) {
      return child; // shorter than 32 bytes: it lies inside its parent
    }
    byte[] node = nodes.get(Numeric.toHexString(child.bytes(32)));
    if (node == null) {
      throw new Refused("the proof lacks a node");
    }
    used++;
    return Item.decode(node);
  }

  private static byte[] nibbles(byte[] bytes) {
    byte[] nibbles = new byte[2 * bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      nibbles[2 * i] = (byte) ((bytes[i] & 0xff) >> 4);
      nibbles[2 * i + 1] = (byte) (bytes[i] & 15);
    }
    return nibbles;
  }
}
