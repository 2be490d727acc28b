// Result key, tags and root.
#include "session/result_root.h"

#include <algorithm>

#include "crypto/hash.h"

namespace parley::session {
namespace {

constexpr std::string_view kCommitDomain{"parley/rkc/v1\0", 14};
constexpr std::string_view kKeyDomain{"parley/rk/v1\0", 13};
constexpr std::string_view kTagDomain{"parley/tag/v1\0", 14};

// type || 0 || value
Bytes name_bytes(const indicator::Canonical& indicator) {
  Bytes name = to_bytes(indicator::name_of(indicator.type()));
  append_be<std::uint8_t>(name, 0);
  append(name, as_bytes(indicator.value()));
  return name;
}

}  // namespace

Digest result_key_commitment(ByteView share) {
  crypto::Sha256 hash;
  hash.update(as_bytes(kCommitDomain));
  hash.update(share);
  return hash.finish();
}

Secret<32> result_key(std::string_view session, const ByteArray<32>& asker_nonce, const ByteArray<32>& responder_nonce,
                      const Secret<32>& asker_share, const Secret<32>& responder_share) {
  crypto::Sha256 hash;
  hash.update(as_bytes(kKeyDomain));
  hash.update(as_bytes(session));
  hash.update(asker_nonce);
  hash.update(responder_nonce);
  hash.update(asker_share.expose());
  hash.update(responder_share.expose());
  return Secret<32>(hash.finish());
}

Digest result_item_key(const Secret<32>& key, const indicator::Canonical& indicator) {
  return crypto::hmac_sha256(key.expose(), crypto::sha256(name_bytes(indicator)));
}

namespace {

Digest tag_of(const Digest& item_key, const indicator::Canonical& indicator) {
  crypto::Sha256 tag;
  tag.update(as_bytes(kTagDomain));
  tag.update(item_key);
  tag.update(name_bytes(indicator));
  return tag.finish();
}

}  // namespace

Digest result_leaf(const Digest& item_key, const indicator::Canonical& indicator) {
  return log::leaf_hash(tag_of(item_key, indicator));
}

log::MerkleTree result_tree(const Secret<32>& key, std::span<const indicator::Canonical> matches) {
  std::vector<Digest> tags;
  for (const indicator::Canonical& match : matches) tags.push_back(tag_of(result_item_key(key, match), match));
  std::ranges::sort(tags);
  for (Digest& tag : tags) tag = log::leaf_hash(tag);
  return log::MerkleTree(std::move(tags));
}

Digest empty_result_root() {
  return log::MerkleTree({}).root();
}

}  // namespace parley::session
