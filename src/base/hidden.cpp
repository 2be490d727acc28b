#include "base/hidden.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace parley {
namespace {

/// By its first byte; what is no UTF-8 is taken for as long as that says, and is hidden in any case.
std::size_t size_of_first(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return std::min(size, text.size());
}

}  // namespace

std::string hidden_in(std::string_view text, bool may_have_lines) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view character = text.substr(0, size_of_first(text));
    text.remove_prefix(character.size());
    if (may_have_lines && character == "\n") continue;
    if (std::string shown = visible(character); shown != character)
      return fmt::format(" Character {} of it, {}, cannot be seen or changes how its neighbours look: leave it out.",
                         number, shown);
  }
  return {};
}

}  // namespace parley
