//! Proofs of accounts, storage, transactions and receipts in Merkle Patricia tries (Yellow Paper, appendix D).

use std::collections::HashMap;

use alloy_consensus::{Header, ReceiptEnvelope, TxEnvelope};
use alloy_eips::Decodable2718;
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_rlp::{EMPTY_STRING_CODE, Header as RlpHeader, RlpDecodable, decode_exact};

use super::{Refused, refuse};

/// The root of a trie that holds nothing: keccak256 of the RLP of an empty string.
pub fn empty_root() -> B256 {
    keccak256([EMPTY_STRING_CODE])
}

/// The value of a key under a root, None where the nodes prove that there is none. All nodes must be needed.
pub fn lookup(root: B256, key: &[u8], proof: &[Vec<u8>]) -> Result<Option<Vec<u8>>, Refused> {
    if root == empty_root() && proof.is_empty() {
        return Ok(None);
    }
    let given: HashMap<B256, &[u8]> = proof.iter().map(|node| (keccak256(node), node.as_slice())).collect();
    let path: Vec<u8> = key.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).collect();
    let (mut rest, mut read) = (path.as_slice(), 0);
    let mut next = node_of(&given, root, &mut read)?;
    let value = loop {
        let items = items_of(next)?;
        let child = match items.len() {
            17 => match rest.split_first() {
                None => break string_of(items[16])?,
                Some((&nibble, after)) => {
                    rest = after;
                    items[usize::from(nibble)]
                }
            },
            2 => {
                let (shared, leaf) = hex_prefix(string_of(items[0])?)?;
                match rest.strip_prefix(shared.as_slice()) {
                    Some(after) if leaf && after.is_empty() => break string_of(items[1])?,
                    Some(after) if !leaf => rest = after,
                    _ => break &[],
                }
                items[1]
            }
            count => return refuse(format!("a node of {count} items")),
        };
        if child.first().is_some_and(|first| *first >= 0xc0) {
            next = child; // A node shorter than 32 bytes lies inside its parent.
            continue;
        }
        match string_of(child)? {
            [] => break &[],
            hash if hash.len() == 32 => next = node_of(&given, B256::from_slice(hash), &mut read)?,
            _ => return refuse("a child that is neither a node nor the hash of one"),
        }
    };
    if read != proof.len() {
        return refuse("the proof has nodes that are not on the way");
    }
    Ok((!value.is_empty()).then(|| value.to_vec()))
}

fn node_of<'a>(given: &HashMap<B256, &'a [u8]>, hash: B256, read: &mut usize) -> Result<&'a [u8], Refused> {
    *read += 1;
    given.get(&hash).copied().ok_or_else(|| Refused(format!("the node {hash} is missing")))
}

/// The items of a list, each with its RLP header.
fn items_of(node: &[u8]) -> Result<Vec<&[u8]>, Refused> {
    let mut left = node;
    let mut payload = RlpHeader::decode_bytes(&mut left, true)?;
    if !left.is_empty() {
        return refuse("bytes after a node");
    }
    let mut items = Vec::new();
    while !payload.is_empty() {
        let whole = payload;
        let header = RlpHeader::decode(&mut payload)?;
        if payload.len() < header.payload_length {
            return refuse("an item that is cut off");
        }
        payload = &payload[header.payload_length..];
        items.push(&whole[..whole.len() - payload.len()]);
    }
    Ok(items)
}

fn string_of(item: &[u8]) -> Result<&[u8], Refused> {
    let mut left = item;
    Ok(RlpHeader::decode_bytes(&mut left, false)?)
}

/// The nibbles of a leaf or an extension, and whether it is a leaf.
fn hex_prefix(encoded: &[u8]) -> Result<(Vec<u8>, bool), Refused> {
    let Some((&first, others)) = encoded.split_first() else { return refuse("a node without a path") };
    let (flag, odd) = (first >> 4, first >> 4 & 1 == 1);
    if flag > 3 || (!odd && first & 0x0f != 0) {
        return refuse("a path that is badly encoded");
    }
    let begin = odd.then_some(first & 0x0f);
    Ok((begin.into_iter().chain(others.iter().flat_map(|byte| [byte >> 4, byte & 0x0f])).collect(), flag & 2 == 2))
}

/// An account as the state's trie has it.
#[derive(Debug, RlpDecodable)]
pub struct Account {
    pub nonce: u64,
    pub balance: U256,
    pub storage_root: B256,
    pub code_hash: B256,
}

/// Proves an account after a block; None, where the nodes prove that there is none.
pub fn account(state_root: B256, address: Address, proof: &[Vec<u8>]) -> Result<Option<Account>, Refused> {
    let value = lookup(state_root, keccak256(address).as_slice(), proof)?;
    Ok(value.map(|encoded| decode_exact(&encoded)).transpose()?)
}

/// Proves a word of a contract's storage; one that is nowhere is 0.
pub fn storage_word(storage_root: B256, slot: B256, proof: &[Vec<u8>]) -> Result<U256, Refused> {
    let value = lookup(storage_root, keccak256(slot).as_slice(), proof)?;
    Ok(value.map(|encoded| decode_exact(&encoded)).transpose()?.unwrap_or_default())
}

/// The slot of a key's entry in the HashMap at a slot: Vyper hashes the slot first, Solidity the key.
pub fn vyper_entry(mapping: u64, key: Address) -> B256 {
    keccak256([U256::from(mapping).to_be_bytes::<32>(), key.into_word().0].concat())
}

/// `GetReceiptProof`'s answer, without its header and commit.
pub struct ReceiptProof {
    pub index: u32,
    pub transaction: Vec<u8>,
    pub transaction_nodes: Vec<Vec<u8>>,
    pub receipt: Vec<u8>,
    pub receipt_nodes: Vec<Vec<u8>>,
}

/// Proves a transaction and its receipt at one index of a block that is believed.
pub fn payment(header: &Header, hash: B256, proof: &ReceiptProof) -> Result<(TxEnvelope, ReceiptEnvelope), Refused> {
    if keccak256(&proof.transaction) != hash {
        return refuse("the node shows another transaction");
    }
    let key = alloy_rlp::encode(proof.index);
    for (root, nodes, value) in [
        (header.transactions_root, &proof.transaction_nodes, &proof.transaction),
        (header.receipts_root, &proof.receipt_nodes, &proof.receipt),
    ] {
        if lookup(root, &key, nodes)?.as_ref() != Some(value) {
            return refuse("the block has something else at this index");
        }
    }
    let read = |error: alloy_eips::eip2718::Eip2718Error| Refused(error.to_string());
    let transaction = TxEnvelope::decode_2718_exact(&proof.transaction).map_err(read)?;
    let receipt = ReceiptEnvelope::decode_2718_exact(&proof.receipt).map_err(read)?;
    Ok((transaction, receipt))
}
