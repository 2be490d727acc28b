#include "evidence/chunk_tree.h"

#include <algorithm>

namespace parley::evidence {
namespace {

constexpr ByteArray<1> kLeafPrefix{std::byte{0}};  // RFC 6962 2.1

}  // namespace

crypto::Sha256 FileHasher::beginning_of_leaf() {
  crypto::Sha256 hash;
  hash.update(kLeafPrefix);
  return hash;
}

void FileHasher::update(ByteView content) {
  whole_.update(content);
  size_ += content.size();
  while (!content.empty()) {
    const ByteView some = content.first(std::min(content.size(), kTreeChunkBytes - in_chunk_));
    chunk_.update(some);
    in_chunk_ += some.size();
    content = content.subspan(some.size());
    if (in_chunk_ == kTreeChunkBytes) end_chunk();
  }
}

void FileHasher::end_chunk() {
  tree_.append(chunk_.finish());
  chunk_ = beginning_of_leaf();
  in_chunk_ = 0;
}

FileHashes FileHasher::finish() {
  if (in_chunk_ > 0) end_chunk();
  return {size_, whole_.finish(), tree_.root()};
}

}  // namespace parley::evidence
