package alatau.example;

import alatau.api.v1.GetAccountRequest;
import alatau.api.v1.GetStatusRequest;
import alatau.api.v1.GetStatusResponse;
import alatau.api.v1.NodeServiceGrpc;
import alatau.api.v1.Receipt;
import alatau.api.v1.StateServiceGrpc;
import alatau.api.v1.SubmitAndWaitRequest;
import alatau.api.v1.SystemContract;
import alatau.api.v1.TransactionServiceGrpc;
import com.google.protobuf.ByteString;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import java.io.File;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.web3j.abi.FunctionEncoder;
import org.web3j.abi.datatypes.Address;
import org.web3j.abi.datatypes.Function;
import org.web3j.abi.datatypes.generated.Uint256;
import org.web3j.crypto.Credentials;
import org.web3j.crypto.RawTransaction;
import org.web3j.crypto.TransactionEncoder;
import org.web3j.crypto.WalletUtils;
import org.web3j.utils.Numeric;

/** Makes one payment of settlement tokens and waits until it is final. */
public final class First {
  private static final long HUNDREDTHS = 1234; // of a token

  private First() {}

  public static void main(String[] arguments) throws Exception {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < arguments.length; i += 2) {
      options.put(arguments[i], arguments[i + 1]);
    }

    // A connection over TLS that trusts the file's authorities, and nobody else.
    ChannelCredentials secure = TlsChannelCredentials.newBuilder().trustManager(new File(options.get("--ca"))).build();
    ManagedChannel channel = Grpc.newChannelBuilder(options.get("--node"), secure).build();
    try {
      String password = Files.readString(Path.of(options.get("--password-file"))).strip();
      Credentials key = WalletUtils.loadCredentials(password, options.get("--keystore"));
      Receipt receipt = pay(channel, key, options.get("--to"));
      System.out.printf(
          "%s is final at height %d, succeeded: %b%n",
          Numeric.toHexString(receipt.getTransactionHash().toByteArray()),
          receipt.getPosition().getHeight(),
          receipt.getSucceeded());
    } finally {
      channel.shutdownNow();
    }
  }

  private static Receipt pay(ManagedChannel channel, Credentials key, String to) {
    // The network's id and fee, and the key's next nonce. Amounts are big-endian bytes without a sign; empty is 0.
    GetStatusResponse status = NodeServiceGrpc.newBlockingStub(channel).getStatus(GetStatusRequest.getDefaultInstance());
    ByteString address = ByteString.copyFrom(Numeric.hexStringToByteArray(key.getAddress()));
    GetAccountRequest account = GetAccountRequest.newBuilder().setAddress(address).build();
    long nonce = StateServiceGrpc.newBlockingStub(channel).getAccount(account).getNextNonce();
    SystemContract token =
        status.getSystemContractsList().stream()
            .filter(contract -> contract.getName().equals("SettlementToken"))
            .findFirst()
            .orElseThrow();

    // An EIP-1559 transaction that calls transfer(address,uint256).
    var call = new Function("transfer", List.of(new Address(to), new Uint256(HUNDREDTHS)), List.of());
    RawTransaction transaction =
        RawTransaction.createTransaction(
            status.getChainId(),
            BigInteger.valueOf(nonce),
            BigInteger.valueOf(200_000),
            Numeric.toHexString(token.getAddress().toByteArray()),
            BigInteger.ZERO,
            FunctionEncoder.encode(call),
            BigInteger.ZERO,
            new BigInteger(1, status.getBaseFeePerGas().toByteArray()));
    ByteString signed = ByteString.copyFrom(TransactionEncoder.signMessage(transaction, key));

    SubmitAndWaitRequest request = SubmitAndWaitRequest.newBuilder().setTransaction(signed).build();
    return TransactionServiceGrpc.newBlockingStub(channel).submitAndWait(request).getReceipt();
  }
}
