package alatau.example.verify;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.web3j.utils.Numeric;

/** Goes from a trusted block to newer ones. */
public final class LightClient {
  /** What a node says of a height: all of it is checked. The commit is empty for genesis. */
  public record RawBlock(byte[] header, byte[] commit, ValidatorSet set) {}

  /** Asks a node for blocks. */
  @FunctionalInterface
  public interface Source {
    RawBlock block(long height);
  }

  /** A block that follows from what is trusted. */
  public record Believed(Header header, ValidatorSet set) {}

  private final Network network;
  private final Source source;
  private final Duration period;
  private final Clock clock;
  private Believed newest;

  /**
   * Begins with genesis, whose hash is all that is trusted. For `period` after a block its validators are counted on; 30 days
   * is usual.
   */
  public LightClient(Network network, Source source, Duration period, Clock clock) throws Refused {
    Believed genesis = decode(source.block(0), 0);
    if (!Arrays.equals(genesis.header.hash(), network.genesisHash())) {
      throw new Refused("the node's genesis is " + Numeric.toHexString(genesis.header.hash()) + ": another network");
    }
    this.network = network;
    this.source = source;
    this.period = period;
    this.clock = clock;
    this.newest = genesis;
  }

  /** The newest block that is believed. */
  public Believed newest() {
    return newest;
  }

  /**
   * Believes the block at a height that is not below the newest one, over blocks half way where the set has changed too
   * much.
   */
  public Believed advance(long height) throws Refused {
    if (height < newest.header.height()) {
      throw new Refused("height " + height + " is below " + newest.header.height() + ", which is believed already");
    }
    Deque<Long> goals = new ArrayDeque<>(List.of(height));
    while (!goals.isEmpty()) {
      long at = newest.header.height();
      long goal = goals.peek();
      if (at == goal) {
        goals.pop();
        continue;
      }
      RawBlock block = source.block(goal);
      Believed next = decode(block, goal);
      if (follows(next, block.commit)) {
        newest = next;
      } else if (goal > at + 1) {
        goals.push(at + (goal - at) / 2);
      } else {
        throw new Refused("no more than a third of the trusted set signed block " + goal);
      }
    }
    return newest;
  }

  /** The trust rule; false where too few of the trusted validators signed. */
  private boolean follows(Believed next, byte[] commit) throws Refused {
    if (clock.instant().isAfter(Instant.ofEpochSecond(newest.header.timestamp()).plus(period))) {
      throw new Refused("the trusted block is older than the trusting period: take a newer hash from people");
    }
    long height = next.header.height();
    List<byte[]> signers = Commit.decode(commit).signers(network, height, next.header.hash(), next.set);
    if (!newest.set.trusts(signers)) {
      return false;
    }
    boolean child = height == newest.header.height() + 1;
    if (child && !Arrays.equals(next.header.parentHash(), newest.header.hash())) {
      throw new Refused("its parent is another block than the one that is trusted");
    }
    return true;
  }

  private static Believed decode(RawBlock block, long height) throws Refused {
    Header header = Header.decode(block.header);
    if (header.height() != height) {
      throw new Refused("the node sent block " + header.height() + " for " + height);
    }
    if (!Arrays.equals(block.set.hash(), header.setHash())) {
      throw new Refused("the node names another set of validators than the header");
    }
    return new Believed(header, block.set);
  }
}
