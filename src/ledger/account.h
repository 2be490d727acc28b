// The figures of the disclosure ledger (log.md 4.1 to 4.3): integers only, each for one member, one type of indicator
// and one window of time. "In" is what the member could learn of ours, "out" what we could of its.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "ledger/event.h"

namespace parley::ledger {

enum class Window : std::uint8_t { day, month, operation };
inline constexpr std::array kAllWindows = {Window::day, Window::month, Window::operation};
/// "24 h", "30 days", "whole operation"
std::string_view name_of(Window window);

/// What is written by one cannot be more than this: sums stay there.
inline constexpr std::int64_t kLargestSum = std::int64_t{1} << 53;

struct Account {
  std::int64_t asked_by = 0, asked_of = 0;   ///< sessions that it proposed, that we did
  std::int64_t ran = 0;                      ///< sessions that are charged
  std::int64_t probe_in = 0, probe_out = 0;  ///< sum of the padded sizes: guesses that could be tested
  /// The same where the program of the one who receives is changed: more than was entered, by some protocols.
  std::int64_t tests_in = 0, tests_out = 0;
  Range match_in = {}, match_out = {};  ///< matches that were learned
  /// Of match_out, canaries of ours: the logs cannot tell them from matches, and must not.
  std::int64_t canaries_out = 0;
  Range field_in = {},
        field_out = {};  ///< fields that were opened; known: one for each opening that the other side confirmed
  Range weight_in = {}, weight_out = {};  ///< the same by the weights of type and field
  std::int64_t abort_after_learn = 0;     ///< sessions that it ended when it may have learned, without a result
  std::int64_t unopenable = 0;       ///< matches that it signed and did not show, fields that it owed and did not open
  std::int64_t reveals_stopped = 0;  ///< reveals that it ended in the middle: docs/ledger.md
  std::int64_t disputed = 0;         ///< sessions of which the two logs say different things
  /// Charged sessions of which its side is not here: nothing above counts what it entered in them.
  std::int64_t incomplete = 0;
  bool operator==(const Account&) const = default;
};

/// Who learned more, by weight: -100 only the other side did, 100 only we. Both sums stand beside it.
struct Balance {
  std::int64_t in = 0, out = 0;
  std::optional<int> percent;  ///< nothing where nothing was opened: there is no ratio without a base
};
Balance balance_of(const Account& account);

/// "How many times over could they have enumerated us", in hundredths. Nothing for an empty set.
std::optional<std::int64_t> exposure_hundredths(const Account& account, std::uint64_t our_set);

}  // namespace parley::ledger
