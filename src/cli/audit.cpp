// parley audit: what is kept of a session so that it can be run again, giving it to an auditor, and the auditor's
// check.
#include <fmt/format.h>

#include <set>

#include "admission/records.h"
#include "audit/export.h"
#include "audit/logged_session.h"
#include "audit/reexecution.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/group_command.h"
#include "cli/json.h"
#include "cli/members_file.h"
#include "cli/session_view.h"
#include "cli/unlock.h"
#include "group/membership.h"
#include "session/audit_keeping.h"
#include "session/canary_hits.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMaxCardBytes = 64 * 1024;
constexpr std::uint64_t kMebibyte = 1 << 20;

// --- keep, list, forget --------------------------------------------------------------------------------------------

struct KeepArguments {
  std::optional<std::int64_t> days;
  std::optional<std::uint64_t> limit_mebibytes;
};

Status keep(Workplace& at, const KeepArguments& arguments) {
  TRY(session::AuditKeeping keeping, session::audit_keeping(at.vault));
  const session::AuditKeeping before = keeping;
  if (arguments.days) keeping.days = *arguments.days;
  if (arguments.limit_mebibytes) keeping.limit_bytes = *arguments.limit_mebibytes * kMebibyte;
  if (keeping != before) TRY_STATUS(session::set_audit_keeping(at.vault, keeping));
  TRY(const std::size_t ended, session::end_old_records(at.vault));
  if (ended > 0) at.console.say(fmt::format("{} records are older than that and were destroyed.", ended));
  if (keeping.days == 0) {
    at.console.print("no records are kept\n");
    at.console.say("No session from now on can be audited here: seeds are destroyed when a session ends.");
    return {};
  }
  at.console.print(fmt::format("records are kept for {} days, {} MiB of them together at most\n", keeping.days,
                               keeping.limit_bytes / kMebibyte));
  at.console.say(
      "A record has the whole set of a session, also what you remove from the vault later, and the seed of its run. It "
      "lies sealed on this disk until its time is over or its group ends, whichever is first.");
  return {};
}

Status list(Workplace& at, bool as_json) {
  TRY(const auto rows, at.vault.sessions());
  OrderedJson array = OrderedJson::array();
  bool any = false;
  for (const vault::SessionRow& row : rows) {
    TRY(const auto kept, session::kept_record(at.vault, row.id));
    if (!kept) continue;
    any = true;
    if (as_json)
      array.push_back(
          {{"session", row.id}, {"peer", row.peer}, {"bytes", kept->file.size}, {"until", to_rfc3339(kept->until)}});
    else
      at.console.print(fmt::format("{}\t{}\t{} bytes\tuntil {}\n", row.id.substr(0, 8), row.peer, kept->file.size,
                                   to_rfc3339(kept->until)));
  }
  if (as_json) {
    at.console.print(to_line(array));
    return {};
  }
  if (!any) {
    TRY(const session::AuditKeeping keeping, session::audit_keeping(at.vault));
    at.console.say(keeping.days == 0
                       ? "No record is kept, and none is made: parley audit keep --days DAYS changes that."
                       : "No record is kept. Sessions from now on leave one; parley audit keep says for how long.");
  }
  return {};
}

Status forget(Workplace& at, const std::string& session) {
  TRY(const std::string id, session_that_ran(at.vault, session));
  TRY_STATUS(session::forget_record(at.vault, id));
  at.console.say("The record is destroyed. This session cannot be audited any more.");
  return {};
}

// --- export --------------------------------------------------------------------------------------------------------

struct ExportArguments {
  std::string session;
  std::string auditor;
  std::string file;
  bool yes = false;
};

Result<group::Card> card_from(Workplace& at, const std::string& text) {
  if (text.starts_with("parley-card1:")) return group::read_card(text);
  TRY(const Bytes content, read_file(at.console.resolve(text), kMaxCardBytes));
  std::string_view card = as_text(content);
  if (card.starts_with("parley-card1:"))
    while (card.ends_with('\n')) card.remove_suffix(1);
  return group::read_card(card);
}

// The other side would learn our whole set, and all that it could ask.
Status check_auditor(Workplace& at, const vault::SessionRow& row, const group::Card& auditor) {
  TRY(const vault::Peer peer, at.vault.peer(row.peer));
  TRY(const group::Card theirs, group::read_card(peer.card));
  if (auditor.id_vkey == theirs.id_vkey)
    return fail(Errc::policy, fmt::format("{} is the other side of this session: opening your set to it would give it "
                                          "everything that the session kept from it. Name somebody else.",
                                          peer.name));
  return {};
}

