//! Makes one payment of settlement tokens and waits until it is final.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, TxKind, U256, keccak256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use clap::Parser;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use api::node_service_client::NodeServiceClient;
use api::state_service_client::StateServiceClient;
use api::transaction_service_client::TransactionServiceClient;
use api::{GetAccountRequest, GetStatusRequest, SubmitAndWaitRequest};

mod api {
    tonic::include_proto!("alatau.api.v1");
}

#[derive(Parser)]
struct Options {
    /// The node's host:port.
    #[arg(long, default_value = "localhost:7101")]
    node: String,
    /// File with the authority of the node's certificate.
    #[arg(long, default_value = "ca.pem")]
    ca: String,
    /// Keystore file of the account that pays.
    #[arg(long)]
    keystore: String,
    /// File with the keystore's password.
    #[arg(long)]
    password_file: String,
    /// Address to pay.
    #[arg(long)]
    to: Address,
    /// Hundredths of a token.
    #[arg(long, default_value_t = 1234)]
    amount: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();

    // A connection over TLS that trusts the file's authorities, and nobody else.
    let secure = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(std::fs::read(&options.ca)?));
    let channel = Endpoint::from_shared(format!("https://{}", options.node))?.tls_config(secure)?.connect().await?;

    // The key, the network's id and fee, and the key's next nonce. Amounts are big-endian bytes; empty is 0.
    let password = std::fs::read_to_string(&options.password_file)?;
    let key = PrivateKeySigner::decrypt_keystore(&options.keystore, password.trim_end())?;
    let status = NodeServiceClient::new(channel.clone()).get_status(GetStatusRequest {}).await?.into_inner();
    let address = key.address().to_vec();
    let asked = GetAccountRequest { address, ..Default::default() };
    let account = StateServiceClient::new(channel.clone()).get_account(asked).await?.into_inner();
    let contract = status.system_contracts.iter().find(|contract| contract.name == "SettlementToken");
    let token = Address::try_from(contract.ok_or("the network has no settlement token")?.address.as_slice())?;

    // An EIP-1559 transaction that calls transfer(address,uint256).
    let selector = &keccak256("transfer(address,uint256)")[..4];
    let amount = U256::from(options.amount).to_be_bytes::<32>();
    let transaction = TxEip1559 {
        chain_id: status.chain_id,
        nonce: account.next_nonce,
        gas_limit: 200_000,
        max_fee_per_gas: U256::from_be_slice(&status.base_fee_per_gas).try_into()?,
        to: TxKind::Call(token),
        input: [selector, options.to.into_word().as_slice(), &amount].concat().into(),
        ..Default::default()
    };
    let signature = key.sign_hash_sync(&transaction.signature_hash())?;
    let mut signed = Vec::new();
    TxEnvelope::from(transaction.into_signed(signature)).encode_2718(&mut signed);

    let asked = SubmitAndWaitRequest { transaction: signed };
    let answer = TransactionServiceClient::new(channel).submit_and_wait(asked).await?.into_inner();
    let receipt = answer.receipt.ok_or("an answer without a receipt")?;
    let (hash, height) = (B256::from_slice(&receipt.transaction_hash), receipt.position.unwrap_or_default().height);
    println!("{hash} is final at height {height}, succeeded: {}", receipt.succeeded);
    Ok(())
}
