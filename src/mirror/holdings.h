// Who holds an entry of a log, and since when, by what this vault has kept: what alarms of canaries and drafts of
// findings are judged by (log.md 2.6). A cosignature that counted when it came counts for good, whatever its owner says
// of its keys later; and it has been there since it came, whatever time it states.
#pragma once

#include <functional>
#include <map>

#include "log/member_keys.h"
#include "vault/vault.h"

namespace parley::mirror {

/// One member's word that it holds an entry.
struct Holding {
  std::string nick;
  std::int64_t since = 0;   ///< what it states, or when it came here, if that was earlier
  std::int64_t stated = 0;  ///< what it states
  log::VerifierKey key;     ///< that it is signed with
};

/// The signature of a stored line. @error Errc::format
Result<log::NoteSignature> signature_in(const vault::LogCosignature& line);

/// The checkpoints of every log are read once for each entry that is asked about, not for each question.
class Holdings {
 public:
  /// @param vault  outlives this. @param keys  whose words count; a member may stand there with several sets of keys
  Holdings(vault::Vault& vault, std::vector<log::MemberKeys> keys) : vault_(vault), keys_(std::move(keys)) {}

  /// Of each member that has cosigned a tree of this log with entry `seq`, one of the first thousands of trees that
  /// have it, the earliest word; ascending by nick. @error the vault's
  Result<std::vector<Holding>> of(const std::string& origin, std::uint64_t seq);
  /// Whether those who are known so far to hold the entry are all that the asker needs.
  using Enough = std::function<bool(const std::vector<Holding>&)>;
  /// The same as far as is needed: it is asked each few hundred trees. Nobody makes an asker go through thousands by
  /// naming an entry that a quorum held at once.
  Result<std::vector<Holding>> of_until(const std::string& origin, std::uint64_t seq, const Enough& enough);
  /// How many stretches of a few hundred trees were gone through.
  std::uint64_t read_count() const { return read_count_; }

 private:
  Result<std::vector<Holding>> read(const std::string& origin, std::uint64_t seq, const Enough& enough);

  vault::Vault& vault_;
  std::vector<log::MemberKeys> keys_;
  std::map<std::pair<std::string, std::uint64_t>, std::vector<Holding>> known_;
  std::uint64_t read_count_ = 0;
};

}  // namespace parley::mirror
