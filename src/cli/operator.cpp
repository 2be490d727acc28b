// parley operator key, add, list, remove, requests, confirm, refuse: who works with this vault, and what needs a second
// person.
#include <fmt/format.h>

#include <cstdlib>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "cli/group_command.h"
#include "cli/operator_command.h"
#include "cli/person.h"
#include "cli/unlock.h"

namespace parley::cli {
namespace {

using operators::OperatorLog;

// --- key -----------------------------------------------------------------------------------------------------------

/// A passphrase is asked for twice, a key file that does not exist is made.
Result<vault::Unlock> new_operator_secret(Console& console) {
  if (const char* path = std::getenv("PARLEY_OPERATOR_KEY_FILE"); path != nullptr && !std::filesystem::exists(path)) {
    const Secret<32> fresh = random_secret<32>();
    TRY_STATUS(write_file_atomically(path, as_bytes(to_hex(fresh.expose()) + "\n"), 0600));
    console.say(fmt::format(
        "Made the key file {}. Whoever has it signs in your name: keep it where only you get at it.", path));
  }
  TRY(vault::Unlock secret, operator_secret(console, "Passphrase of your own, for signing what you do: "));
  if (secret.key_file || std::getenv("PARLEY_OPERATOR_PASSPHRASE") != nullptr) return secret;
  TRY(const SecretBytes again, console.ask_secret("The same once more: "));
  if (!constant_time_equal(secret.passphrase.expose(), again.expose()))
    return fail(Errc::passphrase, "The two are not the same. Nothing was made.");
  return secret;
}

Status print_key(Surroundings& at) {
  TRY(const vault::Unlock secret, new_operator_secret(at.console));
  TRY(const operators::OperatorKey key, operators::make_operator_key(secret));
  at.console.print(key.line() + "\n");
  at.console.say("Give this line to whoever registers you: parley operator add NAME LINE. It is no secret.");
  return {};
}

// --- add, list, remove ---------------------------------------------------------------------------------------------

struct AddArguments {
  std::string name, line;
  bool yes = false;
};

Status add(Workplace& at, const AddArguments& arguments) {
  TRY(const operators::OperatorKey key, operators::OperatorKey::parse(arguments.line));
  const bool first = at.operator_log.roster().operators().empty();
  if (first) {
    at.console.say(
        "With the first operator people are told apart for good: from then on whatever is recorded is signed by who "
        "does it, and only an operator can register another. This cannot be undone; the last operator stays.");
    TRY_STATUS(ask_yes(at, arguments.yes, fmt::format("Register {}?", visible(arguments.name))));
  }
  TRY_STATUS(at.operator_log.add(arguments.name, key, at.person));
  at.console.say(fmt::format("{} is an operator of this vault.", visible(arguments.name)));
  if (first) at.console.say("Set PARLEY_OPERATOR to your name: what you do is signed by you from now on.");
  return {};
}

Status list(Workplace& at, bool as_json) {
  const operators::Roster roster = at.operator_log.roster();
  OrderedJson array = OrderedJson::array();
  for (const auto& [name, one] : roster.operators()) {
    const std::string by = one.added_by.empty() ? "nobody that was registered" : one.added_by;
    if (as_json)
      array.push_back(
          {{"name", name}, {"key", one.key.line()}, {"added", to_rfc3339(one.added)}, {"by", one.added_by}});
    else
      at.console.print(fmt::format("{}\tsince {}, added by {}\t{}\n", visible(name), to_rfc3339(one.added), visible(by),
                                   one.key.line()));
  }
  if (as_json) at.console.print(to_line(array));
  if (!as_json && array.empty() && roster.operators().empty())
    at.console.say(
        "No operators are told apart here: what is done is recorded, and not by whom. docs/operators.md shows how to "
        "register people.");
  return {};
}

Status remove(Workplace& at, const std::string& name) {
  TRY_STATUS(at.operator_log.remove(name, at.person));
  at.console.say(
      fmt::format("{} is no operator any more. What they signed stays theirs; if they knew the vault's "
                  "passphrase, change it.",
                  visible(name)));
  return {};
}

// --- requests ------------------------------------------------------------------------------------------------------

Result<OperatorLog::Waiting> request_numbered(Workplace& at, std::uint64_t number) {
  TRY(const auto waiting, at.operator_log.waiting());
  const auto found = std::ranges::find(waiting, number, [](const auto& one) { return one.request.seq; });
  if (found == waiting.end())
    return fail(Errc::not_found,
                fmt::format("No request {} waits; parley operator requests lists those that do.", number));
  return *found;
}

Status requests(Workplace& at, bool as_json) {
  TRY(const auto waiting, at.operator_log.waiting());
  OrderedJson array = OrderedJson::array();
  for (const OperatorLog::Waiting& one : waiting) {
    const operators::Request& request = one.request;
    if (as_json)
      array.push_back({{"number", request.seq},
                       {"rule", request.rule},
                       {"by", request.by},
                       {"time", to_rfc3339(request.time)},
                       {"until", to_rfc3339(request.time + operators::kRequestLifeSeconds)},
                       {"confirmed_by", request.confirmed_by},
                       {"words", one.words}});
    else
      at.console.print(
          fmt::format("{}\t{} asks, {}{}\n\t{}\n", request.seq, visible(request.by), to_rfc3339(request.time),
                      request.confirmed_by.empty() ? std::string() : ", confirmed by " + visible(request.confirmed_by),
                      visible(one.words)));
  }
  if (as_json) at.console.print(to_line(array));
  if (!as_json && waiting.empty()) at.console.say("Nothing waits for a second person.");
  return {};
}

Status confirm(Workplace& at, std::uint64_t number, bool yes) {
  TRY(const OperatorLog::Waiting waiting, request_numbered(at, number));
  at.console.say(fmt::format("{} asks for this, and may do it once if you confirm:", visible(waiting.request.by)));
  at.console.say("  " + waiting.words);
  TRY_STATUS(ask_yes(at, yes, "Confirm it?"));
  TRY_STATUS(at.operator_log.confirm(waiting, at.person));
  at.console.say(fmt::format("Confirmed. {} runs the command again to do it.", visible(waiting.request.by)));
  return {};
}

Status refuse(Workplace& at, std::uint64_t number) {
  TRY(const OperatorLog::Waiting waiting, request_numbered(at, number));
  TRY_STATUS(at.operator_log.refuse(waiting, at.person));
  at.console.say(fmt::format("Refused: {}", waiting.words));
  return {};
}

void add_people(Command& family, Chosen& chosen) {
  Command* key = family.add_subcommand("key", "Make a key of your own, and print the line by which you are registered");
  key->callback([&chosen] {
    chosen.alone = [](Surroundings& at) {
      const Status done = print_key(at);
      return done ? 0 : at.console.refuse(done.error());
    };
  });

  const auto added = std::make_shared<AddArguments>();
  Command* add_command = family.add_subcommand("add", "Register an operator of this vault");
  add_command->add_option("NAME", added->name, "What the records call them, for example \"a. khan\"")->required();
  add_command->add_option("KEY", added->line, "The line that parley operator key printed for them")->required();
  add_command->add_flag("--yes", added->yes, "Do not ask; the first one is asked about");
  add_command->callback(at_work(chosen, [added](Workplace& at) { return add(at, *added); }));

  const auto as_json = std::make_shared<bool>(false);
  Command* list_command = family.add_subcommand("list", "Print the operators of this vault");
  list_command->add_flag("--json", *as_json, "Print a JSON array");
  list_command->callback(at_work(chosen, [as_json](Workplace& at) { return list(at, *as_json); }));

  const auto removed = std::make_shared<std::string>();
  Command* remove_command = family.add_subcommand("remove", "Let somebody be no operator any more");
  remove_command->add_option("NAME", *removed, "As operator list prints it")->required();
  remove_command->callback(at_work(chosen, [removed](Workplace& at) { return remove(at, *removed); }));
}

void add_requests(Command& family, Chosen& chosen) {
  const auto as_json = std::make_shared<bool>(false);
  Command* list_command = family.add_subcommand("requests", "Print what waits for a second person");
  list_command->add_flag("--json", *as_json, "Print a JSON array");
  list_command->callback(at_work(chosen, [as_json](Workplace& at) { return requests(at, *as_json); }));

  const auto confirmed = std::make_shared<std::pair<std::uint64_t, bool>>();
  Command* confirm_command = family.add_subcommand("confirm", "Confirm, as the second person, what another asks for");
  confirm_command->add_option("NUMBER", confirmed->first, "As operator requests prints it")->required();
  confirm_command->add_flag("--yes", confirmed->second, "Do not ask");
  confirm_command->callback(
      at_work(chosen, [confirmed](Workplace& at) { return confirm(at, confirmed->first, confirmed->second); }));

  const auto refused = std::make_shared<std::uint64_t>();
  Command* refuse_command = family.add_subcommand("refuse", "Refuse what another asks for, or take back one's own");
  refuse_command->add_option("NUMBER", *refused, "As operator requests prints it")->required();
  refuse_command->callback(at_work(chosen, [refused](Workplace& at) { return refuse(at, *refused); }));
}

}  // namespace

void add_operator(Command& program, Chosen& chosen) {
  Command* family =
      program.add_subcommand("operator", "Who works with this vault, what they did, and what needs a second person");
  family->require_subcommand(1);
  add_people(*family, chosen);
  add_requests(*family, chosen);
  add_operator_log(*family, chosen);
  add_operator_verify(*family, chosen);
}

}  // namespace parley::cli
