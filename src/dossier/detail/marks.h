// Marks as people write them.
#pragma once

#include <string>
#include <string_view>

namespace parley::dossier::detail {

/// "AMBER+STRICT" of "amber+strict".
inline std::string in_capitals(std::string_view name) {
  std::string raised(name);
  for (char& c : raised)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return raised;
}

}  // namespace parley::dossier::detail
