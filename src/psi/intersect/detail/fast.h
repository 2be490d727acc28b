// The fast protocol with another layout than that of its suite, which nobody can ask for: tests run several bins and
// instances with few elements so.
#pragma once

#include <memory>

#include "psi/intersect/layout.h"
#include "psi/intersect/protocol.h"

namespace parley::psi::detail {

/// The layout for `count` elements of the receiver; the same on both sides.
using LayoutOf = Layout (*)(std::size_t count);

std::unique_ptr<Protocol> fast_protocol_with(LayoutOf layout);

}  // namespace parley::psi::detail
