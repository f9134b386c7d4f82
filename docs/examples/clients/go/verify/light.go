// Package verify checks what a node says of the chain and trusts nothing but one block's hash: commits of validators,
// headers, proofs of receipts, accounts and slots. docs/verify.md has the rules; the vectors of the protocol are run by
// its tests.
package verify

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Block is what a node says of a height: all of it is checked.
type Block struct {
	Header []byte // RLP
	Commit []byte // RLP; empty for genesis
	Set    Set    // the validators that decided it
}

// Source asks a node for blocks.
type Source interface {
	Block(ctx context.Context, height uint64) (Block, error)
}

// Believed is a block that follows from what is trusted.
type Believed struct {
	Header *types.Header
	Hash   common.Hash
	Set    Set
}

// LightClient goes from a trusted block to newer ones.
type LightClient struct {
	Network Network
	Period  time.Duration // for how long after a block its validators are counted on; 30 days is usual
	Now     func() time.Time

	source Source
	newest Believed
}

// ErrExpired says that the trusted block is too old: take a newer hash from people.
var ErrExpired = errors.New("the trusted block is older than the trusting period")

// errStrangers says that too few of the trusted validators signed; a block half way may do.
var errStrangers = errors.New("no more than a third of the trusted set signed")

// NewLightClient begins with genesis, whose hash is all that is trusted.
func NewLightClient(ctx context.Context, network Network, period time.Duration, source Source) (*LightClient, error) {
	block, err := source.Block(ctx, 0)
	if err != nil {
		return nil, err
	}
	believed, err := decode(block, 0)
	if err != nil {
		return nil, err
	}
	if believed.Hash != network.GenesisHash {
		return nil, fmt.Errorf("the node's genesis is %s: another network", believed.Hash)
	}
	return &LightClient{Network: network, Period: period, Now: time.Now, source: source, newest: believed}, nil
}

// Newest is the newest block that is believed.
func (c *LightClient) Newest() Believed { return c.newest }

// Advance believes the block at a height that is not below the newest one, over blocks half way where the set has
// changed too much.
func (c *LightClient) Advance(ctx context.Context, height uint64) (Believed, error) {
	at := c.newest.Header.Number.Uint64()
	if height < at {
		return Believed{}, fmt.Errorf("height %d is below %d, which is believed already", height, at)
	}
	for goals := []uint64{height}; len(goals) > 0; {
		at, goal := c.newest.Header.Number.Uint64(), goals[len(goals)-1]
		if at == goal {
			goals = goals[:len(goals)-1]
			continue
		}
		block, err := c.source.Block(ctx, goal)
		if err != nil {
			return Believed{}, err
		}
		switch believed, err := c.step(block, goal); {
		case err == nil:
			c.newest = believed
		case errors.Is(err, errStrangers) && goal > at+1:
			goals = append(goals, at+(goal-at)/2)
		default:
			return Believed{}, fmt.Errorf("block %d: %w", goal, err)
		}
	}
	return c.newest, nil
}

// step is the trust rule: decided by its own set, signed by more than a third of the trusted one, within the period.
func (c *LightClient) step(block Block, height uint64) (Believed, error) {
	trusted := c.newest
	if c.Now().Sub(time.Unix(int64(trusted.Header.Time), 0)) > c.Period {
		return Believed{}, ErrExpired
	}
	believed, err := decode(block, height)
	if err != nil {
		return Believed{}, err
	}
	signers, err := c.Network.Signers(block.Commit, height, believed.Hash, believed.Set)
	if err != nil {
		return Believed{}, err
	}
	if !Trusts(trusted.Set, signers) {
		return Believed{}, errStrangers
	}
	if height == trusted.Header.Number.Uint64()+1 && believed.Header.ParentHash != trusted.Hash {
		return Believed{}, errors.New("its parent is another block than the one that is trusted")
	}
	return believed, nil
}

// Trusts says whether more than a third of a trusted set's power is among the signers: then an honest one is.
func Trusts(trusted Set, signers []common.Address) bool {
	signed, total := trusted.Power(signers)
	return triple(signed).Cmp(total) > 0
}

func decode(block Block, height uint64) (Believed, error) {
	header, hash, err := DecodeHeader(block.Header)
	if err != nil {
		return Believed{}, err
	}
	if header.Number.Cmp(new(big.Int).SetUint64(height)) != 0 {
		return Believed{}, fmt.Errorf("the node sent block %s for %d", header.Number, height)
	}
	named, err := block.Set.Hash()
	if err != nil {
		return Believed{}, err
	}
	if named != common.BytesToHash(header.Extra) {
		return Believed{}, errors.New("the node names another set of validators than the header")
	}
	return Believed{header, hash, block.Set}, nil
}
