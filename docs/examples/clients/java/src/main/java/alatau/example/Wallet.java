package alatau.example;

import alatau.api.v1.GetAccountRequest;
import alatau.api.v1.GetStatusRequest;
import alatau.api.v1.GetStatusResponse;
import com.google.protobuf.ByteString;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import org.web3j.crypto.Credentials;
import org.web3j.crypto.RawTransaction;
import org.web3j.crypto.TransactionEncoder;
import org.web3j.crypto.WalletUtils;
import org.web3j.crypto.exception.CipherException;
import org.web3j.utils.Numeric;

// snippet: wallet

/** Signs the transactions of one key and numbers them. */
final class Wallet {
  private final Credentials key;
  private final long chainId;
  private final BigInteger fee; // wei per gas; the network's, which does not change with load
  long nonce;

  private Wallet(Credentials key, long chainId, BigInteger fee, long nonce) {
    this.key = key;
    this.chainId = chainId;
    this.fee = fee;
    this.nonce = nonce;
  }

  /** The key in a keystore file with the password in another. The password ends where its line does. */
  static Credentials openKeystore(Path file, Path passwordFile) throws IOException, CipherException {
    String password = Files.readString(passwordFile).replaceAll("[\r\n]+$", "");
    return WalletUtils.loadCredentials(password, file.toFile());
  }

  /** Asks the node for the network's id and fee, and for the key's next nonce. */
  static Wallet open(Node node, Credentials key) {
    GetStatusResponse status = node.nodes().getStatus(GetStatusRequest.getDefaultInstance());
    ByteString address = ByteString.copyFrom(Numeric.hexStringToByteArray(key.getAddress()));
    long nonce = node.state().getAccount(GetAccountRequest.newBuilder().setAddress(address).build()).getNextNonce();
    BigInteger fee = new BigInteger(1, status.getBaseFeePerGas().toByteArray()); // 1: no sign; empty is 0
    return new Wallet(key, status.getChainId(), fee, nonce);
  }

  byte[] address() {
    return Numeric.hexStringToByteArray(key.getAddress());
  }

  /** An EIP-1559 transaction with the next nonce, as signed bytes. */
  ByteString sign(byte[] to, BigInteger wei, String data, long gas) {
    RawTransaction transaction =
        RawTransaction.createTransaction(
            chainId,
            BigInteger.valueOf(nonce),
            BigInteger.valueOf(gas),
            Numeric.toHexString(to),
            wei,
            data,
            BigInteger.ZERO,
            fee);
    nonce++;
    return ByteString.copyFrom(TransactionEncoder.signMessage(transaction, key));
  }
}

// end
