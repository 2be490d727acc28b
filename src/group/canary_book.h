// The canaries of one member in one group, kept sealed and apart from its material: nothing of it is imported, counted,
// exported or revealed (log.md 4.4).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "group/canary.h"
#include "vault/vault.h"

namespace parley::group {

class CanaryBook {
 public:
  /// A set that stands in the own log.
  struct Committed {
    CanarySet set;
    Digest entry{};  ///< leaf hash of its canary.set
    std::uint64_t seq = 0;
    UnixSeconds time = 0;  ///< of that entry
  };

  /// @error Errc::vault_damaged; the vault's
  static Result<CanaryBook> load(vault::Vault& vault, const std::string& group);
  Status save(vault::Vault& vault, const std::string& group) const;

  /// For the next set. @error Errc::exists if it is there already, or was published; Errc::limit at kCanaryLeaves, and
  /// where so many values were used up that there would be no place to keep that one more was
  Status add(const Canary& canary);
  /// Takes a canary off the next set; one that a set has committed to enters no session from now on.
  /// @error Errc::not_found
  Status remove(const indicator::Canonical& indicator);

  /// The next set: those that wait, and those of the newest set that were not shown to all. @error Errc::usage without
  /// any
  Result<CanarySet> draw() const;
  /// Whether the next set would do what the newest does not: have other canaries, or live on when that one will soon be
  /// too old.
  bool has_news(UnixSeconds now) const;
  /// That it now stands in the log.
  void committed(CanarySet set, const Digest& entry, std::uint64_t seq, UnixSeconds time);

  /// The newest set that is old enough, final by `is_final(seq)` and not too old; nullptr if there is none.
  const Committed* in_use(UnixSeconds now, const std::function<bool(std::uint64_t seq)>& is_final) const;
  /// The oldest that is kept and has `canary`; nullptr without one.
  const Committed* oldest_with(const indicator::Canonical& canary) const;
  /// What of it may enter a session about these types: all but what all members were told. Whoever has met one does not
  /// see it gone; what was told to a member enters its sessions too, and says nothing against it (told()).
  std::vector<CommittedCanary> entering(const Committed& set, std::span<const indicator::Type> types) const;

  /// Whether `canary`, which stands in a set, passes for an indicator last seen at `since` or later, where `share` (0
  /// to 1) of our own was. What has passed once passes again, whatever we import meanwhile and whichever set it is in.
  bool passes(const indicator::Canonical& canary, UnixSeconds since, double share) const;
  /// That it did, which another member may have seen.
  void passed(const indicator::Canonical& canary, UnixSeconds since);

  /// `nick` has been opened at `now`, or may have been, all canaries of the sets that stand in the log (an audit).
  void opened_to(std::string_view nick, UnixSeconds now);
  /// Since when `nick` may know that it is a canary; 0 where nobody wrote down when. Nothing where it was not told.
  std::optional<UnixSeconds> told(std::string_view nick, const indicator::Canonical& canary) const;
  /// Who was told any of a set, by nick.
  std::set<std::string> told_of(const Committed& set) const;
  /// All members have seen it.
  void published(const indicator::Canonical& indicator);
  bool is_published(const indicator::Canonical& indicator) const;

  /// All that waits or stands in a set, and may still enter a session or the next set.
  std::set<indicator::Canonical> usable() const;

  const std::vector<Canary>& waiting() const { return waiting_; }
  const std::vector<Committed>& sets() const { return sets_; }  ///< oldest first

 private:
  /// When a canary was last seen, as far as others can tell.
  struct Appearance {
    /// Where it stands among indicators that are ordered by when they were last seen, the newest first: from 0, and
    /// less than kPlaces. It is the same as long as the value is in any set, so that it moves with our material only.
    std::uint64_t place = 0;
    std::optional<UnixSeconds> passed = {};  ///< the latest date for which it has passed
  };
  // Places for those in sets, from the salt of the first of them; those in none have none. Of these is kept, where
  // somebody was told of them, that they can be canaries no more.
  void follow_sets();

  std::map<indicator::Canonical, Appearance> appearances_;
  /// To whom what was shown as a canary, and since when; kEveryone for all, and for what its owner took back.
  std::map<std::pair<std::string, indicator::Canonical>, UnixSeconds> seen_;
  std::vector<Canary> waiting_;
  std::vector<Committed> sets_;
};

}  // namespace parley::group
