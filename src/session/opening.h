// One opened match on the wire: a PJ1 object in a BODY frame (docs/wire-format.md).
#pragma once

#include <string>
#include <vector>

#include "session/input.h"

namespace parley::session {

/// The longest opening: all fields at their limits, with room for paths of 2^24 leaves.
inline constexpr std::size_t kMaxOpeningBytes = 256 * 1024;

struct Opening {
  indicator::Canonical indicator;
  std::uint64_t index = 0;
  log::Salt salt{};
  std::vector<Digest> items_path, context_path;
  std::vector<Digest> commitments;  ///< to all fields
  std::vector<OpenedField> fields;  ///< the opened ones, ascending
};

/// Opens `fields` (indices, ascending) of a committed item.
Opening make_opening(const indicator::Canonical& indicator, const ItemOpening& item,
                     const std::vector<std::size_t>& fields);

std::string write_opening(const Opening& opening);
/// @error Errc::format, Errc::limit
Result<Opening> read_opening(std::string_view text);

/// The opened fields as one PJ1 object: what is stored and shown. @error Errc::format
Result<log::Json> opened_context(const Opening& opening);

}  // namespace parley::session
