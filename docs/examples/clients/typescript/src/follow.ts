import { create } from "@bufbuild/protobuf";
import { keccak_256 } from "@noble/hashes/sha3.js";

import { padded } from "./bytes.js";
import type { SubscribeLogsResponse } from "./gen/alatau/api/v1/event_service_pb.js";
import { type LogFilter, LogFilterSchema } from "./gen/alatau/api/v1/log_pb.js";
import type { Node } from "./node.js";

// snippet: follow

/** The token's Transfer events to an account: the topics are signature, sender (any) and receiver. */
export function transfersTo(token: Uint8Array, receiver: Uint8Array): LogFilter {
  const signature = keccak_256(new TextEncoder().encode("Transfer(address,address,uint256)"));
  return create(LogFilterSchema, {
    addresses: [token],
    topics: [{ anyOf: [signature] }, {}, { anyOf: [padded(receiver, 32)] }],
  });
}

/**
 * Subscribes, after a cursor or from the next block on. When the promise resolves the subscription stands: what is paid
 * from now on will be seen. It yields messages that have logs; keep the cursor of each with what you did with its logs: it
 * resumes after them, at this node or any other of the network. `signal` ends it.
 */
export async function follow(
  node: Node,
  filter: LogFilter,
  cursor?: string,
  signal?: AbortSignal,
): Promise<AsyncGenerator<SubscribeLogsResponse, void>> {
  const start = cursor === undefined ? {} : { start: { case: "cursor" as const, value: cursor } };
  // Without a deadline: a subscription is open as long as it is read.
  const options = { timeoutMs: 0, ...(signal && { signal }) };
  const messages = node.events.subscribeLogs({ filter, ...start }, options)[Symbol.asyncIterator]();
  const first = await messages.next(); // comes at once and has no logs
  return withLogs(first, messages);
}

async function* withLogs(
  first: IteratorResult<SubscribeLogsResponse>,
  messages: AsyncIterator<SubscribeLogsResponse>,
): AsyncGenerator<SubscribeLogsResponse, void> {
  for (let { done, value } = first; !done; { done, value } = await messages.next()) {
    if (value.logs.length) yield value;
  }
}

// end
