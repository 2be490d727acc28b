#include "psi/intersect/choice.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/ristretto_batch.h"
#include "psi/detail/tag_list.h"
#include "psi/intersect/layout.h"

namespace parley::psi {
namespace {

// Measured on one core of an AMD EPYC of 2026 with `parley bench psi` (docs/performance.md). They need to be right to
// within a factor of two: at the crossing point both protocols take the same time.
constexpr double kFastSecondsAnElement = 0.35e-6;  // of the larger set, on the side that has more to do
constexpr double kFastSetUpSeconds = 0.02;
constexpr double kFastRounds = 5;
constexpr double kClassicRounds = 2;
constexpr double kClassicBytesOfReceiver = 64;  // an element: blinded and evaluated
constexpr double kClassicBytesOfSender = 16;    // a tag

constexpr double kLocalRoundTripSeconds = 1e-3;
constexpr double kLocalBytesPerSecond = 125e6;
constexpr double kDistantBytesPerSecond = 12.5e6;

/// One multiplication with what belongs to it.
double seconds_a_multiplication() {
  switch (crypto::curve_level()) {
    case crypto::CurveLevel::ifma:
      return 11e-6;
    case crypto::CurveLevel::avx2:
      return 30e-6;
    case crypto::CurveLevel::portable:
      return 60e-6;
  }
  return 60e-6;
}

double on_line(double bytes, double rounds, const Line& line) {
  return bytes / line.bytes_per_second + rounds * line.round_trip_seconds;
}

std::string in_words(const Estimate& estimate) {
  return fmt::format("about {:.2g} s and {:.2g} MB", estimate.seconds, estimate.bytes / 1e6);
}

}  // namespace

Line line_with(double round_trip_seconds) {
  return {round_trip_seconds,
          round_trip_seconds < kLocalRoundTripSeconds ? kLocalBytesPerSecond : kDistantBytesPerSecond};
}

// The receiver blinds while the sender evaluates its own; then the sender evaluates the receiver's, then the receiver
// unblinds.
Estimate estimate_classic(std::size_t receiver_count, std::size_t sender_count, const Line& line, std::size_t threads) {
  const auto receiver = static_cast<double>(receiver_count);
  const auto sender = static_cast<double>(sender_count);
  const double bytes = kClassicBytesOfReceiver * receiver + kClassicBytesOfSender * sender;
  const double multiplications = std::max(receiver, sender) + 2 * receiver;
  return {multiplications * seconds_a_multiplication() / static_cast<double>(threads) +
              on_line(bytes, kClassicRounds, line),
          bytes};
}

Estimate estimate_fast(std::size_t receiver_count, std::size_t sender_count, const Line& line, std::size_t threads) {
  const Layout layout(receiver_count);
  const vole::Plan plan = layout.plan();
  const double bytes = static_cast<double>(layout.shape.cells() * crypto::kBlockBytes) +
                       static_cast<double>(128 * crypto::kBlockBytes * plan.extension_blocks()) +
                       static_cast<double>(plan.instances * plan.sizes.trees_bytes()) +
                       static_cast<double>(detail::TagListShape(sender_count).total_bytes());
  const double elements = static_cast<double>(std::max(receiver_count, sender_count));
  return {kFastSetUpSeconds + elements * kFastSecondsAnElement / static_cast<double>(threads) +
              on_line(bytes, kFastRounds, line),
          bytes};
}

Choice choose_protocol(std::size_t receiver_count, std::size_t sender_count, const Line& line, std::size_t threads) {
  const Estimate classic = estimate_classic(receiver_count, sender_count, line, threads);
  const Estimate fast = estimate_fast(receiver_count, sender_count, line, threads);
  return {classic.seconds <= fast.seconds ? classic_protocol() : fast_protocol(), classic, fast};
}

std::string Choice::reason_for(const Protocol& taken) const {
  const bool is_fast = taken.suite() == fast_protocol()->suite();
  return fmt::format("{}; {} would take {}", in_words(is_fast ? fast : classic), is_fast ? "classic" : "fast",
                     in_words(is_fast ? classic : fast));
}

std::vector<std::uint16_t> known_suites() {
  std::vector<std::uint16_t> suites{classic_protocol()->suite(), fast_protocol()->suite()};
  std::ranges::sort(suites);
  return suites;
}

Result<std::unique_ptr<Protocol>> protocol_of_suite(std::uint16_t suite) {
  for (auto make : {classic_protocol, fast_protocol}) {
    if (auto protocol = make(); protocol->suite() == suite) return protocol;
  }
  return fail(Errc::unsupported, fmt::format("There is no protocol of suite 0x{:04x} here.", suite));
}

}  // namespace parley::psi
