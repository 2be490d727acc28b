// What an owner and a helper say to each other, each message a frame of its own (docs/wire-format.md, "Admission").
// Owner: Request. Helper: a step that names its count, then Answer; or Refusal. Owner: Challenge. Helper: Proof; or
// Refusal.
#pragma once

#include <variant>
#include <vector>

#include "indicator/indicator.h"
#include "psi/admission/admission.h"

namespace parley::admission {

struct Request {
  Digest epoch{};
  indicator::Type type = indicator::Type::ipv4;
  Bytes blinded;  ///< 1 to kMostInBatch elements
  bool operator==(const Request&) const = default;
};

struct Answer {
  Digest batch{};
  Bytes evaluated;
  bool operator==(const Answer&) const = default;
};

struct Challenge {
  Digest batch{};
  std::vector<std::uint32_t> sample;  ///< 1 to kSampleCount; whether it is one of the batch is not looked at here
  bool operator==(const Challenge&) const = default;
};

struct Proof {
  Digest batch{};
  psi::oprf::Proof proof{};
  bool operator==(const Proof&) const = default;
};

/// Why a helper does not help. Which of its own rules it was it does not say.
enum class Reason : std::uint8_t {
  cap = 1,     ///< the charter's; `used` and `most` say how far it is
  policy = 2,  ///< the helper's own
  epoch = 3,   ///< it is in another one, or in none
  type = 4,    ///< the charter admits this type without tags
  busy = 5,    ///< enough batches of this owner for a day, or this one was answered too often
  sample = 6,  ///< another sample of the batch was asked for before; in the place of a proof
};
struct Refusal {
  Digest batch{};
  Reason reason = Reason::policy;
  std::uint64_t used = 0;  ///< admissions of this type in this epoch
  std::uint64_t most = 0;
  bool operator==(const Refusal&) const = default;
};

using Message = std::variant<Request, Answer, Challenge, Proof, Refusal>;

Bytes write_message(const Message& message);
/// Sizes are checked before memory is taken. @error Errc::protocol
Result<Message> read_message(ByteView payload);

}  // namespace parley::admission
