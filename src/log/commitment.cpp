// Commitments: one domain label, the salt, then each part with its length in front (log.md 2.3, 3.3, 5.1).
#include "log/commitment.h"

#include "crypto/hash.h"
#include "log/merkle.h"

namespace parley::log {
namespace {

using namespace std::string_view_literals;

class Commitment {
 public:
  Commitment(std::string_view domain, const Salt& salt) {
    hash_.update(as_bytes(domain));
    hash_.update(salt);
  }

  template <typename Length>
  Commitment& part(ByteView bytes) {
    Bytes length;
    append_be<Length>(length, static_cast<Length>(bytes.size()));
    hash_.update(length);
    hash_.update(bytes);
    return *this;
  }

  Digest finish() { return hash_.finish(); }

 private:
  crypto::Sha256 hash_;
};

}  // namespace

Digest item_commitment(const Salt& salt, std::string_view type, ByteView value) {
  return Commitment("parley/item/v1\0"sv, salt).part<std::uint16_t>(as_bytes(type)).part<std::uint32_t>(value).finish();
}

Digest field_commitment(const Salt& salt, std::string_view path, std::string_view json) {
  return Commitment("parley/field/v1\0"sv, salt)
      .part<std::uint16_t>(as_bytes(path))
      .part<std::uint32_t>(as_bytes(json))
      .finish();
}

Digest body_commitment(const Salt& salt, ByteView body) {
  return Commitment("parley/body/v1\0"sv, salt).part<std::uint32_t>(body).finish();
}

Digest input_label(std::string_view session, std::uint8_t side) {
  crypto::Sha256 hash;
  hash.update(as_bytes("parley/input/v1\0"sv));
  hash.update(as_bytes(session));
  hash.update(ByteArray<1>{std::byte{side}});
  return hash.finish();
}

Digest item_leaf(const Digest& label, const Digest& item) {
  Bytes leaf = to_bytes(ByteView(label));
  append(leaf, item);
  return leaf_hash(leaf);
}

Digest context_leaf(const Digest& label, const Digest& item, const Digest& fields_root) {
  Bytes leaf = to_bytes(ByteView(label));
  append(leaf, item);
  append(leaf, fields_root);
  return leaf_hash(leaf);
}

}  // namespace parley::log
