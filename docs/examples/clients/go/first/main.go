// Command first makes one payment of settlement tokens and waits until it is final.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"log"
	"math/big"
	"os"
	"time"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	apiv1 "alatau.example/pay/api/v1"
)

func main() {
	node := flag.String("node", "localhost:7101", "the node's `host:port`")
	ca := flag.String("ca", "ca.pem", "`file` with the authority of the node's certificate")
	keyFile := flag.String("keystore", "resident_1.json", "keystore `file` of the account that pays")
	passwordFile := flag.String("password-file", "password", "`file` with the keystore's password")
	to := flag.String("to", "", "`address` to pay")
	amount := flag.Int64("amount", 1234, "hundredths of a token")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	// A connection over TLS that trusts the file's authorities, and nobody else.
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(read(*ca)) {
		log.Fatal(*ca, " has no certificate")
	}
	secure := credentials.NewTLS(&tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS13})
	connection := must(grpc.NewClient(*node, grpc.WithTransportCredentials(secure)))
	defer connection.Close()

	// The key, the network's id and fee, and the key's next nonce. Amounts are big-endian bytes; empty is 0.
	key := must(keystore.DecryptKey(read(*keyFile), string(bytes.TrimSpace(read(*passwordFile)))))
	status := must(apiv1.NewNodeServiceClient(connection).GetStatus(ctx, &apiv1.GetStatusRequest{}))
	account := must(apiv1.NewStateServiceClient(connection).GetAccount(ctx,
		&apiv1.GetAccountRequest{Address: key.Address.Bytes()}))
	var token common.Address
	for _, contract := range status.SystemContracts {
		if contract.Name == "SettlementToken" {
			token = common.BytesToAddress(contract.Address)
		}
	}

	// An EIP-1559 transaction that calls transfer(address,uint256).
	call := crypto.Keccak256([]byte("transfer(address,uint256)"))[:4]
	call = append(call, common.LeftPadBytes(common.HexToAddress(*to).Bytes(), 32)...)
	call = append(call, common.BigToHash(big.NewInt(*amount)).Bytes()...)
	chainID := new(big.Int).SetUint64(status.ChainId)
	signed := must(must(types.SignNewTx(key.PrivateKey, types.NewLondonSigner(chainID), &types.DynamicFeeTx{
		ChainID: chainID, Nonce: account.NextNonce, To: &token, Data: call, Gas: 200_000,
		GasFeeCap: new(big.Int).SetBytes(status.BaseFeePerGas), GasTipCap: new(big.Int),
	})).MarshalBinary())

	answer := must(apiv1.NewTransactionServiceClient(connection).SubmitAndWait(ctx,
		&apiv1.SubmitAndWaitRequest{Transaction: signed}))
	fmt.Printf("0x%x is final at height %d, succeeded: %t\n",
		answer.Receipt.TransactionHash, answer.Receipt.Position.Height, answer.Receipt.Succeeded)
}

func read(path string) []byte { return must(os.ReadFile(path)) }

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
