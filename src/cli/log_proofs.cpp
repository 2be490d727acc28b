// parley log prove, verify, policy, export: what leaves for somebody who has no vault, and checking it there.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/log_command.h"
#include "cli/members_file.h"
#include "log/entry.h"
#include "log/quorum.h"
#include "log/tile.h"
#include "log/tlog_proof.h"
#include "mirror/entry_proof.h"
#include "mirror/vault_store.h"

namespace parley::cli {
namespace {

constexpr unsigned kPublicMode = 0644;

Status refuse_existing(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return {};
  return fail(Errc::exists, "This file is there already; give another name.", path.string());
}

// --- prove ---------------------------------------------------------------------------------------------------------

/// "alpha:12".
Result<std::pair<std::string, std::uint64_t>> parse_place(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  std::uint64_t seq = 0;
  const char* end = text.data() + text.size();
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size())
    return fail(Errc::usage, "An entry is named LOG:NUMBER, for example alpha:12.");
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, seq);
  if (error != std::errc() || stop != end)
    return fail(Errc::usage, "An entry is named LOG:NUMBER, for example alpha:12.");
  return std::pair(text.substr(0, colon), seq);
}

Status prove(Workplace& at, const std::string& place, const std::string& group, const std::string& out) {
  TRY(const auto named, parse_place(place));
  TRY(const vault::LogHead head, log_named(at.vault, named.first, group));
  const std::uint64_t seq = named.second;
  TRY(const auto rows, at.vault.log_leaves(head.origin, seq, 1));
  if (rows.empty())
    return fail(Errc::not_found, fmt::format("The log of {} has {} entries here.", visible(head.nick), head.size));
  TRY(const log::TlogProof proof, mirror::prove_entry(at.vault, head, seq, log::leaf_hash(as_bytes(rows[0].note))));
  const std::filesystem::path base = at.console.resolve(out.empty() ? fmt::format("{}-{}", head.nick, seq) : out);
  const std::filesystem::path proof_path = base.string() + ".tlog-proof";
  const std::filesystem::path entry_path = base.string() + ".entry";
  TRY_STATUS(refuse_existing(proof_path));
  TRY_STATUS(refuse_existing(entry_path));
  TRY_STATUS(write_file_atomically(entry_path, as_bytes(rows[0].note), kPublicMode));
  TRY_STATUS(write_file_atomically(proof_path, as_bytes(log::write_tlog_proof(proof)), kPublicMode));
  at.console.print(proof_path.string() + "\n" + entry_path.string() + "\n");
  at.console.say(
      "The entry file has the header only, as every member of the group sees it: author, time, type, session and "
      "audience, and a hash of the body. The body is not in it.");
  return {};
}

// --- verify --------------------------------------------------------------------------------------------------------

struct VerifyArguments {
  std::string proof;
  std::string entry;
  std::string policy;
};

Status verify(Surroundings& at, const VerifyArguments& arguments) {
  TRY(const Bytes policy_text, read_file(at.console.resolve(arguments.policy), log::kMaxPolicyBytes));
  TRY(const log::Policy policy, log::parse_policy(as_text(policy_text)));
  TRY(const Bytes proof_text, read_file(at.console.resolve(arguments.proof), log::kMaxTlogProofBytes));
  TRY(const log::TlogProof proof, log::parse_tlog_proof(as_text(proof_text)));
  TRY(const Bytes leaf, read_file(at.console.resolve(arguments.entry), log::kMaxEntryBytes));
  TRY(const log::TrustedCheckpoint trusted, log::verify_tlog_proof(proof, leaf, policy));
  TRY(const log::Entry entry, log::read_entry_unverified(as_text(leaf)));
  if (entry.seq != proof.index)
    return fail(Errc::protocol, "The entry is in the log, and states another number than its place there.");
  at.console.print(fmt::format("verified: entry {} of {}\n", proof.index, trusted.checkpoint.origin));
  at.console.print(fmt::format("it says: {} by {} at {}\n", entry.type, entry.author, to_rfc3339(entry.time)));
  for (const log::Cosigner& witness : trusted.witnesses)
    at.console.print(fmt::format("held by: {} at {}\n", policy.witnesses[witness.key].name,
                                 to_rfc3339(static_cast<UnixSeconds>(witness.time))));
  at.console.say(
      "Proven: these bytes stand at this place of the log, in a tree that its owner signed and the policy's quorum "
      "holds. Not proven: the body, that what the entry says is true, and the times, which are the signers' clocks.");
  return {};
}

// --- policy --------------------------------------------------------------------------------------------------------

Status policy(Surroundings& at, const std::string& members_file, const std::string& nick) {
  TRY(const MembersFile file, read_members_file(at.console.resolve(members_file)));
  const std::vector<log::MemberKeys>& members = file.members;
  const auto owner = std::ranges::find(members, nick, &log::MemberKeys::nick);
  if (owner == members.end())
    return fail(Errc::not_found, fmt::format("{} is not in the members' file.", visible(nick)));
  log::Policy made;
  made.logs.push_back({owner->log, {}});
  log::Policy::Group mirrors{.name = "mirrors", .threshold = log::log_quorum(members.size()) - 1, .members = {}};
  for (const log::MemberKeys& member : members) {
    if (member.nick == nick) continue;  // the owner holds its tree by its log signature
    made.witnesses.push_back({member.nick, member.newest_cosign(), {}});
    mirrors.members.push_back(member.nick);
  }
  made.quorum = mirrors.members.empty() ? "none" : mirrors.name;
  if (!mirrors.members.empty()) made.groups.push_back(std::move(mirrors));
  at.console.print(log::write_policy(made));
  return {};
}

