// The charter of a group (log.md 1.5): what it is for, who is in it, what may be asked about which kinds of indicators,
// how much of it, how many signatures a finding needs, and when it ends. All members sign it with their `id` keys.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "indicator/context.h"
#include "indicator/indicator.h"
#include "log/member_keys.h"

namespace parley::group {

inline constexpr std::string_view kCharterKind = "parley/charter/v1";
inline constexpr std::size_t kMaxCharterBytes = 128 * 1024;
inline constexpr std::size_t kFewestMembers = 2;
inline constexpr std::size_t kMostMembers = log::kMaxGroupMembers;
inline constexpr UnixSeconds kSecondsPerDay = 86'400;
inline constexpr UnixSeconds kLongestWindowSeconds = 400 * kSecondsPerDay;
inline constexpr std::int64_t kMostGraceDays = 90;
inline constexpr std::int64_t kLargestClockSkewSeconds = 3600;
/// A dossier carries every version up to the one that it needs, so no group has more of them than fit into one; and up
/// to where an amendment may come into force that not all members need to sign.
inline constexpr std::int64_t kMostVersions = 256;
inline constexpr std::int64_t kVersionsOfAnyQuorum = kMostVersions / 4 * 3;
inline constexpr std::size_t kMaxPurposeBytes = 1000;
inline constexpr std::size_t kGroupIdDigits = 32;
/// Of a group's id, in the names of its keys and on screens.
inline constexpr std::size_t kShortGroupIdDigits = 8;
/// No cap is larger: four times the largest set of a session.
inline constexpr std::int64_t kLargestCap = std::int64_t{7} << 23;

/// Which function of two sets may be computed; the names are those of commands and steps.
enum class Function : std::uint8_t { count, intersection };
inline constexpr std::array kAllFunctions = {Function::count, Function::intersection};
std::string_view name_of(Function function);
std::optional<Function> function_named(std::string_view name);

/// The limits under which one function may be asked of one type of indicator. Each holds in either direction.
struct Caps {
  std::int64_t items_per_session = 0;      ///< padded size of either set
  std::int64_t sessions_per_day = 0;       ///< with one member
  std::int64_t probe_items_30d = 0;        ///< sum of the padded sizes that one member enters
  std::int64_t probe_items_group_30d = 0;  ///< the same over all members together
  std::int64_t matches_revealed_30d = 0;   ///< that one member learns
  std::int64_t fields_per_item = 0;        ///< opened on one match
  bool operator==(const Caps&) const = default;
};

/// Each cap with its name in the charter, which refusals say.
struct NamedCap {
  std::string_view name;
  std::int64_t Caps::* value;
  std::int64_t least;
};
inline constexpr std::array kNamedCaps = {
    NamedCap{"max_items_per_session", &Caps::items_per_session, 256},
    NamedCap{"max_sessions_day", &Caps::sessions_per_day, 1},
    NamedCap{"max_probe_items_30d", &Caps::probe_items_30d, 256},
    NamedCap{"max_probe_items_group_30d", &Caps::probe_items_group_30d, 256},
    NamedCap{"max_matches_revealed_30d", &Caps::matches_revealed_30d, 0},
    NamedCap{"max_fields_per_item", &Caps::fields_per_item, 0},
};

/// One function of one type is allowed, under caps. What no question allows is refused.
struct AllowedQuestion {
  indicator::Type type = indicator::Type::ipv4;
  Function function = Function::count;
  Caps caps;
  bool operator==(const AllowedQuestion&) const = default;
};

/// How many indicators of a type one member has admitted by each other in an epoch, at most (psi.md 6.6).
struct AdmissionCap {
  indicator::Type type = indicator::Type::ipv4;
  std::int64_t most = 0;
  bool operator==(const AdmissionCap&) const = default;
};
inline constexpr std::string_view kAdmissionCapName = "max_admissions";

/// Indicators of these types enter a session only as tags that every member helped to make.
struct AdmissionClause {
  std::int64_t epoch_days = 90;          ///< after so many, all keys and tags are new
  std::vector<AdmissionCap> types = {};  ///< ascending by name; empty: no clause
  bool operator==(const AdmissionClause&) const = default;

