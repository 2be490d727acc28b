// One side's input to a session: the selected indicators, padded, committed to with their context before anything runs
// (log.md 3.3), and what is needed later to open a matched one.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "log/commitment.h"
#include "log/merkle.h"
#include "psi/elements.h"
#include "psi/intersect/protocol.h"
#include "session/context_record.h"
#include "session/element.h"
#include "vault/vault.h"

namespace parley::session {

/// A side's place in a session; padding is tagged with it so that two sides' padding never meets.
enum class Side : std::uint8_t { asker = 0, responder = 1 };

/// How many of our indicators would enter, by type. TLP:RED ones enter too, but their context never leaves.
struct Enters {
  std::map<indicator::Type, std::uint64_t> by_type;
  std::uint64_t count = 0;
  std::uint64_t padded = 0;  ///< what the other side sees: with the places for canaries, and rounded up
  /// Those that would, if they had a tag of the epoch (admission/owner.h).
  std::map<indicator::Type, std::uint64_t> without_tag = {};
};

/// SHA-256("parley/input/v1\0" || session id as its 32 hex digits || u8 side): every leaf of a side's trees begins with
/// it, so that a side that copies the other's roots cannot open them with what the other opens.
Digest input_label(std::string_view session, Side side);

/// @param canary_places  of the question
/// @error Errc::limit when more are selected than one session takes.
Result<Enters> enters(vault::Vault& vault, const vault::Selection& selection, std::uint64_t canary_places);

/// What opens a field of a context record.
struct FieldOpening {
  log::Salt salt;
  std::string json;  ///< PJ1 text of the value
};

/// What opens one committed item.
struct ItemOpening {
  std::uint64_t index = 0;  ///< in both trees
  log::Salt salt;
  std::vector<Digest> items_path;
  std::vector<Digest> context_path;
  std::array<FieldOpening, kFieldPaths.size()> fields;
};

/// The commitments of one side to its whole input: two trees over the same order, and the secret that all salts come
/// from.
class Commitments {
 public:
  /// @param salt_secret  fresh for each session; whoever holds it and the items can open everything.
  Commitments(const Secret<32>& salt_secret, std::vector<Digest> item_leaves, std::vector<Digest> context_leaves)
      : salt_secret_(salt_secret.clone()), items_(std::move(item_leaves)), context_(std::move(context_leaves)) {}

  const Digest& items_root() const { return items_.root(); }
  const Digest& context_root() const { return context_.root(); }
  std::uint64_t size() const { return items_.size(); }

  /// What opens the item that was `position`th of the input and stands at `index` of the trees.
  ItemOpening opening(std::uint64_t position, std::uint64_t index, const ContextFields& fields) const;

  /// For the vault, between the session and the reveal: salt secret, then both rows of leaves.
  SecretBytes serialize() const;
  /// @error Errc::format
  static Result<Commitments> restore(ByteView serialized);

 private:
  Secret<32> salt_secret_;
  log::MerkleTree items_, context_;
};

/// The root over what `elements` (a whole input, padding included, in its order) commit to, as Input::make has it.
/// Precondition: each is u8 type || u16be length || value, with type 0 for padding or that of an indicator.
Digest items_root_of(const psi::Elements& elements, const Digest& label, const Secret<32>& salt_secret,
                     ThreadPool& pool);
/// Whether `element` is padding of `side`.
bool is_padding(ByteView element, Side side);

class Input {
 public:
  /// Reads the selection, pads it to `enters(selection, canary_places).padded` and commits, under input_label(session,
  /// side).
  /// @param canaries  distinct, at most canary_places; they take the place of padding, so that the size says nothing of
  /// them
  /// @error Errc::limit, Errc::cancelled, and the vault's.
  static Result<Input> make(vault::Vault& vault, const vault::Selection& selection, std::string_view session, Side side,
                            const Secret<32>& salt_secret, ThreadPool& pool, Progress& progress,
                            std::uint64_t canary_places, std::span<const indicator::Canonical> canaries);

  const psi::Elements& elements() const { return elements_; }
  std::uint64_t size() const { return elements_.size(); }
  const Commitments& commitments() const { return *commitments_; }

  /// The indicator at `position` of elements(), or nothing for padding and canaries.
  const vault::Item* item(std::size_t position) const { return position < items_.size() ? &items_[position] : nullptr; }
  /// The canary at `position`, or nothing.
  const indicator::Canonical* canary(std::size_t position) const {
    const std::size_t place = position - items_.size();
    return position >= items_.size() && place < canaries_.size() ? &canaries_[place] : nullptr;
  }
  /// The indicator at `position`, of an item or a canary, or nothing for padding.
  const indicator::Canonical* named(std::size_t position) const {
    return position < items_.size() ? &items_[position].indicator : canary(position);
  }
  const ContextRecord& record(std::size_t position) const { return records_[position]; }
  std::uint64_t tree_index(std::size_t position) const { return tree_index_[position]; }

 private:
  // Those that are not among the items and have what they enter by.
  void take_canaries(std::span<const indicator::Canonical> canaries, const ElementMaker& maker);

  std::vector<vault::Item> items_;
  std::vector<indicator::Canonical> canaries_;
  std::vector<ContextRecord> records_;
  psi::Elements elements_;
  std::vector<std::uint64_t> tree_index_;  // position -> index in the trees
  std::optional<Commitments> commitments_;
};

/// The leaves of one item: label || c_i, and label || c_i || root over the commitments to its fields.
using log::item_leaf;
Digest context_leaf(const Digest& label, const Digest& item, std::span<const Digest> field_commitments);

/// The commitments to all fields of a record, in kFieldPaths' order.
std::array<Digest, kFieldPaths.size()> field_commitments(const std::array<FieldOpening, kFieldPaths.size()>& fields);

}  // namespace parley::session
