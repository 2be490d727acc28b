// parley id: prints the public member card.
#include <fmt/format.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/json.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMaxCardBytes = 16 * 1024;

/// @param checked  the keys in the vault are those that the card names
int show(Console& console, const group::Card& card, bool as_json, bool checked) {
  if (as_json) {
    console.print(to_line({{"name", card.name},
                           {"nick", card.nick},
                           {"fingerprint", card.fingerprint()},
                           {"card", card.line()},
                           {"checked", checked}}));
    return 0;
  }
  console.print(card.line() + "\n");
  console.say(
      fmt::format("This is the public key card of \"{}\"; anyone may see it. Read its fingerprint to the other side by "
                  "voice:\n  {}",
                  card.name, card.fingerprint()));
  console.say(checked
                  ? "It is the card of the keys in this vault."
                  : "NOT CHECKED: this is what lies in the folder, and whoever can write there could have put another "
                    "card in its place. parley id --check opens the vault and compares it with your keys.");
  return 0;
}

int id(Surroundings& at, bool as_json) {
  const auto card = [&]() -> Result<group::Card> {
    auto content = read_file(at.folder / "card.note", kMaxCardBytes);
    if (!content && content.error().code == Errc::not_found)
      return fail(Errc::not_found, "There is no member here. Make one with parley init NAME.", at.folder.string());
    if (!content) return std::unexpected(content.error());
    return group::read_card(as_text(*content));
  }();
  if (!card) return at.console.refuse(card.error());
  return show(at.console, *card, as_json, false);
}

/// A node that was started before may hold the right card while another lies on the disk.
int checked_id(Workplace& at, bool as_json) {
  const auto member = group::load_member(at.folder, at.vault);
  if (!member) return at.console.refuse(member.error());
  return show(at.console, member->card, as_json, true);
}

}  // namespace

void add_id(Command& program, Chosen& chosen) {
  Command* command = program.add_subcommand("id", "Print this member's public key card, to give to others");
  const auto as_json = std::make_shared<bool>(false);
  const auto checks = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "Print one JSON object");
  command->add_flag("--check", *checks, "Open the vault, and refuse a card that is not that of the keys in it");
  command->callback([&chosen, as_json, checks] {
    if (*checks)
      chosen.at_work = [as_json](Workplace& at) { return checked_id(at, *as_json); };
    else
      chosen.alone = [as_json](Surroundings& at) { return id(at, *as_json); };
  });
}

}  // namespace parley::cli
