// One opened match: on the wire a PJ1 object in an OPENING frame (docs/wire-format.md, "The reveal").
#pragma once

#include <string>
#include <vector>

#include "log/opening.h"
#include "session/input.h"

namespace parley::session {

/// The longest opening: all fields at their limits, with room for paths of 2^24 leaves.
inline constexpr std::size_t kMaxOpeningBytes = log::kMaxOpeningBytes;

struct OpenedField {
  std::size_t field = 0;
  FieldOpening opening;
};

/// log::ItemOpening with an indicator of a known type and fields of kFieldPaths.
struct Opening {
  indicator::Canonical indicator;
  Side side = Side::asker;  ///< who opens
  std::uint64_t index = 0;
  std::uint64_t size = 0;  ///< of its input
  log::Salt salt{};
  std::vector<Digest> items_path, context_path = {};
  std::vector<Digest> commitments = {};  ///< to all fields
  std::vector<OpenedField> fields = {};  ///< the opened ones, ascending
};

/// Opens `fields` (indices, ascending) of a committed item of `side`, whose input has `size` elements; without any,
/// that the item was in it and nothing else.
Opening make_opening(const indicator::Canonical& indicator, const ItemOpening& item, Side side, std::uint64_t size,
                     const std::vector<std::size_t>& fields);

std::string write_opening(const Opening& opening);
/// @error Errc::format, Errc::limit
Result<Opening> read_opening(std::string_view text);

/// Checks an opening against the roots that its owner committed to: that the item is the committed one at that index
/// and that the opened fields are the committed ones of that item.
/// @error Errc::protocol saying which of it is not what was committed to
Status check_opening(const Opening& opening, std::string_view session, const Digest& items_root,
                     const Digest& context_root);

/// The opened fields as one PJ1 object: what is stored and shown. @error Errc::format
Result<log::Json> opened_context(const Opening& opening);

/// An opening of a field as it travels: where it stands in the offer, u8 number of hashes || those, then the opening.
Bytes write_offered(const log::OfferedOpening& opening);
/// @param index  which one is due. @error Errc::format, Errc::limit
Result<log::OfferedOpening> read_offered(ByteView payload, std::uint64_t index);

}  // namespace parley::session
