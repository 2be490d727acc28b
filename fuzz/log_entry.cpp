// Entries from any bytes: as notes, and as headers behind a good signature. What is taken is what would be written.
#include "check.h"
#include "log/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  const std::string_view text = fuzz_text(data, size);
  const Secret<32> seed = fixed_seed(1);
  const log::MemberKeys alpha{"alpha", log::vkey_of("g/alpha/node", log::KeyType::ed25519, seed), {}, {}};
  // The quick reader and the general one are of one mind.
  const auto parsed = log::parse_entry(text);
  check(parsed.has_value() == log::read_entry_unverified(text).has_value());
  if (const auto entry = log::read_entry_unverified(text)) {
    check(*parsed == *entry);
    const auto again = log::make_entry(*entry, alpha.node.name, seed);
    check(again && *log::read_entry_unverified(*again) == *entry);
    check(again->substr(0, again->find("\n\n")) == text.substr(0, text.rfind("\n\n")));
  }
  // The fuzzer's bytes as the header that alpha signs.
  if (text.find('\n') != text.npos) return 0;
  const std::string note =
      log::sign_note(std::string(log::kEntryKind) + "\n" + std::string(text) + "\n", alpha.node.name, seed);
  if (const auto entry = log::read_entry(note, alpha)) {
    check(*log::make_entry(*entry, alpha.node.name, seed) == note);
    const log::LogState state{entry->seq, entry->prev, 0, false};
    if (const auto extension = log::extend(state, note, alpha)) {
      check(extension->state.size == entry->seq + 1);
      check(!log::extend(extension->state, note, alpha));
    }
  }
  return 0;
}
