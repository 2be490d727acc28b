// How the cells of the fast protocol's encoding fall to the instances of its VOLE: whole bins, the same number to each
// instance but the last. A function of the receiver's count alone.
#pragma once

#include <algorithm>

#include "psi/okvs/shape.h"
#include "psi/vole/sizes.h"

namespace parley::psi {

struct Layout {
  /// @param count  of the receiver's elements, at most kMaxElements.
  explicit Layout(std::size_t count) : Layout(okvs::shape_for(count), vole::kMostOutputs) {}
  /// For tests, which want several bins and instances at small sizes. Precondition: a bin has at most `most_outputs`
  /// cells, and those are at most vole::kMostOutputs.
  Layout(const okvs::Shape& encoding, std::size_t most_outputs) : shape(encoding) {
    const std::size_t most = most_outputs / shape.cells_per_bin();
    instances = (shape.bins + most - 1) / most;
    bins_an_instance = (shape.bins + instances - 1) / instances;
    instances = (shape.bins + bins_an_instance - 1) / bins_an_instance;
  }
  std::size_t first_bin(std::size_t instance) const { return instance * bins_an_instance; }
  std::size_t end_bin(std::size_t instance) const {
    return std::min<std::size_t>(shape.bins, (instance + 1) * bins_an_instance);
  }
  vole::Plan plan() const { return {vole::sizes_for(bins_an_instance * shape.cells_per_bin()), instances}; }
  std::size_t bin_bytes() const { return shape.cells_per_bin() * crypto::kBlockBytes; }

  okvs::Shape shape;
  std::size_t instances;
  std::size_t bins_an_instance;
};

}  // namespace parley::psi
