package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"math/big"
	"os"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	apiv1 "alatau.example/pay/api/v1"
)

// snippet: wallet

// openKeystore decrypts the key in a keystore file with the password in another. The password ends where its line does.
func openKeystore(path, passwordFile string) (*ecdsa.PrivateKey, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	password, err := os.ReadFile(passwordFile)
	if err != nil {
		return nil, err
	}
	opened, err := keystore.DecryptKey(file, string(bytes.TrimRight(password, "\r\n")))
	if err != nil {
		return nil, err
	}
	return opened.PrivateKey, nil
}

// wallet signs the transactions of one key and numbers them.
type wallet struct {
	key     *ecdsa.PrivateKey
	address common.Address
	chainID *big.Int
	nonce   uint64
	fee     *big.Int // wei per gas; the network's, which does not change with load
}

// newWallet asks the node for the network's id and fee, and for the key's next nonce.
func newWallet(ctx context.Context, n node, key *ecdsa.PrivateKey) (*wallet, error) {
	address := crypto.PubkeyToAddress(key.PublicKey)
	status, err := n.nodes.GetStatus(ctx, &apiv1.GetStatusRequest{})
	if err != nil {
		return nil, err
	}
	account, err := n.state.GetAccount(ctx, &apiv1.GetAccountRequest{Address: address[:]})
	if err != nil {
		return nil, err
	}
	fee := new(big.Int).SetBytes(status.BaseFeePerGas) // big-endian; empty is 0
	return &wallet{key, address, new(big.Int).SetUint64(status.ChainId), account.NextNonce, fee}, nil
}

// sign makes an EIP-1559 transaction with the next nonce and gives its signed bytes.
func (w *wallet) sign(to common.Address, wei *big.Int, data []byte, gas uint64) ([]byte, error) {
	transaction, err := types.SignNewTx(w.key, types.NewLondonSigner(w.chainID), &types.DynamicFeeTx{
		ChainID: w.chainID, Nonce: w.nonce, To: &to, Value: wei, Data: data, Gas: gas,
		GasFeeCap: w.fee, GasTipCap: new(big.Int),
	})
	if err != nil {
		return nil, err
	}
	w.nonce++
	return transaction.MarshalBinary()
}

// end
