// A set as the fast protocol works on it: the keys of its elements under a salt of this run, grouped by the bins of the
// receiver's encoding (psi.md 2.1, 2.3.3).
#pragma once

#include <vector>

#include "crypto/prefixed_sha256.h"
#include "crypto/secret_array.h"
#include "psi/detail/work.h"
#include "psi/elements.h"
#include "psi/okvs/okvs.h"

namespace parley::psi {

class KeyedSet {
 public:
  /// Hashes all elements and groups their keys. In a bin they stand in the order of the elements, whatever the number
  /// of threads.
  /// @error Errc::cancelled
  static Result<KeyedSet> make(const Elements& elements, const crypto::PrefixedSha256& hash, const okvs::Shape& shape,
                               detail::Work& work);

  std::size_t size() const { return keys_.size(); }
  std::size_t begin_of(std::size_t bin) const { return ends_[bin]; }
  std::size_t size_of(std::size_t bin) const { return ends_[bin + 1] - ends_[bin]; }
  std::span<const Digest> keys_of(std::size_t bin) const { return keys_.expose().subspan(begin_of(bin), size_of(bin)); }
  /// The keys of all bins, one bin after the other, for who wants to put something in their place.
  std::span<Digest> keys_mutable() { return keys_.expose_mutable(); }
  std::span<const Digest> keys() const { return keys_.expose(); }
  /// The index in the elements of the key that stands at `index` of keys().
  std::uint32_t position(std::size_t index) const { return positions_.expose()[index]; }

 private:
  crypto::SecretArray<Digest> keys_;
  crypto::SecretArray<std::uint32_t> positions_;
  std::vector<std::size_t> ends_;  // ends_[b + 1] is the end of bin b
};

}  // namespace parley::psi
