//! A client of an Alatau network from the published files alone: it pays, follows, reads errors, and verifies what it
//! was told.

pub mod connect;
pub mod failure;
pub mod follow;
pub mod pay;
pub mod prove;
pub mod verify;
pub mod wallet;

/// Messages and stubs, as `build.rs` generates them.
pub mod api {
    #![allow(clippy::all, clippy::pedantic)]
    tonic::include_proto!("alatau.api.v1");
}

/// What can go wrong in a program of many parts.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
pub type Result<T, E = Error> = std::result::Result<T, E>;
