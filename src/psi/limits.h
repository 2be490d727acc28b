// The limits of all protocols: checked before anything is computed or allocated for either side's set.
#pragma once

#include <cstddef>

namespace parley::psi {

/// psi.md 0.2: type, length and at most 4,096 bytes, rounded up.
inline constexpr std::size_t kMaxElementBytes = 4'100;
/// Elements of one side in one run; larger sets go in shards (psi.md 7).
inline constexpr std::size_t kMaxElements = std::size_t{1} << 24;

/// How much a peer may have sent of a run that we have not received while we send, for each element of both sides: the
/// longest message of any protocol has 32 bytes for each element of one side (`blinded`, `evaluated`), and where both
/// send at once (the encodings and trees of the fast protocol) it is about 20.
inline constexpr std::size_t kAheadBytesPerElement = 32;

}  // namespace parley::psi
