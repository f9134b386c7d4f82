package alatau.example;

import alatau.api.v1.BlockServiceGrpc;
import alatau.api.v1.BlockServiceGrpc.BlockServiceBlockingStub;
import alatau.api.v1.EventServiceGrpc;
import alatau.api.v1.EventServiceGrpc.EventServiceBlockingStub;
import alatau.api.v1.NodeServiceGrpc;
import alatau.api.v1.NodeServiceGrpc.NodeServiceBlockingStub;
import alatau.api.v1.StateServiceGrpc;
import alatau.api.v1.StateServiceGrpc.StateServiceBlockingStub;
import alatau.api.v1.TransactionServiceGrpc;
import alatau.api.v1.TransactionServiceGrpc.TransactionServiceBlockingStub;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import java.io.File;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

// snippet: connect

/** The services of a node over one connection. Each call has a minute; a subscription has no deadline. */
final class Node implements AutoCloseable {
  private final ManagedChannel channel;

  /**
   * Connects to a node, `host:port`, over TLS and trusts the authorities of the file, nobody else. The connection is made with
   * the first call, and anew after a loss.
   */
  Node(String node, File ca) throws IOException {
    ChannelCredentials secure = TlsChannelCredentials.newBuilder().trustManager(ca).build();
    channel = Grpc.newChannelBuilder(node, secure).build();
  }

// end

// snippet: services

  NodeServiceBlockingStub nodes() {
    return NodeServiceGrpc.newBlockingStub(channel).withDeadlineAfter(1, TimeUnit.MINUTES);
  }

  BlockServiceBlockingStub blocks() {
    return BlockServiceGrpc.newBlockingStub(channel).withDeadlineAfter(1, TimeUnit.MINUTES);
  }

  StateServiceBlockingStub state() {
    return StateServiceGrpc.newBlockingStub(channel).withDeadlineAfter(1, TimeUnit.MINUTES);
  }

  TransactionServiceBlockingStub transactions() {
    return TransactionServiceGrpc.newBlockingStub(channel).withDeadlineAfter(1, TimeUnit.MINUTES);
  }

  EventServiceBlockingStub events() {
    return EventServiceGrpc.newBlockingStub(channel);
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}

// end
