//! A connection to a node.

use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use crate::Result;

// snippet: connect

/// Connects to a node (`host:port`) over TLS and trusts the authorities of the file, nobody else. The connection is made
/// anew after a loss.
pub async fn dial(node: &str, ca_file: &str) -> Result<Channel> {
    let authorities = Certificate::from_pem(tokio::fs::read(ca_file).await?);
    let secure = ClientTlsConfig::new().ca_certificate(authorities);
    Ok(Endpoint::from_shared(format!("https://{node}"))?.tls_config(secure)?.connect().await?)
}

// end
