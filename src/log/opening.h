// The opening of one item of a session's input, and of some of its context, under what the session's commitment fixed
// (log.md 3.3 and 5.1; docs/wire-format.md, "Commitments" and "The reveal"). It says by itself all that a third party
// needs in order to hold it against the roots that its author signed.
#pragma once

#include <optional>

#include "log/commitment.h"
#include "log/merkle.h"
#include "log/pjson.h"

namespace parley::log {

/// The longest: all fields at their limits, with room for paths of 2^24 leaves.
inline constexpr std::size_t kMaxOpeningBytes = 256 * 1024;

/// A field of the item's context.
struct FieldOpening {
  std::string path;
  std::uint64_t place = 0;  ///< among the commitments
  Salt salt{};
  std::string value;  ///< PJ1
  bool operator==(const FieldOpening&) const = default;
};

struct ItemOpening {
  std::string type, value;  ///< of the indicator
  Salt salt{};
  std::uint8_t side = 0;    ///< of the session: 0 who asked, 1 who answered
  std::uint64_t index = 0;  ///< in both trees
  std::uint64_t size = 0;   ///< of both
  std::vector<Digest> items_path;
  std::vector<Digest> context_path;  ///< empty, as the two below, where nothing but the item is opened
  std::vector<Digest> commitments;   ///< to all fields
  std::vector<FieldOpening> fields;  ///< those that are opened
  bool operator==(const ItemOpening&) const = default;

  /// One PJ1 object.
  std::string text() const;
  /// @error Errc::format, Errc::limit
  static Result<ItemOpening> parse(std::string_view text);

  /// What of it is not what the roots hold, which that side of `session` committed to: a phrase that goes behind
  /// "opened". Nothing if all of it is. The context is looked at where any of it is opened.
  std::optional<std::string> not_under(const Digest& items_root, const Digest& context_root,
                                       std::string_view session) const;
};

/// The tree over what one side offers to open in a reveal (docs/wire-format.md, "The reveal"): the openings in their
/// order as leaves, and a last leaf of 32 random bytes, so that the root says nothing.
class OfferTree {
 public:
  /// @param openings  leaf_hash() of each, since all of them together can be larger than memory
  explicit OfferTree(std::vector<Digest> openings);
  const Digest& root() const { return tree_.root(); }
  std::vector<Digest> path(std::uint64_t index) const { return tree_.inclusion_proof(index); }

 private:
  MerkleTree tree_;
};

/// One opening, and where it stands in the offer.
struct OfferedOpening {
  std::uint64_t index = 0;
  std::vector<Digest> path;
  std::string text;
  bool operator==(const OfferedOpening&) const = default;

  /// Whether the offer of `count` openings under `root` has it.
  bool is_in(const Digest& root, std::uint64_t count) const;
};

}  // namespace parley::log
