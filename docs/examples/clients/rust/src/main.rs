//! The tour: pays, follows, is refused, and proves.

use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256, U256};
use clap::Parser;
use pay::api::{GetAccountRequest, GetSystemContractRequest, Receipt, SubmitTransactionRequest};
use pay::connect::dial;
use pay::failure::Failure;
use pay::follow::{follow, next_logs, transfers_to};
use pay::pay::{Node, pay_tokens};
use pay::prove::{prove_payment, prove_tokens};
use pay::verify::commit::Network;
use pay::verify::light::LightClient;
use pay::wallet::{Wallet, open_keystore};
use pay::{Error, Result};

/// Pays, follows, reads errors, and verifies what it was told.
#[derive(Parser)]
struct Options {
    /// The node's host:port.
    #[arg(long, default_value = "localhost:7101")]
    node: String,
    /// File with the authority of the node's certificate.
    #[arg(long, default_value = "ca.pem")]
    ca: String,
    /// Keystore file of the account that pays.
    #[arg(long, default_value = "resident_1.json")]
    keystore: String,
    /// File with the keystore's password.
    #[arg(long, default_value = "password")]
    password_file: String,
    /// Address to pay.
    #[arg(long)]
    to: Address,
    /// Hash of block 0, from people.
    #[arg(long)]
    genesis: B256,
    /// The network's id, from people.
    #[arg(long, default_value_t = 7773)]
    chain_id: u64,
    /// Write what was measured to this file.
    #[arg(long)]
    report: Option<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    tokio::time::timeout(Duration::from_secs(120), tour(options)).await?
}

async fn tour(options: Options) -> Result<()> {
    let mut node = Node::new(dial(&options.node, &options.ca).await?);
    let mut payer = Wallet::new(&mut node, open_keystore(&options.keystore, &options.password_file)?).await?;
    let asked = GetSystemContractRequest { name: "SettlementToken".into() };
    let contract = node.nodes.get_system_contract(asked).await?.into_inner().contract.ok_or("no such contract")?;
    let token = Address::try_from(contract.address.as_slice())?;
    println!("paying from {}", payer.address());

    let (receipt, ready) = pay_and_follow(&mut node, &mut payer, token, options.to).await?;
    refusals(&mut node, &payer, options.to).await?;
    let network = Network { chain_id: options.chain_id, genesis_hash: options.genesis };
    proofs(&mut node, network, &receipt, token, options.to).await?;
    if let Some(report) = options.report {
        std::fs::write(report, format!(r#"{{"subscribe_ready_ms": {}}}"#, ready.as_secs_f64() * 1e3))?;
    }
    Ok(())
}

/// Subscribes and then pays, in one task; is cut off, pays again, and resumes after what it saw.
async fn pay_and_follow(
    node: &mut Node,
    payer: &mut Wallet,
    token: Address,
    to: Address,
) -> Result<(Receipt, Duration)> {
    let filter = transfers_to(token, to);
    let began = Instant::now();
    let mut stream = follow(node, filter.clone(), None).await?;
    let ready = began.elapsed();
    println!("the subscription stands after {ready:?}");
    let first = pay_tokens(node, payer, token, to, U256::from(1234)).await?;
    println!("final at height {}, succeeded: {}", first.position.unwrap_or_default().height, first.succeeded);
    let (_, cursor) = next_logs(&mut stream).await?;
    drop(stream);

    let second = pay_tokens(node, payer, token, to, U256::from(5678)).await?;
    let (logs, _) = next_logs(&mut follow(node, filter, Some(cursor)).await?).await?;
    let [seen] = logs.as_slice() else { return Err("more than the second payment came".into()) };
    if seen.transaction_hash != second.transaction_hash {
        return Err("the cursor did not resume with the second payment".into());
    }
    println!("resumed: seen each once, amount {}", U256::try_from_be_slice(&seen.data).ok_or("too long")?);
    Ok((second, ready))
}

/// Makes a node refuse, and reads why.
async fn refusals(node: &mut Node, payer: &Wallet, to: Address) -> Result<()> {
    let mut used = payer.clone();
    used.nonce -= 1;
    let transaction = used.sign(to, U256::from(1), vec![], 21_000)?;
    let refused = refusal(node.transactions.submit_transaction(SubmitTransactionRequest { transaction }).await)?;
    if refused.reason != "NONCE_TOO_LOW" || refused.metadata.get("next_nonce") != Some(&payer.nonce.to_string()) {
        return Err(format!("expected NONCE_TOO_LOW, got {refused:?}").into());
    }
    println!("refused as {}, next nonce {}", refused.reason, refused.metadata["next_nonce"]);
    let short = GetAccountRequest { address: vec![1, 2, 3], ..Default::default() };
    let refused = refusal(node.state.get_account(short).await)?;
    let Some(violation) = refused.violations.get("address").filter(|_| refused.reason == "INVALID_REQUEST") else {
        return Err(format!("expected a violation of address, got {refused:?}").into());
    };
    println!("refused as {}, address: {violation}", refused.reason);
    Ok(())
}

fn refusal<T>(answer: Result<T, tonic::Status>) -> Result<Failure> {
    answer.err().map(|status| Failure::from(&status)).ok_or_else(|| Error::from("the node did not refuse"))
}

async fn proofs(node: &mut Node, network: Network, paid: &Receipt, token: Address, to: Address) -> Result<()> {
    // snippet: proofs
    // network is the chain id and the genesis hash, from people; paid a final transaction's receipt that the node gave.
    let mut client = LightClient::new(network, Duration::from_secs(30 * 24 * 3600), node.clone()).await?;
    let receipt = prove_payment(node, &mut client, B256::try_from(paid.transaction_hash.as_slice())?).await?;
    if !receipt.status() || receipt.logs().first().is_none_or(|log| log.address != token) {
        return Err("the proved receipt is of no payment".into());
    }
    println!("proved: the payment is final in block {}", client.newest().hash);
    // end
    let balance = prove_tokens(node, &mut client, token, to).await?;
    println!("proved: {to} has {balance} tokens (in hundredths) at height {}", client.newest().header.number);
    Ok(())
}
