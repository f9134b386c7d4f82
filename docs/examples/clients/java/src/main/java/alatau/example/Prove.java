package alatau.example;

import alatau.api.v1.BlockView;
import alatau.api.v1.GetBlockRequest;
import alatau.api.v1.GetProofRequest;
import alatau.api.v1.GetProofResponse;
import alatau.api.v1.GetReceiptProofRequest;
import alatau.api.v1.ListValidatorsRequest;
import alatau.api.v1.RawBlock;
import alatau.api.v1.ReceiptProof;
import alatau.api.v1.Validator;
import alatau.example.verify.Header;
import alatau.example.verify.LightClient;
import alatau.example.verify.Proofs;
import alatau.example.verify.Refused;
import alatau.example.verify.ValidatorSet;
import com.google.protobuf.ByteString;
import java.math.BigInteger;
import java.util.List;

// snippet: prove

/** Proofs that a node gives, verified against blocks that the light client believes. */
record Prove(Node node, LightClient client) {
  /** A node as a source of blocks for the light client, which believes none of it without a check. */
  static LightClient.Source blocksOf(Node node) {
    return height -> {
      GetBlockRequest block =
          GetBlockRequest.newBuilder().setHeight(height).setView(BlockView.BLOCK_VIEW_RAW).build();
      RawBlock raw = node.blocks().getBlock(block).getBlock().getRaw();
      ListValidatorsRequest validators = ListValidatorsRequest.newBuilder().setHeight(height).build();
      List<ValidatorSet.Member> members =
          node.nodes().listValidators(validators).getValidatorsList().stream().map(Prove::member).toList();
      return new LightClient.RawBlock(
          raw.getHeader().toByteArray(), raw.getCommit().toByteArray(), new ValidatorSet(members));
    };
  }

  private static ValidatorSet.Member member(Validator one) {
    BigInteger power = new BigInteger(Long.toUnsignedString(one.getPower())); // a uint64 is a long in Java
    return new ValidatorSet.Member(one.getAddress().toByteArray(), power);
  }

  /** The receipt of a final transaction. */
  Proofs.Receipt payment(ByteString hash) throws Refused {
    GetReceiptProofRequest request = GetReceiptProofRequest.newBuilder().setHash(hash).build();
    ReceiptProof proof = node.transactions().getReceiptProof(request).getProof();
    long height = Header.decode(proof.getHeader().toByteArray()).height();
    return Proofs.receipt(
        client.advance(height).header(),
        hash.toByteArray(),
        new Proofs.ReceiptProof(
            proof.getIndex(),
            proof.getTransaction().toByteArray(),
            bytes(proof.getTransactionNodesList()),
            proof.getReceipt().toByteArray(),
            bytes(proof.getReceiptNodesList())));
  }

  /** Where SettlementToken keeps `_accounts`, a HashMap[address, uint256]; GetSystemContract has the layout. */
  private static final long ACCOUNTS_SLOT = 0;

  /** What an account has of the token: the low 128 bits of its word. */
  BigInteger tokens(byte[] token, byte[] holder) throws Refused {
    byte[] slot = Proofs.vyperEntry(ACCOUNTS_SLOT, holder);
    GetProofRequest.Builder request = GetProofRequest.newBuilder().setAddress(ByteString.copyFrom(token));
    GetProofResponse answer = node.state().getProof(request.addSlots(ByteString.copyFrom(slot)).build());
    byte[] root = client.advance(answer.getHeight()).header().stateRoot();
    Proofs.Account account =
        Proofs.account(root, token, bytes(answer.getProof().getAccountNodesList()))
            .orElseThrow(() -> new Refused("there is no token"));
    if (answer.getProof().getSlotsCount() != 1) {
      throw new Refused("the node proves something else");
    }
    List<byte[]> nodes = bytes(answer.getProof().getSlots(0).getNodesList());
    BigInteger low = BigInteger.ONE.shiftLeft(128).subtract(BigInteger.ONE);
    return Proofs.word(account.storageRoot(), slot, nodes).and(low);
  }

  private static List<byte[]> bytes(List<ByteString> nodes) {
    return nodes.stream().map(ByteString::toByteArray).toList();
  }
}

// end
