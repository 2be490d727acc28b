// Selection, padding and commitment of a session's input.
#include "session/input.h"

#include <sodium.h>

#include <algorithm>
#include <numeric>

#include "base/random.h"
#include "session/padding.h"

namespace parley::session {
namespace {

constexpr std::size_t kPadRandomBytes = 32;
constexpr std::string_view kPadType = "pad";
constexpr std::uint8_t kItemSalt = 0xff;  // field salts use the field's index
constexpr std::size_t kChunk = 256;       // items a thread takes at a time

// psi.md 6.4: u8(0) || u16be(36) || "pad" || side || 32 random bytes. Type 0 is no indicator's.
Bytes pad_head(Side side) {
  Bytes head;
  append_be<std::uint8_t>(head, 0);
  append_be<std::uint16_t>(head, kPadType.size() + 1 + kPadRandomBytes);
  append(head, as_bytes(kPadType));
  append_be<std::uint8_t>(head, static_cast<std::uint8_t>(side));
  return head;
}
Bytes pad_element(Side side) {
  Bytes element = pad_head(side);
  append(element, random_bytes<kPadRandomBytes>());
  return element;
}

// Salt of item `position` (use kItemSalt) or of one of its fields.
log::Salt salt_of(const Secret<32>& secret, std::uint64_t position, std::uint8_t use) {
  Bytes message;
  append_be<std::uint64_t>(message, position);
  append_be<std::uint8_t>(message, use);
  log::Salt salt;
  crypto_generichash(as_uchar_mutable(salt), salt.size(), as_uchar(message), message.size(), as_uchar(secret.expose()),
                     Secret<32>::kSize);
  return salt;
}

std::array<FieldOpening, kFieldPaths.size()> openings_of(const ContextFields& fields, const Secret<32>& secret,
                                                         std::uint64_t position) {
  std::array<FieldOpening, kFieldPaths.size()> openings;
  for (std::size_t i = 0; i < fields.size(); ++i)
    openings[i] = {salt_of(secret, position, static_cast<std::uint8_t>(i)), log::write_pjson(fields[i])};
  return openings;
}

/// How many of the types that need a tag would enter if they had one.
Result<std::map<indicator::Type, std::uint64_t>> without_tag(vault::Vault& vault, const vault::Selection& selection,
                                                             const std::map<indicator::Type, std::uint64_t>& entering) {
  std::map<indicator::Type, std::uint64_t> lacking;
  if (!selection.admission) return lacking;
  vault::Selection all = selection;
  all.admission.reset();
  all.types = selection.admission->types;
  TRY(const auto held, vault.count(all));
  for (const auto& [type, count] : held) {
    const auto enter = entering.find(type);
    const std::uint64_t tagged = enter == entering.end() ? 0 : enter->second;
    if (count > tagged) lacking[type] = count - tagged;
  }
  return lacking;
}

}  // namespace

Digest input_label(std::string_view session, Side side) {
  return log::input_label(session, static_cast<std::uint8_t>(side));
}

Digest context_leaf(const Digest& label, const Digest& item, std::span<const Digest> field_commitments) {
  std::vector<Digest> fields;
  for (const Digest& commitment : field_commitments) fields.push_back(log::leaf_hash(commitment));
  return log::context_leaf(label, item, log::MerkleTree(std::move(fields)).root());
}

Result<Enters> enters(vault::Vault& vault, const vault::Selection& selection, std::uint64_t canary_places) {
  Enters enters;
  TRY(enters.by_type, vault.count(selection));
  for (const auto& [type, count] : enters.by_type) enters.count += count;
  if (enters.count + canary_places > kLargestPadded)
    return fail(Errc::limit,
                "The selection has " + std::to_string(enters.count) + " indicators, and one session takes at most " +
                    std::to_string(kLargestPadded - canary_places) + ". Narrow it by --types, --label or --since.");
  enters.padded = padded_size(enters.count + canary_places);
  TRY(enters.without_tag, without_tag(vault, selection, enters.by_type));
  return enters;
}

std::array<Digest, kFieldPaths.size()> field_commitments(const std::array<FieldOpening, kFieldPaths.size()>& fields) {
  std::array<Digest, kFieldPaths.size()> commitments;
  for (std::size_t i = 0; i < fields.size(); ++i)
    commitments[i] = log::field_commitment(fields[i].salt, kFieldPaths[i], fields[i].json);
  return commitments;
}

ItemOpening Commitments::opening(std::uint64_t position, std::uint64_t index, const ContextFields& fields) const {
  return {.index = index,
          .salt = salt_of(salt_secret_, position, kItemSalt),
          .items_path = items_.inclusion_proof(index),
          .context_path = context_.inclusion_proof(index),
          .fields = openings_of(fields, salt_secret_, position)};
}

SecretBytes Commitments::serialize() const {
  SecretBytes serialized(Secret<32>::kSize + 2 * size() * sizeof(Digest));
  auto out = std::ranges::copy(salt_secret_.expose(), serialized.expose_mutable().begin()).out;
  for (const log::MerkleTree* tree : {&items_, &context_})
    for (const Digest& leaf : tree->leaves()) out = std::ranges::copy(leaf, out).out;
  return serialized;
}

Result<Commitments> Commitments::restore(ByteView serialized) {
  constexpr std::size_t kSecret = Secret<32>::kSize;
  if (serialized.size() <= kSecret || (serialized.size() - kSecret) % (2 * sizeof(Digest)) != 0)
    return fail(Errc::format, "The stored commitments of a session are not whole.");
  const std::size_t size = (serialized.size() - kSecret) / (2 * sizeof(Digest));
  std::vector<Digest> rows[2];
  ByteView rest = serialized.subspan(kSecret);
  for (auto& row : rows) {
    row.resize(size);
    for (Digest& leaf : row) {
      std::ranges::copy(rest.first(leaf.size()), leaf.begin());
      rest = rest.subspan(leaf.size());
    }
  }
  return Commitments(Secret<32>(serialized.first<kSecret>()), std::move(rows[0]), std::move(rows[1]));
}

// Items come in ascending order from the vault, and are in `elements_` already. Elements are distinct, and what we hold
// is no canary. Where a type enters by its tags only, nobody is able to match a canary that has none, and it would take
// the place of padding for nothing.
void Input::take_canaries(std::span<const indicator::Canonical> canaries, const ElementMaker& maker) {
  const auto indicator_of = [](const vault::Item& item) -> const indicator::Canonical& { return item.indicator; };
  for (const indicator::Canonical& canary : canaries) {
    if (std::ranges::binary_search(items_, canary, {}, indicator_of)) continue;
    const auto element = maker.element_of(canary);
    if (!element) continue;
    canaries_.push_back(canary);
    elements_.push_back(*element);
  }
}

Result<Input> Input::make(vault::Vault& vault, const vault::Selection& selection, std::string_view session, Side side,
                          const Secret<32>& salt_secret, ThreadPool& pool, Progress& progress,
                          std::uint64_t canary_places, std::span<const indicator::Canonical> canaries) {
  Input input;
  TRY(const Enters sizes, enters(vault, selection, canary_places));
  input.items_.reserve(sizes.count);
  input.records_.reserve(sizes.count);
  progress.phase("reading material", sizes.count);
  TRY_STATUS(vault.for_each_with_contexts(
      selection, [&](const vault::Item& item, std::span<const vault::SourceContext> sources) -> Status {
        if (progress.cancelled()) return fail(Errc::cancelled, "Stopped while reading the material.");
        input.items_.push_back(item);
        input.records_.push_back(context_record(sources));
        if (input.items_.size() % kChunk == 0) progress.advance(input.items_.size());
        return {};
      }));

  // The vault may have grown since the sizes were agreed on; what leaves must be the agreed size.
  const std::uint64_t padded = sizes.padded;
  if (input.items_.size() + canary_places > padded)
    return fail(Errc::cancelled, "The material changed while the session was being prepared. Ask again.");
  input.elements_.reserve(padded, padded * 24);
  TRY(const ElementMaker maker, ElementMaker::make(vault, selection));
  for (const vault::Item& item : input.items_) {
    TRY(const Bytes element, maker.element_of(item));
    input.elements_.push_back(element);
  }
  input.take_canaries(canaries, maker);
  const std::size_t first_pad = input.items_.size() + input.canaries_.size();
  std::vector<Bytes> pads;
  for (std::uint64_t i = first_pad; i < padded; ++i) pads.push_back(pad_element(side));
  for (const Bytes& pad : pads) input.elements_.push_back(pad);

  progress.phase("committing", padded);
  const Digest label = input_label(session, side);
  std::vector<Digest> item_commitments(padded), context_hashes(padded);
  const ContextRecord no_context;
  pool.parallel_for(padded, kChunk, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const bool real = i < input.items_.size();
      const indicator::Canonical* named = input.named(i);
      const std::string_view type = named != nullptr ? indicator::name_of(named->type()) : kPadType;
      const ByteView value = named != nullptr ? as_bytes(named->value()) : ByteView(pads[i - first_pad]);
      item_commitments[i] = log::item_commitment(salt_of(salt_secret, i, kItemSalt), type, value);
      context_hashes[i] =
          context_leaf(label, item_commitments[i],
                       field_commitments(openings_of((real ? input.records_[i] : no_context).fields, salt_secret, i)));
    }
  });
  if (progress.cancelled()) return fail(Errc::cancelled, "Stopped while committing.");

  // Ascending commitments: the order of the leaves says nothing about the items (log.md 3.3).
  std::vector<std::uint64_t> order(padded);
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  std::ranges::sort(order, {}, [&](std::uint64_t i) -> const Digest& { return item_commitments[i]; });
  std::vector<Digest> item_leaves(padded), context_leaves(padded);
  input.tree_index_.resize(padded);
  for (std::uint64_t index = 0; index < padded; ++index) {
    const std::uint64_t position = order[index];
    input.tree_index_[position] = index;
    item_leaves[index] = item_leaf(label, item_commitments[position]);
    context_leaves[index] = context_hashes[position];
  }
  input.commitments_.emplace(salt_secret, std::move(item_leaves), std::move(context_leaves));
  return input;
}

bool is_padding(ByteView element, Side side) {
  Bytes head = pad_head(side);
  return element.size() == head.size() + kPadRandomBytes && std::ranges::equal(element.first(head.size()), head);
}

Digest items_root_of(const psi::Elements& elements, const Digest& label, const Secret<32>& salt_secret,
                     ThreadPool& pool) {
  std::vector<Digest> items(elements.size());
  pool.parallel_for(items.size(), kChunk, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const ByteView element = elements[i];
      const auto type = static_cast<indicator::Type>(element[0]);
      const bool pad = element[0] == std::byte{0};
      items[i] = log::item_commitment(salt_of(salt_secret, i, kItemSalt), pad ? kPadType : indicator::name_of(type),
                                      pad ? element : element.subspan(1 + sizeof(std::uint16_t)));
    }
  });
  std::ranges::sort(items);
  for (Digest& item : items) item = item_leaf(label, item);
  return log::MerkleTree(std::move(items)).root();
}

}  // namespace parley::session
