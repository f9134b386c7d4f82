//! The vectors of the protocol: a verifier is done when it accepts and refuses exactly what the file says.

use std::time::{Duration, UNIX_EPOCH};

use alloy_consensus::ReceiptEnvelope;
use alloy_consensus::transaction::SignerRecoverable;
use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256};
use pay::verify::commit::{Commit, Network, Validator, decode_header, power_of, set_hash};
use pay::verify::light::{Block, LightClient, Source, trusts};
use pay::verify::proof::{ReceiptProof, account, empty_root, payment, storage_word};
use serde::Deserialize;

#[derive(Clone, Deserialize)]
struct Vectors {
    chain_id: u64,
    genesis_hash: B256,
    domain_separator: B256,
    validator_sets: Vec<SetVector>,
    headers: Vec<HeaderVector>,
    commits: Vec<CommitVector>,
    trust: Vec<TrustVector>,
    state_proofs: Vec<StateVector>,
    receipt_proofs: Vec<ReceiptVector>,
}

#[derive(Clone, Deserialize)]
struct SetVector {
    members: Vec<MemberVector>,
    hash: B256,
    total_power: u128,
}

#[derive(Clone, Deserialize)]
struct MemberVector {
    address: Address,
    power: u64,
}

#[derive(Clone, Deserialize)]
struct HeaderVector {
    fields: FieldsVector,
    rlp: Bytes,
    hash: B256,
}

#[derive(Clone, Deserialize)]
struct FieldsVector {
    state_root: B256,
    number: U64,
    timestamp: U64,
    extra_data: Bytes,
    base_fee_per_gas: U64,
    requests_hash: B256,
}

#[derive(Clone, Deserialize)]
struct CommitVector {
    valid: bool,
    #[serde(default)]
    why: String,
    height: u64,
    block_hash: B256,
    validator_set: usize,
    digest: B256,
    commit: Bytes,
    commit_hash: B256,
}

#[derive(Clone, Deserialize)]
struct TrustVector {
    trusted_set: usize,
    own_set: usize,
    signers: Vec<Address>,
    believed: bool,
    why: String,
}

#[derive(Clone, Deserialize)]
struct StateVector {
    valid: bool,
    #[serde(default)]
    why: String,
    state_root: B256,
    address: Address,
    account: Option<AccountVector>,
    account_nodes: Vec<Bytes>,
    slots: Vec<SlotVector>,
}

#[derive(Clone, Deserialize)]
struct AccountVector {
    nonce: U64,
    balance: U256,
    storage_root: B256,
    code_hash: B256,
}

#[derive(Clone, Deserialize)]
struct SlotVector {
    slot: U256,
    value: U256,
    nodes: Vec<Bytes>,
}

#[derive(Clone, Deserialize)]
struct ReceiptVector {
    valid: bool,
    #[serde(default)]
    why: String,
    header: Bytes,
    transaction_hash: B256,
    sender: Option<Address>,
    index: u32,
    transaction: Bytes,
    transaction_nodes: Vec<Bytes>,
    receipt: Bytes,
    receipt_nodes: Vec<Bytes>,
    succeeded: Option<bool>,
}

