// An oblivious key-value store (psi.md 2.3; Garimella, Pinkas, Rosulek, Trieu and Yanai 2021; Raghuraman and Rindal
// 2022): cells from which every key decodes to its value, by a linear map that depends on the key alone. The keys are
// spread over bins that are encoded for themselves, so that one fits the processor's cache.
//
// A key is a uniform digest. The OKVS uses its bytes [16, 32) only, and only needs them to be uniform and distinct.
// Cells that no key needs are zero, so cells tell how the keys lie: an encoding must be masked before it is sent.
//
// Addresses depend on keys and so on the elements, as psi.md 8.1 allows: they are uniform to whoever cannot compute the
// digests. Nothing but data depends on the values.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/secret_array.h"
#include "psi/okvs/detail/triangulation.h"
#include "psi/okvs/shape.h"

namespace parley::psi::okvs {

/// The bin that a key belongs to.
std::uint32_t bin_of(const Shape& shape, const Digest& key);

/// Memory for encode_bin, kept from one bin to the next and wiped at the end; one for each thread.
class Workspace {
 public:
  Workspace() = default;

 private:
  friend class BinEncoder;
  crypto::SecretArray<detail::Columns> rows_;
  detail::Triangulation triangulation_;
  crypto::SecretBlocks sums_;
};

/// Solves one bin: afterwards each key decodes to its value.
///
/// @param keys    those of one bin, distinct; their order matters to the cells, but not to what they decode to
/// @param values  of the keys, in their order
/// @param cells   shape.cells_per_bin() of them, all overwritten; of no meaning after an error
/// @error Errc::limit     the keys have no encoding in this shape (there are more than bin_capacity, or the system has
///                        no solution): keys from another salt will have one
/// @error Errc::internal  a key stands there twice, with whatever values; no salt helps
/// Source: Raghuraman and Rindal 2022, section 4.
Status encode_bin(const Shape& shape, std::span<const Digest> keys, std::span<const crypto::Block> values,
                  std::span<crypto::Block> cells, Workspace& workspace);

/// values[i] = the sum of the cells of keys[i]: linear in the cells, and for encoded cells and a key that was not
/// encoded, unrelated to any value. Precondition: cells.size() is shape.cells_per_bin(), keys.size() is values.size().
void decode_bin(const Shape& shape, std::span<const Digest> keys, std::span<const crypto::Block> cells,
                std::span<crypto::Block> values);

}  // namespace parley::psi::okvs
