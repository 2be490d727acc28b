// Checks a log that parley wrote by code that parley did not write (golang.org/x/mod/sumdb/note and tlog), and writes a
// log of its own that parley must take. Cosignatures of type 0x04 are younger than that code: their verifier and signer
// are here, from c2sp.org/tlog-cosignature.
//
//	check FOLDER_OF_PARLEY FOLDER_TO_WRITE
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	entries  = 300
	baseTime = 1790000000
	origin   = "parley.example/g/7d1f3c90/m/alpha"
	mirror   = "parley.example/g/7d1f3c90/m/bravo/mirror"
)

func must(err error, what string) {
	if err != nil {
		log.Fatalf("%s: %v", what, err)
	}
}

func read(path string) string {
	data, err := os.ReadFile(path)
	must(err, path)
	return string(data)
}

func write(path, text string) { must(os.WriteFile(path, []byte(text), 0o644), path) }

// cosigner verifies timestamped Ed25519 cosignatures.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	time uint64 // what the last verified cosignature stated
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	c.time = binary.BigEndian.Uint64(sig)
	return ed25519.Verify(c.key, cosigned(msg, c.time), sig[8:])
}

func cosigned(msg []byte, time uint64) []byte {
	return []byte(fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, msg))
}

func keyHash(name string, typed []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"), typed...))
	return binary.BigEndian.Uint32(sum[:4])
}

func newCosigner(vkey string) *cosigner {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		log.Fatalf("no verifier key: %q", vkey)
	}
	typed, err := base64.StdEncoding.DecodeString(parts[2])
	must(err, vkey)
	if len(typed) != 33 || typed[0] != 4 {
		log.Fatalf("no key for cosignatures: %q", vkey)
	}
	hash := keyHash(parts[0], typed)
	if fmt.Sprintf("%08x", hash) != parts[1] {
		log.Fatalf("its id is not that of its name and key: %q", vkey)
	}
	return &cosigner{name: parts[0], hash: hash, key: typed[1:]}
}

// mirrorSigner makes them.
type mirrorSigner struct {
	key  ed25519.PrivateKey
	hash uint32
	time uint64
}

func (s *mirrorSigner) Name() string    { return mirror }
func (s *mirrorSigner) KeyHash() uint32 { return s.hash }
func (s *mirrorSigner) Sign(msg []byte) ([]byte, error) {
	stamp := binary.BigEndian.AppendUint64(nil, s.time)
	return append(stamp, ed25519.Sign(s.key, cosigned(msg, s.time))...), nil
}

// stored keeps the hashes of a tree as sumdb does.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = s[index]
	}
	return hashes, nil
}

func leaf(index int64) []byte { return []byte(fmt.Sprintf("entry %d\n", index)) }

func tree() stored {
	var s stored
	for i := int64(0); i < entries; i++ {
		hashes, err := tlog.StoredHashes(i, leaf(i), s)
		must(err, "stored hashes")
		s = append(s, hashes...)
	}
	return s
}

func root(s stored, size int64) tlog.Hash {
	hash, err := tlog.TreeHash(size, s)
	must(err, "tree hash")
	return hash
}

func forEachLine(path string, each func(size, other int64, hashes []tlog.Hash)) int {
	count := 0
	scanner := bufio.NewScanner(strings.NewReader(read(path)))
	for scanner.Scan() {
		words := strings.Fields(scanner.Text())
		size, err := strconv.ParseInt(words[0], 10, 64)
		must(err, path)
		other, err := strconv.ParseInt(words[1], 10, 64)
		must(err, path)
		var hashes []tlog.Hash
		for _, word := range words[2:] {
			hash, err := tlog.ParseHash(word)
			must(err, path)
			hashes = append(hashes, hash)
		}
		each(size, other, hashes)
		count++
	}
	return count
}

