package verify

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"
	"github.com/ethereum/go-ethereum/trie"
)

// nodes are a proof's trie nodes by hash; it counts which were read.
type nodes struct {
	byHash map[common.Hash][]byte
	read   map[common.Hash]bool
}

func (n *nodes) Has(key []byte) (bool, error) {
	_, found := n.byHash[common.BytesToHash(key)]
	return found, nil
}

func (n *nodes) Get(key []byte) ([]byte, error) {
	hash := common.BytesToHash(key)
	n.read[hash] = true
	return n.byHash[hash], nil
}

// Lookup gives the value of a key under a root, nil where the nodes prove that there is none. All nodes must be needed.
func Lookup(root common.Hash, key []byte, proof [][]byte) ([]byte, error) {
	if root == types.EmptyRootHash && len(proof) == 0 {
		return nil, nil
	}
	given := &nodes{map[common.Hash][]byte{}, map[common.Hash]bool{}}
	for _, node := range proof {
		given.byHash[crypto.Keccak256Hash(node)] = node
	}
	value, err := trie.VerifyProof(root, key, given)
	if err != nil {
		return nil, err
	}
	if len(given.read) != len(proof) {
		return nil, errors.New("the proof has nodes that are not on the way")
	}
	return value, nil
}

// Account proves an account after a block; nil, where the nodes prove that there is none.
func Account(stateRoot common.Hash, address common.Address, proof [][]byte) (*types.StateAccount, error) {
	value, err := Lookup(stateRoot, crypto.Keccak256(address[:]), proof)
	if err != nil || value == nil {
		return nil, err
	}
	account := new(types.StateAccount)
	if err := rlp.DecodeBytes(value, account); err != nil {
		return nil, fmt.Errorf("no account: %w", err)
	}
	return account, nil
}

// Word proves a word of a contract's storage; one that is nowhere is 0.
func Word(storageRoot, slot common.Hash, proof [][]byte) (*big.Int, error) {
	word := new(big.Int)
	value, err := Lookup(storageRoot, crypto.Keccak256(slot[:]), proof)
	if err != nil || value == nil {
		return word, err
	}
	if err := rlp.DecodeBytes(value, word); err != nil {
		return nil, fmt.Errorf("no word: %w", err)
	}
	return word, nil
}

// VyperEntry is the slot of a key's entry in the HashMap at a slot: Vyper hashes the slot first, Solidity the key.
func VyperEntry(mapping uint64, key common.Address) common.Hash {
	return crypto.Keccak256Hash(word(mapping), common.LeftPadBytes(key[:], 32))
}

// ReceiptProof is GetReceiptProof's answer, without its header and commit.
type ReceiptProof struct {
	Index            uint32
	Transaction      []byte
	TransactionNodes [][]byte
	Receipt          []byte
	ReceiptNodes     [][]byte
}

// Payment proves a transaction and its receipt at one index of a block that is believed.
func Payment(header *types.Header, hash common.Hash, p ReceiptProof) (*types.Transaction, *types.Receipt, error) {
	if crypto.Keccak256Hash(p.Transaction) != hash {
		return nil, nil, errors.New("the node shows another transaction")
	}
	key := rlp.AppendUint64(nil, uint64(p.Index))
	for _, part := range []struct {
		root  common.Hash
		nodes [][]byte
		value []byte
	}{{header.TxHash, p.TransactionNodes, p.Transaction}, {header.ReceiptHash, p.ReceiptNodes, p.Receipt}} {
		found, err := Lookup(part.root, key, part.nodes)
		if err != nil {
			return nil, nil, err
		}
		if found == nil || !bytes.Equal(found, part.value) {
			return nil, nil, errors.New("the block has something else at this index")
		}
	}
	transaction, receipt := new(types.Transaction), new(types.Receipt)
	if err := transaction.UnmarshalBinary(p.Transaction); err != nil {
		return nil, nil, err
	}
	if err := receipt.UnmarshalBinary(p.Receipt); err != nil {
		return nil, nil, err
	}
	return transaction, receipt, nil
}
