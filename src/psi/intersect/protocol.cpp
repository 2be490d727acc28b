#include "psi/intersect/protocol.h"

#include <fmt/format.h>

namespace parley::psi {

Result<std::unique_ptr<Protocol>> protocol_named(std::string_view name) {
  for (auto make : {classic_protocol, fast_protocol}) {
    if (auto protocol = make(); protocol->name() == name) return protocol;
  }
  return fail(Errc::unsupported,
              fmt::format("There is no protocol named \"{}\"; this program knows \"classic\" and \"fast\".", name));
}

}  // namespace parley::psi
