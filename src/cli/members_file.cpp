#include "cli/members_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/file.h"
#include "base/text.h"
#include "group/rotation.h"
#include "log/key_history.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMostWordsOfALine = 6;

/// The words of a line between single blanks.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t end = line.find(' ');
    words.push_back(line.substr(0, end));
    if (end == line.npos || words.size() > kMostWordsOfALine) return words;
    line.remove_prefix(end + 1);
  }
}

Result<log::MemberKeys> parse_member(std::string_view line) {
  const std::vector<std::string_view> words = words_of(line);
  if (words.size() + 1 < kMostWordsOfALine || words.size() > kMostWordsOfALine || words[0] != "member")
    return fail(Errc::format, "A line is: member NICK NODE_KEY LOG_KEY COSIGN_KEY [ID_KEY], with single blanks.");
  log::MemberKeys member;
  member.nick = words[1];
  TRY(member.node, log::parse_vkey(words[2]));
  TRY(member.log, log::parse_vkey(words[3]));
  TRY(member.cosign, log::parse_vkey(words[4]));
  if (words.size() == kMostWordsOfALine) {
    TRY(member.id, log::parse_vkey(words[5]));
  }
  return member;
}

/// "rotation NICK ENTRY SALT BODY", the last three in base64: an entry by which a member above replaced a key.
Status take_rotation(std::string_view line, std::vector<log::MemberKeys>& members) {
  const std::vector<std::string_view> words = words_of(line);
  if (words.size() != 5) return fail(Errc::format, "A line is: rotation NICK ENTRY SALT BODY, with single blanks.");
  const auto owner = std::ranges::find(members, words[1], &log::MemberKeys::nick);
  if (owner == members.end())
    return fail(Errc::format, fmt::format("{} rotates a key before its own line.", visible(words[1])));
  const auto leaf = from_base64(words[2]), salt = from_base64(words[3]), text = from_base64(words[4]);
  if (!leaf || !salt || !text || salt->size() != sizeof(log::Salt))
    return fail(Errc::format, "The entry, salt and body of a rotation are written in base64.");
  log::Body body{.salt = {}, .text = std::string(as_text(*text))};
  std::ranges::copy(*salt, body.salt.begin());
  return log::admit_rotation(*owner, as_text(*leaf), body);
}

/// Whose charter it is has to come from somewhere that one trusts, as with the lines, so its signatures add nothing.
Result<std::vector<log::MemberKeys>> members_of_charter(std::string_view text) {
  TRY(const log::Note note, log::parse_note(text));
  TRY(const group::Charter charter, group::read_charter_unverified(note));
  return group::charter_keys(charter);
}

}  // namespace

std::string write_members(std::span<const log::MemberKeys> members) {
  std::string text;
  for (const log::MemberKeys& member : members) {
    text += fmt::format("member {} {} {} {}", member.nick, member.node.text(), member.log.text(), member.cosign.text());
    text += member.id.name.empty() ? "\n" : fmt::format(" {}\n", member.id.text());
  }
  for (const log::MemberKeys& member : members)
    for (const log::PlacedRotation& placed : member.rotated)
      text += fmt::format("rotation {} {} {} {}\n", member.nick, to_base64(as_bytes(placed.leaf)),
                          to_base64(placed.salt), to_base64(as_bytes(placed.body)));
  return text;
}

Result<std::vector<log::MemberKeys>> parse_members(std::string_view text) {
  std::vector<log::MemberKeys> members;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("rotation ")) {
      auto taken = take_rotation(line, members);
      if (!taken) return std::unexpected(std::move(taken).error().at(fmt::format("line {}", number)));
      continue;
    }
    auto member = parse_member(line);
    if (!member) return std::unexpected(std::move(member).error().at(fmt::format("line {}", number)));
    members.push_back(std::move(*member));
    if (members.size() > log::kMaxGroupMembers)
      return fail(Errc::limit, fmt::format("A group has at most {} members.", log::kMaxGroupMembers));
  }
  TRY_STATUS(log::admit_members(members));
  return members;
}

Result<MembersFile> read_members_file(const std::filesystem::path& path) {
  TRY(const Bytes content, read_file(path, kMaxMembersFileBytes));
  const std::string_view text = as_text(content);
  const bool is_charter = text.starts_with(group::kCharterKind);
  auto members = is_charter ? members_of_charter(text) : parse_members(text);
  if (!members) return std::unexpected(std::move(members).error().at(path.string()));
  return MembersFile{.members = *std::move(members), .charter = is_charter ? std::string(text) : std::string()};
}

}  // namespace parley::cli
