// A channel over a connection: the party's rules with their storage, their hub and the chain's height. The twin of
// node/alatau/wallet/link.py. Steps follow one another in a queue; what they want kept is kept before anything is said.

import { equal, fromHex, toHex } from "./bytes.js";
import { ChannelError } from "./channel.js";
import { HubError, listen, say } from "./hub.js";
import { attachDigest, invoiceDigest } from "./messages.js";
import { isUnderWay } from "./party.js";
import { readHubMessage, readNumber, readStanding, writeRequest } from "./session.js";

const PAUSE_MS = 500;
const PAUSE_MAX_MS = 8_000;
const MESSAGES_MAX = 256;

export class Link {
  // `told` is called with what the person should know, `changed` after every step.
  constructor({ party, keys, store, terms, told = () => {}, changed = () => {} }) {
    this.party = party;
    this.keys = keys;
    this.store = store;
    this.terms = terms;
    this.told = told;
    this.changed = changed;
    this.height = 0;
    this.connected = false;
    this.failures = new Map();
    this.disputes = [];
    this.#waiters = new Set();
  }

  #session = null;
  #challenge = null;
  #outbox = [];
  #saying = false;
  #queue = Promise.resolve();
  #waiters;
  #stopped = new AbortController();
  #connection = null;

  get now() {
    return { block: this.height, time: Math.floor(Date.now() / 1000) };
  }

  fee(amount) {
    return this.terms.feeBase + (amount * this.terms.feePartsPerMillion) / 1_000_000n;
  }

  // Stay connected until stop().
  async run() {
    let pause = PAUSE_MS;
    while (!this.#stopped.signal.aborted) {
      const connection = new AbortController();
      this.#connection = connection;
      const ends = () => connection.abort();
      this.#stopped.signal.addEventListener("abort", ends);
      try {
        for await (const answer of listen(connection.signal)) {
          if (await this.#heard(answer)) pause = PAUSE_MS;
        }
      } catch (error) {
        if (!(error instanceof HubError)) this.told({ tell: "trouble", text: error.message });
      } finally {
        connection.abort();
        this.#stopped.signal.removeEventListener("abort", ends);
        this.#lost();
      }
      if (this.#stopped.signal.aborted) break;
      await new Promise((resolve) => {
        setTimeout(resolve, pause);
      });
      pause = Math.min(2 * pause, PAUSE_MAX_MS);
    }
  }

  stop() {
    this.#stopped.abort();
  }

  // Pay, and wait for the outcome: gives the payment when it is final. The same invoice again is the same payment.
  async pay(invoice, timeoutMs) {
    const hash = toHex(invoiceDigest(this.party.state.domain, invoice));
    const before = this.party.outgoing.get(hash);
    this.failures.delete(hash);
    if (!(before && isUnderWay(before))) {
      await this.until(() => this.party.agreed, timeoutMs);
      const { lockBlocks } = this.terms;
      await this.#do(() => this.party.pay(invoice, this.fee(invoice.amount), lockBlocks, this.now));
    }
    await this.until(() => !isUnderWay(this.party.outgoing.get(hash)), timeoutMs);
    return { outgoing: this.party.outgoing.get(hash), failure: this.failures.get(hash) ?? null };
  }

  // Ask to be paid; gives the invoice's record.
  async invoice(amount, { seconds, details }) {
    const before = new Set(this.party.incoming.keys());
    const secret = crypto.getRandomValues(new Uint8Array(32));
    await this.#do(() => this.party.invoice(amount, secret, this.now, { seconds, details }));
    return [...this.party.incoming.entries()].find(([hash]) => !before.has(hash))[1];
  }

  // Pay back, and wait until the hub has passed it on.
  async refund(secretHash, amount, timeoutMs) {
    await this.until(() => this.party.agreed, timeoutMs);
    await this.#do(() => this.party.refund(secretHash, amount, this.now));
    await this.until(() => this.party.refunding === null, timeoutMs);
    return this.party.incoming.get(toHex(secretHash));
  }

  // Agree with the hub on how to divide the channel; the hub carries it.
  async close(deadlineSeconds, timeoutMs) {
    await this.until(() => this.party.agreed, timeoutMs);
    const { agreement } = this.party.state;
    const { time } = this.now;
    const earlier = agreement !== null && agreement.message.deadline >= time;
    const deadline = earlier ? agreement.message.deadline : time + deadlineSeconds;
    await this.#do(() => this.party.close(deadline, this.now));
    await this.until(() => this.party.state.phase === "settled", timeoutMs);
  }

  // Wait for a condition of the channel; throws HubError "unreachable" when it does not come in time.
  until(condition, timeoutMs) {
    if (condition()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter = { condition, resolve };
      this.#waiters.add(waiter);
      setTimeout(() => {
        if (this.#waiters.delete(waiter)) reject(new HubError("unreachable", "the hub does not answer in time"));
      }, timeoutMs);
    });
  }

  // One step of the party, after those before it: store, then say and tell.
  #do(step) {
    const next = this.#queue.then(async () => {
      const effects = await step();
      await this.store.put(effects.flatMap((effect) => this.#kept(effect)));
      for (const effect of effects) {
        if (effect.send && this.#session !== null) this.#outbox.push(effect.send);
        if (effect.tell === "failed") this.failures.set(toHex(effect.outgoing.invoiceHash), effect);
        if (effect.tell === "dispute") this.disputes.push(effect.text);
        if (effect.tell) this.told(effect);
      }
      void this.#sayAll();
      this.#wake();
    });
    this.#queue = next.catch(() => {});
    return next;
  }

  #kept(effect) {
    switch (effect.put) {
      case "channel":
        return [["channel", "state", this.party.state]];
      case "refunding":
        return [["channel", "refunding", this.party.refunding]];
      case "outgoing":
        return [["outgoing", toHex(effect.outgoing.invoiceHash), effect.outgoing]];
      case "incoming":
        return [["incoming", toHex(effect.incoming.invoice.secretHash), effect.incoming]];
      default:
        return [];
    }
  }

  async #heard(answer) {
    if (answer.session) {
      this.#session = answer.session;
      this.#challenge = fromHex(answer.challenge);
      this.height = Math.max(this.height, readNumber(answer.height));
      await this.#do(() => this.party.hello());
      return false;
    }
    const height = readNumber(answer.height);
    const isNew = height > this.height;
    if (isNew) this.height = height;
    for (const json of answer.channels ?? []) {
      const standing = readStanding(json);
      if (equal(standing.channelId, this.party.state.id)) await this.#do(() => this.party.news(standing, this.now));
    }
    for (const json of answer.messages ?? []) {
      const { channelId, message } = readHubMessage(json);
      if (!equal(channelId, this.party.state.id)) continue;
      if (message.kind === "refused" && message.reason === "CHANNEL_UNKNOWN") {
        throw new HubError("unknown", message.text); // it has not seen the opening yet: connect again in a while
      }
      await this.#hear(message);
    }
    if (isNew) await this.#do(() => this.party.expire(this.now));
    if (this.party.agreed && !this.connected) {
      await this.store.put([["channel", "stale", false]]);
      this.connected = true;
      this.#wake();
    }
    return this.connected;
  }

