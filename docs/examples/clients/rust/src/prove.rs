//! Payments and balances, proved.

use alloy_consensus::ReceiptEnvelope;
use alloy_primitives::{Address, B256, U256};

use crate::Result;
use crate::api::get_block_request::Id;
use crate::api::{BlockView, GetBlockRequest, GetProofRequest, GetReceiptProofRequest, ListValidatorsRequest};
use crate::pay::Node;
use crate::verify::commit::{Validator, decode_header};
use crate::verify::light::{Block, LightClient, Source};
use crate::verify::proof::{ReceiptProof, account, payment, storage_word, vyper_entry};

// snippet: prove

/// A node is a source of blocks for the light client, which believes none of it without a check.
impl Source for Node {
    async fn block(&mut self, height: u64) -> Result<Block> {
        let at = GetBlockRequest { id: Some(Id::Height(height)), view: BlockView::Raw.into() };
        let found = self.blocks.get_block(at).await?.into_inner();
        let raw = found.block.and_then(|block| block.raw).ok_or("an answer without a block")?;
        let at = ListValidatorsRequest { height: Some(height), ..Default::default() };
        let members = self.nodes.list_validators(at).await?.into_inner().validators;
        let set = members.iter().map(|member| {
            Ok(Validator { address: Address::try_from(member.address.as_slice())?, power: member.power })
        });
        Ok(Block { header: raw.header, commit: raw.commit, set: set.collect::<Result<_>>()? })
    }
}

/// Asks for the proof of a final transaction and verifies it against a block that the client believes.
pub async fn prove_payment(node: &mut Node, client: &mut LightClient<Node>, hash: B256) -> Result<ReceiptEnvelope> {
    let asked = GetReceiptProofRequest { hash: hash.to_vec() };
    let proof =
        node.transactions.get_receipt_proof(asked).await?.into_inner().proof.ok_or("an answer without a proof")?;
    let (header, _) = decode_header(&proof.header)?;
    let block = client.advance(header.number).await?;
    let shown = ReceiptProof {
        index: proof.index,
        transaction: proof.transaction,
        transaction_nodes: proof.transaction_nodes,
        receipt: proof.receipt,
        receipt_nodes: proof.receipt_nodes,
    };
    Ok(payment(&block.header, hash, &shown)?.1)
}

/// Where SettlementToken keeps `_accounts`, a `HashMap[address, uint256]`; `GetSystemContract` has the layout.
const ACCOUNTS_SLOT: u64 = 0;

/// Proves what an account has of the token: the low 128 bits of its word.
pub async fn prove_tokens(
    node: &mut Node,
    client: &mut LightClient<Node>,
    token: Address,
    holder: Address,
) -> Result<U256> {
    let slot = vyper_entry(ACCOUNTS_SLOT, holder);
    let asked = GetProofRequest { address: token.to_vec(), slots: vec![slot.to_vec()], ..Default::default() };
    let answer = node.state.get_proof(asked).await?.into_inner();
    let proof = answer.proof.ok_or("an answer without a proof")?;
    let state_root = client.advance(answer.height).await?.header.state_root;
    let (Some(contract), [shown]) = (account(state_root, token, &proof.account_nodes)?, proof.slots.as_slice()) else {
        return Err("the node proves something else".into());
    };
    Ok(storage_word(contract.storage_root, slot, &shown.nodes)? & U256::from(u128::MAX))
}

// end
