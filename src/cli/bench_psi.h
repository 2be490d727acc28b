// Measures a whole intersection as it runs in a session: two processes, TLS on loopback, random items.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "cli/bench_line.h"
#include "cli/json.h"

namespace parley::cli {

struct BenchPlan {
  std::uint64_t items = 0;  ///< a side; a quarter of them shared
  std::string protocol = "classic";
  std::size_t threads = 1;       ///< of each party
  std::optional<SlowLine> line;  ///< between them; loopback as it is without one
};

/// Runs both parties as processes of their own and checks the result. @error Errc::io, Errc::internal
Result<OrderedJson> measure_psi(const BenchPlan& plan);

/// One party: reads its orders from standard input, writes its figures to standard output. @return the exit code
int bench_party();

/// The hidden command that starts a party.
inline constexpr std::string_view kBenchPartyCommand = "bench-party";

}  // namespace parley::cli
