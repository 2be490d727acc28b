// parley verify: what others show, checked without a vault. Evidence against a member here, a dossier in dossier.cpp.
#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/dossier_command.h"
#include "cli/json.h"
#include "cli/members_file.h"
#include "log/fault.h"

namespace parley::cli {
namespace {

struct Arguments {
  std::string file;
  std::string members;
  bool as_json = false;
};

Status verify_fault(Surroundings& at, const Arguments& arguments) {
  TRY(const MembersFile file, read_members_file(at.console.resolve(arguments.members)));
  const std::vector<log::MemberKeys>& members = file.members;
  TRY(const Bytes text, read_file(at.console.resolve(arguments.file), log::kMaxFaultBytes));
  TRY(const log::Verdict verdict, log::verify_fault(as_text(text), members));
  const std::string& accused = members[verdict.accused].nick;
  if (arguments.as_json) {
    at.console.print(to_line({{"fault", log::name_of(verdict.kind)},
                              {"accused", accused},
                              {"proves", verdict.proves},
                              {"proves_not", verdict.proves_not}}));
    return {};
  }
  at.console.print(fmt::format("verified: {} against {}\n", log::name_of(verdict.kind), accused));
  for (const std::string& sentence : verdict.proves) at.console.print("proves: " + visible(sentence) + "\n");
  for (const std::string& sentence : verdict.proves_not) at.console.print("proves not: " + visible(sentence) + "\n");
  at.console.say(
      "All of it rests on the keys in the members' file: make sure that they are those of the group, and ask whether "
      "one "
      "has been replaced since (parley group show NAME --members).");
  return {};
}

}  // namespace

void add_verify(Command& program, Chosen& chosen) {
  Command* command =
      program.add_subcommand("verify", "Check what others show you, without a vault and without a network");
  command->require_subcommand(1);
  add_verify_dossier(*command, chosen);
  const auto arguments = std::make_shared<Arguments>();
  Command* fault =
      command->add_subcommand("fault", "Check evidence against a member, and say what it proves and what not");
  fault->add_option("FILE", arguments->file, "The fault, as a log entry of that type carries it")->required();
  fault->add_option("--members", arguments->members, "File with the members' keys, or a charter (docs/joint-log.md)")
      ->required();
  fault->add_flag("--json", arguments->as_json, "Print one JSON object");
  fault->callback([&chosen, arguments] {
    chosen.alone = [arguments](Surroundings& at) {
      const Status done = verify_fault(at, *arguments);
      return done ? 0 : at.console.refuse(done.error());
    };
  });
}

}  // namespace parley::cli