/// An auditor sees which canaries entered: what it and the other side hit from now on says nothing against them.
Status note_canaries(Workplace& at, const vault::SessionRow& row, const group::Card& auditor) {
  TRY(const vault::Peer peer, at.vault.peer(row.peer));
  TRY(const group::Card theirs, group::read_card(peer.card));
  std::vector<std::string> nicks{theirs.nick};
  TRY(const log::VerifierKey key, log::parse_vkey(auditor.id_vkey));
  if (const auto membership = at.groups.membership(row.group))
    if (const group::CharterMember* member = membership->charter().member_by_id(key))
      nicks.push_back(member->keys.nick);
  return session::note_canaries_opened(at.vault, row.group, nicks);
}

Status show_before(Workplace& at, const ExportArguments& arguments, const vault::SessionRow& row,
                   const group::Card& auditor, const session::KeptRecord& kept, const audit::Opened& opened) {
  Console& console = at.console;
  console.say(fmt::format("Opening the session {} with {} to {} (fingerprint {}).", row.id.substr(0, 8), row.peer,
                          visible(auditor.name), auditor.fingerprint()));
  console.say("  It will learn your WHOLE SET of that session, matched or not, and the seed of your run.");
  console.say(fmt::format("  Of {}'s set it learns what you learned and no more.", row.peer));
  console.say(
      fmt::format("  It learns nothing of your other sessions, and not the context of your indicators. The file "
                  "has about {} bytes, and only the holder of that card's id key opens it.",
                  kept.file.size));
  if (!opened.charter.empty()) console.say("  The group's charter goes with it: it says which types enter by tags.");
  console.say("  Canaries of yours that stand in a set say nothing any more against either: the auditor sees them.");
  console.say(
      fmt::format("  IT MUST NEVER GET TO {}: compare the auditor's fingerprint by voice before you hand it over. "
                  "What was opened cannot be taken back.",
                  row.peer));
  return ask_yes(at, arguments.yes, "Open it?");
}

Status export_session(Workplace& at, const ExportArguments& arguments) {
  TRY(const std::string id, session_that_ran(at.vault, arguments.session));
  TRY(const vault::SessionRow row, at.vault.session(id));
  TRY(const auto kept, session::kept_record(at.vault, id));
  if (!kept) {
    TRY(const std::string why, session::why_not_kept(at.vault, id));
    return fail(Errc::not_found, "No record of this session is kept, so it cannot be audited. " + why);
  }
  TRY(const group::Card auditor, card_from(at, arguments.auditor));
  TRY_STATUS(check_auditor(at, row, auditor));
  TRY(const audit::Opened opened, audit::open_session(at.vault, id, at.member.card.nick));
  TRY_STATUS(show_before(at, arguments, row, auditor, *kept, opened));
  TRY_STATUS(at.operator_log.ask_second(
      operators::Rule::audit_export,
      fmt::format("Open the session {} with {}, our whole set of it, to {} (id key {}, "
                  "fingerprint {})",
                  id, row.peer, visible(auditor.name), auditor.id_vkey, auditor.fingerprint()),
      at.person));
  TRY_STATUS(note_canaries(at, row, auditor));
  TRY(const log::VerifierKey key, log::parse_vkey(auditor.id_vkey));
  TRY(vault::StreamReader record, session::open_record(at.vault, id));
  const std::filesystem::path path = at.console.resolve(arguments.file);
  TRY_STATUS(audit::write_audit_file(path, key.key, opened, std::move(record)));
  at.console.print(path.string() + "\n");
  return {};
}

// --- verify --------------------------------------------------------------------------------------------------------

struct VerifyArguments {
  std::string file;
  std::string members;
  std::size_t threads = 0;
  std::string set;
  bool as_json = false, compare_admissions = false;
};

constexpr unsigned kPrivateMode = 0600;

/// The set, a line "type<TAB>value" for each indicator, as parley export --canonical prints its own.
Status write_set(Console& console, const VerifyArguments& arguments, const audit::Audited& audited) {
  std::string text;
  for (const indicator::Canonical& each : audit::committed_set(audited))
    text += fmt::format("{}\t{}\n", indicator::name_of(each.type()), each.value());
  TRY_STATUS(write_file_atomically(console.resolve(arguments.set), as_bytes(text), kPrivateMode));
  console.say("The set is in " + visible(arguments.set) + ". It was opened to you and to nobody else.");
  return {};
}

