// Which fields one side of a session has received from the other, of what both see as common: a bit each. What the
// other side has is not opened to it again, and nobody has to agree on what was opened before (docs/wire-format.md,
// "The reveal").
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "session/consent.h"

namespace parley::session {

class ReceivedList {
 public:
  /// Of nothing yet. @param matches  common indicators, canaries among them
  explicit ReceivedList(std::size_t matches) : bits_(bytes_for(matches)) {}
  /// As it came from the other side. @error Errc::protocol unless it is one of so many matches
  static Result<ReceivedList> read(std::size_t matches, Bytes bytes);
  static constexpr std::size_t bytes_for(std::size_t matches) { return (matches * kFieldsByValue.size() + 7) / 8; }

  /// @param match  its place among the common indicators, which ascend by type and value
  /// @param field  in kFieldPaths. Precondition: it is no mark
  void add(std::size_t match, std::size_t field);
  bool has(std::size_t match, std::size_t field) const;

  ByteView bytes() const { return bits_; }
  /// What its author signs of it: SHA-256("parley/reveal/received/v1\0" || label || bytes).
  Digest hash(const Digest& label) const;

 private:
  Bytes bits_;
};

}  // namespace parley::session
