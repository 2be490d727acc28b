// Canaries: values that a guesser would try and that nobody honest holds, committed to in the own log long before they
// enter a session (log.md 4.4). A peer whose set holds one has guessed, stolen or bought it, or holds it by an accident
// whose chance is stated with the canary.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "indicator/indicator.h"
#include "log/commitment.h"
#include "log/merkle.h"
#include "log/pjson.h"

namespace parley::group {

/// A set has always as many leaves: what is not a canary is a random hash, so that their number is hidden.
inline constexpr std::size_t kCanaryLeaves = 64;

/// The chance that an honest member holds a canary, in millionths. Above the first a value is no canary: two hits would
/// say little. Up to the second, one hit is enough for an alarm.
inline constexpr std::int64_t kMostEpsilonPpm = 1000;
inline constexpr std::int64_t kLoneEpsilonPpm = 100;
/// A set enters sessions once it stood in the log for so long, under a checkpoint that a quorum cosigned; and no more
/// once it is as old as the second.
inline constexpr UnixSeconds kCanaryAge = 24 * 3600;
inline constexpr UnixSeconds kCanaryLife = 30 * 24 * 3600;
/// From this age on a set enters no new session: one that begins just before is still young enough at its run, also by
/// clocks that differ.
inline constexpr UnixSeconds kCanaryLastUse = kCanaryLife - 24 * 3600;
/// From this age on the next set may have the same canaries: early enough that it is old enough when this one ends.
inline constexpr UnixSeconds kCanaryRenewal = kCanaryLastUse - 7 * 24 * 3600;

inline constexpr std::size_t kMaxCanaryReasonBytes = 512;

/// How a canary is made, and of which types it then is.
struct CanaryKind {
  std::string_view name;
  std::string_view what;  ///< in words, for help and screens
  std::span<const indicator::Type> types;
};
std::span<const CanaryKind> canary_kinds();
/// nullptr for a name that is none of them.
const CanaryKind* canary_kind(std::string_view name);

struct Canary {
  indicator::Canonical indicator;
  std::string kind;              ///< of canary_kinds()
  std::string why_nobody_holds;  ///< by its owner, for whoever judges an alarm
  std::int64_t eps_ppm = 0;      ///< 1 to kMostEpsilonPpm
  UnixSeconds created = 0;

  /// PJ1 {"created","eps_ppm","kind","why_nobody_holds"}: what the leaf commits to beside type and value.
  log::Json reason() const;
};

/// A canary's value with its reason. @error Errc::format: not canonical, no known kind, a type that the kind is not of,
/// a chance out of bounds, a reason that is empty or too long
Result<Canary> make_canary(indicator::Type type, std::string_view value, const log::Json& reason);

/// SHA-256("parley/canary/v1\0" || salt || u16be len(type) || type || u32be len(value) || value || u32be len(why) ||
/// why), `why` the text of reason(). Data of a leaf.
Digest canary_commitment(const log::Salt& salt, const Canary& canary);

/// One canary as its set committed to it, with what shows that.
struct CommittedCanary {
  Canary canary;
  Digest set_entry{};  ///< leaf hash of the canary.set
  log::Salt salt{};
  std::uint64_t index = 0;        ///< among the kCanaryLeaves
  std::vector<Digest> path = {};  ///< RFC 6962 2.1.1
};

/// Canaries under fresh salts, beside random leaves up to kCanaryLeaves, in the order of the leaves.
class CanarySet {
 public:
  struct Leaf {
    log::Salt salt{};
    Canary canary;
  };

  /// Precondition: at most kCanaryLeaves canaries.
  static CanarySet draw(std::span<const Canary> canaries);

  const std::vector<Leaf>& canaries() const { return canaries_; }
  Digest root() const;
  /// What shows each of canaries(), in their order. The set_entry is the caller's to fill in.
  std::vector<CommittedCanary> committed() const;

  log::Json to_json() const;
  /// @error Errc::format
  static Result<CanarySet> from_json(const log::Json& json);

 private:
  std::vector<Digest> data() const;  // of the leaves, ascending

  std::vector<Leaf> canaries_;
  std::vector<Digest> filler_;
};

/// The body of a canary.set entry, and its root again. @error Errc::format
log::Json canary_set_body(const Digest& root);
Result<Digest> canary_root_from_body(const log::Json& body);

/// Whether hits on canaries with these chances are enough for an alarm: two, or one of at most kLoneEpsilonPpm.
bool enough_for_alarm(std::span<const std::int64_t> eps_ppm);

/// How many times likelier the hits are if the peer entered guesses than if it holds each by the stated chance: under
/// guesses that cover as large a part of where canaries come from as fits the hits best, were all kCanaryLeaves leaves
/// canaries. Fewer leaves, as there may be, only make it larger.
double likelihood_ratio(std::span<const std::int64_t> eps_ppm);

/// The chance that a guesser who covers `fraction` of where canaries come from meets enough of `count` canaries with
/// `eps_ppm` each for an alarm: 1 - (1-f)^c where one hit is enough (psi.md 6.5).
double chance_of_alarm(double fraction, std::size_t count, std::int64_t eps_ppm);

/// The chance that an honest member, who holds each of a set's canaries by the stated chance and apart from the others,
/// meets enough of them in one session for an alarm. No alarm says it, since how many canaries there are stays hidden:
/// it is for their owner.
double chance_of_accident(std::span<const std::int64_t> eps_ppm);
/// An owner is warned above it: up to it, of 10,000 honest members who meet the set once 0.1 are to be expected to be
/// accused.
inline constexpr double kRareAccident = 1e-5;

}  // namespace parley::group
