// What the commands that change a working copy share.
#pragma once

#include <algorithm>

#include "base/text.h"
#include "cli/finding_command.h"

namespace parley::cli {

void add_finding_evidence(Command& family, Chosen& chosen);  ///< evidence
void add_finding_matrix(Command& family, Chosen& chosen);    ///< matrix

/// Says that a working copy stays here.
void say_only_here(Console& console, std::string_view name);

/// Changes a working copy and keeps it. @error Errc::policy for a frozen finding; that of `change`
Status edit_working_copy(Workplace& at, const std::string& name,
                         const std::function<Status(finding::Finding&, const NamedFinding&)>& change);

/// The next free id of a list: e1, e2, …
template <typename Element>
std::string next_id(const std::vector<Element>& elements, char prefix) {
  for (std::size_t number = 1;; ++number) {
    std::string id = fmt::format("{}{}", prefix, number);
    if (std::ranges::find(elements, id, &Element::id) == elements.end()) return id;
  }
}

template <typename Element>
Status remove_by_id(std::vector<Element>& elements, const std::string& id) {
  if (std::erase_if(elements, [&](const Element& element) { return element.id == id; }) > 0) return {};
  return fail(Errc::not_found, fmt::format("There is no {}.", visible(id)));
}

inline Option* add_name(Command& command, std::string& name) {
  return command.add_option("NAME", name, "The working copy, as finding new named it")->required();
}

template <std::size_t N>
Check one_of(const std::array<std::string_view, N>& names) {
  return is_member(std::vector<std::string>(names.begin(), names.end()));
}

}  // namespace parley::cli
