// The keys of a group's members, as a file for whoever has no vault: one line a member,
//
//   member <nick> <node vkey> <log vkey> <cosign vkey> [<id vkey>]
//   rotation <nick> <entry> <salt> <body>
//
// the second for each entry by which a member with an id key has replaced a key, the entry, salt and body in base64,
// and lines that begin with # or are empty; or the group's charter (parley group show NAME --note), which names them.
// Whose file it is has to come from somewhere that one trusts: everything that is checked with it rests on it.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "group/charter.h"
#include "log/member_keys.h"

namespace parley::cli {

inline constexpr std::size_t kMaxMembersFileBytes = 4 << 20;

struct MembersFile {
  std::vector<log::MemberKeys> members;
  std::string charter;  ///< its note, where the file is one
};

/// What parse_members() takes.
std::string write_members(std::span<const log::MemberKeys> members);
/// @error Errc::format with the line, Errc::key_weak, Errc::limit
Result<std::vector<log::MemberKeys>> parse_members(std::string_view text);
/// @error also Errc::not_found, Errc::io
Result<MembersFile> read_members_file(const std::filesystem::path& path);

}  // namespace parley::cli
