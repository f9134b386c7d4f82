package alatau.example;

import alatau.api.v1.LogFilter;
import alatau.api.v1.SubscribeLogsRequest;
import alatau.api.v1.SubscribeLogsResponse;
import alatau.api.v1.TopicCondition;
import alatau.example.verify.Bytes;
import com.google.protobuf.ByteString;
import io.grpc.Context;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;

// snippet: follow

/** A subscription to logs. When the constructor returns it stands: what is paid from then on will be seen. */
final class Subscription implements AutoCloseable {
  private final Context.CancellableContext context = Context.current().withCancellation();
  private final Iterator<SubscribeLogsResponse> messages;

  /** After a cursor or, where it is null, from the next block on. */
  Subscription(Node node, LogFilter filter, String cursor) {
    SubscribeLogsRequest.Builder request = SubscribeLogsRequest.newBuilder().setFilter(filter);
    if (cursor != null) {
      request.setCursor(cursor);
    }
    Context before = context.attach();
    try {
      messages = node.events().subscribeLogs(request.build());
      messages.next(); // comes at once and has no logs
    } finally {
      context.detach(before);
    }
  }

  /**
   * Reads until a message has logs. Keep its cursor with what you did with the logs: it resumes after them, at this node or
   * any other of the network.
   */
  SubscribeLogsResponse nextLogs() {
    SubscribeLogsResponse message = messages.next();
    while (message.getLogsCount() == 0) {
      message = messages.next();
    }
    return message;
  }

  @Override
  public void close() {
    context.cancel(null);
  }

  /** The token's Transfer events to an account: the topics are signature, sender (any) and receiver. */
  static LogFilter transfersTo(byte[] token, byte[] receiver) {
    byte[] event = "Transfer(address,address,uint256)".getBytes(StandardCharsets.US_ASCII);
    return LogFilter.newBuilder()
        .addAddresses(ByteString.copyFrom(token))
        .addTopics(TopicCondition.newBuilder().addAnyOf(ByteString.copyFrom(Bytes.keccak(event))))
        .addTopics(TopicCondition.getDefaultInstance())
        .addTopics(TopicCondition.newBuilder().addAnyOf(ByteString.copyFrom(Bytes.word(receiver))))
        .build();
  }
}

// end
