// Where a member's replica of its group's logs is kept (log.md 2.7): a store of rows that are written several logs at
// once or not at all, and beside it the guard against signing two histories. The node brings the vault
// (vault_store.h); tests and the simulator bring a disk of their own.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "base/error.h"
#include "log/entry.h"
#include "log/merkle.h"
#include "mirror/quota.h"
#include "vault/head_guard.h"
#include "vault/joint_log.h"

namespace parley::mirror {

/// A step of a session that an author takes once, and the entry of its log that took it.
struct StepRow {
  std::string origin;
  log::StepKey step;
  std::uint64_t seq = 0;
};

/// What convicted the owner of a log, and what else was shown of that log: the other branch.
struct FaultRow {
  std::string origin;
  std::string fault;  ///< as log::write_fault() gives it
  Bytes branch;       ///< payload of the PUSH or PROOF that showed it; empty if the fault came in an entry
  bool operator==(const FaultRow&) const = default;
};

/// Rows of a log that stand in the place of damaged ones: leaves from, from + 1, ... and all the hashes that they
/// complete, as LogGrowth::nodes has them; and a checkpoint.
struct RepairRows {
  std::string origin;
  std::uint64_t from = 0;
  std::vector<vault::LogLeaf> leaves;
  std::vector<Digest> nodes;
  std::optional<vault::LogCheckpoint> checkpoint;
};

/// How much of a log has come, in the place of what was there.
struct UsageRow {
  std::string origin;
  Usage usage;
};

/// The largest checkpoint of a log that was shown here without its entries.
struct SeenRow {
  std::string origin;
  std::string note;  ///< by the log's key alone
};

/// From which entry on bodies of our own log may be missing, since others gave its entries back; nothing: none is.
struct LackingRow {
  std::string origin;
  std::optional<std::uint64_t> from;
};

/// The end of our own log, taken back (Replica::Impl::give_up).
struct CutRow {
  std::string origin;
  std::uint64_t size = 0;                          ///< entries that stay
  std::optional<vault::LogCheckpoint> checkpoint;  ///< of them, where the log has none yet
  std::vector<log::StepKey> steps;                 ///< that the others had taken
  std::vector<Digest> leaves;                      ///< hashes of the others, whose bodies go with them
};

/// All that one step changes.
struct Batch {
  std::vector<vault::LogGrowth> growth;  ///< each log at most once
  std::vector<StepRow> steps;
  std::vector<FaultRow> faults;
  std::vector<RepairRows> repairs;
  std::vector<UsageRow> usage = {};
  std::vector<SeenRow> seen = {};
  std::vector<LackingRow> lacking = {};
  std::vector<CutRow> cuts = {};
};

class Store {
 public:
  virtual ~Store() = default;

  /// A log that was never begun has size 0. @error Errc::io, Errc::vault_damaged, as all below
  virtual Result<vault::LogHead> head(std::string_view origin) = 0;
  /// Entries from, from + 1, ...; fewer where the log ends.
  virtual Result<std::vector<vault::LogLeaf>> leaves(std::string_view origin, std::uint64_t from,
                                                     std::uint64_t count) = 0;
  /// The number of the entry with this leaf hash.
  virtual Result<std::optional<std::uint64_t>> index(std::string_view origin, const Digest& leaf) = 0;
  /// Hashes of complete subtrees. @error Errc::not_found
  virtual Result<std::vector<Digest>> nodes(std::string_view origin, std::span<const log::TreeNode> nodes) = 0;
  /// What came with the entry of this leaf hash.
  virtual Result<std::optional<vault::LogBody>> entry_body(const Digest& leaf) = 0;
  virtual Result<std::optional<vault::LogCheckpoint>> checkpoint(std::string_view origin, std::uint64_t size) = 0;
  virtual Result<std::vector<vault::LogCosignature>> cosignatures(std::string_view origin, std::uint64_t size) = 0;
  // Many at once, for whoever goes through a whole log.
  /// The hashes of the subtrees that leaves from, from + 1, ... complete, as LogGrowth::nodes has them; nothing in the
  /// place of one that is not there.
  virtual Result<std::vector<std::optional<Digest>>> completed(std::string_view origin, std::uint64_t from,
                                                               std::uint64_t count);
  /// Of `count` sizes from `from` on, ascending by size.
  virtual Result<std::vector<vault::LogCheckpoint>> checkpoints(std::string_view origin, std::uint64_t from,
                                                                std::uint64_t count);
  virtual Result<std::vector<vault::LogCosignature>> all_cosignatures(std::string_view origin, std::uint64_t from,
                                                                      std::uint64_t count);

  virtual Result<std::optional<std::uint64_t>> step(std::string_view origin, const log::StepKey& step) = 0;
  virtual Result<std::optional<FaultRow>> fault(std::string_view origin) = 0;
  /// Nothing has come of a log that has no record of it.
  virtual Result<Usage> usage(std::string_view origin) = 0;
  /// What is free where the rows are.
  virtual Result<std::uint64_t> free_bytes() = 0;
  /// The note of the newest SeenRow of a log; empty if there is none.
  virtual Result<std::string> seen(std::string_view origin) = 0;
  /// What the newest LackingRow of a log says.
  virtual Result<std::optional<std::uint64_t>> lacking(std::string_view origin) = 0;

  /// Writes all of `batch`, and what `work` writes to the same disk, as one: durable when it returns, or nothing of it
  /// happened. A growth whose `from` is not the log's size fails; one that has no leaves adds the rest. A log that is
  /// not there yet begins. A fault of a log that has one already is not kept.
  /// @param work  may be empty; its error undoes everything and is returned
  /// @error what `work` says; Errc::io: what is on the disk is not known, and the process must end (log.md 2.7)
  virtual Status commit(const Batch& batch, const std::function<Status()>& work) = 0;
};

/// The body that came with an entry, where it is here. A damaged one is none: it comes again, and whoever was sent it
/// would take us for a cheat. @param leaf  hash of the entry; @param commitment  that it names
/// @error what the store says
Result<std::optional<log::Body>> stored_body(Store& store, const Digest& leaf, const Digest& commitment);

/// What this member signed last of its own log, kept apart from the store (vault/head_guard.h).
class Guard {
 public:
  virtual ~Guard() = default;
  /// Size 0 if nothing was signed.
  virtual vault::SignedHead head() const = 0;
  /// Durable when it returns. @error Errc::exists for a second history; Errc::io: the process must end
  virtual Status advance(const vault::SignedHead& next) = 0;
  /// Forgets what was signed and begins again at `head`: an operator has taken the risk (Replica::accept_fork_risk).
  virtual Status restart(const vault::SignedHead& head) = 0;
};

/// The tree of one log of a store, for proofs.
class StoredTree : public log::HashReader {
 public:
  /// @param store  outlives this reader
  StoredTree(Store& store, std::string origin) : store_(store), origin_(std::move(origin)) {}
  Result<std::vector<Digest>> read(std::span<const log::TreeNode> nodes) override {
    return store_.nodes(origin_, nodes);
  }

 private:
  Store& store_;
  std::string origin_;
};

}  // namespace parley::mirror
