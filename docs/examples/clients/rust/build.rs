//! Generates messages and gRPC stubs from the definitions, with a compiler of protobuf in Rust: no `protoc` is needed.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-env-changed=ALATAU_PROTOS");
    let protos = PathBuf::from(std::env::var("ALATAU_PROTOS").unwrap_or("../../../../protos".into()));
    let services = ["node", "block", "state", "event", "transaction"];
    let files = services.map(|name| protos.join(format!("alatau/api/v1/{name}_service.proto")));
    println!("cargo::rerun-if-changed={}", protos.join("alatau/api").display());
    let definitions = protox::compile(files, [protos.clone(), protos.join("third_party")])?;
    tonic_prost_build::configure().build_server(false).compile_fds(definitions)?;
    Ok(())
}
