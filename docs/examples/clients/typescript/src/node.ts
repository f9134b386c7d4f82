import { type Client, createClient, type Transport } from "@connectrpc/connect";

import { BlockService } from "./gen/alatau/api/v1/block_service_pb.js";
import { EventService } from "./gen/alatau/api/v1/event_service_pb.js";
import { NodeService } from "./gen/alatau/api/v1/node_service_pb.js";
import { StateService } from "./gen/alatau/api/v1/state_service_pb.js";
import { TransactionService } from "./gen/alatau/api/v1/transaction_service_pb.js";

// snippet: node

/** The services of a node. */
export interface Node {
  readonly nodes: Client<typeof NodeService>;
  readonly blocks: Client<typeof BlockService>;
  readonly state: Client<typeof StateService>;
  readonly events: Client<typeof EventService>;
  readonly transactions: Client<typeof TransactionService>;
}

/** The services over one transport: `connect` of "@alatau/client/node", or Connect's own of a browser. */
export function nodeAt(transport: Transport): Node {
  return {
    nodes: createClient(NodeService, transport),
    blocks: createClient(BlockService, transport),
    state: createClient(StateService, transport),
    events: createClient(EventService, transport),
    transactions: createClient(TransactionService, transport),
  };
}

// end
