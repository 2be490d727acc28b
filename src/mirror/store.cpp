// What a store that knows of single rows only gives of many, and what its rows are worth.
#include "mirror/store.h"

namespace parley::mirror {

Result<std::vector<std::optional<Digest>>> Store::completed(std::string_view origin, std::uint64_t from,
                                                            std::uint64_t count) {
  std::vector<std::optional<Digest>> hashes;
  for (std::uint64_t seq = from; seq < from + count; ++seq) {
    log::TreeNode node{0, seq};
    for (bool more = true; more; node = {static_cast<std::uint8_t>(node.level + 1), node.index >> 1}) {
      const auto read = nodes(origin, std::vector<log::TreeNode>{node});
      hashes.push_back(read ? std::optional(read->front()) : std::nullopt);
      more = (node.index & 1) == 1;
    }
  }
  return hashes;
}

Result<std::vector<vault::LogCheckpoint>> Store::checkpoints(std::string_view origin, std::uint64_t from,
                                                             std::uint64_t count) {
  std::vector<vault::LogCheckpoint> all;
  for (std::uint64_t size = from; size < from + count; ++size) {
    TRY(std::optional<vault::LogCheckpoint> one, checkpoint(origin, size));
    if (one) all.push_back(std::move(*one));
  }
  return all;
}

Result<std::vector<vault::LogCosignature>> Store::all_cosignatures(std::string_view origin, std::uint64_t from,
                                                                   std::uint64_t count) {
  std::vector<vault::LogCosignature> all;
  for (std::uint64_t size = from; size < from + count; ++size) {
    TRY(std::vector<vault::LogCosignature> some, cosignatures(origin, size));
    all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  }
  return all;
}

Result<std::optional<log::Body>> stored_body(Store& store, const Digest& leaf, const Digest& commitment) {
  TRY(const auto row, store.entry_body(leaf));
  if (!row) return std::nullopt;
  log::Body body{row->salt, std::string(as_text(row->content))};
  if (body.commitment() != commitment) return std::nullopt;
  return body;
}

}  // namespace parley::mirror
