#include "log/frontier.h"

#include <bit>

namespace parley::log {

Digest Frontier::root() const {
  if (subtrees_.empty()) return empty_root();
  Digest root = subtrees_.back();
  for (std::size_t i = subtrees_.size() - 1; i-- > 0;) root = node_hash(subtrees_[i], root);
  return root;
}

Bytes Frontier::serialise() const {
  Bytes out;
  append_be(out, size_);
  for (const Digest& subtree : subtrees_) parley::append(out, subtree);
  return out;
}

Result<Frontier> Frontier::parse(ByteView bytes) {
  const auto refuse = [] { return fail(Errc::format, "Not the edge of a tree: its length does not fit its size."); };
  if (bytes.size() < sizeof(std::uint64_t)) return refuse();
  Frontier frontier;
  frontier.size_ = read_be<std::uint64_t>(bytes);
  bytes = bytes.subspan(sizeof(std::uint64_t));
  if (frontier.size_ > kMaxTreeSize) return refuse();
  const auto count = static_cast<std::size_t>(std::popcount(frontier.size_));
  if (bytes.size() != count * sizeof(Digest)) return refuse();
  frontier.subtrees_.resize(count);
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(frontier.subtrees_[i].data(), &bytes[i * sizeof(Digest)], sizeof(Digest));
  return frontier;
}

Result<Frontier> Frontier::read(HashReader& hashes, std::uint64_t size) {
  Frontier frontier;
  if (size == 0) return frontier;
  TRY(frontier.subtrees_, hashes.read(subtrees_of(size)));
  frontier.size_ = size;
  return frontier;
}

}  // namespace parley::log