void print_report(Console& console, const audit::Report& report) {
  for (const std::string& line : report.checked) console.print("fits: " + visible(line) + "\n");
  if (report.difference) console.print("differs: " + visible(*report.difference) + "\n");
  const std::string_view verdict = !report.passes() ? "NOT an honest run"
                                   : report.shown() ? "honest run"
                                   : report.tags_by_counts
                                       ? "NOT SHOWN to be an honest run: fits, by the word of one side"
                                       : "NOT SHOWN to be an honest run: more entered by tags than the logs here count";
  console.print(fmt::format("{}: {} in the session {} with {}\n", verdict, visible(report.audited), report.session,
                            visible(report.peer)));
  for (const std::string& line : report.proves) console.print("proves: " + visible(line) + "\n");
  for (const std::string& line : report.proves_not) console.print("proves not: " + visible(line) + "\n");
  console.say("All of it rests on the keys in the members' file: make sure that they are those of the group.");
}

OrderedJson json_of(const audit::Report& report) {
  return {{"session", report.session},
          {"group", report.group},
          {"audited", report.audited},
          {"peer", report.peer},
          {"passes", report.passes()},
          {"vouched", report.vouched},
          {"tags_by_charter", report.tags_by_charter},
          {"tags_by_counts", report.tags_by_counts},
          {"checked", report.checked},
          {"difference", report.difference ? OrderedJson(*report.difference) : OrderedJson()},
          {"proves", report.proves},
          {"proves_not", report.proves_not}};
}

/// Whether our own log is among those of the helpers, and all that it says is here: nothing of it can be on its way.
Result<bool> counts_by_itself(vault::Vault& vault, const std::string& group, const std::set<std::string>& helpers) {
  TRY(const auto heads, vault.logs());
  for (const vault::LogHead& head : heads) {
    if (!head.own || head.group != group || !helpers.contains(head.nick)) continue;
    TRY(const std::uint64_t read_to, vault.admission_read_to(head.origin));
    return read_to >= head.size;
  }
  return false;
}

/// What the logs in this member's own vault count as admitted for the audited one, of each type the most that any of
/// the other members' logs says: one that counts too little must not accuse it. What the vault does not have of them
/// does not count: parley admit brings it.
Result<audit::Admitted> admitted_by_logs(vault::Vault& vault, const audit::Opened& opened, const Digest& epoch) {
  TRY(const auto totals, vault.admission_totals(opened.group, epoch));
  std::set<std::string> helpers;  // who has left before that epoch helped nobody in it
  for (const vault::AdmissionTotal& total : totals)
    if (total.helper != opened.audited) helpers.insert(total.helper);
  if (helpers.empty())
    return fail(Errc::not_found,
                "The logs in this vault say nothing of admissions in the epoch of this session. Only a member of its "
                "group can compare, with its logs in step: parley admit.");
  audit::Admitted admitted{.epoch = epoch, .most = {}};
  TRY(admitted.by_own_log, counts_by_itself(vault, opened.group, helpers));
  for (const indicator::Type type : indicator::kAllTypes) {
    std::int64_t most = 0;
    for (const std::string& helper : helpers) {
      std::int64_t count = 0;
      for (const vault::AdmissionTotal& total : totals)
        if (total.helper == helper && total.owner == opened.audited && total.type == type) count = total.count;
      most = std::max(most, count);
    }
    admitted.most[type] = most;
  }
  return admitted;
}

Result<std::optional<audit::Admitted>> admitted_for(Surroundings& at, const VerifyArguments& arguments,
                                                    const vault::Unlock& unlock, const audit::Opened& opened,
                                                    std::span<const log::MemberKeys> members) {
  if (!arguments.compare_admissions) return std::nullopt;
  TRY(const auto logged, audit::read_logged_session(opened, members));
  if (!logged.proposal.admission) return std::nullopt;
  TRY(const auto vault, vault::Vault::open(at.folder, unlock));
  TRY_STATUS(admission::read_logs(*vault, opened.group));
  TRY(audit::Admitted admitted, admitted_by_logs(*vault, opened, *logged.proposal.admission));
  return std::optional(std::move(admitted));
}

