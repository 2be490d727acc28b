#include "psi/detail/distinct.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/drbg.h"
#include "crypto/hash.h"
#include "psi/detail/records.h"
#include "psi/limits.h"

namespace parley::psi::detail {
namespace {

constexpr std::size_t kDigestBytes = 16;

}  // namespace

Status check_sizes(const Parameters& parameters, const Elements& elements) {
  const std::size_t largest = std::max(elements.size(), parameters.peer_count);
  if (largest > kMaxElements) {
    return fail(Errc::limit, fmt::format("A set of {} elements is too large for one run: {} is the most. Ask about "
                                         "fewer types or a shorter time.",
                                         largest, kMaxElements));
  }
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (elements[i].size() > kMaxElementBytes) {
      return fail(Errc::limit,
                  fmt::format("Element {} is {} bytes long; {} is the most.", i, elements[i].size(), kMaxElementBytes));
    }
  }
  return {};
}

Status check_input(const Parameters& parameters, const Elements& elements, const Secret<32>& seed, Work& work) {
  TRY_STATUS(check_sizes(parameters, elements));
  // Sorted by a digest under a key of this run only, so that the order in memory says nothing about the elements.
  const Secret<32> key = crypto::Drbg(seed, parameters.session_id, "distinct").secret<32>(0);
  Bytes digests(elements.size() * kDigestBytes);
  TRY_STATUS(work.over("checking our set", elements.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      crypto::blake2b(MutableByteView(digests).subspan(i * kDigestBytes, kDigestBytes), elements[i], key.expose());
    }
    return std::optional<std::size_t>();
  }));
  const Field field = whole(digests, kDigestBytes);
  const std::vector<std::uint32_t> order = order_of(field);
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (std::ranges::equal(field[order[i - 1]], field[order[i]])) {
      const auto [first, second] = std::minmax(order[i - 1], order[i]);
      return fail(
          Errc::internal,
          fmt::format("Elements {} and {} of our set are the same; a set must hold each element once.", first, second));
    }
  }
  return {};
}

}  // namespace parley::psi::detail
