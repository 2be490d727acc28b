#include "vault/number_setting.h"

#include <fmt/format.h>

#include <charconv>

namespace parley::vault {

Result<std::optional<std::uint64_t>> number_setting(Vault& vault, std::string_view name, std::string_view of) {
  TRY(const std::optional<std::string> text, vault.setting(name));
  if (!text) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size())
    return fail(Errc::vault_damaged, fmt::format("The vault's record of {} is no number.", of));
  return number;
}

}  // namespace parley::vault
