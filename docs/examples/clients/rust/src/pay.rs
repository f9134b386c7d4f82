//! Payments of settlement tokens.

use alloy_primitives::{Address, U256, keccak256};
use tonic::transport::Channel;

use crate::Result;
use crate::api::block_service_client::BlockServiceClient;
use crate::api::event_service_client::EventServiceClient;
use crate::api::node_service_client::NodeServiceClient;
use crate::api::state_service_client::StateServiceClient;
use crate::api::transaction_service_client::TransactionServiceClient;
use crate::api::{Receipt, SubmitAndWaitRequest};
use crate::wallet::Wallet;

// snippet: pay

/// The services of a node over one connection.
#[derive(Clone)]
pub struct Node {
    pub nodes: NodeServiceClient<Channel>,
    pub blocks: BlockServiceClient<Channel>,
    pub state: StateServiceClient<Channel>,
    pub events: EventServiceClient<Channel>,
    pub transactions: TransactionServiceClient<Channel>,
}

impl Node {
    pub fn new(channel: Channel) -> Self {
        Self {
            nodes: NodeServiceClient::new(channel.clone()),
            blocks: BlockServiceClient::new(channel.clone()),
            state: StateServiceClient::new(channel.clone()),
            events: EventServiceClient::new(channel.clone()),
            transactions: TransactionServiceClient::new(channel),
        }
    }
}

/// The call of an ERC-20 token's `transfer(address,uint256)`.
pub fn transfer_call(to: Address, amount: U256) -> Vec<u8> {
    let selector = &keccak256("transfer(address,uint256)")[..4];
    [selector, to.into_word().as_slice(), &amount.to_be_bytes::<32>()].concat()
}

/// Signs a payment, submits it and waits until it is final. Submitting the same bytes again is safe: after a lost
/// connection do just that.
pub async fn pay_tokens(
    node: &mut Node,
    wallet: &mut Wallet,
    token: Address,
    to: Address,
    amount: U256,
) -> Result<Receipt> {
    let transaction = wallet.sign(token, U256::ZERO, transfer_call(to, amount), 200_000)?;
    let answer = node.transactions.submit_and_wait(SubmitAndWaitRequest { transaction }).await?.into_inner();
    Ok(answer.receipt.ok_or("an answer without a receipt")?) // final; look at `succeeded`
}

// end
