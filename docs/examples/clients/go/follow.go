package main

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"google.golang.org/grpc"

	apiv1 "alatau.example/pay/api/v1"
)

// snippet: follow

// transfersTo chooses the token's Transfer events to an account: the topics are signature, sender (any) and receiver.
func transfersTo(token, receiver common.Address) *apiv1.LogFilter {
	signature := crypto.Keccak256([]byte("Transfer(address,address,uint256)"))
	return &apiv1.LogFilter{Addresses: [][]byte{token[:]}, Topics: []*apiv1.TopicCondition{
		{AnyOf: [][]byte{signature}}, {}, {AnyOf: [][]byte{common.LeftPadBytes(receiver[:], 32)}},
	}}
}

type logStream = grpc.ServerStreamingClient[apiv1.SubscribeLogsResponse]

// follow subscribes, after a cursor or, where it is empty, from the next block on. It returns when the node has said that
// the subscription stands: what is paid from now on will be seen.
func follow(ctx context.Context, n node, filter *apiv1.LogFilter, cursor string) (logStream, error) {
	request := &apiv1.SubscribeLogsRequest{Filter: filter}
	if cursor != "" {
		request.Start = &apiv1.SubscribeLogsRequest_Cursor{Cursor: cursor}
	}
	stream, err := n.events.SubscribeLogs(ctx, request)
	if err != nil {
		return nil, err
	}
	header, err := stream.Header()
	if header == nil && err == nil { // refused: in Go it is Recv that says so
		_, err = stream.Recv()
	}
	return stream, err
}

// nextLogs reads until a message has logs. Keep the cursor with what you did with the logs: it resumes after them, at this
// node or any other of the network.
func nextLogs(stream logStream) (logs []*apiv1.Log, cursor string, err error) {
	for {
		message, err := stream.Recv()
		if err != nil {
			return nil, "", err
		}
		if len(message.Logs) > 0 {
			return message.Logs, message.Cursor, nil
		}
	}
}

// end
