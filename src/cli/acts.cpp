#include "cli/acts.h"

#include <fmt/format.h>

#include <array>

#include "cli/session_view.h"

namespace parley::cli {
namespace {

using operators::Act;

// What shows names, sizes and states, or works on public files and none of the vault, is not recorded. The commands of
// the families operator and policy write records of their own.
constexpr std::array kCommandActs = {
    CommandAct{"init", {}},
    CommandAct{"id", {}},
    CommandAct{"import", Act::import, Subject::text},
    CommandAct{"export", Act::export_},
    CommandAct{"extract", {}},
    CommandAct{"warninglist add", Act::policy, Subject::text},
    CommandAct{"warninglist list", {}},
    CommandAct{"warninglist remove", Act::policy, Subject::text},
    CommandAct{"case new", Act::import, Subject::case_},
    CommandAct{"case list", {}},
    CommandAct{"case show", Act::read, Subject::case_},
    CommandAct{"case add", Act::import, Subject::case_},
    CommandAct{"case record", Act::import, Subject::case_},
    CommandAct{"case check", Act::read, Subject::case_},
    CommandAct{"case extract", Act::export_, Subject::case_},
    CommandAct{"case export", Act::export_, Subject::case_},
    CommandAct{"peer add", Act::policy, Subject::peer},
    CommandAct{"peer list", {}},
    CommandAct{"peer remove", Act::policy, Subject::peer},
    CommandAct{"serve", {}},  // the node's own record says that it began, and with which rules
    CommandAct{"group draft", Act::key, Subject::group},
    CommandAct{"group join", Act::key, Subject::group},
    CommandAct{"group take", Act::policy, Subject::group},
    CommandAct{"group sign", Act::key, Subject::group},
    CommandAct{"group show", {}},
    CommandAct{"group list", {}},
    CommandAct{"group amend", Act::key, Subject::group},
    CommandAct{"group policy", Act::policy, Subject::group},
    CommandAct{"group admit", Act::policy, Subject::group},
    CommandAct{"group withdraw", Act::key, Subject::group},
    CommandAct{"group rotate", Act::key, Subject::group},
    CommandAct{"group close", Act::key, Subject::group},
    CommandAct{"invite", Act::key, Subject::group},
    CommandAct{"join", Act::key},
    CommandAct{"confirm", Act::policy, Subject::peer},
    CommandAct{"admit", Act::session, Subject::group},
    CommandAct{"admit status", {}},
    CommandAct{"ask", Act::session, Subject::peer},
    CommandAct{"inbox", {}},
    CommandAct{"accept", Act::session, Subject::session},
    CommandAct{"decline", Act::session, Subject::session},
    CommandAct{"show", Act::read, Subject::session},
    CommandAct{"reveal", Act::reveal, Subject::session_that_ran},
    CommandAct{"consent add", Act::standing_rule, Subject::group},
    CommandAct{"consent list", {}},
    CommandAct{"consent remove", Act::policy, Subject::group},
    CommandAct{"consent withdraw", Act::policy, Subject::session_that_ran},
    CommandAct{"session list", {}},
    CommandAct{"session abort", Act::session, Subject::session},
    CommandAct{"session fault", Act::export_, Subject::session_that_ran},
    CommandAct{"ledger", {}},
    CommandAct{"audit keep", Act::policy},
    CommandAct{"audit list", {}},
    CommandAct{"audit forget", Act::policy, Subject::session_that_ran},
    CommandAct{"audit export", Act::export_, Subject::session_that_ran},
    CommandAct{"audit verify", {}},  // of another's session, without the vault
    CommandAct{"operator key", {}},
    CommandAct{"operator add", {}},
    CommandAct{"operator list", {}},
    CommandAct{"operator remove", {}},
    CommandAct{"operator requests", Act::read},
    CommandAct{"operator confirm", {}},
    CommandAct{"operator refuse", {}},
    CommandAct{"operator log", Act::read},
    CommandAct{"operator verify", {}},
    CommandAct{"policy two-person", {}},
    CommandAct{"canary add", Act::policy, Subject::group},
    CommandAct{"canary remove", Act::policy, Subject::group},
    CommandAct{"canary commit", Act::key, Subject::group},
    CommandAct{"canary status", Act::read, Subject::group},
    CommandAct{"canary alarm", Act::export_, Subject::session_that_ran},
    CommandAct{"canary check", Act::read},
    CommandAct{"canary opinion", Act::key},
    CommandAct{"log list", {}},
    CommandAct{"log show", Act::read, Subject::text},
    CommandAct{"log fsck", {}},
    CommandAct{"log prove", Act::export_, Subject::text},
    CommandAct{"log verify", {}},
    CommandAct{"log policy", {}},
    CommandAct{"log export", Act::export_, Subject::text},
    CommandAct{"log accept-fork-risk", Act::policy, Subject::group},
    CommandAct{"verify dossier", {}},
    CommandAct{"verify fault", {}},
    CommandAct{"finding new", {}},
    CommandAct{"finding origin", {}},
    CommandAct{"finding evidence", Act::read},
    CommandAct{"finding hypothesis", {}},
    CommandAct{"finding matrix", Act::read},
    CommandAct{"finding judge", {}},
    CommandAct{"finding list", {}},
    CommandAct{"finding show", Act::read},
    CommandAct{"finding lint", Act::read},
    CommandAct{"finding draft", Act::key},
    CommandAct{"finding sign", Act::key},
    CommandAct{"finding dissent", Act::key},
    CommandAct{"finding withdraw", Act::key},
    CommandAct{"finding publish", Act::key},
    CommandAct{"dossier make", Act::export_},
    CommandAct{"dossier page", {}},
    CommandAct{"bench psi", {}},
    CommandAct{"sim", {}},
};

/// What a second person is asked for, and the one command that asks for it.
struct Asks {
  std::string_view rule, command;
  bool uses;  ///< it also writes that it used what was confirmed; the others say so in the record of what they do
};

bool asks_for(const Typed& typed, const operators::Record& record) {
  static const std::array kAsks = {
      Asks{name_of(operators::Rule::reveal), "reveal", true},
      Asks{name_of(operators::Rule::standing_rule), "consent add", true},
      Asks{name_of(operators::Rule::audit_export), "audit export", true},
      Asks{operators::kOperatorAdd, "operator add", false},
      Asks{operators::kOperatorRemove, "operator remove", false},
      Asks{operators::kRuleOff, "policy two-person", false},
  };
  const auto asks = std::ranges::find(kAsks, record.name, &Asks::rule);
  if (asks == kAsks.end() || typed.command != asks->command) return false;
  if (record.kind == operators::Kind::use) return asks->uses;
  return record.name != operators::kRuleOff || (typed.arguments.size() == 2 && typed.arguments[1] == "off");
}

}  // namespace

std::string_view name_of(Subject subject) {
  constexpr std::array<std::string_view, 7> kNames = {"nothing", "session", "session", "group", "peer", "case", "text"};
  return kNames[static_cast<std::size_t>(subject)];
}

std::span<const CommandAct> command_acts() {
  return kCommandActs;
}

std::string resolved(vault::Vault& vault, Subject subject, const std::string& text) {
  if (subject == Subject::session)
    if (auto id = session_named(vault, text)) return *std::move(id);
  if (subject == Subject::session_that_ran)
    if (auto id = session_that_ran(vault, text)) return *std::move(id);
  if (subject == Subject::group)
    if (auto group = vault.group(text)) return std::move(group->id);
  if (subject == Subject::case_)
    if (auto row = vault.case_named(text)) return std::move(row->id);
  return text;
}

Typed typed_in(const Command& program) {
  Typed typed;
  const Command* last = &program;
  while (const Command* below = last->chosen()) {
    last = below;
    typed.command += (typed.command.empty() ? "" : " ") + last->name();
  }
  typed.arguments = last->arguments();
  return typed;
}

Status check_typed(const Typed& typed, const operators::Record& record) {
  using operators::Kind;
  const auto listed = std::ranges::find(kCommandActs, typed.command, &CommandAct::command);
  const bool acts = listed != kCommandActs.end() && listed->act.has_value();
  const auto is_of_argument = [&] { return record.of && typed.first() == fmt::format("{}", *record.of); };
  const auto are_arguments = [&](const std::vector<std::string>& said) { return typed.arguments == said; };
  const bool follows = [&] {
    switch (record.kind) {
      case Kind::act:
        return acts && record.detail == typed.command && record.act == listed->act;
      case Kind::request:
      case Kind::use:
        return asks_for(typed, record);
      case Kind::confirm:
        return typed.command == "operator confirm" && is_of_argument();
      case Kind::refuse:
        return typed.command == "operator refuse" && is_of_argument();
      case Kind::add:
        return typed.command == "operator add" && are_arguments({record.name, record.detail});
      case Kind::remove:
        return typed.command == "operator remove" && are_arguments({record.name});
      case Kind::rule:
        return typed.command == "policy two-person" && are_arguments({record.name, record.detail});
      case Kind::outcome:
        return false;  // the node writes it
    }
    return false;
  }();
  if (follows) return {};
  return fail(
      Errc::policy,
      fmt::format(
          "The node wants another record signed (of the kind {}) than the command typed here, parley {}, makes. "
          "It was not signed: this may be no node of yours.",
          name_of(record.kind), typed.command));
}

int run_recorded(Workplace& at, const Command& program, const std::function<int(Workplace&)>& command) {
  const Typed typed = typed_in(program);
  const auto listed = std::ranges::find(kCommandActs, typed.command, &CommandAct::command);
  if (listed == kCommandActs.end())
    return at.console.refuse(
        {Errc::internal,
         fmt::format("\"{}\" does not say whether it is to be recorded, so it does not run.", typed.command),
         "src/cli/acts.cpp"});
  if (!listed->act) return command(at);
  const Digest subject =
      listed->subject == Subject::nothing
          ? Digest{}
          : at.operator_log.subjects().of(name_of(listed->subject), resolved(at.vault, listed->subject, typed.first()));
  const auto begun = at.operator_log.begin(*listed->act, typed.command, subject, at.person);
  if (!begun) return at.console.refuse(begun.error());
  const int code = command(at);
  // Papers, material and keys that are new need not wait for the time when the others are called on anyway.
  const bool is_news = *listed->act == Act::policy || *listed->act == Act::import || *listed->act == Act::key;
  if (is_news && code == 0) at.call_on_members();
  if (const Status ended = at.operator_log.end(*begun, code == 0 ? "done" : fmt::format("exit code {}", code)); !ended)
    at.console.say("How it ended could not be recorded: " + ended.error().text());
  return code;
}

}  // namespace parley::cli
