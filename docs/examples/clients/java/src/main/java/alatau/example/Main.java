package alatau.example;

import alatau.api.v1.GetAccountRequest;
import alatau.api.v1.GetSystemContractRequest;
import alatau.api.v1.Log;
import alatau.api.v1.LogFilter;
import alatau.api.v1.Receipt;
import alatau.api.v1.SubmitTransactionRequest;
import alatau.example.verify.LightClient;
import alatau.example.verify.Network;
import alatau.example.verify.Proofs;
import alatau.example.verify.Refused;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.StatusRuntimeException;
import java.io.File;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.web3j.utils.Numeric;

/** Pays, follows, reads errors, and verifies what it was told. */
public final class Main {
  private static final String USAGE =
      "usage: pay --node HOST:PORT --ca FILE --keystore FILE --password-file FILE --to ADDRESS --genesis HASH"
          + " --chain-id NUMBER [--report FILE]";
  private static final List<String> NEEDED =
      List.of("--node", "--ca", "--keystore", "--password-file", "--to", "--genesis", "--chain-id");

  private final Node node;
  private final Wallet wallet;
  private final byte[] token;
  private final byte[] receiver;

  private Main(Node node, Wallet wallet, byte[] token, byte[] receiver) {
    this.node = node;
    this.wallet = wallet;
    this.token = token;
    this.receiver = receiver;
  }

  public static void main(String[] arguments) throws Exception {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < arguments.length; i += 2) {
      options.put(arguments[i], arguments[i + 1]);
    }
    if (!options.keySet().containsAll(NEEDED)) {
      System.err.println(USAGE);
      System.exit(2);
    }
    try (Node node = new Node(options.get("--node"), new File(options.get("--ca")))) {
      Path keystore = Path.of(options.get("--keystore"));
      Wallet wallet = Wallet.open(node, Wallet.openKeystore(keystore, Path.of(options.get("--password-file"))));
      GetSystemContractRequest request = GetSystemContractRequest.newBuilder().setName("SettlementToken").build();
      byte[] token = node.nodes().getSystemContract(request).getContract().getAddress().toByteArray();
      System.out.println("paying from " + Numeric.toHexString(wallet.address()));
      Main tour = new Main(node, wallet, token, Numeric.hexStringToByteArray(options.get("--to")));

      Followed followed = tour.payAndFollow();
      tour.refusals();
      byte[] genesis = Numeric.hexStringToByteArray(options.get("--genesis"));
      tour.proofs(new Network(Long.parseLong(options.get("--chain-id")), genesis), followed.paid);
      if (options.containsKey("--report")) {
        Files.writeString(Path.of(options.get("--report")), "{\"subscribe_ready_ms\": " + followed.readyMs + "}");
      }
    }
  }
  private record Followed(ByteString paid, double readyMs) {}

  /** Subscribes and then pays, in one thread; is cut off, pays again, and resumes after what it saw. */
  private Followed payAndFollow() {
    LogFilter filter = Subscription.transfersTo(token, receiver);
    double readyMs;
    String cursor;
    long began = System.nanoTime();
    try (Subscription subscription = new Subscription(node, filter, null)) {
      readyMs = (System.nanoTime() - began) / 1_000 / 1_000.0;
      System.out.println("the subscription stands after " + readyMs + " ms");
      Receipt first = Pay.payTokens(node, wallet, token, receiver, 1234);
      System.out.println(
          "final at height " + first.getPosition().getHeight() + ", succeeded: " + first.getSucceeded());
      cursor = subscription.nextLogs().getCursor();
    }
    Receipt second = Pay.payTokens(node, wallet, token, receiver, 5678);
    try (Subscription subscription = new Subscription(node, filter, cursor)) {
      List<Log> logs = subscription.nextLogs().getLogsList();
      if (logs.size() != 1 || !logs.get(0).getTransactionHash().equals(second.getTransactionHash())) {
        throw new IllegalStateException("the cursor did not resume with the second payment");
      }
      BigInteger amount = new BigInteger(1, logs.get(0).getData().toByteArray());
      System.out.println("resumed: seen each once, amount " + amount);
    }
    return new Followed(second.getTransactionHash(), readyMs);
  }

  /** Makes a node refuse, and reads why. */
  private void refusals() throws InvalidProtocolBufferException {
    long next = wallet.nonce;
    wallet.nonce = next - 1;
    ByteString signed = wallet.sign(receiver, BigInteger.ONE, "0x", 21_000);
    SubmitTransactionRequest submit = SubmitTransactionRequest.newBuilder().setTransaction(signed).build();
    Failure used = refused(() -> node.transactions().submitTransaction(submit));
    if (!used.reason().equals("NONCE_TOO_LOW") || !used.metadata().get("next_nonce").equals(Long.toString(next))) {
      throw new IllegalStateException("expected NONCE_TOO_LOW, got " + used);
    }
    System.out.println("refused as " + used.reason() + ", next nonce " + used.metadata().get("next_nonce"));
    ByteString three = ByteString.copyFrom(new byte[3]);
    GetAccountRequest account = GetAccountRequest.newBuilder().setAddress(three).build();
    Failure wrong = refused(() -> node.state().getAccount(account));
    if (!wrong.reason().equals("INVALID_REQUEST") || !wrong.violations().containsKey("address")) {
      throw new IllegalStateException("expected a violation of address, got " + wrong);
    }
    System.out.println("refused as " + wrong.reason() + ", address: " + wrong.violations().get("address"));
  }

  private static Failure refused(Runnable call) throws InvalidProtocolBufferException {
    try {
      call.run();
    } catch (StatusRuntimeException error) {
      return Failure.of(error);
    }
    throw new IllegalStateException("the node took it");
  }

  private void proofs(Network network, ByteString paid) throws Refused {
    // snippet: proofs
    // network is the chain id and the genesis hash, from people; paid is the hash of a final transaction.
    LightClient client =
        new LightClient(network, Prove.blocksOf(node), Duration.ofDays(30), Clock.systemUTC());
    Prove prove = new Prove(node, client);
    Proofs.Receipt receipt = prove.payment(paid);
    if (!receipt.succeeded() || receipt.logs().stream().noneMatch(log -> Arrays.equals(log.address(), token))) {
      throw new Refused("the proved receipt is of no payment");
    }
    System.out.println(
        "proved: the payment is final in block " + Numeric.toHexString(client.newest().header().hash()));
    // end
    BigInteger balance = prove.tokens(token, receiver);
    System.out.println(
        "proved: " + Numeric.toHexString(receiver) + " has " + balance + " tokens (in hundredths) at height "
            + client.newest().header().height());
  }
}
