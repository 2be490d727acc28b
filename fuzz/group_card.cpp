// Member cards: from any bytes, and from any object that the member's `id` signed. A card that is taken keeps its bytes
// through its one-line form, and names a member that make_card() could have made.
#include "base/text.h"
#include "check.h"
#include "group/card_rules.h"
#include "log/note.h"

namespace {

using namespace parley;

void check_card(std::string_view text) {
  const auto card = group::read_card(text);
  if (!card) return;
  check(text.contains("parley-card1:") || card->note == text);
  check(group::is_nick(card->nick) && group::check_name(card->name) && visible(card->name) == card->name);
  const auto from_line = group::read_card(card->line());
  check(from_line && from_line->note == card->note && from_line->fingerprint() == card->fingerprint());

  const group::MemberSeeds others{fixed_seed(11), fixed_seed(12), fixed_seed(13), fixed_seed(14), fixed_seed(15)};
  const auto made = group::read_card(group::make_card(card->name, card->nick, others, card->created));
  check(made && made->name == card->name && made->nick == card->nick && made->created == card->created);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz_text(data, size);
  check_card(text);
  check_card(log::sign_note("parley/card/v1\n" + std::string(text) + "\n", "parley.local/m/alpha/id", fixed_seed(1)));
  if (const auto nick = group::nick_for(text)) check(group::is_nick(*nick));
  return 0;
}
