import { keccak_256 } from "@noble/hashes/sha3.js";

import { equal, toHex } from "../bytes.js";
import { type Network, powerOf, setHash, signersOf, totalPower, type Validator } from "./commit.js";
import { asBytes, asInteger, asList, decode } from "./rlp.js";

/** What a client needs of a header. Its 21 fields are Ethereum's. */
export interface Header {
  readonly hash: Uint8Array;
  readonly parentHash: Uint8Array;
  readonly stateRoot: Uint8Array;
  readonly transactionsRoot: Uint8Array;
  readonly receiptsRoot: Uint8Array;
  readonly height: bigint;
  /** Seconds since 1970. */
  readonly timestamp: bigint;
  /** Hash of the validator set that decides this height: the header's extra data. */
  readonly setHash: Uint8Array;
}

/** A header of its RLP. */
export function decodeHeader(bytes: Uint8Array): Header {
  const fields = asList(decode(bytes), 21);
  return {
    hash: keccak_256(bytes),
    parentHash: asBytes(fields[0], 32),
    stateRoot: asBytes(fields[3], 32),
    transactionsRoot: asBytes(fields[4], 32),
    receiptsRoot: asBytes(fields[5], 32),
    height: asInteger(fields[8]),
    timestamp: asInteger(fields[11]),
    setHash: asBytes(fields[12], 32),
  };
}

/** What a node says of a height: all of it is checked. */
export interface RawBlock {
  /** RLP. */
  readonly header: Uint8Array;
  /** RLP; empty for genesis. */
  readonly commit: Uint8Array;
  /** The validators that decided it. */
  readonly set: readonly Validator[];
}

/** Asks a node for a block. */
export type Source = (height: bigint) => Promise<RawBlock>;

/** A block that follows from what is trusted. */
export interface Believed {
  readonly header: Header;
  readonly set: readonly Validator[];
}

/** The trusted block is older than the trusting period: take a newer hash from people. */
export class TrustExpiredError extends Error {}

/** Whether more than a third of a trusted set's power is among the signers: then an honest one is. */
export function trusts(trusted: readonly Validator[], signers: readonly Uint8Array[]): boolean {
  return 3n * powerOf(trusted, signers) > totalPower(trusted);
}

/** Goes from a trusted block to newer ones. */
export class LightClient {
  private constructor(
    private readonly network: Network,
    private readonly source: Source,
    private readonly periodS: number,
    private readonly now: () => number,
    private believed: Believed,
  ) {}

  /**
   * Begins with genesis, whose hash is all that is trusted. For `periodS` seconds after a block its validators are
   * counted on (30 days is usual); `now` gives seconds since 1970.
   */
  static async begin(
    network: Network,
    source: Source,
    periodS = 30 * 86_400,
    now: () => number = () => Date.now() / 1000,
  ): Promise<LightClient> {
    const genesis = decodeBlock(await source(0n), 0n);
    if (!equal(genesis.header.hash, network.genesisHash)) {
      throw new Error(`the node's genesis is ${toHex(genesis.header.hash)}: another network`);
    }
    return new LightClient(network, source, periodS, now, genesis);
  }

  /** The newest block that is believed. */
  get newest(): Believed {
    return this.believed;
  }

  /**
   * Believes the block at a height that is not below the newest one, over blocks half way where the set has changed too
   * much. Throws where it does not follow.
   */
  async advance(height: bigint): Promise<Believed> {
    if (height < this.believed.header.height) {
      throw new Error(`height ${height} is below ${this.believed.header.height}, which is believed already`);
    }
    const goals = [height];
    for (let goal = goals.at(-1); goal !== undefined; goal = goals.at(-1)) {
      const at = this.believed.header.height;
      if (at === goal) {
        goals.pop();
        continue;
      }
      const next = this.step(await this.source(goal), goal);
      if (next) this.believed = next;
      else if (goal > at + 1n) goals.push(at + (goal - at) / 2n);
      else throw new Error(`no more than a third of the trusted set signed block ${goal}`);
    }
    return this.believed;
  }

  /** The trust rule; undefined where too few of the trusted validators signed. */
  private step(block: RawBlock, height: bigint): Believed | undefined {
    const trusted = this.believed;
    if (this.now() - Number(trusted.header.timestamp) > this.periodS) {
      throw new TrustExpiredError("the trusted block is older than the trusting period");
    }
    const next = decodeBlock(block, height);
    const signers = signersOf(this.network, block.commit, height, next.header.hash, next.set);
    if (!trusts(trusted.set, signers)) return undefined;
    if (height === trusted.header.height + 1n && !equal(next.header.parentHash, trusted.header.hash)) {
      throw new Error("its parent is another block than the one that is trusted");
    }
    return next;
  }
}

function decodeBlock(block: RawBlock, height: bigint): Believed {
  const header = decodeHeader(block.header);
  if (header.height !== height) throw new Error(`the node sent block ${header.height} for ${height}`);
  if (!equal(setHash(block.set), header.setHash)) {
    throw new Error("the node names another set of validators than the header");
  }
  return { header, set: block.set };
}
