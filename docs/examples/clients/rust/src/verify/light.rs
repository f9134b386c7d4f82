//! From a trusted block to newer ones.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_consensus::Header;
use alloy_primitives::{Address, B256};

use super::commit::{Network, Validator, decode_header, power_of, set_hash};
use super::{Refused, refuse};
use crate::Result;

/// What a node says of a height: all of it is checked.
pub struct Block {
    /// RLP.
    pub header: Vec<u8>,
    /// RLP; empty for genesis.
    pub commit: Vec<u8>,
    /// The validators that decided it.
    pub set: Vec<Validator>,
}

/// Asks a node for blocks.
#[allow(async_fn_in_trait)]
pub trait Source {
    async fn block(&mut self, height: u64) -> Result<Block>;
}

/// A block that follows from what is trusted.
#[derive(Clone, Debug)]
pub struct Believed {
    pub header: Header,
    pub hash: B256,
    pub set: Vec<Validator>,
}

/// Goes from a trusted block to newer ones.
pub struct LightClient<S> {
    network: Network,
    /// For how long after a block its validators are counted on; 30 days is usual.
    period: Duration,
    source: S,
    newest: Believed,
}

/// How a step ends that is not refused.
enum Step {
    Believed(Box<Believed>),
    /// Too few of the trusted validators signed; a block half way may do.
    Strangers,
}

impl<S: Source> LightClient<S> {
    /// Begins with genesis, whose hash is all that is trusted.
    pub async fn new(network: Network, period: Duration, mut source: S) -> Result<Self> {
        let newest = decode(&source.block(0).await?, 0)?;
        if newest.hash != network.genesis_hash {
            return Err(format!("the node's genesis is {}: another network", newest.hash).into());
        }
        Ok(Self { network, period, source, newest })
    }

    /// The newest block that is believed.
    pub fn newest(&self) -> &Believed {
        &self.newest
    }

    /// Believes the block at a height that is not below the newest one, over blocks half way where the set has changed too
    /// much.
    pub async fn advance(&mut self, height: u64) -> Result<&Believed> {
        self.advance_at(height, SystemTime::now()).await
    }

    /// The same at another time than now.
    pub async fn advance_at(&mut self, height: u64, now: SystemTime) -> Result<&Believed> {
        if height < self.newest.header.number {
            return Err(
                format!("height {height} is below {}, which is believed already", self.newest.header.number).into()
            );
        }
        let mut goals = vec![height];
        while let Some(&goal) = goals.last() {
            let at = self.newest.header.number;
            if at == goal {
                goals.pop();
                continue;
            }
            let block = self.source.block(goal).await?;
            match self.step(&block, goal, now)? {
                Step::Believed(believed) => self.newest = *believed,
                Step::Strangers if goal > at + 1 => goals.push(at + (goal - at) / 2),
                Step::Strangers => {
                    return Err(format!("block {goal}: no more than a third of the trusted set signed").into());
                }
            }
        }
        Ok(&self.newest)
    }

    /// The trust rule: decided by its own set, signed by more than a third of the trusted one, within the period.
    fn step(&self, block: &Block, height: u64, now: SystemTime) -> Result<Step, Refused> {
        let trusted = &self.newest;
        let at = UNIX_EPOCH + Duration::from_secs(trusted.header.timestamp);
        if now.duration_since(at).is_ok_and(|age| age > self.period) {
            return refuse("the trusted block is older than the trusting period: take a newer hash from people");
        }
        let believed = decode(block, height)?;
        let signers = self.network.signers(&block.commit, height, believed.hash, &believed.set)?;
        if !trusts(&trusted.set, &signers) {
            return Ok(Step::Strangers);
        }
        if height == trusted.header.number + 1 && believed.header.parent_hash != trusted.hash {
            return refuse("its parent is another block than the one that is trusted");
        }
        Ok(Step::Believed(Box::new(believed)))
    }
}

/// Whether more than a third of a trusted set's power is among the signers: then an honest one is.
pub fn trusts(trusted: &[Validator], signers: &[Address]) -> bool {
    let (signed, total) = power_of(trusted, signers);
    3 * signed > total
}

fn decode(block: &Block, height: u64) -> Result<Believed, Refused> {
    let (header, hash) = decode_header(&block.header)?;
    if header.number != height {
        return refuse(format!("the node sent block {} for {height}", header.number));
    }
    if set_hash(&block.set).as_slice() != header.extra_data.as_ref() {
        return refuse("the node names another set of validators than the header");
    }
    Ok(Believed { header, hash, set: block.set.clone() })
}
