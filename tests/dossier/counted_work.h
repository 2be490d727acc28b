// What verifying costs, counted: the elliptic curve is nearly all of it. Times would be those of the machine.
#pragma once

#include <cstddef>

namespace parley::dossier {

struct Work {
  std::size_t signatures = 0;  ///< that were to be verified
  std::size_t keys = 0;        ///< that were to be admitted
};

/// Since the last call.
Work take_work();

}  // namespace parley::dossier
