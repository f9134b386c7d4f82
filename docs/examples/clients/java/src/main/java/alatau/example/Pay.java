package alatau.example;

import alatau.api.v1.Receipt;
import alatau.api.v1.SubmitAndWaitRequest;
import com.google.protobuf.ByteString;
import java.math.BigInteger;
import java.util.List;
import org.web3j.abi.FunctionEncoder;
import org.web3j.abi.datatypes.Address;
import org.web3j.abi.datatypes.Function;
import org.web3j.abi.datatypes.generated.Uint256;
import org.web3j.utils.Numeric;

final class Pay {
  private Pay() {}

  // snippet: pay
  /** The call of an ERC-20 token's transfer(address,uint256). */
  static String transferCall(byte[] to, long amount) {
    Address receiver = new Address(Numeric.toHexString(to));
    return FunctionEncoder.encode(new Function("transfer", List.of(receiver, new Uint256(amount)), List.of()));
  }

  /**
   * Signs a payment, submits it and waits until it is final; look at `getSucceeded`. Submitting the same bytes again is safe:
   * after a lost connection do just that.
   */
  static Receipt payTokens(Node node, Wallet wallet, byte[] token, byte[] to, long amount) {
    ByteString signed = wallet.sign(token, BigInteger.ZERO, transferCall(to, amount), 200_000);
    SubmitAndWaitRequest request = SubmitAndWaitRequest.newBuilder().setTransaction(signed).build();
    return node.transactions().submitAndWait(request).getReceipt();
  }
  // end
}
