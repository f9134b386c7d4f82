import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";

import { ErrorReason } from "./gen/alatau/api/v1/error_reason_pb.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";

// snippet: failure

/** A stable name of docs/errors.md. */
export type Reason = Exclude<keyof typeof ErrorReason, "UNSPECIFIED">;

/** What a node says of a refusal. Switch on `reason`. */
export interface Failure {
  readonly code: Code;
  /** Undefined where gRPC itself failed. One that a newer node knows has its name in `metadata.reason`. */
  readonly reason: Reason | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** The values of `metadata` as numbers, amounts in wei; undefined where the node did not send one. */
  readonly values: FailureValues;
  /** What is wrong with which field of the request. */
  readonly violations: Readonly<Record<string, string>>;
  /** Undefined where waiting does not help. */
  readonly retryInMs: number | undefined;
  /** For people. */
  readonly message: string;
}

/** Keys of docs/errors.md whose values are numbers. */
const NUMBERS = {
  nextNonce: "next_nonce",
  gapMax: "gap_max",
  balance: "balance",
  needed: "needed",
  chainId: "chain_id",
  gasNeeded: "gas_needed",
  gasLimitMax: "gas_limit_max",
  maxFeePerGasNeeded: "max_fee_per_gas_needed",
  maxPriorityFeePerGasNeeded: "max_priority_fee_per_gas_needed",
  sequence: "sequence",
} as const;

export type FailureValues = { readonly [name in keyof typeof NUMBERS]?: bigint };

/** Reads the details that travel with an error of a call. */
export function readFailure(error: unknown): Failure {
  const answer = ConnectError.from(error);
  const [info] = answer.findDetails(ErrorInfoSchema);
  const [retry] = answer.findDetails(RetryInfoSchema);
  const metadata = info?.metadata ?? {};
  const known = info && info.domain === "alatau" && isReason(info.reason);
  const violations = answer.findDetails(BadRequestSchema).flatMap((request) => request.fieldViolations);
  return {
    code: answer.code,
    reason: known ? (info.reason as Reason) : undefined,
    metadata: info && !known ? { ...metadata, reason: info.reason } : metadata,
    values: numbersOf(metadata),
    violations: Object.fromEntries(violations.map(({ field, description }) => [field, description])),
    retryInMs: retry?.retryDelay && durationMs(retry.retryDelay),
    message: answer.rawMessage,
  };
}

// end

function isReason(name: string): name is Reason {
  return name !== "UNSPECIFIED" && typeof ErrorReason[name as Reason] === "number";
}

function numbersOf(metadata: Record<string, string>): FailureValues {
  const found = Object.entries(NUMBERS).flatMap(([name, key]) => {
    const value = metadata[key];
    return value !== undefined && /^\d+$/.test(value) ? [[name, BigInt(value)] as const] : [];
  });
  return Object.fromEntries(found) as FailureValues;
}