// --- export --------------------------------------------------------------------------------------------------------

Status write_public(const std::filesystem::path& folder, const log::LogFile& file, ByteView content) {
  const std::filesystem::path path = folder / log::path_of(file);
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) return fail(Errc::io, "A folder cannot be made: " + error.message() + ".", path.parent_path().string());
  return write_file_atomically(path, content, kPublicMode);
}

Status write_bundle(vault::Vault& vault, const vault::LogHead& head, const std::filesystem::path& folder,
                    const log::Tile& tile) {
  TRY(const auto rows, vault.log_leaves(head.origin, tile.index * log::kTileWidth, tile.width));
  std::vector<std::string_view> entries;
  for (const vault::LogLeaf& row : rows) entries.push_back(row.note);
  return write_public(folder, {log::LogFile::Kind::entries, tile}, log::make_bundle(entries));
}

Status export_log(Workplace& at, const std::string& name, const std::string& group, const std::string& to) {
  TRY(const vault::LogHead head, log_named(at.vault, name, group));
  if (!head.checkpoint) return fail(Errc::not_found, "This log has no entries here yet.");
  const std::filesystem::path folder = at.console.resolve(to);
  TRY(const auto checkpoint, mirror::best_checkpoint(at.vault, head, head.checkpoint->size - 1));
  mirror::VaultStore store(at.vault, head.group, {}, 0);
  mirror::StoredTree tree(store, head.origin);
  for (const log::Tile& tile : log::tiles_between(0, checkpoint.first.size)) {
    if (at.progress.cancelled()) return fail(Errc::cancelled, "Stopped.");
    TRY(const Bytes content, log::tile_content(tile, tree));
    TRY_STATUS(write_public(folder, {log::LogFile::Kind::tile, tile}, content));
    if (tile.level == 0) TRY_STATUS(write_bundle(at.vault, head, folder, tile));
  }
  // Last, so that whoever reads the checkpoint finds what it covers.
  TRY_STATUS(write_public(folder, {log::LogFile::Kind::checkpoint, {}}, as_bytes(checkpoint.second)));
  at.console.say(
      fmt::format("Wrote {} entries of the log of {}: headers, as every member of the group sees them. No "
                  "bodies are in it.",
                  checkpoint.first.size, visible(head.nick)));
  return {};
}

}  // namespace

void add_log_proofs(Command& log, Chosen& chosen) {
  struct Two {
    std::string first, second, group;
  };
  const auto proved = std::make_shared<Two>();
  Command* prove_command = log.add_subcommand("prove", "Write a proof that an entry is in a log, for anybody to check");
  prove_command->add_option("ENTRY", proved->first, "Which: LOG:NUMBER")->required();
  add_log_group(*prove_command, proved->group);
  prove_command->add_option("--out", proved->second, "Beginning of the names of the two files (default: LOG-NUMBER)");
  prove_command->callback([&chosen, proved] {
    chosen.at_work = [proved](Workplace& at) {
      const Status done = prove(at, proved->first, proved->group, proved->second);
      return done ? 0 : at.console.refuse(done.error());
    };
  });

  const auto verified = std::make_shared<VerifyArguments>();
  Command* verify_command = log.add_subcommand("verify", "Check such a proof; needs no vault and no network");
  verify_command->add_option("PROOF", verified->proof, "The .tlog-proof file")->required();
  verify_command->add_option("ENTRY", verified->entry, "The .entry file")->required();
  verify_command->add_option("--policy", verified->policy, "Whom to trust: a file as c2sp.org/tlog-policy has it")
      ->required();
  verify_command->callback([&chosen, verified] {
    chosen.alone = [verified](Surroundings& at) {
      const Status done = verify(at, *verified);
      return done ? 0 : at.console.refuse(done.error());
    };
  });

  const auto asked = std::make_shared<Two>();
  Command* policy_command =
      log.add_subcommand("policy", "Print the policy by which proofs from a member's log are checked");
  policy_command->add_option("LOG", asked->first, "Whose log: a nick")->required();
  policy_command->add_option("--members", asked->second, "File with the members' keys, or a charter")->required();
  policy_command->callback([&chosen, asked] {
    chosen.alone = [asked](Surroundings& at) {
      const Status done = policy(at, asked->second, asked->first);
      return done ? 0 : at.console.refuse(done.error());
    };
  });

  const auto exported = std::make_shared<Two>();
  Command* export_command =
      log.add_subcommand("export", "Write a log as static files: checkpoint, tiles and entries (c2sp.org/tlog-tiles)");
  export_command->add_option("LOG", exported->first, "Whose: a member's nick, or the log's origin")->required();
  add_log_group(*export_command, exported->group);
  export_command->add_option("--to", exported->second, "A folder")->required();
  export_command->callback([&chosen, exported] {
    chosen.at_work = [exported](Workplace& at) {
      const Status done = export_log(at, exported->first, exported->group, exported->second);
      return done ? 0 : at.console.refuse(done.error());
    };
  });
}

}  // namespace parley::cli
