// parley session list: all sessions of this member.
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/session_view.h"
#include "session/states.h"

namespace parley::cli {
namespace {

Status list(Workplace& at, bool as_json) {
  TRY(const auto rows, at.vault.sessions());
  OrderedJson array = OrderedJson::array();
  for (const vault::SessionRow& row : rows) {
    TRY(const session::Terms terms, session::read_terms(row.terms));
    TRY(const session::Outcome outcome, session::read_outcome(row.outcome));
    const std::int64_t count = outcome.file_count >= 0 ? outcome.file_count : outcome.count;
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

}  // namespace

void add_session(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("session", "The sessions of this member");
  command->require_subcommand(1);
  const auto as_json = std::make_shared<bool>(false);
  CLI::App* list_command = command->add_subcommand("list", "Print all sessions, newest first");
  list_command->add_flag("--json", *as_json, "Print a JSON array");
  list_command->callback([&chosen, as_json] {
    chosen.at_work = [as_json](Workplace& at) {
      const Status done = list(at, *as_json);
      return done ? 0 : at.console.refuse(done.error());
    };
  });
}

}  // namespace parley::cli
