// Who stands behind a finding: the same text signed by k of n members with their `id` keys, and those who do not agree,
// with what they think instead (log.md 6.1).
#pragma once

#include <map>
#include <set>

#include "finding/finding.h"
#include "group/amendment.h"

namespace parley::finding {

inline constexpr std::string_view kDissentKind = "parley/dissent/v1";
inline constexpr std::size_t kMaxDissentBytes = 64 * 1024;
inline constexpr std::size_t kMaxDissentPoints = 32;
/// Of one member about one finding, and how long their notes are together. Only the first that are within both count
/// (casebook.h says in which order), so that nobody keeps a finding from being handed out by dissenting without end:
/// what all members of the largest group may say fits into one dossier (dossier/dossier.h).
inline constexpr std::size_t kMaxDissentsOfOne = 32;
inline constexpr std::size_t kMaxDissentBytesOfOne = 128 * 1024;

using Left = std::set<std::string, std::less<>>;

/// How many of those who are left must sign: as many as the charter says, never more than are left, and never fewer
/// than two, because what one signs alone is no joint finding.
std::size_t finding_quorum(const group::Charter& charter, const Left& left);
/// Whether these members are enough. Who has left still counts towards the charter's own number, since what it signed
/// stays; towards the smaller number of those who are left count only they.
bool are_enough(const group::Charter& charter, const Left& left, std::span<const std::string> nicks);

/// A finding with whoever has signed it.
struct SignedFinding {
  std::string text, note;
  Digest hash{};
  std::vector<std::string> signers;  ///< nicks, ascending
};

/// `text` signed by one member. @error Errc::format for a text that is no finding
Result<std::string> sign_finding(std::string_view text, const log::VerifierKey& id, const Secret<32>& id_seed);

/// Signed by members of `charter` and by nobody else, each once; how many is for the caller to judge.
/// @error Errc::signature, Errc::format, Errc::limit
Result<SignedFinding> read_signed_finding(std::string_view note, const group::Charter& charter);

inline constexpr std::string_view kWithdrawalKind = "parley/withdrawal/v1";
inline constexpr std::size_t kMaxWithdrawalBytes = 16 * 1024;

/// A signer does not stand behind a finding any more, and says why. Its signature stays what it was.
struct Withdrawal {
  Digest finding{};
  std::string group;  ///< 32 hexadecimal digits
  std::string nick;
  UnixSeconds time = 0;  ///< that its author states; what is shown is its entry's (Withdrawn)
  std::string reason;
  bool operator==(const Withdrawal&) const = default;

  /// What is signed.
  std::string text() const;
};

struct SignedWithdrawal {
  Withdrawal withdrawal;
  std::string note;
  Digest hash{};  ///< of the text; publications name it
};

/// @error Errc::format for one without a reason, or with one that is too long
Result<SignedWithdrawal> sign_withdrawal(const Withdrawal& withdrawal, const log::VerifierKey& id,
                                         const Secret<32>& id_seed);
/// Signed by the member whom it names, and by nobody else. @error Errc::signature, Errc::format, Errc::limit
Result<SignedWithdrawal> read_withdrawal(std::string_view note, const group::Charter& charter);

/// What a dissenting member thinks of one part of a finding.
struct DissentPoint {
  std::string about;  ///< "judgement", "confidence", or the id of evidence, a hypothesis, an origin or an assumption
  std::optional<Likelihood> likelihood;  ///< that it would have said; only about the judgement
  std::string text;
  bool operator==(const DissentPoint&) const = default;
};

struct Dissent {
  Digest finding{};
  std::string group;  ///< 32 hexadecimal digits
  std::string nick;
  UnixSeconds time = 0;  ///< by the dissenter's clock
  std::vector<DissentPoint> points;
  bool operator==(const Dissent&) const = default;

  /// What is signed.
  std::string text() const;
};

struct SignedDissent {
  Dissent dissent;
  std::string note;
  Digest hash{};  ///< of the text; published findings name it
};

/// @error Errc::format for one that breaks a rule: no points, too many, a point without text or about nothing;
/// Errc::limit for one that is longer with its signature than its readers take
Result<SignedDissent> sign_dissent(const Dissent& dissent, const log::VerifierKey& id, const Secret<32>& id_seed);
/// Signed by the member whom it names, and by nobody else. @error Errc::signature, Errc::format, Errc::limit
Result<SignedDissent> read_dissent(std::string_view note, const group::Charter& charter);
/// How many shares of one author's dissents a log may hand on: a publisher follows as others come to be first.
inline constexpr std::size_t kMostSharesHandedOn = 4;
/// What counts of the members' dissents about one finding, in the order in which they are given.
class DissentShares {
 public:
  /// @param shares  of each author
  explicit DissentShares(std::size_t shares = 1) : shares_(shares) {}
  /// Whether this one counts beside those of its author that counted before. @error Errc::limit
  Status take(const SignedDissent& more);

 private:
  struct Share {
    std::size_t count = 0, bytes = 0;
  };
  std::size_t shares_;
  std::map<std::string, Share, std::less<>> of_;  // by nick
};
/// Whether every point is about something that is in `finding`, and the group is its. @error Errc::format
Status check_dissent(const Dissent& dissent, const Finding& finding);

}  // namespace parley::finding
