// The opening of one context field under what a session's commitment fixed (log.md 3.3 and 5.1; docs/wire-format.md,
// "Commitments"): the body of a reveal.open entry.
#pragma once

#include "log/commitment.h"
#include "log/merkle.h"
#include "log/pjson.h"

namespace parley::log {

/// Where a leaf hash stands in a tree, without the tree's root.
struct Place {
  std::uint64_t index = 0;
  std::uint64_t size = 0;
  std::vector<Digest> path;
  bool operator==(const Place&) const = default;
};

struct FieldOpening {
  std::uint8_t side = 0;  ///< of the session, as the author says: 0 who asked, 1 who answered
  std::string path;       ///< of the field
  std::string value;      ///< PJ1
  Salt salt{};
  Digest item{};    ///< item_commitment() of the item whose context this is
  Place field;      ///< of the field's commitment in the item's context tree
  Place context;    ///< of label || item || root of that tree in the tree under ctx_root
  std::string tag;  ///< names the matched item to both sides
  bool operator==(const FieldOpening&) const = default;

  Json to_json() const;
  /// @error Errc::format
  static Result<FieldOpening> from_json(const Json& body);

  /// Whether this is what the tree under `context_root` holds, which that side of `session` committed to.
  bool is_under(const Digest& context_root, std::string_view session) const;
};

}  // namespace parley::log
