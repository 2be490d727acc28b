#include "session/received_list.h"

#include "crypto/hash.h"

namespace parley::session {
namespace {

constexpr std::string_view kReceivedDomain{"parley/reveal/received/v1\0", 26};

std::size_t bit_of(std::size_t match, std::size_t field) {
  return match * kFieldsByValue.size() + value_rank(field);
}

}  // namespace

Result<ReceivedList> ReceivedList::read(std::size_t matches, Bytes bytes) {
  ReceivedList list(matches);
  const std::size_t bits = matches * kFieldsByValue.size();
  if (bytes.size() != list.bits_.size() || (bits % 8 != 0 && std::to_integer<unsigned>(bytes.back()) >> bits % 8 != 0))
    return fail(Errc::protocol, "The list of what the other side has received is not one of this session's matches.");
  list.bits_ = std::move(bytes);
  return list;
}

void ReceivedList::add(std::size_t match, std::size_t field) {
  const std::size_t bit = bit_of(match, field);
  bits_[bit / 8] |= static_cast<std::byte>(1U << bit % 8);
}

bool ReceivedList::has(std::size_t match, std::size_t field) const {
  const std::size_t bit = bit_of(match, field);
  return (std::to_integer<unsigned>(bits_[bit / 8]) >> bit % 8 & 1) != 0;
}

Digest ReceivedList::hash(const Digest& label) const {
  crypto::Sha256 hash;
  hash.update(as_bytes(kReceivedDomain));
  hash.update(label);
  hash.update(bits_);
  return hash.finish();
}

}  // namespace parley::session
