//! Against the node that the environment names, as `make e2e-clients` sets it: what once was found wrong.

use std::time::Duration;

use alloy_primitives::{Address, U256, address};
use pay::api::{
    BlockView, CallMessage, CallRequest, GetAccountRequest, ListBlocksRequest, SubmitAndWaitRequest,
    SubmitTransactionRequest,
};
use pay::connect::dial;
use pay::failure::Failure;
use pay::follow::{follow, transfers_to};
use pay::pay::Node;
use pay::wallet::{Wallet, open_keystore};
use tonic::Code;

fn named(name: &str) -> Option<String> {
    std::env::var(format!("ALATAU_{name}")).ok()
}

/// The node and a wallet, or None where the environment names no node.
async fn network() -> Option<(Node, Wallet)> {
    let Some(at) = named("NODE") else {
        eprintln!("skipped: ALATAU_NODE names no node");
        return None;
    };
    let mut node = Node::new(dial(&at, &named("CA").unwrap()).await.unwrap());
    let key = open_keystore(&named("KEYSTORE").unwrap(), &named("PASSWORD_FILE").unwrap()).unwrap();
    let wallet = Wallet::new(&mut node, key).await.unwrap();
    Some((node, wallet))
}

/// tonic's limit of 4 MiB a message is enough for pages of blocks that are larger together.
#[tokio::test]
async fn large_blocks_come_in_pages() {
    let Some((mut node, _)) = network().await else { return };
    let range = named("LARGE_BLOCKS").unwrap();
    let (from, to) = range.split_once('-').unwrap();
    let (mut size, mut page_token) = (0, String::new());
    loop {
        let request = ListBlocksRequest {
            from_height: from.parse().unwrap(),
            to_height: Some(to.parse().unwrap()),
            view: BlockView::Full.into(),
            page_token,
            ..Default::default()
        };
        let page = node.blocks.list_blocks(request).await.unwrap().into_inner();
        size += page.blocks.iter().flat_map(|block| &block.transactions).map(|tx| tx.raw.len()).sum::<usize>();
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert!(size >= 4 << 20, "{size} bytes are not enough to show anything");
}

/// Amounts with leading zeros are taken; an empty amount is zero.
#[tokio::test]
async fn amounts() {
    let Some((mut node, payer)) = network().await else { return };
    let message = CallMessage {
        sender: payer.address().to_vec(),
        to: vec![0; 20],
        value: U256::from(1).to_be_bytes::<32>().to_vec(),
        gas_price: vec![0; 4],
        ..Default::default()
    };
    node.transactions.call(CallRequest { message: Some(message), ..Default::default() }).await.unwrap();
    let nobody = address!("000000000000000000000000000000000000dead").to_vec();
    let answer = node.state.get_account(GetAccountRequest { address: nobody, ..Default::default() }).await.unwrap();
    let balance = answer.into_inner().account.unwrap().balance;
    assert!(balance.is_empty());
    assert_eq!(U256::try_from_be_slice(&balance), Some(U256::ZERO));
}

/// A transaction that would replace one that waits is told when to come again; a bad cursor is a violation of its field.
#[tokio::test]
async fn refusals() {
    let Some((mut node, mut payer)) = network().await else { return };
    let receiver: Address = named("TO").unwrap().parse().unwrap();
    let mut answers = Vec::new();
    for wei in 0..2 {
        let mut behind = payer.clone();
        behind.nonce += 1;
        let transaction = behind.sign(receiver, U256::from(wei), vec![], 21_000).unwrap();
        answers.push(node.transactions.submit_transaction(SubmitTransactionRequest { transaction }).await);
    }
    let refused = Failure::from(&answers.pop().unwrap().unwrap_err());
    assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "UNDERPRICED"));
    let retry = refused.retry_in.unwrap();
    assert!(retry > Duration::ZERO && retry <= Duration::from_secs(10));
    assert_eq!(refused.metadata["retry_in_ms"], retry.as_millis().to_string());
    let transaction = payer.sign(receiver, U256::from(1), vec![], 21_000).unwrap(); // the one that was missing
    node.transactions.submit_and_wait(SubmitAndWaitRequest { transaction }).await.unwrap();

    let status = follow(&mut node, transfers_to(receiver, receiver), Some("no cursor".into())).await.unwrap_err();
    let refused = Failure::from(&status);
    assert_eq!(refused.reason, "INVALID_CURSOR");
    assert!(refused.violations.contains_key("cursor"));
}
