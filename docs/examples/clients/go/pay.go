package main

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"google.golang.org/grpc"

	apiv1 "alatau.example/pay/api/v1"
)

// snippet: pay

// node is the services of a node over one connection.
type node struct {
	nodes        apiv1.NodeServiceClient
	blocks       apiv1.BlockServiceClient
	state        apiv1.StateServiceClient
	events       apiv1.EventServiceClient
	transactions apiv1.TransactionServiceClient
}

func newNode(connection *grpc.ClientConn) node {
	return node{
		apiv1.NewNodeServiceClient(connection), apiv1.NewBlockServiceClient(connection),
		apiv1.NewStateServiceClient(connection), apiv1.NewEventServiceClient(connection),
		apiv1.NewTransactionServiceClient(connection),
	}
}

// transferCall is the call of an ERC-20 token's transfer(address,uint256).
func transferCall(to common.Address, amount *big.Int) []byte {
	selector := crypto.Keccak256([]byte("transfer(address,uint256)"))[:4]
	return append(append(selector, common.LeftPadBytes(to[:], 32)...), common.BigToHash(amount).Bytes()...)
}

// payTokens signs a payment, submits it and waits until it is final. Submitting the same bytes again is safe: after a
// lost connection do just that.
func payTokens(ctx context.Context, n node, w *wallet, token, to common.Address, amount *big.Int) (*apiv1.Receipt, error) {
	signed, err := w.sign(token, new(big.Int), transferCall(to, amount), 200_000)
	if err != nil {
		return nil, err
	}
	answer, err := n.transactions.SubmitAndWait(ctx, &apiv1.SubmitAndWaitRequest{Transaction: signed})
	if err != nil {
		return nil, err
	}
	return answer.Receipt, nil // final; look at Succeeded
}

// end
