// A member with its seeds, and a log that it keeps, as the tests of this room make them.
#pragma once

#include "base/encoding.h"
#include "base/random.h"
#include "log/checkpoint.h"
#include "log/entry.h"
#include "log/frontier.h"

namespace parley::log {

struct TestMember {
  explicit TestMember(const std::string& nick, std::string_view base = "parley.example/g/7d1f3c90/m/") {
    const std::string name = std::string(base) + nick;
    keys = {nick, vkey_of(name + "/node", KeyType::ed25519, node), vkey_of(name, KeyType::ed25519, log),
            vkey_of(name + "/mirror", KeyType::cosignature, cosign)};
  }

  Secret<32> node = random_secret<32>();
  Secret<32> log = random_secret<32>();
  Secret<32> cosign = random_secret<32>();
  MemberKeys keys;

  std::string sign(const Entry& entry) const { return make_entry(entry, keys.node.name, node).value(); }
  std::string sign(const Checkpoint& checkpoint) const { return sign_checkpoint(checkpoint, log); }
  NoteSignature cosigned(const Checkpoint& checkpoint, std::uint64_t time) const {
    return log::cosign(checkpoint, keys.cosign.name, cosign, time);
  }
};

/// A log from its first entry on; a copy of it can go on otherwise than the log.
struct TestLog {
  explicit TestLog(const TestMember& member) : owner(&member) { append(kLogOpen); }

  Entry next(std::string_view type, std::string session = "", Digest body = {}) const {
    Entry entry;
    entry.author = owner->keys.nick;
    entry.seq = state.size;
    entry.prev = state.last;
    entry.session = std::move(session);
    entry.audience = {std::string(kEveryone)};
    entry.body = body;
    entry.time = 1'790'000'000 + static_cast<std::int64_t>(state.size);
    entry.type = type;
    return entry;
  }
  void append(std::string_view type, std::string session = "", Digest body = {}) {
    append(next(type, std::move(session), body));
  }
  void append(const Entry& entry) {
    leaves.push_back(owner->sign(entry));
    state = extend(state, leaves.back(), owner->keys).value().state;
    hashes.push_back(state.last);
  }
  Checkpoint at(std::size_t size) const {
    return {owner->keys.log.name, size, MerkleTree({hashes.begin(), hashes.begin() + static_cast<long>(size)}).root()};
  }
  Checkpoint head() const { return at(hashes.size()); }

  const TestMember* owner;
  std::vector<std::string> leaves;
  std::vector<Digest> hashes;
  LogState state;
};

inline std::string session_name(char digit) {
  return std::string(32, digit);
}

}  // namespace parley::log
