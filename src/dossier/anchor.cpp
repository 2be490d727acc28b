// Reading whom the reader of a dossier trusts.
#include <fmt/format.h>

#include <algorithm>

#include "dossier/verify.h"
#include "group/member.h"
#include "group/papers.h"

namespace parley::dossier {

Result<Anchor> parse_anchor(std::string_view text) {
  Anchor anchor;
  if (text.starts_with(group::kCharterKind)) {
    TRY(const log::Note note, log::parse_note(text));
    TRY_STATUS(group::read_charter_unverified(note));
    anchor.charter = group::charter_hash(note.text);
    return anchor;
  }
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    Result<log::VerifierKey> key = fail(Errc::format, "");
    if (line.starts_with("parley-card1:")) {
      TRY(const group::Card card, group::read_card(line));
      key = log::parse_vkey(card.id_vkey);
    } else {
      key = log::parse_vkey(line);
    }
    if (!key) return std::unexpected(std::move(key).error().at(fmt::format("line {}", number)));
    if (std::ranges::find(anchor.id_keys, *key) == anchor.id_keys.end()) anchor.id_keys.push_back(std::move(*key));
    if (anchor.id_keys.size() > log::kMaxGroupMembers)
      return fail(Errc::limit, fmt::format("A group has at most {} members.", log::kMaxGroupMembers));
  }
  if (anchor.id_keys.empty()) return fail(Errc::format, "It names nobody whom you trust.");
  return anchor;
}

}  // namespace parley::dossier
