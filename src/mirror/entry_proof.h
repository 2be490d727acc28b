// A proof that an entry is in a log, out of a member's vault, for whoever has none (log.md 2.8).
#pragma once

#include "log/tlog_proof.h"
#include "vault/vault.h"

namespace parley::mirror {

/// Of the checkpoints of a log that hold entry `seq`, the newest that most members cosigned, with their lines.
/// @error Errc::not_found
Result<std::pair<vault::LogCheckpoint, std::string>> best_checkpoint(vault::Vault& vault, const vault::LogHead& head,
                                                                     std::uint64_t seq);

/// The proof that `leaf` is entry `seq` of the log, under best_checkpoint().
/// @error Errc::not_found; Errc::vault_damaged if what is stored does not lead there
Result<log::TlogProof> prove_entry(vault::Vault& vault, const vault::LogHead& head, std::uint64_t seq,
                                   const Digest& leaf);

}  // namespace parley::mirror
