// parley init: makes a member.
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/unlock.h"

namespace parley::cli {
namespace {

int init(Surroundings& at, const std::string& name) {
  const auto made = [&]() -> Status {
    TRY(const std::string nick, group::nick_for(name));
    if (std::filesystem::exists(at.folder / "vault.hdr"))
      return fail(Errc::exists, "There is a member here already. Set PARLEY_HOME to another folder for a second one.",
                  at.folder.string());
    TRY(const vault::Unlock unlock, new_unlock(at.console));
    std::error_code error;
    const bool folder_is_new = std::filesystem::create_directories(at.folder, error);
    if (error) return fail(Errc::io, "The folder cannot be made: " + error.message() + ".", at.folder.string());
    std::filesystem::permissions(at.folder, std::filesystem::perms::owner_all, error);
    const auto make = [&]() -> Status {
      TRY_STATUS(vault::Vault::create(at.folder, unlock));
      TRY(const auto vault, vault::Vault::open(at.folder, unlock));
      return group::create_member(at.folder, name, unlock, *vault);
    };
    auto status = make();
    if (!status) {
      // Nothing half-made stays: the next init finds what this one found.
      for (const char* file : {"vault.hdr", "vault.db", "vault.db-wal", "vault.lock"})
        std::filesystem::remove(at.folder / file, error);
      if (folder_is_new) std::filesystem::remove(at.folder, error);
    }
    return status;
  }();
  if (!made) return at.console.refuse(made.error());
  at.console.say(fmt::format("Made the member \"{}\" in {}.", name, at.folder.string()));
  at.console.say(
      "Its vault and its keys are encrypted; without the passphrase or key file nobody can read them, not even you.");
  at.console.say(
      "Next: parley import FILE..., then give others what parley id prints. It tells them your public keys and your "
      "name, nothing else.");
  return 0;
}

}  // namespace

void add_init(Command& program, Chosen& chosen) {
  Command* command = program.add_subcommand("init", "Make a member: its keys and its encrypted vault, in PARLEY_HOME");
  const auto name = std::make_shared<std::string>();
  command->add_option("NAME", *name, "What others will call this member, for example \"Alpha CERT\"")->required();
  command->callback([&chosen, name] { chosen.alone = [name](Surroundings& at) { return init(at, *name); }; });
}

}  // namespace parley::cli
