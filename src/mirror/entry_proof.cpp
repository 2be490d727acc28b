#include "mirror/entry_proof.h"

#include "mirror/vault_store.h"

namespace parley::mirror {
namespace {

/// How far back a better cosigned checkpoint is looked for.
constexpr std::uint64_t kLookBack = 4096;

}  // namespace

Result<std::pair<vault::LogCheckpoint, std::string>> best_checkpoint(vault::Vault& vault, const vault::LogHead& head,
                                                                     std::uint64_t seq) {
  std::optional<vault::LogCheckpoint> best;
  std::vector<vault::LogCosignature> lines;
  for (std::uint64_t size = head.size; size > seq && head.size - size < kLookBack; --size) {
    TRY(const auto row, vault.log_checkpoint(head.origin, size));
    if (!row) continue;
    TRY(const auto cosignatures, vault.log_cosignatures(head.origin, size));
    if (best && cosignatures.size() <= lines.size()) continue;
    best = row;
    lines = cosignatures;
  }
  if (!best) return fail(Errc::not_found, "No checkpoint of this log holds the entry.");
  std::string note = best->note;
  for (const vault::LogCosignature& line : lines) note += line.line + "\n";
  return std::pair(std::move(*best), std::move(note));
}

Result<log::TlogProof> prove_entry(vault::Vault& vault, const vault::LogHead& head, std::uint64_t seq,
                                   const Digest& leaf) {
  TRY(const auto checkpoint, best_checkpoint(vault, head, seq));
  VaultStore store(vault, head.group, {}, 0);
  StoredTree tree(store, head.origin);
  log::TlogProof proof{.extra = {}, .index = seq, .path = {}, .checkpoint = checkpoint.second};
  TRY(proof.path, log::inclusion_proof(tree, seq, checkpoint.first.size));
  if (!log::verify_inclusion(leaf, seq, checkpoint.first.size, proof.path, checkpoint.first.root))
    return fail(Errc::vault_damaged, "What is stored of this log is damaged; parley log fsck says where.");
  return proof;
}

}  // namespace parley::mirror
