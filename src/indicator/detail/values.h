// Canonical forms of the types that have no structure of the network: hashes, numbers, coins, names. One function a
// type; docs/canonical-forms.md has the rule and the source of each.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "indicator/indicator.h"

namespace parley::indicator::detail {

/// The type of a hash with this many hexadecimal digits.
std::optional<Type> hash_type(std::size_t hex_digits);
/// Lower-case digits of a hash, whatever its length says it is; nothing when it is none.
std::optional<std::string> hash_digits(std::string_view text);

Result<std::string> canonical_asn(std::string_view text);
Result<std::string> canonical_cve(std::string_view text);
Result<std::string> canonical_btc(std::string_view text);
Result<std::string> canonical_email(std::string_view text);
Result<std::string> canonical_filename(std::string_view text);
Result<std::string> canonical_registry_key(std::string_view text);

/// The spelled-out root that `text` begins with ("HKLM", "HKEY_LOCAL_MACHINE", ...) and the length of its spelling
/// there; the length is 0 for none.
struct RegistryRoot {
  std::string_view name;
  std::size_t size = 0;
};
RegistryRoot registry_root(std::string_view text);

}  // namespace parley::indicator::detail
