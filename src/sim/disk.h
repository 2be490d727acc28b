// A simulated disk: the store and the guard of one replica (mirror/store.h), as a journal of commits of which a prefix
// is durable. It tears, loses, lies, fails, rots and goes back to what it was.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mirror/store.h"
#include "sim/dice.h"

namespace parley::sim {

/// Thrown out of a write that the process does not survive; whoever runs the process catches it.
struct ProcessDied {};

/// Deliberate defects of a simulated member, to see that the observer notices them. None of them is in the program.
enum class Flaw : std::uint8_t {
  none,
  syncs_after_sending,
  loses_what_goes_with_an_entry,  ///< a torn commit keeps its entry
  guard_stays,
  guard_begins_anew,
  never_asks_peers,
  discloses_before_held,
  discloses_before_theirs_is_held,
  discloses_before_the_run_entry,
  charges_after_disclosing,
  never_charges,
  runs_again_after_a_crash,
  hides_that_it_disclosed,
  leaves_a_session_open,
  forgets_salts,
  drops_fault_reports,
  does_not_reconnect,
};

/// The rows of one log.
struct LogRows {
  std::vector<vault::LogLeaf> leaves;
  std::map<Digest, std::uint64_t> places;
  std::map<log::TreeNode, Digest> nodes;
  std::map<std::uint64_t, vault::LogCheckpoint> checkpoints;
  std::map<std::uint64_t, std::map<std::string, std::string>> cosignatures;
  std::map<log::StepKey, std::uint64_t> steps;
  std::optional<mirror::FaultRow> fault;
  std::string seen;
  bool sealed = false;
};

class Disk : public mirror::Store {
 public:
  /// What becomes of the next commit.
  enum class Trap { none, die_before, die_in, die_after, error, error_written };

  /// @param flaw  of the member whose disk it is
  explicit Disk(Flaw flaw) : flaw_(flaw) {}

  // --- mirror::Store
  Result<vault::LogHead> head(std::string_view origin) override;
  Result<std::vector<vault::LogLeaf>> leaves(std::string_view origin, std::uint64_t from, std::uint64_t count) override;
  Result<std::optional<std::uint64_t>> index(std::string_view origin, const Digest& leaf) override;
  Result<std::vector<Digest>> nodes(std::string_view origin, std::span<const log::TreeNode> nodes) override;
  Result<std::optional<vault::LogBody>> body(const Digest& commitment) override;
  Result<std::optional<vault::LogCheckpoint>> checkpoint(std::string_view origin, std::uint64_t size) override;
  Result<std::vector<vault::LogCosignature>> cosignatures(std::string_view origin, std::uint64_t size) override;
  Result<std::optional<std::uint64_t>> step(std::string_view origin, const log::StepKey& step) override;
  Result<std::optional<mirror::FaultRow>> fault(std::string_view origin) override;
  Result<std::string> seen(std::string_view origin) override;
  Status commit(const mirror::Batch& batch, const std::function<Status()>& work) override;

  // --- the member's own rows, beside the log
  /// Within `work` of a commit only.
  void put(std::string key, std::string value) { pending_[std::move(key)] = std::move(value); }
  std::optional<std::string> get(const std::string& key) const;
  const std::map<std::string, std::string>& values() const { return values_; }

  // --- what goes wrong
  void set_trap(Trap trap) { trap_ = trap; }
  void set_failing(bool failing) { failing_ = failing; }
  void set_lying(bool lying);
  void fail_next_read() { read_fails_ = true; }
  bool lies() const { return lying_; }
  /// The process ends: what was not durable is there in part. @return whether a commit that had been reported is lost
  bool crash(Dice& dice);
  /// Back to the first `commits` commits. Precondition: the process does not run
  void roll_back(std::size_t commits);
  /// Changes a bit of a row; false if it found none.
  /// @param has_another  whether some other disk has a checkpoint of this log of this size
  bool rot(Dice& dice, const std::function<bool(std::string_view origin, std::uint64_t size)>& has_another);
  void heal();

  // --- what the observer sees, whatever fails
  std::size_t commits() const { return journal_.size(); }
  bool is_durable() const { return durable_ == journal_.size(); }
  /// All that was reported becomes durable.
  void sync() { durable_ = journal_.size(); }
  const LogRows& rows(std::string_view origin) const;
  bool has_body(const Digest& commitment) const { return bodies_.contains(commitment); }

 private:
  struct Record {
    mirror::Batch batch;
    std::map<std::string, std::string> values;
  };
  Status readable();
  Status check(const mirror::Batch& batch) const;
  void apply(const Record& record);
  void grow(const vault::LogGrowth& growth);
  void rebuild();

  Flaw flaw_;
  std::vector<std::shared_ptr<const Record>> journal_;
  std::size_t durable_ = 0;
  std::map<std::string, LogRows, std::less<>> logs_;
  std::map<Digest, vault::LogBody> bodies_;
  std::map<std::string, std::string> values_;
  std::map<std::string, std::string> pending_;
  Trap trap_ = Trap::none;
  bool failing_ = false;
  bool lying_ = false;
  bool read_fails_ = false;
};

class SimulatedGuard : public mirror::Guard {
 public:
  enum class Trap { none, die_before, die_after, error };

  /// @param disk  beside which it lies; outlives it
  SimulatedGuard(const Disk& disk, Flaw flaw) : disk_(disk), flaw_(flaw) {}

  vault::SignedHead head() const override { return history_.empty() ? vault::SignedHead{} : history_.back().head; }
  Status advance(const vault::SignedHead& next) override;
  Status restart(const vault::SignedHead& head) override;

  void set_trap(Trap trap) { trap_ = trap; }
  /// To what it was when its disk had `commits` commits.
  void roll_back(std::size_t commits);
  void process_starts();
  /// An older one is back, and the member has not been live since.
  bool has_gone_back() const { return gone_back_; }
  void is_live_again() { gone_back_ = false; }
  void heal() { trap_ = Trap::none; }

 private:
  struct Moment {
    std::size_t commits = 0;
    vault::SignedHead head;
  };
  const Disk& disk_;
  Flaw flaw_;
  std::vector<Moment> history_;
  bool gone_back_ = false;
  Trap trap_ = Trap::none;
};

}  // namespace parley::sim
