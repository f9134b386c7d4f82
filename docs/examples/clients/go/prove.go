package main

import (
	"context"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	apiv1 "alatau.example/pay/api/v1"
	"alatau.example/pay/verify"
)

// snippet: prove

// Block makes a node a source of blocks for the light client, which believes none of it without a check.
func (n node) Block(ctx context.Context, height uint64) (verify.Block, error) {
	at := &apiv1.GetBlockRequest{
		Id: &apiv1.GetBlockRequest_Height{Height: height}, View: apiv1.BlockView_BLOCK_VIEW_RAW,
	}
	found, err := n.blocks.GetBlock(ctx, at)
	if err != nil {
		return verify.Block{}, err
	}
	validators, err := n.nodes.ListValidators(ctx, &apiv1.ListValidatorsRequest{Height: &height})
	if err != nil {
		return verify.Block{}, err
	}
	block := verify.Block{Header: found.Block.Raw.Header, Commit: found.Block.Raw.Commit}
	for _, member := range validators.Validators {
		block.Set = append(block.Set, verify.Validator{Address: common.BytesToAddress(member.Address), Power: member.Power})
	}
	return block, nil
}

// provePayment asks for the proof of a final transaction and verifies it against a block that the client believes.
func provePayment(ctx context.Context, n node, c *verify.LightClient, hash common.Hash) (*types.Receipt, error) {
	answer, err := n.transactions.GetReceiptProof(ctx, &apiv1.GetReceiptProofRequest{Hash: hash[:]})
	if err != nil {
		return nil, err
	}
	header, _, err := verify.DecodeHeader(answer.Proof.Header)
	if err != nil {
		return nil, err
	}
	block, err := c.Advance(ctx, header.Number.Uint64())
	if err != nil {
		return nil, err
	}
	_, receipt, err := verify.Payment(block.Header, hash, verify.ReceiptProof{
		Index:       answer.Proof.Index,
		Transaction: answer.Proof.Transaction, TransactionNodes: answer.Proof.TransactionNodes,
		Receipt: answer.Proof.Receipt, ReceiptNodes: answer.Proof.ReceiptNodes,
	})
	return receipt, err
}

// accountsSlot is where SettlementToken keeps `_accounts`, a HashMap[address, uint256]; GetSystemContract has the layout.
const accountsSlot = 0

// proveTokens proves what an account has of the token: the low 128 bits of its word.
func proveTokens(ctx context.Context, n node, c *verify.LightClient, token, holder common.Address) (*big.Int, error) {
	slot := verify.VyperEntry(accountsSlot, holder)
	answer, err := n.state.GetProof(ctx, &apiv1.GetProofRequest{Address: token[:], Slots: [][]byte{slot[:]}})
	if err != nil {
		return nil, err
	}
	block, err := c.Advance(ctx, answer.Height)
	if err != nil {
		return nil, err
	}
	account, err := verify.Account(block.Header.Root, token, answer.Proof.AccountNodes)
	if err != nil {
		return nil, err
	}
	if account == nil || len(answer.Proof.Slots) != 1 {
		return nil, errors.New("the node proves something else")
	}
	word, err := verify.Word(account.Root, slot, answer.Proof.Slots[0].Nodes)
	if err != nil {
		return nil, err
	}
	return word.And(word, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))), nil
}

// end
