// parley session list, abort, fault: all sessions of this member, the end of one that is under way, and the evidence
// that one has left of the other side's cheating.
#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/session_view.h"
#include "session/reveal_record.h"
#include "session/states.h"

namespace parley::cli {
namespace {

Status list(Workplace& at, bool as_json) {
  TRY(const auto rows, at.vault.sessions());
  OrderedJson array = OrderedJson::array();
  for (const vault::SessionRow& row : rows) {
    TRY(const session::Terms terms, session::read_terms(row.terms));
    TRY(const session::Outcome outcome, session::read_outcome(row.outcome));
    TRY(const std::int64_t count, count_in_common(at.vault, row.id));
    if (as_json) {
      array.push_back({{"session", row.id},
                       {"peer", row.peer},
                       {"asked_by", row.asked_by_us ? "us" : "peer"},
                       {"question", session::name_of(terms.question.function)},
                       {"state", row.state},
                       {"count", outcome.learned ? OrderedJson(count) : OrderedJson()},
                       {"asked", to_rfc3339(row.created)}});
    } else {
      at.console.print(fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", row.id.substr(0, 8), to_rfc3339(row.created), row.peer,
                                   row.asked_by_us ? "asked by us" : "asked by them", row.state,
                                   outcome.learned ? fmt::format("{} in common", count) : "-"));
    }
  }
  if (as_json) at.console.print(to_line(array));
  if (!as_json && rows.empty()) at.console.say("No sessions yet. parley ask PEER makes one.");
  return {};
}

Status abort(Workplace& at, const std::string& session) {
  if (at.inbox == nullptr)
    return fail(Errc::not_found,
                "No node of this member is running, so no session is under way here but in a command of its own, which "
                "Ctrl-C stops.");
  TRY(const std::string id, at.under_way.stop(session));
  at.console.say(
      fmt::format("Stopping session {}. parley show {} says how it ended. A session that ran already may have "
                  "disclosed its answer, and is not run again.",
                  id.substr(0, 8), id.substr(0, 8)));
  return {};
}

constexpr unsigned kEvidenceMode = 0600;

struct FaultArguments {
  std::string session, file;
};

Status write_evidence(Workplace& at, const FaultArguments& arguments) {
  TRY(const std::string id, session_that_ran(at.vault, arguments.session));
  TRY(const vault::SessionRow row, at.vault.session(id));
  TRY(const auto fault, session::bad_opening_in(at.vault, id));
  if (!fault || fault->empty())
    return fail(Errc::not_found,
                "This session has left no evidence against the other side. What broke off or was refused is in parley "
                "show.");
  const std::filesystem::path path = at.console.resolve(arguments.file);
  if (std::filesystem::exists(path))
    return fail(Errc::exists, "This file is there already; give another name.", path.string());
  TRY_STATUS(write_file_atomically(path, as_bytes(*fault), kEvidenceMode));
  at.console.print(path.string() + "\n");
  at.console.say(
      fmt::format("Whoever has the keys of the group's members can check it: parley verify fault. It names the "
                  "indicator, which matched, and what {} opened of it: mind the marks when you hand it on.",
                  visible(row.peer)));
  return {};
}

}  // namespace

void add_session(Command& program, Chosen& chosen) {
  Command* command = program.add_subcommand("session", "The sessions of this member");
  command->require_subcommand(1);
  const auto as_json = std::make_shared<bool>(false);
  Command* list_command = command->add_subcommand("list", "Print all sessions, newest first");
  list_command->add_flag("--json", *as_json, "Print a JSON array");
  list_command->callback([&chosen, as_json] {
    chosen.at_work = [as_json](Workplace& at) {
      const Status done = list(at, *as_json);
      return done ? 0 : at.console.refuse(done.error());
    };
  });
  const auto session = std::make_shared<std::string>();
  Command* abort_command = command->add_subcommand("abort", "Stop a session that is under way");
  abort_command->add_option("SESSION", *session, "Its id or the first digits of it")->required();
  abort_command->callback([&chosen, session] {
    chosen.at_work = [session](Workplace& at) {
      const Status done = abort(at, *session);
      return done ? 0 : at.console.refuse(done.error());
    };
  });
  const auto evidence = std::make_shared<FaultArguments>();
  Command* fault_command = command->add_subcommand(
      "fault", "Write the evidence that the other side opened, in a reveal, what it had not committed to");
  fault_command->add_option("SESSION", evidence->session, "Its id, the first digits of it, or last")->required();
  fault_command->add_option("FILE", evidence->file, "The file to write, for parley verify fault")->required();
  fault_command->callback([&chosen, evidence] {
    chosen.at_work = [evidence](Workplace& at) {
      const Status done = write_evidence(at, *evidence);
      return done ? 0 : at.console.refuse(done.error());
    };
  });
}

}  // namespace parley::cli
