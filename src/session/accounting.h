// The disclosure ledger of a group (ledger/ledger.h) as its logs fill it: what each entry says to it, and the ledger
// kept up to the logs in the vault. Nothing of it is stored: whatever a disk forgot comes back with the logs.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "group/membership.h"
#include "ledger/ledger.h"
#include "log/entry.h"
#include "mirror/replica.h"
#include "session/question.h"
#include "vault/vault.h"

namespace parley::session {

/// What an entry says of a session that `self` is party to. Nothing for any other entry, and for what is no step: it
/// was refused as one, and what does not stand in a log cannot make less of what does.
/// @param entry, self  outlive the event
/// @param body  its text in PJ1; nothing where this member has it no more
std::optional<ledger::Event> event_of(const log::Entry& entry, const Digest& leaf_hash,
                                      std::optional<std::string_view> body, std::string_view self);

/// The numbers of a session at its end, as the body of a ledger.settle entry.
log::Json to_json(const ledger::Settled& settled);
/// @error Errc::format, Errc::limit
Result<ledger::Settled> settled_from_json(const log::Json& body);

/// The sixteen bytes that a session's 32 hex digits stand for. @error Errc::format
Result<ledger::SessionId> session_id_from(std::string_view hex);

/// The most that an unseen side of a session can have entered into a question about `type`.
using MostEntered = std::function<std::int64_t(indicator::Type type)>;
/// What the caps for `function` let one side enter. @param membership  outlives it
MostEntered most_entered_under(const group::Membership& membership, Function function);

struct MemberLog {
  std::string origin, nick;
};

/// The ledger of one group. Thread-safe.
class Accounting {
 public:
  /// @param group  id  @param self  our nick in it
  Accounting(std::string group, std::string self);

  /// Takes what the logs in the vault have got since the last call. Not within Vault::together(), which may still undo
  /// what it wrote. An entry of another member that is damaged here counts as the most that it may have said until it
  /// is mended. @error the vault's; Errc::vault_damaged for an entry of our own that cannot be read
  Status update(vault::Vault& vault);
  /// The same from any store. @param logs  of the group
  Status update(mirror::Store& store, std::span<const MemberLog> logs);
  /// Takes a run of ours that is being written, so that sessions beside this one see its charge before it is durable.
  /// Taking it again by update() changes nothing; one that was undone counts until the next start.
  void charge(const mirror::EntryView& run);
  /// As long as it lives, this process holds a session that has not run: no word of the other side's charges it. A
  /// process that dies takes that with it: until our log has an end of the session, it counts again.
  class NotRunYet {
   public:
    /// @param accounting  outlives this
    NotRunYet(Accounting& accounting, const ledger::SessionId& session);
    ~NotRunYet();
    NotRunYet(const NotRunYet&) = delete;
    NotRunYet& operator=(const NotRunYet&) = delete;

   private:
    Accounting& accounting_;
    ledger::SessionId session_;
  };
  /// Takes from the vault's sessions of the group how many of the common indicators were canaries of ours.
  Status note_canaries(vault::Vault& vault);
  /// What the clock says, for windows that with() looks at.
  void see(UnixSeconds time);

  /// What has been spent by `now` with `peer` (a nick), by type. A session whose other half is not here counts as the
  /// largest that `most_entered` lets there be.
  std::map<indicator::Type, group::Spent> spent(UnixSeconds now, const std::string& peer,
                                                std::span<const indicator::Type> types,
                                                const MostEntered& most_entered);

  /// `work(ledger)`, while nobody changes it.
  template <typename Work>
  auto with(const Work& work) const {
    const std::lock_guard lock(mutex_);
    return work(ledger_);
  }

 private:
  /// How far a log has been read, and the entries that wait for their bodies or to be mended.
  struct Read {
    std::uint64_t size = 0;
    Digest last{};  ///< leaf hash of the newest that was read
    std::deque<std::uint64_t> without_body;
    std::deque<std::uint64_t> damaged;
  };
  enum class Taken : std::uint8_t { whole, without_body, damaged };
  Status read_log(mirror::Store& store, const MemberLog& log);
  /// Takes the first `count` of those that wait since they were found so `before`, each once; one that goes on waiting
  /// does so behind the others, and where reading ends in the middle all that were not taken wait still.
  Status read_again(mirror::Store& store, const MemberLog& log, Taken before, std::size_t count);
  /// What a log says of sessions that the ledger lacks facts of (ledger::Ledger::lacking).
  Status tell_again(mirror::Store& store, const MemberLog& log);
  /// Takes an entry of one of `sessions` that was taken before. @return false where it cannot be read
  Result<bool> take_once_more(mirror::Store& store, const MemberLog& log, const vault::LogLeaf& leaf, std::uint64_t seq,
                              const std::set<ledger::SessionId>& sessions);
  /// Entries of our own log that nobody else had may have given way to others (Outcome::dropped): what was read of them
  /// is forgotten, and with it all that was, NotRunYet too.
  Status begin_anew_if_cut(mirror::Store& store, std::span<const MemberLog> logs);
  /// @param again  it was taken before, without its body
  Result<Taken> take(mirror::Store& store, const MemberLog& log, const vault::LogLeaf& leaf, std::uint64_t seq,
                     bool again = false);

  const std::string group_, self_;
  // Whoever reads the vault has `reading_` and never waits for the vault with `mutex_`: a charge is made by one who has
  // the vault.
  std::mutex reading_;
  std::map<std::string, Read, std::less<>> read_;  // by origin
  mutable std::mutex mutex_;
  ledger::Ledger ledger_;
};

/// The ledgers of all groups of a process, each made when it is first asked for. Thread-safe.
class Ledgers {
 public:
  /// That of the group, up to what the vault has now. @error as Accounting::update
  Result<std::shared_ptr<Accounting>> up_to_date(vault::Vault& vault, const std::string& group,
                                                 const std::string& self);

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Accounting>, std::less<>> by_group_;
};

}  // namespace parley::session
