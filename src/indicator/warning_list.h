// Warning lists: indicators that stand on one are common, shared or reserved, so that a match on them says little.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "indicator/indicator.h"

namespace parley::indicator {

/// How an entry matches, after the MISP warninglist format.
enum class WarningMatch : std::uint8_t { exact = 0, hostname = 1, cidr = 2, substring = 3, regex = 4 };

struct WarningList {
  std::string name;
  WarningMatch match = WarningMatch::exact;
  std::vector<std::string> entries;
};

/// The lists in force, ready to be asked. The built-in ones hold plain facts only: private and reserved address ranges
/// (RFC 6890 and successors), reserved names (RFC 2606, 6761), well-known public resolvers.
class WarningLists {
 public:
  WarningLists();
  ~WarningLists();
  WarningLists(WarningLists&&) noexcept;
  WarningLists& operator=(WarningLists&&) noexcept;

  static WarningLists built_in();

  /// @error Errc::format when an entry is not what `match` needs; names the entry.
  Status add(const WarningList& list);

  /// Names of the lists that `value` stands on, sorted. A URL or e-mail also by its host.
  std::vector<std::string> marks(const Canonical& value) const;

 private:
  struct Index;
  std::unique_ptr<Index> index_;
};

}  // namespace parley::indicator
