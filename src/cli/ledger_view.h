// The disclosure ledger as people see it: what was tested and learned, what is left of the caps, and what a question
// would do to both.
#pragma once

#include "cli/command.h"
#include "group/membership.h"
#include "session/accounting.h"

namespace parley::cli {

/// 38000 -> "38,000".
std::string grouped(std::int64_t number);

/// "12", or "12 to 1,036" where only that is known.
std::string in_numbers(const ledger::Range& range);

/// The ledger of a group, up to what its logs have here. @error Errc::policy if this member was never in the group;
/// as session::Ledgers::up_to_date
Result<std::shared_ptr<session::Accounting>> accounting_of(Workplace& at, const group::Membership& membership);

/// The nick of a pinned peer. @error Errc::not_found
Result<std::string> nick_of(Workplace& at, const std::string& peer);

/// One cap, how much of it is used, and in words what it counts.
struct Used {
  group::NamedCap cap;
  std::string what;
  std::int64_t used = 0;
  std::int64_t most = 0;
  std::int64_t left() const { return std::max<std::int64_t>(most - used, 0); }
};
/// All caps that count over time, of one question, with `peer` (a nick).
std::vector<Used> used_caps(const group::Membership& membership, session::Accounting& accounting,
                            const std::string& peer, const group::AllowedQuestion& allowed);

/// What a session would do to the ledger, a line for each type: "ipv4: after this bravo could have tested 38,000 of
/// the 50,000 ...".
/// @param their_padded  0: not known yet; then as much as the charter lets it enter
Result<std::vector<std::string>> effect_of(Workplace& at, const group::Membership& membership, const std::string& peer,
                                           const session::Question& question, session::Side our_side,
                                           std::uint64_t our_padded, std::uint64_t their_padded);

/// What a reveal would add to the ledger: "By the ledger you have opened ... to bravo".
/// @param values  fields that may go out, of which none was opened before; `unreturned` of them for nothing
Result<std::string> effect_of_reveal(Workplace& at, const group::Membership& membership, const std::string& peer,
                                     std::uint64_t values, std::uint64_t unreturned);

}  // namespace parley::cli