impl Vectors {
    fn load() -> Self {
        let path = std::env::var("ALATAU_VECTORS").unwrap_or("../../../../protos/vectors/verification.json".into());
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn network(&self) -> Network {
        Network { chain_id: self.chain_id, genesis_hash: self.genesis_hash }
    }

    fn set(&self, number: usize) -> Vec<Validator> {
        let members = &self.validator_sets[number].members;
        members.iter().map(|member| Validator { address: member.address, power: member.power }).collect()
    }
}

fn plain(nodes: &[Bytes]) -> Vec<Vec<u8>> {
    nodes.iter().map(|node| node.to_vec()).collect()
}

#[test]
fn sets_headers_and_the_domain() {
    let file = Vectors::load();
    for (number, vector) in file.validator_sets.iter().enumerate() {
        let set = file.set(number);
        assert_eq!(set_hash(&set), vector.hash);
        assert_eq!(power_of(&set, &[]).1, vector.total_power);
    }
    for vector in &file.headers {
        let (header, hash) = decode_header(&vector.rlp).unwrap();
        let want = &vector.fields;
        assert_eq!(hash, vector.hash);
        assert_eq!(header.state_root, want.state_root);
        assert_eq!((U64::from(header.number), U64::from(header.timestamp)), (want.number, want.timestamp));
        assert_eq!(header.extra_data, want.extra_data);
        assert_eq!(header.base_fee_per_gas.map(U64::from), Some(want.base_fee_per_gas));
        assert_eq!(header.requests_hash, Some(want.requests_hash));
    }
    assert_eq!(file.network().domain(), file.domain_separator);
}

#[test]
fn commits() {
    let file = Vectors::load();
    for vector in &file.commits {
        let set = file.set(vector.validator_set);
        let answer = file.network().signers(&vector.commit, vector.height, vector.block_hash, &set);
        assert_eq!(answer.is_ok(), vector.valid, "height {}, {:?}: {answer:?}", vector.height, vector.why);
        if let Ok(commit) = alloy_rlp::decode_exact::<Commit>(&vector.commit) {
            assert_eq!(file.network().digest(&commit), vector.digest, "{:?}", vector.why);
        }
        assert_eq!(keccak256(&vector.commit), vector.commit_hash);
    }
}

#[test]
fn trust() {
    let file = Vectors::load();
    for vector in &file.trust {
        let (signed, total) = power_of(&file.set(vector.own_set), &vector.signers);
        let believed = 3 * signed > 2 * total && trusts(&file.set(vector.trusted_set), &vector.signers);
        assert_eq!(believed, vector.believed, "{}", vector.why);
    }
}

#[test]
fn state_proofs() {
    for vector in &Vectors::load().state_proofs {
        let found = account(vector.state_root, vector.address, &plain(&vector.account_nodes));
        let mut valid = found.is_ok();
        let mut root = empty_root();
        if let Ok(found) = found {
            valid &= match (&found, &vector.account) {
                (None, None) => true,
                (Some(found), Some(want)) => {
                    root = found.storage_root;
                    (U64::from(found.nonce), found.balance, found.storage_root, found.code_hash)
                        == (want.nonce, want.balance, want.storage_root, want.code_hash)
                }
                _ => false,
            };
        }
        for slot in &vector.slots {
            valid &= storage_word(root, slot.slot.into(), &plain(&slot.nodes)).is_ok_and(|word| word == slot.value);
        }
        assert_eq!(valid, vector.valid, "{}, {:?}", vector.address, vector.why);
    }
}

#[test]
fn receipt_proofs() {
    for vector in &Vectors::load().receipt_proofs {
        let (header, _) = decode_header(&vector.header).unwrap();
        let proof = ReceiptProof {
            index: vector.index,
            transaction: vector.transaction.to_vec(),
            transaction_nodes: plain(&vector.transaction_nodes),
            receipt: vector.receipt.to_vec(),
            receipt_nodes: plain(&vector.receipt_nodes),
        };
        let answer = payment(&header, vector.transaction_hash, &proof);
        assert_eq!(answer.is_ok(), vector.valid, "index {}, {:?}", vector.index, vector.why);
        if let Ok((transaction, receipt)) = answer {
            assert_eq!(transaction.recover_signer().ok(), vector.sender);
            assert_eq!(Some(ReceiptEnvelope::status(&receipt)), vector.succeeded);
        }
    }
}

/// Answers from the vectors: the blocks, their commits and their sets.
struct Chain<'a> {
    vectors: &'a Vectors,
    asked: std::rc::Rc<std::cell::RefCell<Vec<u64>>>,
}

impl Source for Chain<'_> {
    async fn block(&mut self, height: u64) -> pay::Result<Block> {
        self.asked.borrow_mut().push(height);
        let header = self.vectors.headers[height as usize].rlp.to_vec();
        let decided = self.vectors.commits.iter().find(|commit| commit.valid && commit.height == height);
        let set = self.vectors.set(decided.map_or(0, |commit| commit.validator_set));
        Ok(Block { header, commit: decided.map(|commit| commit.commit.to_vec()).unwrap_or_default(), set })
    }
}

/// The third set has one of the first: from genesis to block 4 the way leads over a block between them.
#[tokio::test]
async fn the_light_client_follows_a_changing_set() {
    let vectors = Vectors::load();
    let (asked, hour) = (std::rc::Rc::default(), Duration::from_secs(3_600));
    let source = Chain { vectors: &vectors, asked: std::rc::Rc::clone(&asked) };
    let mut client = LightClient::new(vectors.network(), hour, source).await.unwrap();
    let then = UNIX_EPOCH + Duration::from_secs(vectors.headers[0].fields.timestamp.to());
    assert_eq!(client.advance_at(4, then).await.unwrap().hash, vectors.headers[4].hash);
    assert!(asked.borrow().len() >= 4, "0, then 4, one between, 4 again: {:?}", asked.borrow());

    let source = Chain { vectors: &vectors, asked };
    let mut late = LightClient::new(vectors.network(), hour, source).await.unwrap();
    let refused = late.advance(4).await.unwrap_err();
    assert!(refused.to_string().contains("older than the trusting period"), "{refused}");
}
