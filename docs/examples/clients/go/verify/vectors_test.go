package verify

import (
	"context"
	"encoding/json"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"
)

type vectors struct {
	ChainID         uint64      `json:"chain_id"`
	GenesisHash     common.Hash `json:"genesis_hash"`
	DomainSeparator common.Hash `json:"domain_separator"`
	ValidatorSets   []struct {
		Members    []Validator
		RLP        hexutil.Bytes
		Hash       common.Hash
		TotalPower int64 `json:"total_power"`
	} `json:"validator_sets"`
	Headers []struct {
		Fields struct {
			StateRoot    common.Hash    `json:"state_root"`
			Number       hexutil.Uint64 `json:"number"`
			Timestamp    hexutil.Uint64 `json:"timestamp"`
			ExtraData    common.Hash    `json:"extra_data"`
			BaseFee      *hexutil.Big   `json:"base_fee_per_gas"`
			RequestsHash common.Hash    `json:"requests_hash"`
		}
		RLP  hexutil.Bytes
		Hash common.Hash
	}
	Commits []struct {
		Valid        bool
		Why          string
		Height       uint64
		BlockHash    common.Hash `json:"block_hash"`
		ValidatorSet int         `json:"validator_set"`
		Digest       common.Hash
		Commit       hexutil.Bytes
		CommitHash   common.Hash `json:"commit_hash"`
	}
	Trust []struct {
		TrustedSet int `json:"trusted_set"`
		OwnSet     int `json:"own_set"`
		Signers    []common.Address
		Believed   bool
		Why        string
	}
	StateProofs []struct {
		Valid     bool
		Why       string
		StateRoot common.Hash `json:"state_root"`
		Address   common.Address
		Account   *struct {
			Nonce       hexutil.Uint64
			Balance     *hexutil.Big
			StorageRoot common.Hash `json:"storage_root"`
			CodeHash    common.Hash `json:"code_hash"`
		}
		AccountNodes []hexutil.Bytes `json:"account_nodes"`
		Slots        []struct {
			Slot, Value *hexutil.Big
			Nodes       []hexutil.Bytes
		}
	} `json:"state_proofs"`
	ReceiptProofs []struct {
		Valid            bool
		Why              string
		Header           hexutil.Bytes
		TransactionHash  common.Hash `json:"transaction_hash"`
		Sender           common.Address
		Index            uint32
		Transaction      hexutil.Bytes
		TransactionNodes []hexutil.Bytes `json:"transaction_nodes"`
		Receipt          hexutil.Bytes
		ReceiptNodes     []hexutil.Bytes `json:"receipt_nodes"`
		Succeeded        bool
	} `json:"receipt_proofs"`
}

