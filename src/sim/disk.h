// A simulated disk: the store and the guard of one replica (mirror/store.h), as a journal of commits of which a prefix
// is durable. It tears, loses, lies, fails, rots and goes back to what it was.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mirror/store.h"
#include "sim/dice.h"
#include "vault/vault.h"

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
  takes_steps_in_any_order,
  believes_another_result,
  does_not_compare_sizes,
  checks_no_caps,
  checks_caps_only_when_asked,  ///< and not again when it is charged
  goes_on_while_paused,
  opens_before_its_offer_is_held,
  opens_more_than_it_offered,
  keeps_no_new_seed,           ///< of a key that it rotates
  goes_on_with_replaced_keys,  ///< from its next start on
};

/// What a member's disk keeps of a session: the vault's rows of it.
struct StoredSession {
  vault::SessionRow row;
  std::vector<vault::SessionStep> steps;

  /// Whether `author` has taken a step of this type, or of any.
  bool has_step(std::string_view author, std::string_view type = {}) const;
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
  mirror::Usage usage;
  std::string seen;
  std::optional<std::uint64_t> lacking;
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
  Result<std::optional<vault::LogBody>> entry_body(const Digest& leaf) override;
  Result<std::optional<vault::LogCheckpoint>> checkpoint(std::string_view origin, std::uint64_t size) override;
  Result<std::vector<vault::LogCosignature>> cosignatures(std::string_view origin, std::uint64_t size) override;
  Result<std::optional<std::uint64_t>> step(std::string_view origin, const log::StepKey& step) override;
  Result<std::optional<mirror::FaultRow>> fault(std::string_view origin) override;
  Result<mirror::Usage> usage(std::string_view origin) override;
  /// A simulated disk is as large as it has to be.
  Result<std::uint64_t> free_bytes() override { return std::numeric_limits<std::uint64_t>::max(); }
  Result<std::string> seen(std::string_view origin) override;
  Result<std::optional<std::uint64_t>> lacking(std::string_view origin) override;
  Status commit(const mirror::Batch& batch, const std::function<Status()>& work) override;

  // --- the member's own rows, beside the log
  /// Within `work` of a commit only, as the two that follow. Steps are added to those that are there.
  void save_session(vault::SessionRow row, std::vector<vault::SessionStep> steps = {});
  void put_secret(std::string name, std::string value) { pending_.secrets[std::move(name)] = std::move(value); }
  /// The latest time that was seen (vault::GroupRow::latest).
  void save_latest(UnixSeconds latest) { pending_.latest = latest; }
  bool has_secret(const std::string& name) const { return secrets_.contains(name); }
  /// Empty if there is none.
  std::string secret(const std::string& name) const;
  const std::map<std::string, StoredSession>& sessions() const { return sessions_; }
  /// nullptr if there is none.
  const StoredSession* session(const std::string& id) const;
  UnixSeconds latest() const { return latest_; }

  // --- what goes wrong
  void set_trap(Trap trap) { trap_ = trap; }
  /// From now on, until heal(): writes fail (there is no space), or reads fail as well.
  void set_failing(bool writes, bool reads = false);
  void set_lying(bool lying);
  void fail_next_read() { read_fails_ = true; }
  /// The next read of a row of a log brings the bytes of another row.
  void misdirect_next_read(std::uint64_t which) { misdirected_ = which; }
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
  bool has_body(const Digest& leaf) const { return bodies_.contains(leaf); }
  std::optional<log::Body> stored_body(const Digest& leaf) const;
  /// What an entry says, if its body is here. @param log  whose
  std::optional<log::Json> said(std::string_view origin, const Digest& leaf) const;
  /// The entry by which the owner of a log took a step.
  std::optional<log::Json> said(std::string_view origin, const log::StepKey& step) const;

 private:
  /// Rows beside the log that one commit writes.
  struct OwnRows {
    std::map<std::string, StoredSession> sessions;
    std::map<std::string, std::string> secrets;
    std::optional<UnixSeconds> latest;
  };
  struct Record {
    mirror::Batch batch;
    OwnRows own;
  };
  template <typename Row>
  void misdirect(Row& row, std::string_view origin);
  Status readable();
  Status check(const mirror::Batch& batch) const;
  void apply(const Record& record);
  void grow(const vault::LogGrowth& growth);
  void cut(const mirror::CutRow& row);
  void rebuild();

  Flaw flaw_;
  std::vector<std::shared_ptr<const Record>> journal_;
  std::size_t durable_ = 0;
  std::map<std::string, LogRows, std::less<>> logs_;
  std::map<Digest, vault::LogBody> bodies_;  ///< by the leaf hash of their entries
  std::map<std::string, StoredSession> sessions_;
  std::map<std::string, std::string> secrets_;
  UnixSeconds latest_ = 0;
  OwnRows pending_;
  Trap trap_ = Trap::none;
  bool writes_fail_ = false;
  bool reads_fail_ = false;
  bool lying_ = false;
  bool read_fails_ = false;
  std::optional<std::uint64_t> misdirected_;
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
