// parley group show, list: where this member stands in its groups.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "cli/group_command.h"
#include "cli/log_command.h"
#include "cli/members_file.h"
#include "group/paper_kinds.h"
#include "group/rotation.h"
#include "log/key_history.h"

namespace parley::cli {
namespace {

constexpr std::string_view kForming = "forming";

struct ShowArguments {
  std::string name;
  bool as_json = false, note = false, members = false;
  std::size_t version = 0;
};

/// What a member's group is at this moment, in a word.
Result<std::string> phase_of(Workplace& at, const vault::GroupRow& group, UnixSeconds now) {
  TRY(const auto charters, at.vault.charters(group.id));
  if (charters.empty()) return std::string(group.state == group::kWithdrawn ? group.state : kForming);
  TRY(const group::Membership membership, membership_of(at, group));
  return std::string(group::name_of(membership.phase_at(now)));
}

OrderedJson admission_json(const group::AdmissionClause& clause) {
  OrderedJson types = OrderedJson::object();
  for (const group::AdmissionCap& cap : clause.types) types[std::string(indicator::name_of(cap.type))] = cap.most;
  return {{"epoch_days", clause.epoch_days}, {"max_admissions", std::move(types)}};
}

OrderedJson json_of(const group::Charter& charter) {
  OrderedJson questions = OrderedJson::array(), members = OrderedJson::array();
  for (const group::AllowedQuestion& question : charter.questions) {
    OrderedJson caps = OrderedJson::object();
    for (const group::NamedCap& cap : group::kNamedCaps) caps[std::string(cap.name)] = question.caps.*cap.value;
    questions.push_back({{"type", indicator::name_of(question.type)},
                         {"question", group::name_of(question.function)},
                         {"caps", std::move(caps)}});
  }
  for (const group::CharterMember& member : charter.members) members.push_back(member.keys.nick);
  return {{"name", charter.name},
          {"purpose", charter.purpose},
          {"version", charter.seq},
          {"hash", to_hex(group::charter_hash(charter))},
          {"not_before", to_rfc3339(charter.not_before)},
          {"not_after", to_rfc3339(charter.not_after)},
          {"max_tlp", indicator::name_of(charter.max_tlp)},
          {"protocols", charter.protocols},
          {"finding_quorum", charter.finding_quorum},
          {"log_quorum", charter.log_quorum},
          {"members", std::move(members)},
          {"questions", std::move(questions)},
          {"admission", admission_json(charter.admission)}};
}

/// Of which members nothing more is kept, and why.
Result<std::vector<std::string>> refused_logs(Workplace& at, const group::Membership& membership, UnixSeconds now) {
  std::vector<std::string> refused;
  TRY(const auto heads, at.vault.logs());
  for (const vault::LogHead& head : heads) {
    if (head.group != membership.group().id) continue;
    const Status takes = takes_more(at, head, membership.policy().log_quota, now);
    if (!takes && takes.error().code != Errc::limit) return std::unexpected(takes.error());
    if (!takes) refused.push_back(takes.error().message);
  }
  return refused;
}

/// Of which roles the key in use is not on this disk.
Result<std::vector<log::KeyRole>> missing_keys_of(Workplace& at, const group::Membership& membership) {
  return group::missing_keys(at.folder, at.vault, membership.charter(), at.member.card.nick);
}

/// Of a group that is forming: whose keys are here, by nick, and who was invited and has not joined, by our names.
struct WhoIsIn {
  std::vector<std::string> joined, missing;
};

Result<WhoIsIn> who_is_in(Workplace& at, const vault::GroupRow& group) {
  WhoIsIn who;
  TRY(const auto packages, group::papers_of_kind(at.vault, group.id, group::kPaperKeyPackage));
  for (const vault::GroupPaper& paper : packages) who.joined.push_back(paper.key);
  TRY(who.missing, invited_and_missing(at.vault, group.id, who.joined));
  return who;
}

Status print_json(Workplace& at, const vault::GroupRow& group, UnixSeconds now) {
  TRY(const std::string phase, phase_of(at, group, now));
  OrderedJson json = {{"group", group.name}, {"id", group.id}, {"state", phase}};
  TRY(const auto charters, at.vault.charters(group.id));
  if (!charters.empty()) {
    TRY(const group::Membership membership, membership_of(at, group));
    json["anchor"] = to_hex(membership.anchor());
    json["charter"] = json_of(membership.charter());
    json["left"] = OrderedJson::array();
    for (const std::string& nick : membership.left()) json["left"].push_back(nick);
    json["paused"] = membership.policy().paused;
    TRY(json["refused_logs"], refused_logs(at, membership, now));
    json["missing_keys"] = OrderedJson::array();
    TRY(const auto missing, missing_keys_of(at, membership));
    for (const log::KeyRole role : missing) json["missing_keys"].push_back(log::name_of(role));
  }
  if (charters.empty() && phase == kForming) {
    TRY(const WhoIsIn who, who_is_in(at, group));
    json["joined"] = who.joined;
    json["not_joined"] = who.missing;
  }
  at.console.print(to_line(json));
  return {};
}

Status print_who_is_in(Workplace& at, const vault::GroupRow& group) {
  TRY(const WhoIsIn who, who_is_in(at, group));
  if (!who.joined.empty())
    at.console.print(fmt::format("  joined, as far as it is known here: {}\n", fmt::join(who.joined, ", ")));
  if (!who.missing.empty())
    at.console.print(
        fmt::format("  invited and not joined yet: {}\n", visible(fmt::format("{}", fmt::join(who.missing, ", ")))));
  return {};
}

/// Amendments and charters that gather signatures.
Status print_waiting(Workplace& at, const vault::GroupRow& group) {
  TRY(const auto charters, at.vault.charters(group.id));
  if (charters.empty()) {
    TRY_STATUS(print_who_is_in(at, group));
    const auto waiting = group::unsigned_paper(desk_of(at), group, "");
    if (!waiting) {
      at.console.say(waiting.error().message);
      return {};
    }
    for (const std::string& line : in_words(waiting->charter.charter)) at.console.print(line + "\n");
    TRY_STATUS(say_members(at, waiting->charter.charter));
    say_signing(at.console, *waiting);
    return {};
  }
  TRY(const auto amendments, group::papers_of_kind(at.vault, group.id, group::kPaperAmendment));
  for (const vault::GroupPaper& paper : amendments) {
    const auto waiting = group::unsigned_paper(desk_of(at), group, paper.key);
    if (!waiting) continue;
    at.console.say(
        fmt::format("An amendment waits (parley group sign {} --amendment {}):", group.name, paper.key.substr(0, 8)));
    say_signing(at.console, *waiting);
  }
  return {};
}

/// Keys that are no longer the ones of the charter.
Status print_rotations(Workplace& at, const group::Membership& membership) {
  TRY(const auto members, group::member_keys(at.vault, membership.charter()));
  for (const log::MemberKeys& member : members)
    for (const log::PlacedRotation& placed : member.rotated) {
      const log::Rotation& rotation = placed.rotation;
      TRY(const log::Entry entry, log::read_entry_unverified(placed.leaf));
      std::string since;
      if (rotation.since > 0) since = fmt::format(", in other hands perhaps since {}", to_rfc3339(rotation.since));
      at.console.print(fmt::format("  the {} key of {} was replaced by entry {} of its log at {} ({}{})\n",
                                   log::name_of(rotation.role), member.nick, placed.seq, to_rfc3339(entry.time),
                                   log::name_of(rotation.reason), since));
    }
  TRY(const auto cutoffs, group::short_cutoffs(at.vault, membership));
  for (const group::ShortCutoff& cutoff : cutoffs) at.console.print("    ODD: " + cutoff.in_words() + "\n");
  return {};
}

Status print_in_words(Workplace& at, const vault::GroupRow& group, UnixSeconds now) {
  TRY(const std::string phase, phase_of(at, group, now));
  at.console.print(fmt::format("{}: {}\n", group.name, phase));
  TRY(const auto charters, at.vault.charters(group.id));
  if (charters.empty()) return print_waiting(at, group);
  TRY(const group::Membership membership, membership_of(at, group));
  for (const std::string& line : in_words(membership.charter())) at.console.print(line + "\n");
  at.console.print(fmt::format("  hash of this version: {}\n  hash of version 1, the anchor for outsiders: {}\n",
                               to_hex(membership.signed_charter().hash), to_hex(membership.anchor())));
  if (!membership.left().empty() && membership.current_members().size() >= group::kFewestMembers)
    at.console.print(fmt::format("  left: {}; a finding now needs {} signatures, a log {} holders\n",
                                 fmt::join(membership.left(), ", "), membership.finding_quorum(),
                                 membership.log_quorum()));
  TRY_STATUS(print_rotations(at, membership));
  TRY(const auto missing, missing_keys_of(at, membership));
  for (const log::KeyRole role : missing)
    at.console.print(fmt::format("  MISSING: {}\n", group::missing_key_warning(membership.group().name, role)));
  print_policy(at.console, membership);
  TRY(const auto refused, refused_logs(at, membership, now));
  for (const std::string& sentence : refused) at.console.print(fmt::format("  REFUSED: {}\n", sentence));
  TRY_STATUS(say_members(at, membership.charter()));
  TRY(const auto rules, at.vault.group_material(group.id));
  if (rules.empty())
    at.console.say(fmt::format("Nothing of your material is for this group yet: parley group admit {}", group.name));
  TRY_STATUS(print_waiting(at, group));
  say_what_others_learn(at.console, membership.charter());
  return {};
}

Status show(Workplace& at, const ShowArguments& arguments) {
  TRY(const vault::GroupRow group, at.vault.group(arguments.name));
  if (arguments.note) {
    TRY(const auto charters, at.vault.charters(group.id));
    const std::size_t version = arguments.version == 0 ? charters.size() : arguments.version;
    if (version == 0 || version > charters.size())
      return fail(Errc::not_found, fmt::format("{} version(s) of the charter of {} have been in force here.",
                                               charters.size(), group.name));
    at.console.print(charters[version - 1].note);
    return {};
  }
  if (arguments.members) {
    TRY(const group::Membership membership, membership_of(at, group));
    TRY(const auto members, group::member_keys(at.vault, membership.charter()));
    at.console.print(write_members(members));
    return {};
  }
  const UnixSeconds now = wall_clock_now();
  return arguments.as_json ? print_json(at, group, now) : print_in_words(at, group, now);
}

Status list(Workplace& at, bool as_json) {
  const UnixSeconds now = wall_clock_now();
  TRY(const auto groups, at.vault.groups());
  OrderedJson array = OrderedJson::array();
  for (const vault::GroupRow& group : groups) {
    TRY(const std::string phase, phase_of(at, group, now));
    array.push_back({{"group", group.name}, {"id", group.id}, {"state", phase}});
    if (!as_json) at.console.print(fmt::format("{}\t{}\t{}\n", group.name, group::short_id(group.id), phase));
  }
  if (as_json) at.console.print(to_line(array));
  if (!as_json && groups.empty())
    at.console.say(
        "No groups yet. parley group draft begins one; parley join answers an invitation to one. Without a "
        "charter nothing can be asked.");
  return {};
}

}  // namespace

void print_policy(Console& console, const group::Membership& membership) {
  const group::LocalPolicy& policy = membership.policy();
  if (policy == group::LocalPolicy{}) return;
  console.print("  your own rules, on top of the charter and told to nobody:\n");
  if (policy.paused) console.print("    paused\n");
  if (policy.max_tlp)
    console.print(fmt::format("    nothing stricter than TLP:{}\n", indicator::name_of(*policy.max_tlp)));
  if (policy.not_after) console.print(fmt::format("    ends for you at {}\n", to_rfc3339(*policy.not_after)));
  for (const group::AdmissionCap& cap : policy.admissions)
    console.print(fmt::format("    help each other member with at most {} of {} in an epoch\n", cap.most,
                              indicator::name_of(cap.type)));
  for (const mirror::NamedQuota& quota : mirror::kNamedQuotas)
    if (policy.log_quota.*quota.value != mirror::Quota{}.*quota.value)
      console.print(fmt::format("    of each other member's log: {}={}\n", quota.name, policy.log_quota.*quota.value));
  for (const group::LocalLimit& limit : policy.limits) {
    std::string what = limit.refused ? " refused" : "";
    for (const group::NamedCap& cap : group::kNamedCaps)
      if (limit.caps.*cap.value != group::kLargestCap) what += fmt::format(" {}={}", cap.name, limit.caps.*cap.value);
    console.print(
        fmt::format("    {} of {}:{}\n", group::name_of(limit.function), indicator::name_of(limit.type), what));
  }
}

void add_group_show(Command& family, Chosen& chosen) {
  const auto arguments = std::make_shared<ShowArguments>();
  Command* show_command = family.add_subcommand("show", "Print a group's charter, members, and what waits for you");
  show_command->add_option("NAME", arguments->name, "The group, as group list prints it")->required();
  show_command->add_flag("--note", arguments->note,
                         "Print a version of the charter with its signatures, as it is signed");
  show_command->add_option("--version", arguments->version, "Which version, with --note (default: the one in force)")
      ->check(in_range(std::int64_t{1}, group::kMostVersions))
      ->needs("--note");
  show_command->add_flag("--members", arguments->members,
                         "Print the members' keys and what has replaced them, for whoever checks without a vault");
  show_command->add_flag("--json", arguments->as_json, "Print one JSON object");
  show_command->callback(at_work(chosen, [arguments](Workplace& at) { return show(at, *arguments); }));

  const auto as_json = std::make_shared<bool>(false);
  Command* list_command = family.add_subcommand("list", "Print your groups and where they stand");
  list_command->add_flag("--json", *as_json, "Print a JSON array");
  list_command->callback(at_work(chosen, [as_json](Workplace& at) { return list(at, *as_json); }));
}

}  // namespace parley::cli
