//! Following an account's payments.

use alloy_primitives::{Address, keccak256};
use tonic::{Status, Streaming};

use crate::api::subscribe_logs_request::Start;
use crate::api::{Log, LogFilter, SubscribeLogsRequest, SubscribeLogsResponse, TopicCondition};
use crate::pay::Node;

// snippet: follow

/// Chooses the token's Transfer events to an account: the topics are signature, sender (any) and receiver.
pub fn transfers_to(token: Address, receiver: Address) -> LogFilter {
    let signature = keccak256("Transfer(address,address,uint256)").to_vec();
    let any_of = |values| TopicCondition { any_of: values };
    LogFilter {
        addresses: vec![token.to_vec()],
        topics: vec![any_of(vec![signature]), any_of(vec![]), any_of(vec![receiver.into_word().to_vec()])],
    }
}

pub type LogStream = Streaming<SubscribeLogsResponse>;

/// Subscribes, after a cursor or, without one, from the next block on. It returns when the node has said that the
/// subscription stands: what is paid from now on will be seen.
pub async fn follow(node: &mut Node, filter: LogFilter, cursor: Option<String>) -> Result<LogStream, Status> {
    let request = SubscribeLogsRequest { filter: Some(filter), start: cursor.map(Start::Cursor) };
    Ok(node.events.subscribe_logs(request).await?.into_inner())
}

/// Reads until a message has logs. Keep the cursor with what you did with the logs: it resumes after them, at this node or
/// any other of the network.
pub async fn next_logs(stream: &mut LogStream) -> Result<(Vec<Log>, String), Status> {
    while let Some(message) = stream.message().await? {
        if !message.logs.is_empty() {
            return Ok((message.logs, message.cursor));
        }
    }
    Err(Status::unavailable("the node ended the subscription"))
}

// end
