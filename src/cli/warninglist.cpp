// parley warninglist: lists of what is common, shared or reserved.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/command.h"
#include "formats/warning_list_file.h"

namespace parley::cli {
namespace {

Status add(Workplace& at, const std::string& file) {
  TRY(const indicator::WarningList list, formats::read_warning_list(at.console.resolve(file)));
  TRY_STATUS(at.vault.add_warning_list(list));
  at.console.say(
      fmt::format("Added the warning list \"{}\" with {} entries. Matches and imports on it are marked from now on.",
                  visible(list.name), list.entries.size()));
  return {};
}

Status list(Workplace& at) {
  TRY(const auto names, at.vault.warning_list_names());
  for (const auto& [name, count] : names) at.console.print(fmt::format("{}\t{}\n", visible(name), count));
  at.console.say("Built in besides: private and reserved address ranges, reserved names, well-known public resolvers.");
  return {};
}

}  // namespace

void add_warninglist(Command& program, Chosen& chosen) {
  Command* command = program.add_subcommand(
      "warninglist", "Lists that mark matches which say little: Tor relays, top sites, resolvers");
  command->require_subcommand(1);
  const auto argument = std::make_shared<std::string>();
  const auto at_work = [&chosen](auto body) {
    return [&chosen, body] {
      chosen.at_work = [body](Workplace& at) {
        const Status done = body(at);
        return done ? 0 : at.console.refuse(done.error());
      };
    };
  };
  Command* add_command = command->add_subcommand(
      "add", "Load a list (MISP warninglist JSON, or one entry a line); replaces one of the same name");
  add_command->add_option("FILE", *argument, "The list")->required();
  add_command->callback(at_work([argument](Workplace& at) { return add(at, *argument); }));
  command->add_subcommand("list", "Print the lists and their numbers of entries")->callback(at_work([](Workplace& at) {
    return list(at);
  }));
  Command* remove = command->add_subcommand("remove", "Forget a list");
  remove->add_option("NAME", *argument, "Its name as list prints it")->required();
  remove->callback(at_work([argument](Workplace& at) { return at.vault.remove_warning_list(*argument); }));
}

}  // namespace parley::cli
