//! Checks what a node says of the chain and trusts nothing but one block's hash: commits of validators, headers, proofs of
//! receipts, accounts and slots. docs/verify.md has the rules; `tests/vectors.rs` runs the vectors of the protocol.

pub mod commit;
pub mod light;
pub mod proof;

/// Why something is not believed.
#[derive(Debug)]
pub struct Refused(pub String);

impl std::fmt::Display for Refused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl From<alloy_rlp::Error> for Refused {
    fn from(error: alloy_rlp::Error) -> Self {
        Self(format!("no RLP of the kind: {error}"))
    }
}

pub(crate) fn refuse<T>(why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(why.into()))
}
