// parley operator log, verify: what the operators did, and whether the record of it is what it was.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "base/text.h"
#include "cli/acts.h"
#include "cli/group_command.h"
#include "cli/operator_command.h"
#include "node/replication.h"
#include "operators/verify.h"

namespace parley::cli {
namespace {

using operators::Kind;

// --- log -----------------------------------------------------------------------------------------------------------

constexpr std::uint64_t kRowsAtOnce = 1000;

struct LogArguments {
  std::string since, about, by;
  bool as_json = false;
};

/// What this vault still knows of what records are about, by the hash that stands for it.
using Known = std::map<Digest, std::string>;

Result<Known> known_subjects(Workplace& at) {
  Known known;
  const auto note = [&](Subject kind, std::string_view value, std::string words) {
    known.emplace(at.operator_log.subjects().of(name_of(kind), value), std::move(words));
  };
  TRY(const auto sessions, at.vault.sessions());
  for (const vault::SessionRow& row : sessions)
    note(Subject::session, row.id, fmt::format("session {} with {}", row.id.substr(0, 8), row.peer));
  TRY(const auto groups, at.vault.groups());
  for (const vault::GroupRow& row : groups) {
    note(Subject::group, row.id, "group " + row.name);
    note(Subject::group, row.name, "group " + row.name);
  }
  TRY(const auto peers, at.vault.peers());
  for (const vault::Peer& peer : peers) note(Subject::peer, peer.name, "peer " + peer.name);
  TRY(const auto cases, at.vault.cases());
  for (const vault::CaseRow& row : cases) {
    note(Subject::case_, row.id, "case " + row.name);
    note(Subject::case_, row.name, "case " + row.name);
  }
  return known;
}

/// All hashes that a record about `text` could have.
std::vector<Digest> hashes_of(Workplace& at, const std::string& text) {
  std::vector<Digest> hashes;
  for (const Subject kind : {Subject::session, Subject::group, Subject::peer, Subject::case_, Subject::text})
    for (const std::string& value : {text, resolved(at.vault, kind, text)})
      hashes.push_back(at.operator_log.subjects().of(name_of(kind), value));
  return hashes;
}

std::string what_in_words(const operators::Record& record, const Known& known) {
  const auto about = known.find(record.subject);
  const std::string subject = about != known.end()         ? about->second
                              : record.subject == Digest{} ? std::string()
                                                           : "about " + to_hex(record.subject).substr(0, 8);
  switch (record.kind) {
    case Kind::act:
      return fmt::format("{}: {} {}", name_of(*record.act), record.detail, subject);
    case Kind::outcome:
      return fmt::format("{} ended: {}", *record.of, record.detail);
    case Kind::add:
      return fmt::format("registers the operator {}", record.name);
    case Kind::remove:
      return fmt::format("removes the operator {}", record.name);
    case Kind::rule:
      return fmt::format("two persons for {}: {}", record.name, record.detail);
    case Kind::request:
      return fmt::format("asks for a second person: {}", record.name);
    case Kind::confirm:
      return fmt::format("confirms request {}", *record.of);
    case Kind::refuse:
      return fmt::format("refuses request {}", *record.of);
    case Kind::use:
      return fmt::format("does what request {} was for", *record.of);
  }
  return {};
}

OrderedJson json_of(const operators::Record& record, const Known& known) {
  const auto about = known.find(record.subject);
  return {{"number", record.seq},
          {"time", to_rfc3339(record.time)},
          {"by", record.by},
          {"kind", name_of(record.kind)},
          {"act", record.act ? OrderedJson(name_of(*record.act)) : OrderedJson()},
          {"name", record.name},
          {"detail", record.detail},
          {"subject", to_hex(record.subject)},
          {"about", about == known.end() ? OrderedJson() : OrderedJson(about->second)},
          {"of", record.of ? OrderedJson(*record.of) : OrderedJson()}};
}

Status print_log(Workplace& at, const LogArguments& arguments) {
  UnixSeconds since = 0;
  if (!arguments.since.empty()) {
    TRY(since, time_option("--since", arguments.since));
  }
  const std::vector<Digest> about = arguments.about.empty() ? std::vector<Digest>() : hashes_of(at, arguments.about);
  TRY(const Known known, known_subjects(at));
  OrderedJson array = OrderedJson::array();
  for (std::uint64_t from = 0;;) {
    TRY(const auto rows, at.vault.operator_records(from, kRowsAtOnce));
    for (const vault::OperatorRow& row : rows) {
      from = row.seq + 1;
      TRY(const operators::Record record, operators::read_record(row.record));
      if (record.time < since || (!arguments.by.empty() && record.by != arguments.by)) continue;
      if (!about.empty() && std::ranges::find(about, record.subject) == about.end()) continue;
      if (arguments.as_json)
        array.push_back(json_of(record, known));
      else
        at.console.print(fmt::format("{}\t{}\t{}\t{}\n", record.seq, to_rfc3339(record.time),
                                     record.by.empty() ? "(not told apart)" : visible(record.by),
                                     visible(what_in_words(record, known))));
    }
    if (rows.size() < kRowsAtOnce) break;
  }
  if (arguments.as_json) at.console.print(to_line(array));
  return {};
}

// --- verify --------------------------------------------------------------------------------------------------------

struct VerifyArguments {
  bool offline = false;
  bool as_json = false;
};

/// What keeps the log of a group from being compared with what the others hold of it.
std::optional<std::string> bring_up_to_date(Workplace& at, const vault::GroupRow& group, bool offline) {
  const auto membership = at.groups.membership(group.id);
  if (!membership)
    return membership.error().code == Errc::not_found ? std::nullopt : std::optional(membership.error().message);
  const auto log = at.groups.log(group.id);
  if (!log) return log.error().message;
  if (!offline)
    if (const Status heard = node::hear_enough(at.groups.desk(), at.member, *membership, **log, at.progress); !heard)
      return heard.error().message;
  const auto defects = (*log)->with([](mirror::Replica& replica) { return replica.fsck(); });
  if (!defects) return defects.error().message;
  for (const mirror::Defect& defect : *defects)
    if (defect.breaks && defect.log == (*log)->nick())
      return fmt::format("our log there is damaged at entry {}: {}; it heals when a member is reached", defect.seq,
                         defect.what);
  if (offline) return "nobody was asked";
  return std::nullopt;
}

OrderedJson json_of(const operators::Verdict& verdict, const std::vector<std::string>& not_compared) {
  OrderedJson faults = OrderedJson::array();
  for (const operators::Fault& fault : verdict.faults) faults.push_back({{"record", fault.record}, {"why", fault.why}});
  return {{"sound", verdict.faults.empty()}, {"records", verdict.records},
          {"heads", verdict.heads},          {"vouched", verdict.vouched},
          {"held_by", verdict.holders},      {"without_outcome", verdict.unfinished},
          {"not_compared", not_compared},    {"faults", faults}};
}

void print_verdict(Console& console, const operators::Verdict& verdict, const std::vector<std::string>& not_compared) {
  for (const operators::Fault& fault : verdict.faults)
    console.print(fmt::format("WRONG\tfrom record {} on\t{}\n", fault.record, visible(fault.why)));
  if (verdict.faults.empty())
    console.print(fmt::format("{} records, all as they were written\n", verdict.records));
  else
    console.say(fmt::format("Records before {} are as they were written.", verdict.faults.front().record));
  console.say(
      verdict.vouched == 0
          ? "No head of this log is held by another member yet: by itself it shows what was changed clumsily, and "
            "not what was written anew by who holds the vault's key."
          : fmt::format("The first {} are covered by heads in our joint logs, {} in all, that {} signed to hold.",
                        verdict.vouched, verdict.heads, fmt::join(verdict.holders, ", ")));
  if (!verdict.unfinished.empty())
    console.say(fmt::format("Of {} acts no outcome is on record (still under way, or stopped by a crash): {}.",
                            verdict.unfinished.size(), fmt::join(verdict.unfinished, ", ")));
  for (const std::string& why : not_compared) console.say("Not compared with what others hold now: " + why);
}

/// @return whether all is well
Result<bool> verify(Workplace& at, const VerifyArguments& arguments) {
  std::vector<std::string> not_compared;
  TRY(const auto groups, at.vault.groups());
  for (const vault::GroupRow& group : groups)
    if (const auto why = bring_up_to_date(at, group, arguments.offline))
      not_compared.push_back(fmt::format("{}: {}", group.name, *why));
  TRY(const auto heads, operators::published_heads(at.vault));
  TRY(const operators::Verdict verdict, operators::verify(at.operator_log, heads));
  if (arguments.as_json)
    at.console.print(to_line(json_of(verdict, not_compared)));
  else
    print_verdict(at.console, verdict, not_compared);
  return verdict.faults.empty();
}

}  // namespace

void add_operator_log(Command& family, Chosen& chosen) {
  const auto arguments = std::make_shared<LogArguments>();
  Command* command = family.add_subcommand("log", "Print what was done with this vault, by whom, and how it ended");
  command->add_option("--since", arguments->since, "From this date or time on");
  command->add_option("--about", arguments->about, "Only what was about this: a session, group, peer, case or file");
  command->add_option("--by", arguments->by, "Only what this operator did, or \"node\"");
  command->add_flag("--json", arguments->as_json, "Print a JSON array");
  command->callback(at_work(chosen, [arguments](Workplace& at) { return print_log(at, *arguments); }));
}

void add_operator_verify(Command& family, Chosen& chosen) {
  const auto arguments = std::make_shared<VerifyArguments>();
  Command* command = family.add_subcommand(
      "verify", "Compare the records with their signatures and with the heads of them that other members hold");
  command->add_flag("--offline", arguments->offline, "Ask no member for what it holds of our logs");
  command->add_flag("--json", arguments->as_json, "Print one JSON object");
  command->callback([&chosen, arguments] {
    chosen.at_work = [arguments](Workplace& at) {
      const Result<bool> sound = verify(at, *arguments);
      if (!sound) return at.console.refuse(sound.error());
      return *sound ? 0 : 1;
    };
  });
}

}  // namespace parley::cli
