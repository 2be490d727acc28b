// parley id: prints the public member card.
#include <fmt/format.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/json.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMaxCardBytes = 16 * 1024;

int id(Surroundings& at, bool as_json) {
  const auto card = [&]() -> Result<group::Card> {
    auto content = read_file(at.folder / "card.note", kMaxCardBytes);
    if (!content && content.error().code == Errc::not_found)
      return fail(Errc::not_found, "There is no member here. Make one with parley init NAME.", at.folder.string());
    if (!content) return std::unexpected(content.error());
    return group::read_card(as_text(*content));
  }();
  if (!card) return at.console.refuse(card.error());
  if (as_json) {
    at.console.print(to_line(
        {{"name", card->name}, {"nick", card->nick}, {"fingerprint", card->fingerprint()}, {"card", card->line()}}));
    return 0;
  }
  at.console.print(card->line() + "\n");
  at.console.say(
      fmt::format("This is the public key card of \"{}\"; anyone may see it. Read its fingerprint to the other side by "
                  "voice:\n  {}",
                  card->name, card->fingerprint()));
  return 0;
}

}  // namespace

void add_id(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("id", "Print this member's public key card, to give to others");
  const auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "Print one JSON object");
  command->callback([&chosen, as_json] { chosen.alone = [as_json](Surroundings& at) { return id(at, *as_json); }; });
}

}  // namespace parley::cli
