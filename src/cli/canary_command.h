// The family `parley canary`, and what its files share.
#pragma once

#include <set>

#include "cli/group_command.h"
#include "session/canary_alarm.h"

namespace parley::cli {

void add_canary_status(Command& family, Chosen& chosen);
void add_canary_alarm(Command& family, Chosen& chosen);  ///< alarm, check, opinion

/// Those of `values` that we hold ourselves. @error the vault's
Result<std::set<indicator::Canonical>> in_own_material(vault::Vault& vault,
                                                       const std::set<indicator::Canonical>& values);
/// "1 canary", "2 canaries".
std::string in_words_of(std::size_t canaries);

/// Draws the next set and writes it into our log. @error Errc::usage without canaries; as JointLog::append
Result<group::CanaryBook::Committed> commit_canaries(Workplace& at, const std::string& group);

/// "58", "5,500": two significant digits, and never more than the figure is worth.
std::string rounded(double ratio);

/// How often an honest member meets enough of the set's canaries for an alarm, by their owner's own estimates. For the
/// owner alone: it tells how many there are.
std::string accident_in_words(const group::CanaryBook& book, const group::CanarySet& set);

/// Whom canaries keep an eye on: said on every screen that shows them.
inline constexpr std::string_view kWhomCanariesPolice =
    "Canaries keep an eye on members that ask you: such a member learns no match without your node seeing it too. A "
    "member that you ask learns first and can keep back what looks like a canary; against guesses of that side stand "
    "caps, budgets and consent.";

}  // namespace parley::cli
