// What the logs of two members say about the sessions that they held with each other, as far as the ledger counts it
// (log.md 2.4, 3.2). Whoever reads the logs makes these events of their entries; what they mean is for ledger.h.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/clock.h"
#include "indicator/indicator.h"

namespace parley::ledger {

using SessionId = ByteArray<16>;

/// Types of indicators that one question is about.
class TypeSet {
 public:
  void add(indicator::Type type) { bits_ |= bit(type); }
  bool contains(indicator::Type type) const { return (bits_ & bit(type)) != 0; }
  bool empty() const { return bits_ == 0; }
  bool operator==(const TypeSet&) const = default;

 private:
  static std::uint32_t bit(indicator::Type type) { return std::uint32_t{1} << static_cast<unsigned>(type); }
  std::uint32_t bits_ = 0;
};

/// Fields of a context record by number, one bit each.
using FieldSet = std::uint32_t;
inline constexpr std::size_t kMostFields = 32;

/// The question, by its asker. `entered` is a padded size, here and below.
struct Proposed {
  TypeSet types = {};
  bool asker_learns = true, responder_learns = true;
  bool asker_receives = false;  ///< by the protocol: the receiver is who could test more than it enters
  std::uint64_t entered = 0;
};
struct Accepted {
  std::uint64_t entered = 0;
  std::uint16_t suite = 0;  ///< of the protocol that runs
};
struct Refused {};
/// The author is about to compute: written before a byte that can disclose leaves it.
struct Ran {
  std::uint64_t entered = 0;
};
struct Resulted {
  bool learned = false;
  std::int64_t count = -1;  ///< what both learned; -1 where not both did
  Digest root = {}, transcript = {};
  bool operator==(const Resulted&) const = default;
};
struct Closed {
  bool agreed = false;  ///< the author holds the same result as the other side
};
struct Aborted {
  bool other_failed = false;  ///< by the author: the other side left, refused, or broke the protocol
};
/// A consent of ours to a reveal, which the other side's offer may answer. Theirs does nothing to the ledger.
struct RevealConsented {
  Digest entry = {};  ///< leaf hash
};
struct RevealOffered {
  FieldSet fields = 0;
  std::uint64_t openings = 0;  ///< on how many matches
  std::int64_t values = -1;    ///< fields in all; -1: not said
  bool unknown = false;        ///< its body is not here: it may be any of `fields` of every match
  bool was_unknown = false;    ///< it was told of without its body before
  std::uint64_t place = 0;     ///< of the entry in its author's log
  /// Leaf hashes of the entry and of the step that it answers: a consent, or the offer of who calls; zero: not said.
  Digest entry = {}, answers = {};
};
struct RevealClosed {
  std::uint64_t received = 0;         ///< openings of the other side that its author has and has checked
  std::int64_t received_fields = -1;  ///< fields of them; -1: not said
  bool other_stopped = false;         ///< it ended in the middle, by the other side's doing
  std::uint64_t kept_back = 0;        ///< fields that its author had offered and did not send
  /// What was the other side's to open and did not come: fields, and matches that it had signed and did not show.
  std::uint64_t missing = 0;
  std::int64_t opened = -1;  ///< fields that its author sent; -1: not said
  bool broken_off = false;   ///< it ended in the middle, by whosever doing
  bool unreadable = false;   ///< there is one, and nobody can tell what it says
  std::uint64_t place = 0;   ///< of the entry in its author's log: ours ends our offer before it
  Digest answers = {};       ///< leaf hash of the other side's offer that it ends; zero: not said
};

/// What is known, and what it is at most.
struct Range {
  std::int64_t known = 0, worst = 0;
  bool operator==(const Range&) const = default;
};

/// What a session amounts to for both, by the ledger of its author.
struct Settled {
  std::uint64_t asker_entered = 0, responder_entered = 0;
  Range asker_matches = {}, responder_matches = {};  ///< that each learned
  bool operator==(const Settled&) const = default;
};

using Fact = std::variant<Proposed, Accepted, Refused, Ran, Resulted, Closed, Aborted, RevealConsented, RevealOffered,
                          RevealClosed, Settled>;

/// One entry of the own log, or of a peer's.
struct Event {
  std::string_view author;  ///< nick
  std::string_view peer;    ///< of an own entry: to whom alone it went; of a peer's: its author
  SessionId session{};
  UnixSeconds time = 0;  ///< as the entry states it; that of a peer is its claim
  Fact fact;
};

}  // namespace parley::ledger
