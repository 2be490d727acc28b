// Admission as the vault keeps it (psi.md 6.6): tags of indicators and batches on their way to them, each of one epoch
// of one group; and what the logs of the group say of keys and counts, so that no log is read twice. The logs stay the
// only source of the latter: a vault that forgets it reads them again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/secret.h"
#include "indicator/indicator.h"

namespace parley::vault {

using AdmissionTag = ByteArray<32>;

/// Of the types that need one only what has a tag of this epoch.
struct TaggedOnly {
  Digest epoch{};  ///< zeros: there is none, and nothing of these types
  std::vector<indicator::Type> types;
  bool operator==(const TaggedOnly&) const = default;
};

/// A member's key for a type in an epoch, as its log says it first.
struct AdmissionKey {
  std::string nick;
  std::string epoch;  ///< by its name
  indicator::Type type = indicator::Type::ipv4;
  std::string members;  ///< nicks that it is for, by admission/'s rules
  ByteArray<32> key{};
};

/// A batch that a helper has counted in its log, or, if it is our own count, is about to.
struct AdmissionCount {
  std::string helper, owner;  ///< nicks
  indicator::Type type = indicator::Type::ipv4;
  Digest epoch{};
  Digest batch{}, answers{};
  std::int64_t count = 0;
  Digest entry{};  ///< leaf hash; zeros, as `answers` are, until the log has it
  UnixSeconds time = 0;

  bool is_logged() const { return entry != Digest{}; }
};

/// How many of a type a helper has counted for an owner in an epoch.
struct AdmissionTotal {
  std::string helper, owner;
  indicator::Type type = indicator::Type::ipv4;
  std::int64_t count = 0;
};

/// Indicators on their way to their tags, with the members that have answered.
struct AdmissionBatch {
  std::int64_t number = 0;
  Digest epoch{};
  indicator::Type type = indicator::Type::ipv4;
  std::uint64_t count = 0;
  std::uint64_t canaries = 0;              ///< places of it that are no items
  std::vector<std::string> answered = {};  ///< nicks, ascending
};

/// What an owner fixed of a helper's answers to a batch before it named the sample that is to be proven.
struct AdmissionFixed {
  Digest answers{};  ///< their SHA-256
  std::vector<std::uint32_t> sample;
};

/// Canaries of one type that are to be admitted with as many random values as hide how many they are.
struct AdmissionDecoys {
  indicator::Type type = indicator::Type::ipv4;
  std::vector<indicator::Canonical> canaries;
  std::int64_t count = 0;  ///< so many new ones in all
};

/// What a batch is made of.
struct AdmissionInput {
  Secret<32> seed;
  Bytes blinded;
  std::vector<std::pair<std::int64_t, indicator::Canonical>> items;  ///< ids and indicators, in order; below 0: no item
};

/// How it stands with one helper.
struct AdmissionHelper {
  std::string nick;
  UnixSeconds reached = 0;         ///< when it last answered; 0: never
  UnixSeconds away_since = 0;      ///< 0: it is there
  std::string trouble = {};        ///< a sentence; empty: none
  std::int64_t bad_answers = 0;    ///< how often it gave some
  UnixSeconds bad_answers_at = 0;  ///< the last one
  std::string bad_answers_why = {};
};

}  // namespace parley::vault
