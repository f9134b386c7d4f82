// Command pay is a client of an Alatau network from the published files alone: it pays, follows, reads errors, and
// verifies what it was told.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"math/big"
	"os"
	"time"

	"github.com/ethereum/go-ethereum/common"

	apiv1 "alatau.example/pay/api/v1"
	"alatau.example/pay/verify"
)

type options struct {
	node, ca, keystore, passwordFile, to, genesis, report string
	chainID                                               uint64
}

func main() {
	var o options
	flag.StringVar(&o.node, "node", "localhost:7101", "the node's `host:port`")
	flag.StringVar(&o.ca, "ca", "ca.pem", "`file` with the authority of the node's certificate")
	flag.StringVar(&o.keystore, "keystore", "resident_1.json", "keystore `file` of the account that pays")
	flag.StringVar(&o.passwordFile, "password-file", "password", "`file` with the keystore's password")
	flag.StringVar(&o.to, "to", "", "`address` to pay")
	flag.StringVar(&o.genesis, "genesis", "", "`hash` of block 0, from people")
	flag.Uint64Var(&o.chainID, "chain-id", 7773, "the network's id, from people")
	flag.StringVar(&o.report, "report", "", "write what was measured to this `file`")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := tour(ctx, o); err != nil {
		log.Fatal(err)
	}
}

func tour(ctx context.Context, o options) error {
	connection, err := dial(o.node, o.ca)
	if err != nil {
		return err
	}
	defer connection.Close()
	n := newNode(connection)
	key, err := openKeystore(o.keystore, o.passwordFile)
	if err != nil {
		return err
	}
	payer, err := newWallet(ctx, n, key)
	if err != nil {
		return err
	}
	contract, err := n.nodes.GetSystemContract(ctx, &apiv1.GetSystemContractRequest{Name: "SettlementToken"})
	if err != nil {
		return err
	}
	token, receiver := common.BytesToAddress(contract.Contract.Address), common.HexToAddress(o.to)
	fmt.Println("paying from", payer.address)

	receipt, ready, err := payAndFollow(ctx, n, payer, token, receiver)
	if err != nil {
		return err
	}
	if err := refusals(ctx, n, payer, receiver); err != nil {
		return err
	}
	network := verify.Network{ChainID: o.chainID, GenesisHash: common.HexToHash(o.genesis)}
	if err := proofs(ctx, n, network, receipt, token, receiver); err != nil {
		return err
	}
	if o.report == "" {
		return nil
	}
	text, err := json.Marshal(map[string]float64{"subscribe_ready_ms": float64(ready.Microseconds()) / 1000})
	if err != nil {
		return err
	}
	return os.WriteFile(o.report, text, 0o600)
}

// payAndFollow subscribes and then pays, in one goroutine; is cut off, pays again, and resumes after what it saw.
func payAndFollow(
	ctx context.Context, n node, payer *wallet, token, receiver common.Address,
) (*apiv1.Receipt, time.Duration, error) {
	filter := transfersTo(token, receiver)
	until, cut := context.WithCancel(ctx)
	defer cut()
	began := time.Now()
	stream, err := follow(until, n, filter, "")
	if err != nil {
		return nil, 0, err
	}
	ready := time.Since(began)
	fmt.Println("the subscription stands after", ready.Round(time.Microsecond))
	first, err := payTokens(ctx, n, payer, token, receiver, big.NewInt(1234))
	if err != nil {
		return nil, 0, err
	}
	fmt.Println("final at height", first.Position.Height, "succeeded:", first.Succeeded)
	_, cursor, err := nextLogs(stream)
	if err != nil {
		return nil, 0, err
	}
	cut()

	second, err := payTokens(ctx, n, payer, token, receiver, big.NewInt(5678))
	if err != nil {
		return nil, 0, err
	}
	stream, err = follow(ctx, n, filter, cursor)
	if err != nil {
		return nil, 0, err
	}
	logs, _, err := nextLogs(stream)
	if err != nil {
		return nil, 0, err
	}
	if len(logs) != 1 || common.Hash(logs[0].TransactionHash) != common.Hash(second.TransactionHash) {
		return nil, 0, errors.New("the cursor did not resume with the second payment")
	}
	fmt.Println("resumed: seen each once, amount", new(big.Int).SetBytes(logs[0].Data))
	return second, ready, nil
}

// refusals makes a node refuse, and reads why.
func refusals(ctx context.Context, n node, payer *wallet, receiver common.Address) error {
	used := *payer
	used.nonce--
	signed, err := used.sign(receiver, big.NewInt(1), nil, 21_000)
	if err != nil {
		return err
	}
	_, err = n.transactions.SubmitTransaction(ctx, &apiv1.SubmitTransactionRequest{Transaction: signed})
	refused := readFailure(err)
	if refused.reason != "NONCE_TOO_LOW" || refused.metadata["next_nonce"] != fmt.Sprint(payer.nonce) {
		return fmt.Errorf("expected NONCE_TOO_LOW, got %+v", refused)
	}
	fmt.Println("refused as", refused.reason, "next nonce", refused.metadata["next_nonce"])
	_, err = n.state.GetAccount(ctx, &apiv1.GetAccountRequest{Address: []byte{1, 2, 3}})
	refused = readFailure(err)
	if refused.reason != "INVALID_REQUEST" || refused.violations["address"] == "" {
		return fmt.Errorf("expected a violation of address, got %+v", refused)
	}
	fmt.Println("refused as", refused.reason, "address:", refused.violations["address"])
	return nil
}

func proofs(
	ctx context.Context, n node, network verify.Network, paid *apiv1.Receipt, token, receiver common.Address,
) error {
	// snippet: proofs
	// network is the chain id and the genesis hash, from people; paid a final transaction's receipt that the node gave.
	client, err := verify.NewLightClient(ctx, network, 30*24*time.Hour, n)
	if err != nil {
		return err
	}
	receipt, err := provePayment(ctx, n, client, common.BytesToHash(paid.TransactionHash))
	if err != nil {
		return err
	}
	if receipt.Status != 1 || len(receipt.Logs) == 0 || receipt.Logs[0].Address != token {
		return errors.New("the proved receipt is of no payment")
	}
	fmt.Println("proved: the payment is final in block", client.Newest().Hash)
	// end
	balance, err := proveTokens(ctx, n, client, token, receiver)
	if err != nil {
		return err
	}
	fmt.Printf("proved: %s has %s tokens (in hundredths) at height %s\n", receiver, balance, client.Newest().Header.Number)
	return nil
}
