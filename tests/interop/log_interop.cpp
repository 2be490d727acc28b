// The other side of tests/interop/check.go: writes what foreign code checks, and checks what it wrote.
//   log_interop write FOLDER   a log of 300 entries: keys, checkpoints, cosignatures, proofs, tiles
//   log_interop check FOLDER   the same of a log that check.go made
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>

#include "base/encoding.h"
#include "base/random.h"
#include "log/checkpoint.h"
#include "log/merkle.h"
#include "log/tile.h"

namespace parley::log {
namespace {

constexpr std::size_t kEntries = 300;
constexpr std::string_view kOrigin = "parley.example/g/7d1f3c90/m/alpha";
constexpr std::string_view kMirror = "parley.example/g/7d1f3c90/m/bravo/mirror";
constexpr std::uint64_t kTime = 1'790'000'000;

std::string leaf(std::size_t index) {
  return "entry " + std::to_string(index) + "\n";
}

void write_file(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string lines_of(std::span<const Digest> hashes) {
  std::string text;
  for (const Digest& hash : hashes) text += " " + to_base64(hash);
  return text + "\n";
}

std::vector<Digest> leaf_hashes(std::size_t count) {
  std::vector<Digest> hashes;
  for (std::size_t i = 0; i < count; ++i) hashes.push_back(leaf_hash(as_bytes(leaf(i))));
  return hashes;
}

void write(const std::string& folder) {
  const auto log_seed = random_secret<32>();
  const auto cosign_seed = random_secret<32>();
  const VerifierKey log_key = vkey_of(kOrigin, KeyType::ed25519, log_seed);
  const VerifierKey cosigner = vkey_of(kMirror, KeyType::cosignature, cosign_seed);
  write_file(folder + "/log.vkey", log_key.text());
  write_file(folder + "/cosigner.vkey", cosigner.text());
  const std::vector<Digest> hashes = leaf_hashes(kEntries);
  MerkleTree whole(hashes);
  std::string checkpoints, inclusion, consistency;
  for (std::size_t size = 1; size <= kEntries; size += 13) {
    const Checkpoint checkpoint{std::string(kOrigin), size, *tree_root(whole, size)};
    const std::string note = *add_cosignature(sign_checkpoint(checkpoint, log_seed),
                                              cosign(checkpoint, kMirror, cosign_seed, kTime + size), cosigner);
    write_file(folder + "/checkpoint." + std::to_string(size), note);
    checkpoints += std::to_string(size) + "\n";
    for (std::size_t index = 0; index < size; index += 7)
      inclusion += std::to_string(size) + " " + std::to_string(index) + lines_of(*inclusion_proof(whole, index, size));
    for (std::size_t old_size = 1; old_size < size; old_size += 5)
      consistency +=
          std::to_string(size) + " " + std::to_string(old_size) + lines_of(*consistency_proof(whole, old_size, size));
  }
  write_file(folder + "/sizes", checkpoints);
  write_file(folder + "/inclusion", inclusion);
  write_file(folder + "/consistency", consistency);
  std::string tiles;
  for (const Tile& tile : tiles_between(0, kEntries))
    tiles += tile_path(tile) + " " + to_hex(*tile_content(tile, whole)) + "\n";
  write_file(folder + "/tiles", tiles);
}

/// A line of a file of proofs.
struct ProofLine {
  std::uint64_t size = 0;
  std::uint64_t other = 0;
  std::vector<Digest> hashes;
};

std::vector<ProofLine> read_proofs(const std::string& path) {
  std::vector<ProofLine> proofs;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    ProofLine& proof = proofs.emplace_back();
    words >> proof.size >> proof.other;
    for (std::string word; words >> word;) {
      const auto hash = from_base64(word);
      if (!hash || hash->size() != sizeof(Digest)) throw std::runtime_error("no hash: " + word);
      std::ranges::copy(*hash, proof.hashes.emplace_back().begin());
    }
  }
  return proofs;
}

void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

void check(const std::string& folder) {
  const auto log_key = parse_vkey(read_file(folder + "/log.vkey"));
  const auto cosigner = parse_vkey(read_file(folder + "/cosigner.vkey"));
  require(log_key && cosigner, "a verifier key is not taken");
  MerkleTree whole(leaf_hashes(kEntries));
  std::map<std::uint64_t, Checkpoint> checkpoints;
  std::istringstream sizes(read_file(folder + "/sizes"));
  for (std::uint64_t size = 0; sizes >> size;) {
    const std::string note = read_file(folder + "/checkpoint." + std::to_string(size));
    const auto read = read_cosigned(note, *log_key, std::span(&*cosigner, 1));
    require(read.has_value(), "checkpoint " + std::to_string(size) + ": " + (read ? "" : read.error().text()));
    require(read->cosigners == std::vector<Cosigner>{{0, kTime + size}}, "its cosigner is not counted");
    require(read->checkpoint.root == *tree_root(whole, size), "its root is another");
    checkpoints[size] = read->checkpoint;
  }
  require(checkpoints.size() > 20, "too few checkpoints");
  const std::vector<ProofLine> inclusion = read_proofs(folder + "/inclusion");
  require(inclusion.size() > 100, "too few proofs of inclusion");
  for (const ProofLine& proof : inclusion)
    require(verify_inclusion(whole.leaves()[proof.other], proof.other, proof.size, proof.hashes,
                             checkpoints.at(proof.size).root),
            "a proof of inclusion is not taken");
  const std::vector<ProofLine> consistency = read_proofs(folder + "/consistency");
  require(consistency.size() > 100, "too few proofs of consistency");
  for (const ProofLine& proof : consistency)
    require(verify_consistency(proof.other, *tree_root(whole, proof.other), proof.size, checkpoints.at(proof.size).root,
                               proof.hashes),
            "a proof of consistency is not taken");
  std::cout << checkpoints.size() << " checkpoints, " << inclusion.size() << " proofs of inclusion and "
            << consistency.size() << " of consistency by foreign code are taken\n";
}

}  // namespace
}  // namespace parley::log

int main(int argc, char** argv) try {
  parley::start_random();
  const std::string command = argc == 3 ? argv[1] : "";
  if (command == "write") {
    parley::log::write(argv[2]);
  } else if (command == "check") {
    parley::log::check(argv[2]);
  } else {
    std::cerr << "usage: log_interop write|check FOLDER\n";
    return 2;
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
