// The one interface of all intersection protocols: sets of byte strings in, positions out.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/secret.h"
#include "base/thread_pool.h"
#include "psi/channel.h"
#include "psi/elements.h"

namespace parley::psi {

/// Which party learns. The receiver blinds its elements, the sender holds the key.
enum class Role : std::uint8_t { receiver, sender };

/// What the sender gets back at the end (psi.md 1.2, message 5).
enum class Reply : std::uint8_t {
  none,          ///< only the receiver learns
  matched_tags,  ///< the receiver proves each match by its second tag: both learn the same set
  count,         ///< the receiver says how many (its word; psi.md 3.2, protocol 3B)
};

struct Parameters {
  Role role = Role::receiver;
  Reply reply = Reply::none;
  Digest session_id;           ///< sid of psi.md 0.3; both sides hold the same
  std::size_t peer_count = 0;  ///< number of the peer's elements, padding included; fixed before the run
};

struct Match {
  std::size_t position;    ///< index into our elements
  Secret<32> context_key;  ///< ctxkey(x) of psi.md 3.1
};

struct Outcome {
  std::vector<Match> matches;  ///< ascending by position; empty where this side does not learn which
  std::size_t count = 0;       ///< what this side learned of the size of the intersection
  bool learned_count = false;
  Digest transcript;  ///< T_final of psi.md 0.3.3, equal on both sides
};

class Protocol {
 public:
  virtual ~Protocol() = default;

  /// Stable name, e.g. "classic" (suite 0x0010 of psi.md 8.3).
  virtual std::string_view name() const = 0;
  virtual std::uint16_t suite() const = 0;
  /// The LPN code and noise weight that it relies on, or "none".
  virtual std::string_view code() const = 0;

  /// How many elements a malicious receiver that enters `count` can test at most, with 2^64 hashes (psi.md 1.3, 2.5).
  virtual std::size_t receiver_tests(std::size_t count) const = 0;
  /// Sets of a receiver that are smaller are not for this protocol: too many could be tested with them. run() takes
  /// them, so that it can be measured; who agrees on a protocol sees to it (session::settle).
  virtual std::size_t fewest_received() const = 0;

  /// Runs one side over `channel`, straight through.
  ///
  /// @param elements  our set, padding included: distinct byte strings of at most 4,100 bytes (psi.md 0.2).
  /// @param seed      seed of all randomness of this run (psi.md 0.3.6); never used twice.
  /// @error Errc::protocol when the peer deviates, Errc::peer_gone, Errc::cancelled. Nothing is output then.
  virtual Result<Outcome> run(const Parameters& parameters, const Elements& elements, const Secret<32>& seed,
                              Channel& channel, ThreadPool& pool, Progress& progress) const = 0;
};

/// OPRF-PSI over ristretto255 (psi.md section 1; RFC 9497 mode 0x00; Jarecki, Kiayias, Krawczyk 2014).
std::unique_ptr<Protocol> classic_protocol();

/// VOLE-PSI (psi.md section 2; Raghuraman and Rindal 2022).
std::unique_ptr<Protocol> fast_protocol();

/// @error Errc::unsupported
Result<std::unique_ptr<Protocol>> protocol_named(std::string_view name);

}  // namespace parley::psi
