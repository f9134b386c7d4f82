//! A key that pays.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, Bytes, TxKind, U256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;

use crate::Result;
use crate::api::{GetAccountRequest, GetStatusRequest};
use crate::pay::Node;

// snippet: wallet

/// Decrypts the key in a keystore file with the password in another. The password ends where its line does.
pub fn open_keystore(path: &str, password_file: &str) -> Result<PrivateKeySigner> {
    let password = std::fs::read_to_string(password_file)?;
    Ok(PrivateKeySigner::decrypt_keystore(path, password.trim_end_matches(['\r', '\n']))?)
}

/// Signs the transactions of one key and numbers them.
#[derive(Clone)]
pub struct Wallet {
    key: PrivateKeySigner,
    chain_id: u64,
    pub nonce: u64,
    /// Wei per gas; the network's, which does not change with load.
    fee: u128,
}

impl Wallet {
    /// Asks the node for the network's id and fee, and for the key's next nonce.
    pub async fn new(node: &mut Node, key: PrivateKeySigner) -> Result<Self> {
        let status = node.nodes.get_status(GetStatusRequest {}).await?.into_inner();
        let address = key.address().to_vec();
        let account = node.state.get_account(GetAccountRequest { address, ..Default::default() }).await?.into_inner();
        let fee = U256::try_from_be_slice(&status.base_fee_per_gas).ok_or("a fee of more than 32 bytes")?; // empty is 0
        Ok(Self { key, chain_id: status.chain_id, nonce: account.next_nonce, fee: fee.try_into()? })
    }

    pub fn address(&self) -> Address {
        self.key.address()
    }

    /// Makes an EIP-1559 transaction with the next nonce and gives its signed bytes.
    pub fn sign(&mut self, to: Address, wei: U256, data: Vec<u8>, gas: u64) -> Result<Vec<u8>> {
        let transaction = TxEip1559 {
            chain_id: self.chain_id,
            nonce: self.nonce,
            gas_limit: gas,
            max_fee_per_gas: self.fee,
            max_priority_fee_per_gas: 0,
            to: TxKind::Call(to),
            value: wei,
            access_list: Default::default(),
            input: Bytes::from(data),
        };
        let signature = self.key.sign_hash_sync(&transaction.signature_hash())?;
        self.nonce += 1;
        let mut signed = Vec::new();
        TxEnvelope::from(transaction.into_signed(signature)).encode_2718(&mut signed);
        Ok(signed)
    }
}

// end