/// @return the exit code: 3 where the other side does not vouch for the messages, no charter for the tags, or logs that
/// may be behind not for their number
Result<int> verify(Surroundings& at, const VerifyArguments& arguments) {
  TRY(const MembersFile file, read_members_file(at.console.resolve(arguments.members)));
  TRY(const vault::Unlock unlock, unlock_from_surroundings(at.console));
  TRY(const Secret<32> id_seed, group::load_id_seed(at.folder, unlock));
  at.progress.phase("reading the file", 0);
  TRY(const audit::Audited audited, audit::open_audit_file(at.console.resolve(arguments.file), id_seed));
  TRY(auto admitted, admitted_for(at, arguments, unlock, audited.opened, file.members));
  ThreadPool pool(arguments.threads == 0 ? hardware_threads() : arguments.threads);
  TRY(const audit::Report report,
      audit::audit(audited, file.members, {.admitted = std::move(admitted), .charter = file.charter}, pool,
                   at.progress));
  if (auto* bar = dynamic_cast<ProgressBar*>(&at.progress)) bar->clear();
  if (arguments.as_json)
    at.console.print(to_line(json_of(report)));
  else
    print_report(at.console, report);
  if (report.passes() && !arguments.set.empty()) TRY_STATUS(write_set(at.console, arguments, audited));
  return !report.passes() ? 1 : report.shown() ? 0 : 3;
}

int status_of(Console& console, const Status& done) {
  return done ? 0 : console.refuse(done.error());
}

void add_keeping(Command& command, Chosen& chosen) {
  const auto kept = std::make_shared<KeepArguments>();
  Command* keep_command = command.add_subcommand("keep", "Print or set for how long sessions can be audited");
  keep_command->add_option("--days", kept->days, "Days that a record is kept; 0: none is made")
      ->check(in_range(std::int64_t{0}, session::kMaxAuditDays));
  keep_command->add_option("--limit", kept->limit_mebibytes, "MiB of all records together")
      ->check(in_range(std::uint64_t{0}, std::uint64_t{1} << 30));
  keep_command->callback(
      [&chosen, kept] { chosen.at_work = [kept](Workplace& at) { return status_of(at.console, keep(at, *kept)); }; });

  const auto as_json = std::make_shared<bool>(false);
  Command* list_command = command.add_subcommand("list", "Print the sessions of which a record is kept");
  list_command->add_flag("--json", *as_json, "Print a JSON array");
  list_command->callback([&chosen, as_json] {
    chosen.at_work = [as_json](Workplace& at) { return status_of(at.console, list(at, *as_json)); };
  });

  const auto forgotten = std::make_shared<std::string>();
  Command* forget_command = command.add_subcommand("forget", "Destroy the record of a session");
  forget_command->add_option("SESSION", *forgotten, "Its id, the first digits of it, or last")->required();
  forget_command->callback([&chosen, forgotten] {
    chosen.at_work = [forgotten](Workplace& at) { return status_of(at.console, forget(at, *forgotten)); };
  });
}

}  // namespace

void add_audit(Command& program, Chosen& chosen) {
  Command* command =
      program.add_subcommand("audit", "Run a disputed session again, before somebody who is neither side");
  command->require_subcommand(1);
  add_keeping(*command, chosen);

  const auto exported = std::make_shared<ExportArguments>();
  Command* export_command =
      command->add_subcommand("export", "Open a session to an auditor: your whole set and the seed of your run");
  export_command->add_option("SESSION", exported->session, "Its id, the first digits of it, or last")->required();
  export_command->add_option("FILE", exported->file, "The file to write")->required();
  export_command->add_option("--for", exported->auditor, "The auditor's card: the line, or a file with it")->required();
  export_command->add_flag("--yes", exported->yes, "Do not ask before writing");
  export_command->callback([&chosen, exported] {
    chosen.at_work = [exported](Workplace& at) { return status_of(at.console, export_session(at, *exported)); };
  });

  const auto verified = std::make_shared<VerifyArguments>();
  Command* verify_command = command->add_subcommand(
      "verify", "As the auditor: run the session again, and say whether it is the one that was logged");
  verify_command->add_option("FILE", verified->file, "What parley audit export wrote for you")->required();
  verify_command
      ->add_option("--members", verified->members, "File with the members' keys, or a charter (docs/joint-log.md)")
      ->required();
  verify_command->add_option("--threads", verified->threads, "Threads to compute with (default: all of the machine)")
      ->check(in_range(1, 256));
  verify_command->add_flag("--compare-admissions", verified->compare_admissions,
                           "Compare how many entered by tags with what the logs in your own vault count as admitted "
                           "(as a member of the group; no node may run)");
  verify_command->add_option("--set", verified->set,
                             "Write the audited member's set into this file, where all fits: to ask where it is from");
  verify_command->add_flag("--json", verified->as_json, "Print one JSON object");
  verify_command->callback([&chosen, verified] {
    chosen.alone = [verified](Surroundings& at) {
      const auto code = verify(at, *verified);
      return code ? *code : at.console.refuse(code.error());
    };
  });
}

}  // namespace parley::cli
