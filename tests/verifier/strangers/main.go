// strangers: an export of Menshen's log, held to the verifiers of people who never heard of Menshen.
//
//	strangers EXPORT LOG_VKEY WITNESS_VKEY PROOF...
//
// Each line of its output is what one of them found. It ends with 1 as soon as one of them is not content.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	flog "github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	fproof "github.com/transparency-dev/formats/proof"
	mproof "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) < 4 {
		fail(fmt.Errorf("strangers EXPORT LOG_VKEY WITNESS_VKEY PROOF..."))
	}
	folder, vkey, witness := os.Args[1], os.Args[2], os.Args[3]
	verifier, err := note.NewVerifier(vkey)
	fail(err)
	golang(folder, verifier)
	tessera(folder, verifier)
	formats(folder, verifier, witness, os.Args[4:])
}

// golang: golang.org/x/mod, which checks every Go module that anybody downloads. All checkpoints, and proofs that it makes from our tiles.
func golang(folder string, verifier note.Verifier) {
	trees := map[int64]tlog.Tree{}
	for _, path := range checkpoints(folder) {
		raw, err := os.ReadFile(path)
		fail(err)
		opened, err := note.Open(raw, note.VerifierList(verifier))
		fail(err)
		tree, err := parsed(opened.Text)
		fail(err)
		trees[tree.N] = tree
	}
	sizes := []int64{}
	for size := range trees {
		sizes = append(sizes, size)
	}
	sort.Slice(sizes, func(a, b int) bool { return sizes[a] < sizes[b] })
	newest := trees[sizes[len(sizes)-1]]
	hashes := tlog.TileHashReader(newest, &tiles{folder})
	for _, size := range sizes {
		if size == 0 {
			continue
		}
		root, err := tlog.TreeHash(size, hashes)
		fail(err)
		if root != trees[size].Hash {
			fail(fmt.Errorf("golang: the tree of %d entries has another root than was signed", size))
		}
		path, err := tlog.ProveTree(newest.N, size, hashes)
		fail(err)
		fail(tlog.CheckTree(path, newest.N, newest.Hash, size, trees[size].Hash))
	}
	entries := bundled(folder, newest.N)
	for at, entry := range entries {
		path, err := tlog.ProveRecord(newest.N, int64(at), hashes)
		fail(err)
		fail(tlog.CheckRecord(path, newest.N, newest.Hash, int64(at), tlog.RecordHash(entry)))
	}
	fmt.Printf("golang.org/x/mod: %d checkpoints, %d entries proven\n", len(sizes), len(entries))
}

// tessera: the log of transparency.dev. Its fsck reads every bundle, builds the tree and every tile anew, and compares.
func tessera(folder string, verifier note.Verifier) {
	check := fsck.New(verifier.Name(), verifier, &client.FileFetcher{Root: folder}, leaves, fsck.Opts{N: 1})
	done := make(chan error, 1)
	go func() { done <- check.Check(context.Background()) }()
	select {
	case err := <-done:
		fail(err)
	case <-time.After(time.Minute):
		// On some altered logs it waits for ever instead of saying what it found (v1.0.4).
		fail(fmt.Errorf("tessera: fsck does not end"))
	}
	fmt.Println("tessera fsck: whole")
}

// formats: transparency.dev's formats and merkle. Cosignatures, and the proofs of single entries.
func formats(folder string, verifier note.Verifier, witness string, proofs []string) {
	cosigner, err := fnote.NewVerifierForCosignatureV1(witness)
	fail(err)
	raw, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	fail(err)
	_, _, opened, err := flog.ParseCheckpoint(raw, verifier.Name(), verifier, cosigner)
	fail(err)
	if len(opened.Sigs) != 2 {
		fail(fmt.Errorf("formats: the witness did not cosign"))
	}
	for _, path := range proofs {
		raw, err := os.ReadFile(path)
		fail(err)
		var one fproof.TLogProof
		fail(one.Unmarshal(raw))
		checkpoint, _, _, err := flog.ParseCheckpoint(one.Checkpoint, verifier.Name(), verifier, cosigner)
		fail(err)
		hashes := [][]byte{}
		for _, hash := range one.Hashes {
			hashes = append(hashes, hash[:])
		}
		leaf := rfc6962.DefaultHasher.HashLeaf(one.ExtraData)
		fail(mproof.VerifyInclusion(rfc6962.DefaultHasher, one.Index, checkpoint.Size, leaf, hashes, checkpoint.Hash))
	}
	fmt.Printf("transparency-dev/formats: %d signatures, %d proofs\n", len(opened.Sigs), len(proofs))
}

// tiles lets the Go tree read tiles from where C2SP puts them: tile/0/000 is its tile/8/0/000.
type tiles struct{ folder string }

func (t *tiles) Height() int { return 8 }

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	found := [][]byte{}
	for _, one := range wanted {
		raw, err := os.ReadFile(filepath.Join(t.folder, strings.Replace(one.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		found = append(found, raw)
	}
	return found, nil
}

func (t *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func checkpoints(folder string) []string {
	found, err := filepath.Glob(filepath.Join(folder, "checkpoints", "*"))
	fail(err)
	return append(found, filepath.Join(folder, "checkpoint"))
}

// bundled returns all entries: two bytes of length, and as many of the entry.
func bundled(folder string, size int64) [][]byte {
	entries := [][]byte{}
	for n := int64(0); n*256 < size; n++ {
		path := tlog.Tile{H: 8, L: -1, N: n, W: int(min(256, size-n*256))}.Path()
		raw, err := os.ReadFile(filepath.Join(folder, strings.Replace(path, "tile/8/data/", "tile/entries/", 1)))
		fail(err)
		for len(raw) > 2 {
			length := int(raw[0])<<8 | int(raw[1])
			entries = append(entries, raw[2:2+length])
			raw = raw[2+length:]
		}
	}
	return entries
}

func leaves(bundle []byte) ([][]byte, error) {
	found := &api.EntryBundle{}
	if err := found.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	hashes := [][]byte{}
	for _, entry := range found.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

func parsed(text string) (tlog.Tree, error) {
	parts := strings.Split(text, "\n")
	if len(parts) < 3 {
		return tlog.Tree{}, fmt.Errorf("golang: not three lines")
	}
	size, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(raw) != sha256.Size {
		return tlog.Tree{}, fmt.Errorf("golang: no root")
	}
	return tlog.Tree{N: size, Hash: tlog.Hash(raw)}, nil
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
