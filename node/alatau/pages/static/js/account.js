// What both pages do with the network: who the hub is, the account on the chain, opening a channel, starting its link.

import { sha256 } from "../vendor/@noble/hashes/sha2.js";
import { equal, fromHex, toHex, utf8 } from "./bytes.js";
import { openedState } from "./channel.js";
import * as hub from "./hub.js";
import { amountBytes } from "./invoice.js";
import { Keys } from "./keys.js";
import { Link } from "./link.js";
import { channelId, channelsDomain, depositNonce, domainOf, moneyDigest } from "./messages.js";
import { Party } from "./party.js";
import { readNumber, readStanding, readUnits, sized } from "./session.js";

// Money is signed away for so long: the hub carries it at once or not at all.
const MONEY_SECONDS = 600;
// A clock that is wrong by more would make invoices that nobody can pay.
export const CLOCK_SECONDS_MAX = 120;

export async function askNetwork() {
  const json = await hub.getNetwork();
  const { relyingParty = "" } = json;
  const rpIdHash = relyingParty ? sha256(utf8(relyingParty)) : new Uint8Array(32);
  const chainId = Number(json.hub.chainId);
  const [low, high] = [json.hub.lockBlocksMin, json.hub.lockBlocksMax];
  return {
    hub: sized(json.hub.address, 20, "hub"),
    domain: channelsDomain(chainId, sized(json.hub.contract, 20, "contract"), rpIdHash),
    token: domainOf(json.tokenName, chainId, sized(json.token, 20, "token"), rpIdHash),
    symbol: json.symbol ?? "",
    decimals: json.decimals ?? 0,
    relyingParty,
    settleBlocks: readNumber(json.settleBlocks),
    clockOff: readNumber(json.time) - Math.floor(Date.now() / 1000),
    terms: {
      feeBase: readUnits(json.hub.feeBase),
      feePartsPerMillion: BigInt(json.hub.feePartsPerMillion ?? 0),
      lockBlocks: Math.floor((low + high) / 2),
    },
    limits: (json.hub.limits ?? []).map((one) => ({
      tier: one.tier ?? 0,
      payment: readUnits(one.payment),
      day: readUnits(one.day),
      month: readUnits(one.month),
    })),
  };
}

export async function askAccount(address) {
  const json = await hub.getAccount(address);
  return {
    registered: json.registered ?? false,
    tier: json.tier ?? 0,
    balance: readUnits(json.balance),
    credit: readUnits(json.credit),
    channel: json.channel ? readStanding(json.channel) : null,
    nextSalt: sized(json.nextSalt, 32, "nextSalt"),
  };
}

// Open the account's next channel with `amount`; the hub carries it.
export async function openChannel(network, keys, store, nextSalt, amount) {
  const parties = { a: keys.address, b: network.hub, salt: nextSalt };
  const money = await signedMoney(network, keys, amount, channelId(network.domain, parties));
  await hub.openChannel(nextSalt, money);
  await store.put([
    ["channel", "state", openedState(network.domain, parties, network.settleBlocks)],
    ["channel", "refunding", undefined],
    ["channel", "stale", false],
  ]);
}

// Put more money into a channel; the hub carries it.
export async function payIn(network, keys, parties, amount) {
  const salt = crypto.getRandomValues(new Uint8Array(32));
  const nonce = depositNonce(channelId(network.domain, parties), salt);
  const money = await signedMoney(network, keys, amount, nonce);
  const json = { a: toHex(parties.a), b: toHex(parties.b), salt: toHex(parties.salt) };
  await hub.deposit(json, salt, money);
}

async function signedMoney(network, keys, amount, nonce) {
  const validBefore = Math.floor(Date.now() / 1000) + network.clockOff + MONEY_SECONDS;
  const receiver = network.domain.contract;
  const message = { owner: keys.address, receiver, amount, validAfter: 0, validBefore, nonce };
  return {
    owner: toHex(keys.address),
    amount: toHex(amountBytes(amount)),
    validAfter: "0",
    validBefore: String(validBefore),
    signature: toHex(await keys.sign(moneyDigest(network.token, message))),
  };
}

// The account that is kept here, with its keys; null before there is one.
export async function keptKeys(store, network) {
  const account = await store.get("account", "me");
  if (!account) return null;
  const grant = (await store.get("account", "grant")) ?? null;
  return new Keys(network.domain, account, grant, (given) => store.put([["account", "grant", given]]));
}

// Begin with the channel that the chain has: what is kept here of it, else stale, so that nothing is signed before the
// hub has shown what it has. `options` are Link's.
export async function beginLink(network, keys, store, standing, options) {
  const kept = await store.get("channel", "state");
  const isKept = kept !== undefined && equal(kept.id, standing.channelId);
  const state = isKept ? kept : openedState(network.domain, standing.parties, network.settleBlocks);
  if (!isKept) {
    // Nothing of an older channel stays behind but its payments.
    await store.put([
      ["channel", "state", state],
      ["channel", "refunding", undefined],
      ["channel", "stale", true],
    ]);
  }
  const party = new Party(state, keys.address, keys.signer, {
    stale: (await store.get("channel", "stale")) === true,
    outgoing: await store.all("outgoing"),
    incoming: await store.all("incoming"),
    refunding: (await store.get("channel", "refunding")) ?? null,
  });
  const link = new Link({ party, keys, store, terms: network.terms, ...options });
  await party.news(standing, link.now);
  void link.run();
  return link;
}

// An account's code as people see it: the address.
export const accountCode = (address) => toHex(address);
export const shortCode = (address) => `${toHex(address).slice(0, 8)}…${toHex(address).slice(-6)}`;
export const sameAddress = (one, other) => equal(one, other);
export const readCode = (text) => fromHex(text);
