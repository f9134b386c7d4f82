package alatau.example;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

// snippet: failure

/**
 * What a node says of a refusal. Switch on `reason`: it is stable (docs/errors.md), and empty where gRPC itself failed.
 *
 * @param metadata values: `next_nonce` is `7`
 * @param violations what is wrong with which field of the request
 * @param retryIn empty where waiting does not help
 * @param message for people
 */
record Failure(
    Status.Code code,
    String reason,
    Map<String, String> metadata,
    Map<String, String> violations,
    Optional<Duration> retryIn,
    String message) {

  /** Reads the details that travel with an error of a call. */
  static Failure of(StatusRuntimeException error) throws InvalidProtocolBufferException {
    com.google.rpc.Status answer = StatusProto.fromThrowable(error);
    String reason = "";
    Map<String, String> metadata = Map.of();
    Map<String, String> violations = new HashMap<>();
    Optional<Duration> retryIn = Optional.empty();
    for (Any detail : answer.getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        ErrorInfo info = detail.unpack(ErrorInfo.class);
        reason = info.getReason();
        metadata = info.getMetadataMap();
      } else if (detail.is(BadRequest.class)) {
        for (BadRequest.FieldViolation one : detail.unpack(BadRequest.class).getFieldViolationsList()) {
          violations.put(one.getField(), one.getDescription());
        }
      } else if (detail.is(RetryInfo.class)) {
        com.google.protobuf.Duration delay = detail.unpack(RetryInfo.class).getRetryDelay();
        retryIn = Optional.of(Duration.ofSeconds(delay.getSeconds(), delay.getNanos()));
      }
    }
    return new Failure(error.getStatus().getCode(), reason, metadata, violations, retryIn, answer.getMessage());
  }
}

// end
