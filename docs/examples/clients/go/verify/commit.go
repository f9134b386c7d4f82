package verify

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"
)

// Network names a network: both values come from people, not from the node that is checked.
type Network struct {
	ChainID     uint64
	GenesisHash common.Hash
}

// Validator is a member of a set, as far as a header's set hash covers it.
type Validator struct {
	Address common.Address
	Power   uint64
}

// Set is the validators of a height, sorted by address.
type Set []Validator

// Hash is what field 12 of a header (extra data) names.
func (s Set) Hash() (common.Hash, error) {
	encoded, err := rlp.EncodeToBytes(s)
	return crypto.Keccak256Hash(encoded), err
}

// Power sums what the addresses have in this set; who is not in it has none.
func (s Set) Power(addresses []common.Address) (signed, total *big.Int) {
	signed, total = new(big.Int), new(big.Int)
	for _, member := range s {
		power := new(big.Int).SetUint64(member.Power)
		total.Add(total, power)
		for _, address := range addresses {
			if address == member.Address {
				signed.Add(signed, power)
			}
		}
	}
	return signed, total
}

// Commit is finality: precommits of more than two thirds of the power, beside the block that they decide.
type Commit struct {
	Height     uint64
	Round      uint32
	BlockHash  common.Hash
	Signatures []Signature
}

// Signature is one precommit: r, s and the recovery id (0 or 1).
type Signature struct {
	Validator common.Address
	RSV       [65]byte
}

var (
	domainType = crypto.Keccak256([]byte("EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)"))
	voteType   = crypto.Keccak256([]byte("Vote(uint8 kind,uint64 height,uint32 round,bytes32 blockHash)"))
)

const precommit = 2

func word(number uint64) []byte {
	var padded [32]byte
	binary.BigEndian.PutUint64(padded[24:], number)
	return padded[:]
}

// Domain is the EIP-712 domain separator of a network's votes.
func (n Network) Domain() common.Hash {
	name, version := crypto.Keccak256([]byte("Alatau Consensus")), crypto.Keccak256([]byte("1"))
	return crypto.Keccak256Hash(domainType, name, version, word(n.ChainID), n.GenesisHash[:])
}

// Digest is what each validator of a commit signed.
func (n Network) Digest(c Commit) common.Hash {
	vote := crypto.Keccak256(voteType, word(precommit), word(c.Height), word(uint64(c.Round)), c.BlockHash[:])
	domain := n.Domain()
	return crypto.Keccak256Hash([]byte{0x19, 0x01}, domain[:], vote)
}

// Signers checks that an encoded commit decides the block at a height against the set that the header names, and gives
// who signed it.
func (n Network) Signers(encoded []byte, height uint64, block common.Hash, set Set) ([]common.Address, error) {
	var commit Commit
	if err := rlp.DecodeBytes(encoded, &commit); err != nil {
		return nil, fmt.Errorf("no commit: %w", err)
	}
	if commit.Height != height || commit.BlockHash != block {
		return nil, errors.New("the commit is of another block")
	}
	digest := n.Digest(commit)
	var signers []common.Address
	for _, signature := range commit.Signatures {
		last := len(signers) - 1
		if last >= 0 && bytes.Compare(signers[last][:], signature.Validator[:]) >= 0 {
			return nil, errors.New("signatures are not sorted by address, or one comes twice")
		}
		if !set.has(signature.Validator) {
			return nil, fmt.Errorf("%s signed and is not in the set", signature.Validator)
		}
		if err := signature.check(digest); err != nil {
			return nil, err
		}
		signers = append(signers, signature.Validator)
	}
	if signed, total := set.Power(signers); triple(signed).Cmp(new(big.Int).Lsh(total, 1)) <= 0 {
		return nil, fmt.Errorf("power %s of %s signed: no more than two thirds", signed, total)
	}
	return signers, nil
}

func (s Set) has(address common.Address) bool {
	for _, member := range s {
		if member.Address == address {
			return true
		}
	}
	return false
}

func (s Signature) check(digest common.Hash) error {
	r, v := new(big.Int).SetBytes(s.RSV[:32]), s.RSV[64]
	low := new(big.Int).SetBytes(s.RSV[32:64])
	if !crypto.ValidateSignatureValues(v, r, low, true) { // true: s in the lower half, as EIP-2 has it
		return fmt.Errorf("the signature of %s is out of range", s.Validator)
	}
	key, err := crypto.SigToPub(digest[:], s.RSV[:])
	if err != nil || crypto.PubkeyToAddress(*key) != s.Validator {
		return fmt.Errorf("the signature of %s is another's, or over something else", s.Validator)
	}
	return nil
}

func triple(number *big.Int) *big.Int { return new(big.Int).Mul(number, big.NewInt(3)) }

// DecodeHeader reads the 21 fields of a header and gives its hash.
func DecodeHeader(encoded []byte) (*types.Header, common.Hash, error) {
	header := new(types.Header)
	if err := rlp.DecodeBytes(encoded, header); err != nil {
		return nil, common.Hash{}, fmt.Errorf("no header: %w", err)
	}
	if header.RequestsHash == nil || header.BlockAccessListHash != nil || len(header.Extra) != 32 {
		return nil, common.Hash{}, errors.New("a header of another fork")
	}
	return header, crypto.Keccak256Hash(encoded), nil
}