  // What is not good changes nothing: the older voucher stays, and the person is told.
  async #hear(message) {
    try {
      await this.#do(() => this.party.hear(message, this.now));
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error;
      this.disputes.push(error.message);
      this.told({ tell: "dispute", text: error.message });
    }
  }

  // Say what waits, one call after the other.
  async #sayAll() {
    if (this.#saying) return;
    this.#saying = true;
    const session = this.#session;
    try {
      while (this.#outbox.length > 0 && session !== null && session === this.#session) {
        const requests = this.#outbox.splice(0, MESSAGES_MAX);
        const messages = [];
        for (const request of requests) {
          const signature = request.kind === "attach" ? await this.#attachSignature() : undefined;
          messages.push(writeRequest(this.party.state.id, request, signature));
        }
        await say(session, messages);
      }
    } catch (error) {
      this.told({ tell: "trouble", text: error.message, error });
      if (session === this.#session) this.#connection?.abort(); // the two compare when they attach again
    } finally {
      this.#saying = false;
    }
    if (this.#outbox.length > 0 && this.#session !== session) void this.#sayAll();
  }

  #attachSignature() {
    const { state } = this.party;
    return this.keys.attach(state.id, attachDigest(state.domain, state.id, this.#challenge));
  }

  #lost() {
    this.#session = null;
    this.#challenge = null;
    this.#outbox = [];
    this.party.agreed = false;
    this.connected = false;
    this.#wake();
  }

  #wake() {
    for (const waiter of [...this.#waiters]) {
      if (waiter.condition()) {
        this.#waiters.delete(waiter);
        waiter.resolve();
      }
    }
    this.changed();
  }
}
