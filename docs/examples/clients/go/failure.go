package main

import (
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// snippet: failure

// failure is what a node says of a refusal. Switch on reason: it is stable (docs/errors.md).
type failure struct {
	code       codes.Code
	reason     string            // "NONCE_TOO_LOW"; empty where gRPC itself failed
	metadata   map[string]string // "next_nonce": "7"
	violations map[string]string // what is wrong with which field of the request
	retryIn    time.Duration     // 0 where waiting does not help
	message    string            // for people
}

// readFailure reads the details that travel with an error of a call.
func readFailure(err error) failure {
	answer := status.Convert(err)
	read := failure{code: answer.Code(), message: answer.Message(), violations: map[string]string{}}
	for _, detail := range answer.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			read.reason, read.metadata = detail.Reason, detail.Metadata
		case *errdetails.BadRequest:
			for _, violation := range detail.FieldViolations {
				read.violations[violation.Field] = violation.Description
			}
		case *errdetails.RetryInfo:
			read.retryIn = detail.RetryDelay.AsDuration()
		}
	}
	return read
}

// end
