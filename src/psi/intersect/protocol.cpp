#include "psi/intersect/protocol.h"

#include <fmt/format.h>

namespace parley::psi {

Result<std::unique_ptr<Protocol>> protocol_named(std::string_view name) {
  if (auto protocol = classic_protocol(); protocol->name() == name) return protocol;
  return fail(Errc::unsupported,
              fmt::format("There is no protocol named \"{}\"; this program knows \"classic\".", name));
}

}  // namespace parley::psi
