#include "cli/members_file.h"

#include <fmt/format.h>

#include "base/file.h"
#include "log/note.h"

namespace parley::cli {
namespace {

constexpr std::size_t kWordsOfALine = 5;

/// The words of a line between single blanks.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t end = line.find(' ');
    words.push_back(line.substr(0, end));
    if (end == line.npos || words.size() > kWordsOfALine) return words;
    line.remove_prefix(end + 1);
  }
}

Result<log::MemberKeys> parse_member(std::string_view line) {
  const std::vector<std::string_view> words = words_of(line);
  if (words.size() != kWordsOfALine || words[0] != "member")
    return fail(Errc::format, "A line is: member NICK NODE_KEY LOG_KEY COSIGN_KEY, with single blanks.");
  log::MemberKeys member;
  member.nick = words[1];
  TRY(member.node, log::parse_vkey(words[2]));
  TRY(member.log, log::parse_vkey(words[3]));
  TRY(member.cosign, log::parse_vkey(words[4]));
  return member;
}

/// Whose charter it is has to come from somewhere that one trusts, as with the lines, so its signatures add nothing.
Result<std::vector<log::MemberKeys>> members_of_charter(std::string_view text) {
  TRY(const log::Note note, log::parse_note(text));
  TRY(const group::Charter charter, group::read_charter_unverified(note));
  return keys_of(charter);
}

}  // namespace

std::vector<log::MemberKeys> keys_of(const group::Charter& charter) {
  std::vector<log::MemberKeys> members;
  for (const group::CharterMember& member : charter.members) members.push_back(member.keys);
  return members;
}

Result<std::vector<log::MemberKeys>> parse_members(std::string_view text) {
  std::vector<log::MemberKeys> members;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    auto member = parse_member(line);
    if (!member) return std::unexpected(std::move(member).error().at(fmt::format("line {}", number)));
    members.push_back(std::move(*member));
    if (members.size() > log::kMaxGroupMembers)
      return fail(Errc::limit, fmt::format("A group has at most {} members.", log::kMaxGroupMembers));
  }
  TRY_STATUS(log::admit_members(members));
  return members;
}

Result<std::vector<log::MemberKeys>> read_members_file(const std::filesystem::path& path) {
  TRY(const Bytes content, read_file(path, kMaxMembersFileBytes));
  const std::string_view text = as_text(content);
  auto members = text.starts_with(group::kCharterKind) ? members_of_charter(text) : parse_members(text);
  if (!members) return std::unexpected(std::move(members).error().at(path.string()));
  return members;
}

}  // namespace parley::cli
