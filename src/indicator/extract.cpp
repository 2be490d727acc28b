#include "indicator/extract.h"

#include <algorithm>
#include <unordered_set>

#include "indicator/detail/scanner.h"

namespace parley::indicator {
namespace {

/// What a scanner looks at in one go: memory is bounded by this, not by the text.
constexpr std::size_t kMaxStretch = std::size_t{1} << 20;

/// The end of the stretch that begins at `begin`: the end of the line or, in an endless one, the last place where no
/// indicator can be cut.
std::size_t stretch_end(std::string_view text, std::size_t begin) {
  const std::string_view window = text.substr(begin, kMaxStretch);
  if (begin + window.size() == text.size()) return text.size();
  for (const std::string_view separators : {"\n", " \t\r", "\",;|'<>"}) {
    if (const std::size_t place = window.find_last_of(separators); place != std::string_view::npos)
      return begin + place + 1;
  }
  return begin + window.size();
}

}  // namespace

std::vector<Found> extract(std::string_view text, const ExtractOptions& options) {
  std::vector<Found> out;
  std::unordered_set<std::string> seen;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = stretch_end(text, begin);
    for (Found& found : detail::Scanner(text.substr(begin, end - begin), begin, options).run()) {
      if (seen.insert(found.type + '\t' + found.value).second) out.push_back(std::move(found));
    }
    begin = end;
  }
  return out;
}

}  // namespace parley::indicator
