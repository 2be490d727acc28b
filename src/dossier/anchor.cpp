// Whom the reader of a dossier trusts: reading that, and finding them in it.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "dossier/detail/verifier.h"
#include "group/member.h"
#include "group/papers.h"

namespace parley::dossier {
namespace {

constexpr std::size_t kMaxKeyTextBytes = 300;

/// What a version of the charter says before anything of it is verified.
struct ShownCharter {
  Digest hash{};
  log::Json terms;
};

Result<ShownCharter> read_shown(std::string_view text) {
  TRY(const log::Note note, log::parse_note(text));
  TRY(log::Json terms, log::read_object_unverified(note, group::kCharterKind, group::kMaxCharterBytes));
  return ShownCharter{group::charter_hash(note.text), std::move(terms)};
}

/// Each version has the hash of the one before it in its text: where the hash that the reader trusts is that of a
/// version, all before it are genuine as well.
bool has_version(std::span<const std::string> charters, const Digest& trusted) {
  std::string before;
  for (const std::string& text : charters) {
    const auto shown = read_shown(text);
    if (!shown || log::ObjectReader(shown->terms, "the charter").text("prev", 2 * sizeof(Digest)) != before)
      return false;
    if (shown->hash == trusted) return true;
    before = to_hex(shown->hash);
  }
  return false;
}

/// The names of those keys that are in no version: whoever stands in one has signed that one or an earlier one.
std::vector<std::string> never_joined(std::span<const std::string> charters,
                                      std::span<const log::VerifierKey> id_keys) {
  std::set<std::string> joined;
  for (const std::string& text : charters) {
    const auto shown = read_shown(text);
    if (!shown) continue;  // refused when the charters are verified
    log::ObjectReader reader(shown->terms, "the charter");
    for (const log::Json& member : reader.array("members", log::kMaxGroupMembers))
      joined.insert(log::ObjectReader(member, "a member").text("id", kMaxKeyTextBytes));
  }
  std::vector<std::string> missing;
  for (const log::VerifierKey& key : id_keys)
    if (!joined.contains(key.text())) missing.push_back(visible(key.name));
  return missing;
}

}  // namespace

namespace detail {

// By texts and hashes alone, before the first signature is verified: a file that is not about whom the reader trusts
// costs him no work.
Result<std::string> Verifier::anchor() {
  if (!anchor_.is_given())
    return std::string(
        "UNANCHORED: nothing was given by which to know the group; this shows only that these keys "
        "signed");
  if (anchor_.charter) {
    if (!has_version(dossier().charters, *anchor_.charter))
      return wrong("The charter that you trust is none of those in the dossier.");
    verdict_.anchored = true;
    return fmt::format("the charter {} that you trust is in it", to_hex(*anchor_.charter));
  }
  // Some of those whom the reader knows could found a smaller group of their own, in which they are enough.
  const std::vector<std::string> missing = never_joined(dossier().charters, anchor_.id_keys);
  if (!missing.empty())
    return fmt::format(
        "UNANCHORED: {} of the {} keys that you trust never joined this group ({}); it may be another one "
        "than you mean, of the same name",
        missing.size(), anchor_.id_keys.size(), fmt::join(missing, ", "));
  // Those of them who signed the finding must be enough by themselves; that is checked with the signatures.
  verdict_.anchored = true;
  return fmt::format("{} keys that you trust, each of a member; enough of them must have signed",
                     anchor_.id_keys.size());
}

}  // namespace detail

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
