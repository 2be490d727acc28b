// The rules of the trade, checked before anybody can sign (log.md 6.1, "Checks by software"): a finding that breaks one
// is no finding. Each rule has a name that stays.
#pragma once

#include "finding/finding.h"
#include "group/charter.h"

namespace parley::finding {

enum class Severity : std::uint8_t {
  refuses,  ///< nobody can sign it, and no dossier of it verifies
  warns,    ///< signers are told, and so are readers
};

struct Rule {
  std::string_view name;
  Severity severity;
  std::string_view why;  ///< one sentence, for docs and people
};

/// All rules, in the order in which they are checked.
std::span<const Rule> rules();

/// A rule that a finding breaks.
struct Remark {
  std::string_view rule;
  Severity severity = Severity::refuses;
  std::string where;     ///< JSON pointer
  std::string sentence;  ///< what is wrong, and what to do
};

/// Of one rule that warns no more are told one by one; a last remark says how many there are beyond. What refuses is
/// always told.
inline constexpr std::size_t kMaxWarningsOfRule = 32;

/// What depends on the group as well as on the finding. Texts that are not shown are not judged.
/// @param charter  the version in force that the finding names
/// @param charter_hash  of that version
std::vector<Remark> lint(const Finding& finding, const group::Charter& charter, const Digest& charter_hash);

/// Whether anything refuses.
bool refuses(std::span<const Remark> remarks);
/// The first that refuses, as an error. @error Errc::policy
Status check(std::span<const Remark> remarks);

}  // namespace parley::finding
