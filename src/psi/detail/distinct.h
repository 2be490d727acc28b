// What every protocol asks of its own input: few enough, short enough, all different.
#pragma once

#include "psi/detail/work.h"
#include "psi/elements.h"
#include "psi/intersect/protocol.h"

namespace parley::psi::detail {

/// @error Errc::limit when there are too many elements on either side, or one is too long.
Status check_sizes(const Parameters& parameters, const Elements& elements);

/// check_sizes, and that all differ.
/// @error Errc::limit; Errc::internal when an element stands twice in `elements`, which its maker must exclude.
Status check_input(const Parameters& parameters, const Elements& elements, const Secret<32>& seed, Work& work);

}  // namespace parley::psi::detail
