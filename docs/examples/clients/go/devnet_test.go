package main

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"google.golang.org/grpc/codes"

	apiv1 "alatau.example/pay/api/v1"
)

// network connects to the node that the environment names, as `make e2e-clients` sets it.
func network(t *testing.T) (context.Context, node, *wallet) {
	t.Helper()
	if os.Getenv("ALATAU_NODE") == "" {
		t.Skip("ALATAU_NODE names no node")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	connection, err := dial(os.Getenv("ALATAU_NODE"), os.Getenv("ALATAU_CA"))
	must(t, err)
	t.Cleanup(func() { connection.Close() })
	key, err := openKeystore(os.Getenv("ALATAU_KEYSTORE"), os.Getenv("ALATAU_PASSWORD_FILE"))
	must(t, err)
	n := newNode(connection)
	payer, err := newWallet(ctx, n, key)
	must(t, err)
	return ctx, n, payer
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Go's limit of 4 MiB a message is enough for pages of blocks that are larger together.
func TestLargeBlocksComeInPages(t *testing.T) {
	ctx, n, _ := network(t)
	var from, to uint64
	if _, err := fmt.Sscanf(os.Getenv("ALATAU_LARGE_BLOCKS"), "%d-%d", &from, &to); err != nil {
		t.Fatal(err)
	}
	request := &apiv1.ListBlocksRequest{FromHeight: from, ToHeight: &to, View: apiv1.BlockView_BLOCK_VIEW_FULL}
	size := 0
	for first := true; first || request.PageToken != ""; first = false {
		page, err := n.blocks.ListBlocks(ctx, request)
		must(t, err)
		for _, block := range page.Blocks {
			for _, transaction := range block.Transactions {
				size += len(transaction.Raw)
			}
		}
		request.PageToken = page.NextPageToken
	}
	if size < 4<<20 {
		t.Errorf("%d bytes are not enough to show anything", size)
	}
}

// Amounts with leading zeros are taken; an empty amount is zero.
func TestAmounts(t *testing.T) {
	ctx, n, payer := network(t)
	padded := common.LeftPadBytes([]byte{1}, 32)
	call := &apiv1.CallMessage{Sender: payer.address[:], To: make([]byte, 20), Value: padded, GasPrice: make([]byte, 4)}
	_, err := n.transactions.Call(ctx, &apiv1.CallRequest{Message: call})
	must(t, err)
	answer, err := n.state.GetAccount(ctx, &apiv1.GetAccountRequest{Address: common.HexToAddress("0xdead").Bytes()})
	must(t, err)
	if balance := new(big.Int).SetBytes(answer.Account.Balance); len(answer.Account.Balance) != 0 || balance.Sign() != 0 {
		t.Errorf("%x is no zero", answer.Account.Balance)
	}
}

// A transaction that would replace one that waits is told when to come again; a bad cursor is a violation of its field.
func TestRefusals(t *testing.T) {
	ctx, n, payer := network(t)
	behind := *payer
	behind.nonce++
	receiver := common.HexToAddress(os.Getenv("ALATAU_TO"))
	var err error
	for wei := range int64(2) {
		again := behind
		signed, problem := again.sign(receiver, big.NewInt(wei), nil, 21_000)
		must(t, problem)
		_, err = n.transactions.SubmitTransaction(ctx, &apiv1.SubmitTransactionRequest{Transaction: signed})
	}
	refused := readFailure(err)
	if refused.code != codes.FailedPrecondition || refused.reason != "UNDERPRICED" ||
		refused.retryIn <= 0 || refused.retryIn > 10*time.Second ||
		refused.metadata["retry_in_ms"] != fmt.Sprint(refused.retryIn.Milliseconds()) {
		t.Errorf("%+v", refused)
	}
	signed, err := payer.sign(receiver, big.NewInt(1), nil, 21_000) // the one that was missing
	must(t, err)
	_, err = n.transactions.SubmitAndWait(ctx, &apiv1.SubmitAndWaitRequest{Transaction: signed})
	must(t, err)

	_, err = follow(ctx, n, transfersTo(receiver, receiver), "no cursor")
	refused = readFailure(err)
	if refused.reason != "INVALID_CURSOR" || refused.violations["cursor"] == "" {
		t.Errorf("%+v", refused)
	}
}