  /// nullptr for a type that enters as it is.
  const AdmissionCap* cap(indicator::Type type) const;
};
inline constexpr std::int64_t kLongestEpochDays = 400;

/// Of these all values can be tried: addresses, networks, numbers, and names that people or programs choose short.
inline constexpr std::array kGuessableTypes = {indicator::Type::asn,      indicator::Type::cidr, indicator::Type::cve,
                                               indicator::Type::filename, indicator::Type::ipv4, indicator::Type::ipv6};

struct CharterMember {
  log::MemberKeys keys;     ///< of this group only; the nick is that of the card
  Digest card{};            ///< SHA-256 of the card's note
  log::VerifierKey id;      ///< the card's: signs charters, findings, a withdrawal
  ByteArray<32> tls_key{};  ///< the card's: what its node shows
  bool operator==(const CharterMember&) const = default;
};

struct Charter {
  std::string group;  ///< 32 hex digits, drawn at random by the drafter
  std::int64_t seq = 1;
  Digest prev{};       ///< hash of version seq - 1; zeros in version 1
  std::string domain;  ///< schema-less, need not resolve: the beginning of all key names
  std::string name;
  std::string purpose;
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;  ///< the end of the operation
  std::int64_t grace_days = 30;
  std::int64_t clock_skew_seconds = 600;
  std::size_t finding_quorum = 2;
  std::size_t log_quorum = 2;
  indicator::Tlp max_tlp = indicator::Tlp::amber_strict;  ///< stricter marked material does not enter a session
  std::vector<std::string> protocols;                     ///< ascending
  std::vector<AllowedQuestion> questions;                 ///< ascending by names of type and function
  std::vector<CharterMember> members = {};                ///< ascending by nick
  AdmissionClause admission = {};                         ///< charters of before it have none, and go on without
  bool operator==(const Charter&) const = default;

  const CharterMember* member(std::string_view nick) const;
  const CharterMember* member_by_id(const log::VerifierKey& id) const;
  const AllowedQuestion* question(indicator::Type type, Function function) const;
  /// When sessions end, by a clock that may be off by the skew: never after the true end.
  UnixSeconds sessions_end() const { return not_after - clock_skew_seconds; }
  UnixSeconds grace_ends() const { return not_after + grace_days * kSecondsPerDay; }
};

/// "7d1f3c90…" -> "7d1f3c90".
std::string short_id(std::string_view group);
bool is_group_id(std::string_view text);
/// `<domain>/g/<gid8>/m/<nick>` and, under it, `/node` and `/mirror` (log.md 1.1).
std::string log_key_name(std::string_view domain, std::string_view group, std::string_view nick);

/// All rules of one charter by itself. Each broken one is a sentence of its own. @error Errc::format, Errc::limit,
/// Errc::key_weak
Status check_charter(const Charter& charter);
/// The rules that do not depend on who the members are.
Status check_terms(const Charter& charter);

/// What is signed: first line, one PJ1 object, newline. A draft is written in the same way under another kind.
std::string charter_text(const Charter& charter, std::string_view kind = kCharterKind);
/// Of the note's text, so that signatures do not change it (log.md 1.5).
Digest charter_hash(std::string_view text);
inline Digest charter_hash(const Charter& charter) {
  return charter_hash(charter_text(charter));
}

/// The charter in a note, its rules checked, its signatures not. @error Errc::format, Errc::limit, Errc::key_weak
Result<Charter> read_charter_unverified(const log::Note& note);
/// The same under another kind, without the rules.
Result<Charter> read_terms_unverified(const log::Note& note, std::string_view kind);

/// A charter with whoever has signed it so far.
struct SignedCharter {
  Charter charter;
  std::string note;
  Digest hash{};
  std::vector<std::string> signers;  ///< nicks of `charter.members` and, in an amendment, of the version before

  bool signed_by(std::string_view nick) const;
  /// Members of the charter that have not signed.
  std::vector<std::string> unsigned_members() const;
};

/// Version 1, which may lack signatures. What is there must verify, be by a member, and stand once.
/// @error Errc::signature, Errc::format, Errc::limit, Errc::key_weak
Result<SignedCharter> read_founding(std::string_view note);

/// The same, whole: signed by all members and by nobody else. @error as read_founding; Errc::signature naming who is
/// missing
Result<SignedCharter> read_founded(std::string_view note);

/// Of the signatures of `note`, whose they are: positions in `keys`, none missing, none twice, no stranger.
/// @error Errc::signature
Result<std::vector<std::size_t>> signers_without_strangers(const log::Note& note,
                                                           std::span<const log::VerifierKey> keys);

/// "alpha, bravo and charlie".
std::string in_words(std::span<const std::string> nicks);

}  // namespace parley::group
