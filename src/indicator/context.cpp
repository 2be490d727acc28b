#include "indicator/context.h"

#include <algorithm>
#include <array>

#include "indicator/detail/unicode.h"

namespace parley::indicator {
namespace {

constexpr std::array<std::string_view, 5> kTlpNames = {"clear", "green", "amber", "amber+strict", "red"};
constexpr std::array<std::string_view, 4> kPapNames = {"clear", "green", "amber", "red"};
constexpr std::array<std::string_view, 5> kLabelKinds = {"label", "actor", "malware", "technique", "sector"};

/// "TLP:AMBER+STRICT", "tlp:amber-strict", "TLP: Amber Strict", `tlp:"amber"` -> "amber+strict"; without the prefix
/// too.
std::string plain_colour(std::string_view name, std::string_view protocol) {
  name = detail::trim(name);
  static constexpr std::string_view kSeparators = ":-_= \"";
  const auto separates = [](char c) { return kSeparators.find(c) != std::string_view::npos; };
  if (detail::starts_with_fold(name, protocol) && name.size() > protocol.size() && separates(name[protocol.size()])) {
    name.remove_prefix(protocol.size());
  }
  while (!name.empty() && separates(name.front())) name.remove_prefix(1);
  while (!name.empty() && separates(name.back())) name.remove_suffix(1);
  std::string out = detail::ascii_lower(name);
  std::replace_if(out.begin(), out.end(), separates, '+');
  return out == "white" ? "clear" : out;
}

template <typename Mark, std::size_t N>
std::optional<Mark> named(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  return found == names.end() ? std::nullopt : std::optional(static_cast<Mark>(found - names.begin()));
}

}  // namespace

std::string_view name_of(Tlp tlp) {
  return kTlpNames.at(static_cast<std::size_t>(tlp));
}
std::string_view name_of(Pap pap) {
  return kPapNames.at(static_cast<std::size_t>(pap));
}
std::string_view name_of(LabelKind kind) {
  return kLabelKinds.at(static_cast<std::size_t>(kind));
}

std::optional<Tlp> tlp_named(std::string_view name) {
  return named<Tlp>(kTlpNames, plain_colour(name, "tlp"));
}
std::optional<Pap> pap_named(std::string_view name) {
  return named<Pap>(kPapNames, plain_colour(name, "pap"));
}

}  // namespace parley::indicator
