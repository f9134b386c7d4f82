// Replays what a party's core did in Python with its twin of the pages, and says where the two differ.
import { isDeepStrictEqual } from "node:util";

const js = `${process.argv[2]}/static/js`;
const { fromHex, toHex } = await import(`${js}/bytes.js`);
const { openedState } = await import(`${js}/channel.js`);
const { attachDigest, channelsDomain, closeDigest, keccak256, voucherDigest } = await import(`${js}/messages.js`);
const { Party } = await import(`${js}/party.js`);
const { readHubMessage, readInvoice, writeInvoice, writeRequest, writeVoucher } = await import(`${js}/session.js`);
const { invoiceText, readInvoiceText } = await import(`${js}/invoice.js`);

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const stories = JSON.parse(Buffer.concat(chunks).toString());

// As protobuf's JSON: what is empty is left out.
function pruned(value) {
  if (Array.isArray(value)) return value.map(pruned);
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value)
    .map(([name, inner]) => [name, pruned(inner)])
    .filter(([name, inner]) => !(inner === "0x" && name !== "pending") && inner !== "0" && !(Array.isArray(inner) && inner.length === 0));
  return Object.fromEntries(kept);
}

const side = (one) => ({
  deposited: String(one.deposited),
  withdrawn: String(one.withdrawn),
  latest: one.latest === null ? null : pruned(writeVoucher(one.latest)),
  receipt: one.receipt === null ? null : toHex(one.receipt),
});

function summary(party) {
  const { state } = party;
  const byHash = (one, other) => (one.invoiceHash < other.invoiceHash ? -1 : 1);
  const agreement = state.agreement?.message;
  return {
    id: toHex(state.id),
    phase: state.phase,
    a: side(state.a),
    b: side(state.b),
    agreement: agreement ? [String(agreement.payoutA), String(agreement.payoutB), agreement.deadline] : null,
    outgoing: [...party.outgoing.values()]
      .map((one) => ({
        invoiceHash: toHex(one.invoiceHash),
        phase: one.phase,
        secret: one.secret === null ? null : toHex(one.secret),
        refunded: String(one.refunded),
        note: one.note,
      }))
      .sort(byHash),
    incoming: [...party.incoming.values()]
      .map((one) => ({
        invoiceHash: toHex(one.invoiceHash),
        phase: one.phase,
        paidTime: one.paidTime,
        refunded: String(one.refunded),
        refunds: one.refunds.map(([time, amount]) => [time, String(amount)]),
      }))
      .sort(byHash),
    refunding: party.refunding !== null,
  };
}

function standing(party, step) {
  const { state } = party;
  const told = {
    deposited: party.mine.deposited,
    hubDeposited: party.hubs.deposited,
    withdrawn: party.mine.withdrawn,
    hubWithdrawn: party.hubs.withdrawn,
    phase: state.phase,
    window: state.window,
  };
  const mine = step.party === toHex(party.me);
  if (step.change === "deposited") told[mine ? "deposited" : "hubDeposited"] = BigInt(step.total);
  if (step.change === "withdrawn") told[mine ? "withdrawn" : "hubWithdrawn"] = BigInt(step.total);
  if (step.change === "closing") Object.assign(told, { phase: "closing", window: { block: step.block, time: step.time } });
  if (step.change === "settled") told.phase = "settled";
  return told;
}

function run(party, step) {
  switch (step.op) {
    case "hello":
      return party.hello();
    case "invoice":
      return party.invoice(BigInt(step.amount), fromHex(step.secret), step.now, {
        seconds: step.seconds,
        details: fromHex(step.details),
      });
    case "pay": {
      const invoice = readInvoice(step.invoice);
      const again = readInvoiceText(invoiceText(invoice));
      if (!isDeepStrictEqual(pruned(writeInvoice(again)), pruned(step.invoice))) throw new Error("invoice's text");
      return party.pay(invoice, BigInt(step.fee), step.life, step.now);
    }
    case "refund":
      return party.refund(fromHex(step.secretHash), BigInt(step.amount), step.now);
    case "close":
      return party.close(step.deadline, step.now);
    case "news":
      return party.news(standing(party, step), step.now);
    case "hear":
      return party.hear(readHubMessage(step.message).message, step.now);
    case "expire":
      return party.expire(step.now);
    default:
      throw new TypeError(step.op);
  }
}

for (const [number, { start, steps, signatures }] of stories.entries()) {
  const domain = channelsDomain(start.chainId, fromHex(start.contract), fromHex(start.rpIdHash));
  const parties = Object.fromEntries(Object.entries(start.parties).map(([name, value]) => [name, fromHex(value)]));
  const state = openedState(domain, parties, start.settleBlocks);
  const read = (one) => ({
    deposited: BigInt(one.deposited),
    withdrawn: BigInt(one.withdrawn),
    latest: null,
    receipt: null,
    submittedNonce: 0n,
  });
  if (start.a.latest || start.b.latest) throw new Error("stories begin without vouchers");
  const begun = { ...state, a: read(start.a), b: read(start.b) };
  const find = (digest) => {
    const found = signatures[toHex(digest)];
    if (!found) throw new Error(`story ${number}: Python never signed ${toHex(digest)}`);
    return fromHex(found);
  };
  const signer = {
    voucher: async (voucher) => find(voucherDigest(domain, voucher)),
    account: async (digest) => find(digest),
  };
  const party = new Party(begun, fromHex(start.me), signer, { stale: start.stale });
  for (const [at, step] of steps.entries()) {
    party.agreed = step.agreed;
    party.revealed = new Map(Object.entries(step.revealed));
    let effects = [];
    let failed = null;
    try {
      effects = await run(party, step);
    } catch (error) {
      failed = error;
    }
    const sends = effects.filter((one) => one.send).map((one) => pruned(writeRequest(party.state.id, one.send)));
    const tells = effects.filter((one) => one.tell && one.tell !== "agreed").map((one) => one.tell);
    const got = { fails: failed !== null, sends, tells, after: pruned(summary(party)) };
    const expected = {
      fails: step.fails,
      sends: step.fails ? [] : step.sends.map(pruned),
      tells: step.fails ? [] : step.tells,
      after: pruned(step.after),
    };
    if (!isDeepStrictEqual(got, expected)) {
      console.log(JSON.stringify({ story: number, at, op: step.op, error: String(failed?.stack), got, expected, step }, null, 1));
      process.exit(1);
    }
  }
}
console.log("same");
