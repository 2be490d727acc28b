#include "sim/member.h"

#include <algorithm>

#include "base/random.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"

namespace parley::sim {

Member::Member(const std::string& nick, std::string_view base)
    : id(random_secret<32>()), node(random_secret<32>()), log(random_secret<32>()), cosign(random_secret<32>()) {
  tls_key = crypto::public_key_of(random_secret<32>());
  name_keys(nick, base);
}

group::CharterMember Member::in_charter() const {
  return {.keys = keys,
          .card = crypto::sha256(as_bytes(keys.nick)),
          .id = log::vkey_of("parley.local/m/" + keys.nick + "/id", log::KeyType::ed25519, id),
          .tls_key = tls_key};
}

void Member::name_keys(const std::string& nick, std::string_view base) {
  const std::string name = std::string(base) + nick;
  keys = {nick, log::vkey_of(name + "/node", log::KeyType::ed25519, node),
          log::vkey_of(name, log::KeyType::ed25519, log),
          log::vkey_of(name + "/mirror", log::KeyType::cosignature, cosign)};
}

Member Member::in_group(std::string_view base) const {
  Member same;
  same.id = id.clone();
  same.node = node.clone();
  same.log = log.clone();
  same.cosign = cosign.clone();
  same.name_keys(keys.nick, base);
  return same;
}

log::Entry Branch::next(std::string_view type, std::int64_t now, std::string session,
                        std::vector<std::string> audience) const {
  log::Entry entry;
  entry.author = owner_->keys.nick;
  entry.seq = size();
  entry.prev = hashes_.empty() ? Digest{} : hashes_.back();
  entry.session = std::move(session);
  entry.audience = std::move(audience);
  entry.time = entries_.empty() ? now : std::max(now, entries_.back().time);
  entry.type = type;
  return entry;
}

void Branch::append(log::Entry entry, const log::Json& body) {
  bodies_.push_back(log::make_body(body).value());
  entry.body = bodies_.back().commitment();
  leaves_.push_back(log::make_entry(entry, owner_->keys.node.name, owner_->node).value());
  hashes_.push_back(log::leaf_hash(as_bytes(leaves_.back())));
  entries_.push_back(std::move(entry));
}

std::string Branch::checkpoint(std::size_t size) const {
  log::Frontier frontier;
  for (std::size_t i = 0; i < size; ++i) frontier.append(hashes_[i]);
  return log::sign_checkpoint({owner_->keys.log.name, size, frontier.root()}, owner_->log);
}

mirror::Push Branch::push(std::string_view reader, std::size_t from, std::size_t to) const {
  mirror::Push push{.log = owner_->keys.nick, .from = from, .leaves = {}, .bodies = {}, .checkpoint = checkpoint(to)};
  for (std::size_t i = from; i < to; ++i) {
    push.leaves.push_back(leaves_[i]);
    const auto is_for = [&](const std::string& one) { return one == reader || one == log::kEveryone; };
    if (std::ranges::any_of(entries_[i].audience, is_for)) push.bodies.push_back({i, bodies_[i]});
  }
  return push;
}

}  // namespace parley::sim
