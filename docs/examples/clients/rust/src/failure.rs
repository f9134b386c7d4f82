//! What a node says of a refusal.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;

// snippet: failure

/// What a node says of a refusal. Match on `reason`: it is stable (docs/errors.md).
#[derive(Debug)]
pub struct Failure {
    pub code: Code,
    /// `NONCE_TOO_LOW`; empty where gRPC itself failed.
    pub reason: String,
    /// `next_nonce` is `7`.
    pub metadata: HashMap<String, String>,
    /// What is wrong with which field of the request.
    pub violations: HashMap<String, String>,
    /// None where waiting does not help.
    pub retry_in: Option<Duration>,
    /// For people.
    pub message: String,
}

impl From<&Status> for Failure {
    /// Reads the details that travel with an error of a call.
    fn from(status: &Status) -> Self {
        let details = status.get_error_details();
        let (reason, metadata) =
            details.error_info().map(|info| (info.reason.clone(), info.metadata.clone())).unwrap_or_default();
        let violations = details.bad_request().map_or(&[][..], |request| &request.field_violations);
        Self {
            code: status.code(),
            reason,
            metadata,
            violations: violations.iter().map(|v| (v.field.clone(), v.description.clone())).collect(),
            retry_in: details.retry_info().and_then(|info| info.retry_delay),
            message: status.message().into(),
        }
    }
}

// end
