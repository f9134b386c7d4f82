import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { create } from "@bufbuild/protobuf";

import { readFailure } from "../src/failure.js";
import { ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";

const told = (reason: string, metadata: Record<string, string>, domain = "alatau") =>
  readFailure(
    new ConnectError("no", Code.FailedPrecondition, undefined, [
      { desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason, domain, metadata }) },
    ]),
  );

test("values are numbers under their own names", () => {
  const failure = told("INSUFFICIENT_FUNDS", { balance: "115792089237316195423570985008687907853269984665640564039457584007913129639935" });
  assert.equal(failure.reason, "INSUFFICIENT_FUNDS");
  assert.equal(failure.values.balance, 2n ** 256n - 1n);
  assert.deepEqual(told("NONCE_TOO_LOW", { next_nonce: "7", sender: "0x01" }).values, { nextNonce: 7n });
  assert.deepEqual(told("NONCE_TOO_LOW", { next_nonce: "seven" }).values, {});
});

test("reasons of a newer node, or of somebody else, are not ours", () => {
  for (const [reason, domain] of [["FROM_THE_FUTURE", "alatau"], ["NONCE_TOO_LOW", "proxy"], ["UNSPECIFIED", "alatau"]] as const) {
    const failure = told(reason, {}, domain);
    assert.equal(failure.reason, undefined);
    assert.equal(failure.metadata["reason"], reason);
  }
});

test("an error of gRPC has no reason", () => {
  const failure = readFailure(new ConnectError("gone", Code.Unavailable));
  assert.deepEqual([failure.code, failure.reason, failure.retryInMs], [Code.Unavailable, undefined, undefined]);
});
