// Names of a session's sealed secrets in the vault, and where a matched indicator stands in its commitments.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/error.h"

namespace parley::session {

inline std::string salts_name(const std::string& session) {
  return "session/" + session + "/salts";
}
inline std::string seed_name(const std::string& session) {
  return "session/" + session + "/seed";
}
inline std::string hits_name(const std::string& session) {
  return "session/" + session + "/canaries";
}
inline std::string commitments_name(const std::string& session) {
  return "session/" + session + "/commitments";
}
/// The key of the record of its run (audit_keeping.h).
inline std::string audit_name(const std::string& session) {
  return "session/" + session + "/audit";
}

/// Kept as SessionMatch::commitment.
struct CommittedPlace {
  std::uint64_t position = 0;  ///< in the session's input
  std::uint64_t index = 0;     ///< in its trees

  Bytes to_bytes() const {
    Bytes bytes;
    append_be(bytes, position);
    append_be(bytes, index);
    return bytes;
  }
  static Result<CommittedPlace> from_bytes(ByteView bytes) {
    if (bytes.size() != 2 * sizeof(std::uint64_t)) return fail(Errc::format, "A stored match is not whole.");
    return CommittedPlace{read_be<std::uint64_t>(bytes), read_be<std::uint64_t>(bytes.subspan(sizeof(std::uint64_t)))};
  }
};

}  // namespace parley::session
