import { readFileSync } from "node:fs";
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

// snippet: connect

/**
 * gRPC over TLS 1.3 to a node, `host:port`. It trusts the authorities in the file and nobody else. The connection is made
 * with the first call, and anew after a loss.
 *
 * Name the node by a name of its certificate (`localhost`, `node.alatau`, its host): Node 26 refuses an address as server
 * name.
 */
export function connect(node: string, caFile: string): Transport {
  return createGrpcTransport({
    baseUrl: `https://${node}`,
    nodeOptions: { ca: readFileSync(caFile), minVersion: "TLSv1.3" },
    readMaxBytes: 4 << 20,
    defaultTimeoutMs: 60_000,
  });
}

// end