func load(t *testing.T) vectors {
	t.Helper()
	path := os.Getenv("ALATAU_VECTORS")
	if path == "" {
		path = "../../../../../protos/vectors/verification.json"
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file vectors
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

func (v vectors) network() Network { return Network{v.ChainID, v.GenesisHash} }

func (v vectors) set(index int) Set { return Set(v.ValidatorSets[index].Members) }

func plain(nodes []hexutil.Bytes) [][]byte {
	var list [][]byte
	for _, node := range nodes {
		list = append(list, node)
	}
	return list
}

func TestSetsAndHeaders(t *testing.T) {
	file := load(t)
	for i, vector := range file.ValidatorSets {
		hash, err := file.set(i).Hash()
		_, total := file.set(i).Power(nil)
		if err != nil || hash != vector.Hash || total.Int64() != vector.TotalPower {
			t.Errorf("set %d: %s, power %s", i, hash, total)
		}
	}
	for i, vector := range file.Headers {
		header, hash, err := DecodeHeader(vector.RLP)
		if err != nil {
			t.Fatal(err)
		}
		want := vector.Fields
		if hash != vector.Hash || header.Hash() != hash || header.Root != want.StateRoot ||
			header.Number.Uint64() != uint64(want.Number) || header.Time != uint64(want.Timestamp) ||
			common.BytesToHash(header.Extra) != want.ExtraData || header.BaseFee.Cmp((*big.Int)(want.BaseFee)) != 0 ||
			*header.RequestsHash != want.RequestsHash {
			t.Errorf("header %d", i)
		}
	}
	if file.network().Domain() != file.DomainSeparator {
		t.Error("domain separator")
	}
}

func TestCommits(t *testing.T) {
	file := load(t)
	for _, vector := range file.Commits {
		_, err := file.network().Signers(vector.Commit, vector.Height, vector.BlockHash, file.set(vector.ValidatorSet))
		if (err == nil) != vector.Valid {
			t.Errorf("height %d, %q: %v", vector.Height, vector.Why, err)
		}
		var commit Commit
		if err := rlp.DecodeBytes(vector.Commit, &commit); err == nil && file.network().Digest(commit) != vector.Digest {
			t.Errorf("height %d, %q: another digest", vector.Height, vector.Why)
		}
		if crypto.Keccak256Hash(vector.Commit) != vector.CommitHash {
			t.Errorf("height %d, %q: another hash", vector.Height, vector.Why)
		}
	}
}

func TestTrust(t *testing.T) {
	file := load(t)
	for _, vector := range file.Trust {
		signed, total := file.set(vector.OwnSet).Power(vector.Signers)
		decided := triple(signed).Cmp(new(big.Int).Lsh(total, 1)) > 0
		if believed := decided && Trusts(file.set(vector.TrustedSet), vector.Signers); believed != vector.Believed {
			t.Errorf("%s: %t", vector.Why, believed)
		}
	}
}

func TestStateProofs(t *testing.T) {
	file := load(t)
	for _, vector := range file.StateProofs {
		account, err := Account(vector.StateRoot, vector.Address, plain(vector.AccountNodes))
		valid := err == nil && (account == nil) == (vector.Account == nil)
		root := types.EmptyRootHash
		if valid && account != nil {
			root = account.Root
			valid = account.Nonce == uint64(vector.Account.Nonce) && root == vector.Account.StorageRoot &&
				account.Balance.ToBig().Cmp((*big.Int)(vector.Account.Balance)) == 0 &&
				common.BytesToHash(account.CodeHash) == vector.Account.CodeHash
		}
		for _, slot := range vector.Slots {
			found, err := Word(root, common.BigToHash((*big.Int)(slot.Slot)), plain(slot.Nodes))
			valid = valid && err == nil && found.Cmp((*big.Int)(slot.Value)) == 0
		}
		if valid != vector.Valid {
			t.Errorf("%s, %q: %t, %v", vector.Address, vector.Why, valid, err)
		}
	}
}

func TestReceiptProofs(t *testing.T) {
	file := load(t)
	for _, vector := range file.ReceiptProofs {
		header, _, err := DecodeHeader(vector.Header)
		if err != nil {
			t.Fatal(err)
		}
		proof := ReceiptProof{
			vector.Index, vector.Transaction, plain(vector.TransactionNodes), vector.Receipt, plain(vector.ReceiptNodes),
		}
		transaction, receipt, err := Payment(header, vector.TransactionHash, proof)
		if (err == nil) != vector.Valid {
			t.Errorf("index %d, %q: %v", vector.Index, vector.Why, err)
		}
		if err != nil {
			continue
		}
		sender, err := types.Sender(types.LatestSignerForChainID(transaction.ChainId()), transaction)
		if err != nil || sender != vector.Sender || (receipt.Status == 1) != vector.Succeeded {
			t.Errorf("index %d: %s, %v", vector.Index, sender, err)
		}
	}
}

// chain answers from the vectors: the blocks, their commits and their sets.
type chain struct {
	vectors
	asked []uint64
}

func (c *chain) Block(_ context.Context, height uint64) (Block, error) {
	c.asked = append(c.asked, height)
	block := Block{Header: c.Headers[height].RLP, Set: c.set(0)}
	for _, commit := range c.Commits {
		if commit.Valid && commit.Height == height {
			block.Commit, block.Set = commit.Commit, c.set(commit.ValidatorSet)
		}
	}
	return block, nil
}

// The third set has one of the first: from genesis to block 4 the way leads over a block between them.
func TestLightClientFollowsAChangingSet(t *testing.T) {
	source := &chain{vectors: load(t)}
	ctx := context.Background()
	client, err := NewLightClient(ctx, source.network(), time.Hour, source)
	if err != nil {
		t.Fatal(err)
	}
	client.Now = func() time.Time { return time.Unix(int64(client.Newest().Header.Time), 0) }
	believed, err := client.Advance(ctx, 4)
	if err != nil || believed.Hash != source.Headers[4].Hash {
		t.Fatal(believed.Hash, err)
	}
	if len(source.asked) < 4 { // 0, then 4, one between, 4 again
		t.Error("the set changed too much for one step:", source.asked)
	}
	client.Now = time.Now
	client.newest, err = decode(Block{Header: source.Headers[0].RLP, Set: source.set(0)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Advance(ctx, 4); err == nil {
		t.Error("what is trusted is older than an hour")
	}
}
