//! Headers, validator sets and commits.

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, FixedBytes, Signature, U256, keccak256};
use alloy_rlp::{RlpDecodable, RlpEncodable, decode_exact};

use super::{Refused, refuse};

/// A network: both values come from people, not from the node that is checked.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    pub chain_id: u64,
    pub genesis_hash: B256,
}

/// A member of a set, as far as a header's set hash covers it.
#[derive(Clone, Debug, RlpEncodable)]
pub struct Validator {
    pub address: Address,
    pub power: u64,
}

/// The hash of a set, sorted by address: what field 12 of a header (extra data) names.
pub fn set_hash(set: &[Validator]) -> B256 {
    let mut encoded = Vec::new();
    alloy_rlp::encode_list(set, &mut encoded);
    keccak256(encoded)
}

/// What the addresses have of a set's power, and all of it; who is not in the set has none.
pub fn power_of(set: &[Validator], addresses: &[Address]) -> (u128, u128) {
    let sum = |members: &mut dyn Iterator<Item = &Validator>| members.map(|member| u128::from(member.power)).sum();
    (sum(&mut set.iter().filter(|member| addresses.contains(&member.address))), sum(&mut set.iter()))
}

/// Finality: precommits of more than two thirds of the power, beside the block that they decide.
#[derive(Debug, RlpDecodable)]
pub struct Commit {
    pub height: u64,
    pub round: u32,
    pub block_hash: B256,
    pub signatures: Vec<Precommit>,
}

/// One precommit: r, s and the recovery id (0 or 1).
#[derive(Debug, RlpDecodable)]
pub struct Precommit {
    pub validator: Address,
    pub rsv: FixedBytes<65>,
}

const PRECOMMIT: u64 = 2;

fn word(number: u64) -> [u8; 32] {
    U256::from(number).to_be_bytes()
}

impl Network {
    /// The EIP-712 domain separator of a network's votes.
    pub fn domain(&self) -> B256 {
        let parts = [
            keccak256("EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)"),
            keccak256("Alatau Consensus"),
            keccak256("1"),
            word(self.chain_id).into(),
            self.genesis_hash,
        ];
        keccak256(parts.concat())
    }

    /// What each validator of a commit signed.
    pub fn digest(&self, commit: &Commit) -> B256 {
        let kind = keccak256("Vote(uint8 kind,uint64 height,uint32 round,bytes32 blockHash)");
        let numbers = [PRECOMMIT, commit.height, commit.round.into()].map(word);
        let vote = keccak256([kind.as_slice(), &numbers.concat(), commit.block_hash.as_slice()].concat());
        keccak256([&[0x19, 0x01], self.domain().as_slice(), vote.as_slice()].concat())
    }

    /// Checks that an encoded commit decides the block at a height against the set that the header names, and gives who
    /// signed it.
    pub fn signers(
        &self,
        encoded: &[u8],
        height: u64,
        block: B256,
        set: &[Validator],
    ) -> Result<Vec<Address>, Refused> {
        let commit: Commit = decode_exact(encoded)?;
        if (commit.height, commit.block_hash) != (height, block) {
            return refuse("the commit is of another block");
        }
        let digest = self.digest(&commit);
        let mut signers: Vec<Address> = Vec::new();
        for precommit in &commit.signatures {
            if signers.last().is_some_and(|last| *last >= precommit.validator) {
                return refuse("signatures are not sorted by address, or one comes twice");
            }
            if !set.iter().any(|member| member.address == precommit.validator) {
                return refuse(format!("{} signed and is not in the set", precommit.validator));
            }
            precommit.check(digest)?;
            signers.push(precommit.validator);
        }
        let (signed, total) = power_of(set, &signers);
        if 3 * signed <= 2 * total {
            return refuse(format!("power {signed} of {total} signed: no more than two thirds"));
        }
        Ok(signers)
    }
}

impl Precommit {
    fn check(&self, digest: B256) -> Result<(), Refused> {
        let parity = match self.rsv[64] {
            0 => false,
            1 => true,
            _ => return refuse(format!("the signature of {} has no recovery id", self.validator)),
        };
        let signature = Signature::from_bytes_and_parity(&self.rsv[..64], parity);
        if signature.normalize_s().is_some() {
            return refuse(format!("s of {} is in the upper half", self.validator)); // as EIP-2 has it
        }
        match signature.recover_address_from_prehash(&digest) {
            Ok(signer) if signer == self.validator => Ok(()),
            _ => refuse(format!("the signature of {} is another's, or over something else", self.validator)),
        }
    }
}

/// Reads the 21 fields of a header and gives its hash.
pub fn decode_header(encoded: &[u8]) -> Result<(Header, B256), Refused> {
    let header: Header = decode_exact(encoded)?;
    if header.requests_hash.is_none() || header.extra_data.len() != 32 || header.hash_slow() != keccak256(encoded) {
        return refuse("a header of another fork");
    }
    Ok((header, keccak256(encoded)))
}
