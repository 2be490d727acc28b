// parley log list, show, fsck: the logs of the members' groups as this vault holds them.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "cli/group_command.h"
#include "cli/json.h"
#include "cli/log_command.h"
#include "cli/members_file.h"
#include "group/rotation.h"
#include "log/entry.h"
#include "mirror/check.h"
#include "mirror/key_rotation.h"
#include "mirror/vault_store.h"

namespace parley::cli {
namespace {

constexpr std::size_t kShownDigits = 8;
constexpr std::uint64_t kMostShown = 10'000;

Status takes_more_of(Workplace& at, const vault::LogHead& head, UnixSeconds now) {
  const auto row = at.vault.group(head.group);
  const auto membership = row ? membership_of(at, *row) : std::unexpected(row.error());
  return takes_more(at, head, membership ? membership->policy().log_quota : mirror::Quota{}, now);
}

// --- list ----------------------------------------------------------------------------------------------------------

Status list(Workplace& at, bool as_json) {
  TRY(const std::vector<vault::LogHead> heads, at.vault.logs());
  const UnixSeconds now = wall_clock_now();
  OrderedJson array = OrderedJson::array();
  for (const vault::LogHead& head : heads) {
    TRY(const auto cosignatures, at.vault.log_cosignatures(head.origin, head.size));
    std::vector<std::string> holders;
    for (const vault::LogCosignature& one : cosignatures) holders.push_back(one.cosigner);
    const Status takes = takes_more_of(at, head, now);
    if (!takes && takes.error().code != Errc::limit) return takes;
    std::optional<std::string> risk;
    if (head.own) {
      TRY(risk, at.vault.setting(risk_setting(head.group)));
    }
    if (as_json) {
      array.push_back({{"origin", head.origin},
                       {"group", head.group},
                       {"member", head.nick},
                       {"own", head.own},
                       {"entries", head.size},
                       {"sealed", head.sealed},
                       {"cosigned_by", holders},
                       {"refused", takes ? OrderedJson() : OrderedJson(takes.error().message)},
                       {"fork_risk_taken", risk ? OrderedJson(*risk) : OrderedJson()}});
      continue;
    }
    at.console.print(fmt::format("{}\t{}\t{} entries{}\t{}\n", visible(head.nick), head.group.substr(0, kShownDigits),
                                 head.size, head.sealed ? ", sealed" : "",
                                 holders.empty() ? (head.own ? "ours; the newest is cosigned by nobody yet" : "")
                                                 : fmt::format("newest cosigned by {}", fmt::join(holders, ", "))));
    if (!takes) at.console.print(fmt::format("\tREFUSED: {}\n", takes.error().message));
    if (risk) at.console.print(fmt::format("\tRISK of a second history taken {}\n", visible(*risk)));
  }
  if (as_json) at.console.print(to_line(array));
  if (!as_json && heads.empty()) at.console.say("This vault holds no logs yet: they come with a group.");
  if (!as_json && !heads.empty())
    at.console.say(
        "Every member sees the headers of all logs: who wrote what kind of entry, when, in which session, for whom. "
        "Bodies go to their audience only. Whoever shows two members two histories is found by the two signatures.");
  return {};
}

// --- show ----------------------------------------------------------------------------------------------------------

struct ShowArguments {
  std::string log, group;
  std::uint64_t from = 0;
  std::uint64_t count = 100;
  bool as_json = false;
};

OrderedJson entry_json(const log::Entry& entry, const Digest& hash, const std::string* body) {
  OrderedJson refs = OrderedJson::array();
  for (const Digest& ref : entry.refs) refs.push_back(to_hex(ref));
  return {{"number", entry.seq},
          {"entry", to_hex(hash)},
          {"time", to_rfc3339(entry.time)},
          {"author", entry.author},
          {"type", entry.type},
          {"session", entry.session},
          {"refs", refs},
          {"audience", entry.audience},
          {"charter", to_hex(entry.charter)},
          {"body", body == nullptr ? OrderedJson() : OrderedJson::parse(*body)}};
}

std::string entry_line(const log::Entry& entry, const Digest& hash, const std::string* body) {
  const std::string audience = entry.audience.empty() ? "nobody" : fmt::format("{}", fmt::join(entry.audience, ", "));
  std::string line = fmt::format("{}\t{}\t{}\t{}\t{}\tfor {}\n", entry.seq, to_rfc3339(entry.time), entry.type,
                                 entry.session.empty() ? "-" : entry.session.substr(0, kShownDigits),
                                 to_hex(hash).substr(0, kShownDigits), audience);
  if (body != nullptr) line += "\t" + visible(*body) + "\n";
  return line;
}

Status show(Workplace& at, const ShowArguments& arguments) {
  TRY(const vault::LogHead head, log_named(at.vault, arguments.log, arguments.group));
  TRY(const auto rows, at.vault.log_leaves(head.origin, arguments.from, std::min(arguments.count, kMostShown)));
  OrderedJson array = OrderedJson::array();
  for (const vault::LogLeaf& row : rows) {
    TRY(const log::Entry entry, log::read_entry_unverified(row.note));
    TRY(const auto body, at.vault.entry_body(row.hash));
    const std::string text = body ? std::string(as_text(body->content)) : std::string();
    if (body) TRY_STATUS(log::open_body(entry, {body->salt, text}));
    const std::string* shown = body ? &text : nullptr;
    if (arguments.as_json) array.push_back(entry_json(entry, row.hash, shown));
    if (!arguments.as_json) at.console.print(entry_line(entry, row.hash, shown));
  }
  if (arguments.as_json) at.console.print(to_line(array));
  if (!arguments.as_json && rows.empty())
    at.console.say(fmt::format("The log of {} has {} entries here.", visible(head.nick), head.size));
  return {};
}

// --- fsck ----------------------------------------------------------------------------------------------------------

struct Checked {
  std::size_t logs = 0;
  bool sound = true;
};

/// @param prefix  before a log's line, where logs of several groups are checked
Status check_logs(Workplace& at, const std::vector<log::MemberKeys>& members, const std::string& prefix,
                  Checked& checked) {
  TRY(const std::vector<vault::LogHead> heads, at.vault.logs());
  for (std::size_t owner = 0; owner < members.size(); ++owner) {
    const auto head = std::ranges::find(heads, members[owner].log.name, &vault::LogHead::origin);
    if (head == heads.end()) continue;
    const auto own =
        std::ranges::find_if(heads, [&](const vault::LogHead& one) { return one.own && one.group == head->group; });
    const auto reader =
        own == heads.end()
            ? members.end()
            : std::ranges::find(members, own->origin, [](const log::MemberKeys& member) { return member.log.name; });
    const std::size_t self = reader == members.end() ? owner : static_cast<std::size_t>(reader - members.begin());
    std::vector<log::MemberKeys> known = members;
    // A charter alone does not say which keys have been replaced since; the logs that are checked do.
    const auto is_rotated = [](const log::MemberKeys& member) { return !member.rotated.empty(); };
    if (std::ranges::none_of(known, is_rotated)) TRY_STATUS(mirror::load_rotations(at.vault, head->group, known));
    mirror::VaultStore store(at.vault, head->group, known, self);
    ThreadPool pool(at.threads);
    at.progress.phase("checking " + head->nick, head->size);
    TRY(const auto defects, mirror::check_log(store, known, owner, self, pool));
    for (const mirror::Defect& defect : defects)
      at.console.print(fmt::format("{}\t{}\t{}\n", defect.log, defect.seq, visible(defect.what)));
    checked.sound = checked.sound && defects.empty();
    ++checked.logs;
    at.console.say(
        fmt::format("{}{}: {} entries, {}", prefix, head->nick, head->size,
                    defects.empty() ? "all as they were signed." : fmt::format("{} defects.", defects.size())));
  }
  return {};
}

/// By the keys in `members_file`, or where none is named by the charters in this vault. @return whether all is well
Result<bool> fsck(Workplace& at, const std::string& members_file) {
  Checked checked;
  if (!members_file.empty()) {
    TRY(const MembersFile file, read_members_file(at.console.resolve(members_file)));
    const std::vector<log::MemberKeys>& members = file.members;
    TRY_STATUS(check_logs(at, members, "", checked));
  } else {
    TRY(const auto groups, at.vault.groups());
    for (const vault::GroupRow& group : groups) {
      const auto membership = at.groups.membership(group.id);
      if (!membership && membership.error().code == Errc::not_found) continue;  // no charter yet
      if (!membership) return std::unexpected(membership.error());
      TRY_STATUS(check_logs(at, group::charter_keys(membership->charter()),
                            groups.size() > 1 ? group.name + ", " : std::string(), checked));
    }
  }
  if (checked.logs == 0)
    return fail(Errc::not_found, members_file.empty() ? "This vault holds no log of a group with a charter yet."
                                                      : "This vault holds no log of a member that the file names.");
  return checked.sound;
}

}  // namespace

Result<vault::LogHead> log_named(vault::Vault& vault, const std::string& name, const std::string& group) {
  TRY(const std::vector<vault::LogHead> heads, vault.logs());
  std::string id;
  if (!group.empty()) {
    TRY(const vault::GroupRow row, vault.group(group));
    id = row.id;
  }
  const vault::LogHead* found = nullptr;
  for (const vault::LogHead& head : heads) {
    if (head.origin == name) return head;
    if (head.nick != name || (!id.empty() && head.group != id)) continue;
    if (found != nullptr)
      return fail(Errc::usage, fmt::format("{} has a log in each of several groups; say which: --group NAME, as parley "
                                           "group list prints it.",
                                           visible(name)));
    found = &head;
  }
  if (found == nullptr)
    return fail(Errc::not_found, fmt::format("This vault holds no log of {}{}; parley log list shows those it holds.",
                                             visible(name), group.empty() ? std::string() : " in " + visible(group)));
  return *found;
}

Option* add_log_group(Command& command, std::string& group) {
  return command.add_option("--group", group, "In which group, where the member has a log in several");
}

Status takes_more(Workplace& at, const vault::LogHead& head, const mirror::Quota& quota, UnixSeconds now) {
  if (head.own) return {};
  mirror::VaultStore store(at.vault, head.group, {}, 0);
  TRY(const mirror::Usage usage, store.usage(head.origin));
  TRY(const std::uint64_t free_bytes, store.free_bytes());
  return mirror::room_for_more(quota, usage, head.size, free_bytes, head.nick, now);
}

void add_log(Command& program, Chosen& chosen) {
  Command* command = program.add_subcommand("log", "The joint log: what members signed, checked and kept");
  command->require_subcommand(1);

  const auto as_json = std::make_shared<bool>(false);
  Command* list_command =
      command->add_subcommand("list", "Print the logs that this vault holds, and who cosigned them");
  list_command->add_flag("--json", *as_json, "Print a JSON array");
  list_command->callback([&chosen, as_json] {
    chosen.at_work = [as_json](Workplace& at) {
      const Status done = list(at, *as_json);
      return done ? 0 : at.console.refuse(done.error());
    };
  });

  const auto arguments = std::make_shared<ShowArguments>();
  Command* show_command = command->add_subcommand("show", "Print entries of a log, with the bodies that are for us");
  show_command->add_option("LOG", arguments->log, "Whose: a member's nick, or the log's origin")->required();
  add_log_group(*show_command, arguments->group);
  show_command->add_option("--from", arguments->from, "The first entry's number")->capture_default_str();
  show_command->add_option("--count", arguments->count, "How many at most")
      ->capture_default_str()
      ->check(in_range(std::uint64_t{1}, kMostShown));
  show_command->add_flag("--json", arguments->as_json, "Print a JSON array");
  show_command->callback([&chosen, arguments] {
    chosen.at_work = [arguments](Workplace& at) {
      const Status done = show(at, *arguments);
      return done ? 0 : at.console.refuse(done.error());
    };
  });

  const auto members = std::make_shared<std::string>();
  Command* fsck_command = command->add_subcommand(
      "fsck", "Derive every log anew from its signatures, and print what is not as it was signed");
  fsck_command->add_option("--members", *members,
                           "File with the members' keys, or a charter (default: the charters in this vault)");
  fsck_command->callback([&chosen, members] {
    chosen.at_work = [members](Workplace& at) {
      const Result<bool> sound = fsck(at, *members);
      if (!sound) return at.console.refuse(sound.error());
      return *sound ? 0 : 1;
    };
  });

  add_log_proofs(*command, chosen);
  add_log_risk(*command, chosen);
}

}  // namespace parley::cli