// checkTheirs takes what parley wrote, and refuses it altered.
func checkTheirs(folder string, s stored) {
	logKey, err := note.NewVerifier(read(folder + "/log.vkey"))
	must(err, "the verifier key of the log")
	witness := newCosigner(read(folder + "/cosigner.vkey"))
	known := note.VerifierList(logKey, witness)
	checkpoints := 0
	for _, line := range strings.Fields(read(folder + "/sizes")) {
		size, _ := strconv.ParseInt(line, 10, 64)
		text := read(folder + "/checkpoint." + line)
		opened, err := note.Open([]byte(text), known)
		must(err, "checkpoint "+line)
		if len(opened.Sigs) != 2 || len(opened.UnverifiedSigs) != 0 || witness.time != uint64(baseTime+size) {
			log.Fatalf("checkpoint %s: %d signatures, time %d", line, len(opened.Sigs), witness.time)
		}
		if want := fmt.Sprintf("%s\n%d\n%s\n", origin, size, root(s, size)); opened.Text != want {
			log.Fatalf("checkpoint %s says %q instead of %q", line, opened.Text, want)
		}
		altered := strings.Replace(text, "\n"+line+"\n", "\n"+line+"0\n", 1)
		if _, err := note.Open([]byte(altered), known); err == nil {
			log.Fatalf("checkpoint %s is taken with another size", line)
		}
		checkpoints++
	}
	included := forEachLine(folder+"/inclusion", func(size, index int64, hashes []tlog.Hash) {
		record := tlog.RecordHash(leaf(index))
		must(tlog.CheckRecord(hashes, size, root(s, size), index, record), "inclusion")
		if size > 1 && tlog.CheckRecord(hashes, size, root(s, size), (index+1)%size, record) == nil {
			log.Fatalf("a proof of inclusion holds for another place")
		}
	})
	consistent := forEachLine(folder+"/consistency", func(size, old int64, hashes []tlog.Hash) {
		must(tlog.CheckTree(hashes, size, root(s, size), old, root(s, old)), "consistency")
	})
	tiles := 0
	for _, line := range strings.Split(strings.TrimSpace(read(folder+"/tiles")), "\n") {
		words := strings.Fields(line)
		data, err := hex.DecodeString(words[1])
		must(err, words[0])
		// sumdb's paths name the height of tiles, which is always 8 here.
		tile, err := tlog.ParseTilePath("tile/8/" + strings.TrimPrefix(words[0], "tile/"))
		must(err, words[0])
		want, err := tlog.ReadTileData(tile, s)
		must(err, words[0])
		if !bytes.Equal(data, want) {
			log.Fatalf("tile %s has another content", words[0])
		}
		tiles++
	}
	if checkpoints < 20 || included < 100 || consistent < 100 || tiles < 3 {
		log.Fatalf("too little to check: %d, %d, %d, %d", checkpoints, included, consistent, tiles)
	}
	fmt.Printf("%d checkpoints, %d proofs of inclusion and %d of consistency, and %d tiles by parley are taken\n",
		checkpoints, included, consistent, tiles)
}

func line(size, other int64, hashes []tlog.Hash) string {
	text := fmt.Sprintf("%d %d", size, other)
	for _, hash := range hashes {
		text += " " + hash.String()
	}
	return text + "\n"
}

func writeOurs(folder string, s stored) {
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	must(err, "key")
	signer, err := note.NewSigner(secret)
	must(err, "signer")
	mirrorPublic, mirrorSecret, err := ed25519.GenerateKey(rand.Reader)
	must(err, "key")
	typed := append([]byte{4}, mirrorPublic...)
	cosigns := &mirrorSigner{key: mirrorSecret, hash: keyHash(mirror, typed)}
	write(filepath.Join(folder, "log.vkey"), public)
	write(filepath.Join(folder, "cosigner.vkey"),
		fmt.Sprintf("%s+%08x+%s", mirror, cosigns.hash, base64.StdEncoding.EncodeToString(typed)))
	var sizes, inclusion, consistency strings.Builder
	for size := int64(1); size <= entries; size += 11 {
		cosigns.time = uint64(baseTime + size)
		text := fmt.Sprintf("%s\n%d\n%s\n", origin, size, root(s, size))
		signed, err := note.Sign(&note.Note{Text: text}, signer, cosigns)
		must(err, "sign")
		write(filepath.Join(folder, fmt.Sprintf("checkpoint.%d", size)), string(signed))
		fmt.Fprintf(&sizes, "%d\n", size)
		for index := int64(0); index < size; index += 7 {
			proof, err := tlog.ProveRecord(size, index, s)
			must(err, "prove record")
			inclusion.WriteString(line(size, index, proof))
		}
		for old := int64(1); old < size; old += 5 {
			proof, err := tlog.ProveTree(size, old, s)
			must(err, "prove tree")
			consistency.WriteString(line(size, old, proof))
		}
	}
	write(filepath.Join(folder, "sizes"), sizes.String())
	write(filepath.Join(folder, "inclusion"), inclusion.String())
	write(filepath.Join(folder, "consistency"), consistency.String())
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: check FOLDER_OF_PARLEY FOLDER_TO_WRITE")
	}
	s := tree()
	checkTheirs(os.Args[1], s)
	writeOurs(os.Args[2], s)
}
