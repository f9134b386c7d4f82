package alatau.example.verify;

/** Names a network: both values come from people, not from the node that is checked. */
public record Network(long chainId, byte[] genesisHash) {

  /** The EIP-712 domain separator of its votes. */
  public byte[] domainSeparator() {
    return Bytes.keccak(
        Bytes.keccak("EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)"),
        Bytes.keccak("Alatau Consensus"),
        Bytes.keccak("1"),
        Bytes.word(chainId),
        genesisHash);
  }
}
