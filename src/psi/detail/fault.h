// What a party says when the other one breaks the protocol.
#pragma once

#include "base/error.h"

namespace parley::psi::detail {

/// @param why  ends the sentence: what the other side did.
inline std::unexpected<Error> broken(std::string why) {
  return fail(Errc::protocol, "The other side broke the protocol: " + std::move(why) + " Nothing was learned.");
}

}  // namespace parley::psi::detail
