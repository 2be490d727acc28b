// Which protocol serves two sets best on this machine and this line: an estimate of computation, bytes and round trips
// for each.
#pragma once

#include <string>

#include "psi/intersect/protocol.h"

namespace parley::psi {

/// What the line between the two sides is like.
struct Line {
  double round_trip_seconds = 0;
  double bytes_per_second = 0;
};

/// The line of which only the round trip was measured: under a millisecond it is taken for a local network (10^9
/// bit/s), else for a connection of 10^8 bit/s.
Line line_with(double round_trip_seconds);

struct Estimate {
  double seconds = 0;
  double bytes = 0;
};

/// For both sides together, each computing with `threads` threads on processors of its own.
Estimate estimate_classic(std::size_t receiver_count, std::size_t sender_count, const Line& line, std::size_t threads);
Estimate estimate_fast(std::size_t receiver_count, std::size_t sender_count, const Line& line, std::size_t threads);

struct Choice {
  std::unique_ptr<Protocol> protocol;
  Estimate classic, fast;

  /// Why `taken` was taken, for a person: "about 0.9 s and 37 MB; classic would take about 40 s and 84 MB".
  std::string reason_for(const Protocol& taken) const;
};

Choice choose_protocol(std::size_t receiver_count, std::size_t sender_count, const Line& line, std::size_t threads);

/// The suite numbers of all protocols here, ascending.
std::vector<std::uint16_t> known_suites();

/// The protocol of a suite number. @error Errc::unsupported
Result<std::unique_ptr<Protocol>> protocol_of_suite(std::uint16_t suite);

}  // namespace parley::psi
