package alatau.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import alatau.api.v1.Block;
import alatau.api.v1.BlockView;
import alatau.api.v1.CallMessage;
import alatau.api.v1.CallRequest;
import alatau.api.v1.GetAccountRequest;
import alatau.api.v1.ListBlocksRequest;
import alatau.api.v1.ListBlocksResponse;
import alatau.api.v1.SubmitAndWaitRequest;
import alatau.api.v1.SubmitTransactionRequest;
import alatau.api.v1.Transaction;
import alatau.example.verify.Bytes;
import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.File;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.web3j.utils.Numeric;

/** Against the node that the environment names, as `make e2e-clients` sets it. */
@EnabledIfEnvironmentVariable(named = "ALATAU_NODE", matches = ".+")
final class DevnetTest {
  private Node node;
  private Wallet wallet;
  private byte[] receiver;

  @BeforeEach
  void connect() throws Exception {
    node = new Node(System.getenv("ALATAU_NODE"), new File(System.getenv("ALATAU_CA")));
    Path keystore = Path.of(System.getenv("ALATAU_KEYSTORE"));
    wallet = Wallet.open(node, Wallet.openKeystore(keystore, Path.of(System.getenv("ALATAU_PASSWORD_FILE"))));
    receiver = Numeric.hexStringToByteArray(System.getenv("ALATAU_TO"));
  }

  @AfterEach
  void close() {
    node.close();
  }

  /** grpc-java's limit of 4 MiB a message is enough for pages of blocks that are larger together. */
  @Test
  void largeBlocksComeInPages() {
    String[] range = System.getenv("ALATAU_LARGE_BLOCKS").split("-");
    ListBlocksRequest.Builder request =
        ListBlocksRequest.newBuilder()
            .setFromHeight(Long.parseLong(range[0]))
            .setToHeight(Long.parseLong(range[1]))
            .setView(BlockView.BLOCK_VIEW_FULL);
    long size = 0;
    do {
      ListBlocksResponse page = node.blocks().listBlocks(request.build());
      for (Block block : page.getBlocksList()) {
        size += block.getTransactionsList().stream().map(Transaction::getRaw).mapToLong(ByteString::size).sum();
      }
      request.setPageToken(page.getNextPageToken());
    } while (!request.getPageToken().isEmpty());
    assertTrue(size > 4 << 20, size + " bytes are not enough to show anything");
  }

  /** Amounts with the leading zero of BigInteger.toByteArray are taken; an empty amount is zero. */
  @Test
  void amounts() {
    CallMessage.Builder message =
        CallMessage.newBuilder()
            .setSender(ByteString.copyFrom(wallet.address()))
            .setTo(ByteString.copyFrom(new byte[20]))
            .setValue(ByteString.copyFrom(BigInteger.valueOf(128).toByteArray()))
            .setGasPrice(ByteString.copyFrom(new byte[4]));
    assertEquals(0, message.getValue().byteAt(0));
    node.transactions().call(CallRequest.newBuilder().setMessage(message).build());
    ByteString nobody = ByteString.copyFrom(Bytes.word(new byte[] {0x0d, 0x0e})).substring(12);
    GetAccountRequest request = GetAccountRequest.newBuilder().setAddress(nobody).build();
    ByteString balance = node.state().getAccount(request).getAccount().getBalance();
    assertTrue(balance.isEmpty());
    assertEquals(BigInteger.ZERO, new BigInteger(1, balance.toByteArray()));
  }

  /** Who would replace a waiting transaction is told when to come again; a bad cursor is a violation of its field. */
  @Test
  void refusals() throws Exception {
    long next = wallet.nonce;
    submit(next + 1, 0);
    Failure refused = Failure.of(assertThrows(StatusRuntimeException.class, () -> submit(next + 1, 1)));
    assertEquals(Status.Code.FAILED_PRECONDITION, refused.code());
    assertEquals("UNDERPRICED", refused.reason());
    Duration wait = refused.retryIn().orElseThrow();
    assertTrue(wait.toMillis() > 0 && wait.toMillis() <= 10_000, wait.toString());
    assertEquals(Long.toString(wait.toMillis()), refused.metadata().get("retry_in_ms"));
    wallet.nonce = next; // the one that was missing
    ByteString signed = wallet.sign(receiver, BigInteger.ONE, "0x", 21_000);
    node.transactions().submitAndWait(SubmitAndWaitRequest.newBuilder().setTransaction(signed).build());

    StatusRuntimeException error =
        assertThrows(
            StatusRuntimeException.class,
            () -> new Subscription(node, Subscription.transfersTo(receiver, receiver), "no cursor"));
    assertEquals("INVALID_CURSOR", Failure.of(error).reason());
    assertTrue(Failure.of(error).violations().containsKey("cursor"));
  }

  private void submit(long nonce, long wei) {
    wallet.nonce = nonce;
    ByteString signed = wallet.sign(receiver, BigInteger.valueOf(wei), "0x", 21_000);
    node.transactions().submitTransaction(SubmitTransactionRequest.newBuilder().setTransaction(signed).build());
  }
}
