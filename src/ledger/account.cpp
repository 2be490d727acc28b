// Balance and exposure (account.h).
#include "ledger/account.h"

#include <algorithm>
#include <utility>

namespace parley::ledger {

std::string_view name_of(Window window) {
  switch (window) {
    case Window::day:
      return "24 h";
    case Window::month:
      return "30 days";
    case Window::operation:
      return "whole operation";
  }
  std::unreachable();
}

Balance balance_of(const Account& account) {
  Balance balance{.in = account.weight_in.worst, .out = account.weight_out.worst, .percent = {}};
  // Sums stay below 2^54, so nothing overflows.
  if (const std::int64_t both = balance.in + balance.out; both > 0)
    balance.percent = static_cast<int>(100 * (balance.out - balance.in) / both);
  return balance;
}

std::optional<std::int64_t> exposure_hundredths(const Account& account, std::uint64_t our_set) {
  if (our_set == 0) return std::nullopt;
  const auto size = static_cast<std::int64_t>(std::min<std::uint64_t>(our_set, kLargestSum));
  return 100 * account.probe_in / size;
}

}  // namespace parley::ledger
