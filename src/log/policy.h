// The trust policy of somebody who checks proofs offline (c2sp.org/tlog-policy at 5ba5ee8, which has no version yet;
// log.md 2.5): which logs, which witnesses, and how many of them make a quorum.
#pragma once

#include "log/checkpoint.h"

namespace parley::log {

inline constexpr std::size_t kMaxPolicyBytes = 64 * 1024;
inline constexpr std::size_t kMaxPolicyNames = 64;  ///< of logs, of witnesses, and of groups

struct Policy {
  struct Log {
    VerifierKey key;
    std::string url;  ///< may be empty; nothing here opens it
    bool operator==(const Log&) const = default;
  };
  struct Witness {
    std::string name;
    VerifierKey key;
    std::string url;
    bool operator==(const Witness&) const = default;
  };
  /// Has witnessed what at least `threshold` of its members have.
  struct Group {
    std::string name;
    std::size_t threshold = 0;         ///< 1 to members.size()
    std::vector<std::string> members;  ///< of witnesses and of groups before this one
    bool operator==(const Group&) const = default;
  };

  std::vector<Log> logs;
  std::vector<Witness> witnesses;
  std::vector<Group> groups;
  std::string quorum;  ///< a witness, a group, or "none"

  /// Whether the cosignatures of `witnesses` (positions, any order) make the quorum.
  bool is_quorum(std::span<const std::size_t> witnesses) const;
  bool operator==(const Policy&) const = default;
};

/// Reads a policy with its comments and blanks; every rule of the specification holds afterwards, and no public key
/// stands in it twice. Keys of logs are of the type 0x01, of witnesses 0x04. @error Errc::format with the line,
/// Errc::limit, Errc::key_weak
Result<Policy> parse_policy(std::string_view text);

/// The policy as parse_policy() takes it, thresholds in decimal. Precondition: a policy that keeps the rules.
std::string write_policy(const Policy& policy);

/// A checkpoint that satisfies a policy.
struct TrustedCheckpoint {
  Checkpoint checkpoint;
  std::size_t log = 0;              ///< position in policy.logs
  std::vector<Cosigner> witnesses;  ///< positions in policy.witnesses
};

/// @error Errc::signature if no log of the policy signed it, a signature does not verify or there is no quorum;
/// Errc::format, Errc::limit
Result<TrustedCheckpoint> verify_checkpoint(std::string_view note, const Policy& policy);

}  // namespace parley::log
