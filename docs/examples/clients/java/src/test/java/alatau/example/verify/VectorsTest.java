package alatau.example.verify;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.math.BigInteger;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.web3j.utils.Numeric;

/** The vectors of docs/verify.md. */
final class VectorsTest {
  private final JsonNode file;
  private final Network network;

  VectorsTest() throws IOException {
    String path = System.getenv().getOrDefault("ALATAU_VECTORS", "../../../../protos/vectors/verification.json");
    file = new ObjectMapper().readTree(new File(path));
    network = new Network(file.get("chain_id").longValue(), bytes(file.get("genesis_hash")));
  }

  @FunctionalInterface
  private interface Check {
    boolean holds() throws Refused;
  }

  private static boolean holds(Check check) {
    try {
      return check.holds();
    } catch (Refused refused) {
      return false;
    }
  }

  private static byte[] bytes(JsonNode hex) {
    return Numeric.hexStringToByteArray(hex.textValue());
  }

  private static List<byte[]> list(JsonNode hex) {
    List<byte[]> all = new ArrayList<>();
    hex.forEach(one -> all.add(bytes(one)));
    return all;
  }

  private static BigInteger integer(JsonNode hex) {
    return Numeric.decodeQuantity(hex.textValue());
  }

  private JsonNode vectors(String name) {
    assertFalse(file.get(name).isEmpty());
    return file.get(name);
  }

  private ValidatorSet set(int index) {
    List<ValidatorSet.Member> members = new ArrayList<>();
    for (JsonNode one : file.get("validator_sets").get(index).get("members")) {
      members.add(new ValidatorSet.Member(bytes(one.get("address")), one.get("power").bigIntegerValue()));
    }
    return new ValidatorSet(members);
  }

  @Test
  void setsAndHeaders() throws Refused {
    for (int i = 0; i < vectors("validator_sets").size(); i++) {
      JsonNode vector = file.get("validator_sets").get(i);
      assertArrayEquals(bytes(vector.get("hash")), set(i).hash());
      assertEquals(vector.get("total_power").bigIntegerValue(), set(i).totalPower());
    }
    for (JsonNode vector : vectors("headers")) {
      Header header = Header.decode(bytes(vector.get("rlp")));
      JsonNode fields = vector.get("fields");
      assertArrayEquals(bytes(vector.get("hash")), header.hash());
      assertArrayEquals(bytes(fields.get("parent_hash")), header.parentHash());
      assertArrayEquals(bytes(fields.get("state_root")), header.stateRoot());
      assertArrayEquals(bytes(fields.get("extra_data")), header.setHash());
      assertEquals(integer(fields.get("number")).longValue(), header.height());
      assertEquals(integer(fields.get("timestamp")).longValue(), header.timestamp());
    }
    assertArrayEquals(bytes(file.get("domain_separator")), network.domainSeparator());
  }

  @Test
  void commits() throws Refused {
    for (JsonNode vector : vectors("commits")) {
      byte[] encoded = bytes(vector.get("commit"));
      Commit commit = Commit.decode(encoded);
      long height = vector.get("height").longValue();
      ValidatorSet set = set(vector.get("validator_set").intValue());
      byte[] block = bytes(vector.get("block_hash"));
      boolean decided = holds(() -> !commit.signers(network, height, block, set).isEmpty());
      assertEquals(vector.get("valid").booleanValue(), decided, vector.toString());
      assertArrayEquals(bytes(vector.get("digest")), commit.digest(network));
      assertArrayEquals(bytes(vector.get("commit_hash")), Bytes.keccak(encoded));
    }
  }

  @Test
  void trust() {
    for (JsonNode vector : vectors("trust")) {
      List<byte[]> signers = list(vector.get("signers"));
      boolean decided = set(vector.get("own_set").intValue()).decided(signers);
      boolean believed = decided && set(vector.get("trusted_set").intValue()).trusts(signers);
      assertEquals(vector.get("believed").booleanValue(), believed, vector.get("why").textValue());
    }
  }

  private static boolean stateIsRight(JsonNode vector) throws Refused {
    var found =
        Proofs.account(
            bytes(vector.get("state_root")), bytes(vector.get("address")), list(vector.get("account_nodes")));
    JsonNode want = vector.get("account");
    if (found.isEmpty() || want.isNull()) {
      return found.isEmpty() && want.isNull();
    }
    Proofs.Account account = found.get();
    boolean right =
        account.nonce().equals(integer(want.get("nonce")))
            && account.balance().equals(integer(want.get("balance")))
            && Numeric.toHexString(account.storageRoot()).equals(want.get("storage_root").textValue())
            && Numeric.toHexString(account.codeHash()).equals(want.get("code_hash").textValue());
    for (JsonNode slot : vector.get("slots")) {
      byte[] key = Bytes.word(Bytes.trimmed(integer(slot.get("slot"))));
      BigInteger word = Proofs.word(account.storageRoot(), key, list(slot.get("nodes")));
      right &= word.equals(integer(slot.get("value")));
    }
    return right;
  }

  @Test
  void stateProofs() {
    for (JsonNode vector : vectors("state_proofs")) {
      assertEquals(vector.get("valid").booleanValue(), holds(() -> stateIsRight(vector)), vector.toString());
    }
  }

  @Test
  void receiptProofs() throws Refused {
    for (JsonNode vector : vectors("receipt_proofs")) {
      Header header = Header.decode(bytes(vector.get("header")));
      var proof =
          new Proofs.ReceiptProof(
              vector.get("index").longValue(),
              bytes(vector.get("transaction")),
              list(vector.get("transaction_nodes")),
              bytes(vector.get("receipt")),
              list(vector.get("receipt_nodes")));
      byte[] hash = bytes(vector.get("transaction_hash"));
      boolean succeeded = vector.path("succeeded").booleanValue();
      boolean right = holds(() -> Proofs.receipt(header, hash, proof).succeeded() == succeeded);
      assertEquals(vector.get("valid").booleanValue(), right, vector.toString());
    }
  }

  /** Answers from the vectors: the block, its commit and its set. */
  private LightClient.RawBlock block(long height) {
    byte[] commit = {};
    ValidatorSet set = set(0);
    for (JsonNode one : file.get("commits")) {
      if (one.get("valid").booleanValue() && one.get("height").longValue() == height) {
        commit = bytes(one.get("commit"));
        set = set(one.get("validator_set").intValue());
      }
    }
    return new LightClient.RawBlock(bytes(file.get("headers").get((int) height).get("rlp")), commit, set);
  }

  /** The third set has one of the first: from genesis to block 4 the way leads over a block between them. */
  @Test
  void lightClientFollowsAChangingSet() throws Refused {
    List<Long> asked = new ArrayList<>();
    LightClient.Source source =
        height -> {
          asked.add(height);
          return block(height);
        };
    Instant genesis = Instant.ofEpochSecond(Header.decode(block(0).header()).timestamp());
    Duration hour = Duration.ofHours(1);
    LightClient client = new LightClient(network, source, hour, Clock.fixed(genesis, ZoneOffset.UTC));
    assertArrayEquals(bytes(file.get("headers").get(4).get("hash")), client.advance(4).header().hash());
    assertTrue(asked.size() > 3, asked.toString());
    assertThrows(Refused.class, () -> client.advance(3));

    LightClient late = new LightClient(network, source, hour, Clock.systemUTC());
    assertTrue(assertThrows(Refused.class, () -> late.advance(4)).getMessage().contains("trusting period"));
    Network elsewhere = new Network(network.chainId(), new byte[32]);
    assertThrows(Refused.class, () -> new LightClient(elsewhere, source, hour, Clock.systemUTC()));
  }
}
