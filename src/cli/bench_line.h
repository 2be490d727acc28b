// A slow line for measurements: a relay between the two parties that holds every byte back by half of a round trip and
// passes on no more than so many bits a second in each direction. It needs no rights and no kernel modules.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"

namespace parley::cli {

struct SlowLine {
  double megabits_per_second = 0;  ///< of payload, each direction
  double round_trip_ms = 0;
};

class Relay {
 public:
  /// Listens on loopback for one connection and carries it on to `target`.
  static Result<std::unique_ptr<Relay>> start(const SlowLine& line, const std::string& target);
  virtual ~Relay() = default;
  virtual const std::string& address() const = 0;
};

}  // namespace parley::cli
