// A member that takes its word back: a rotation of its cosign key that says of the old one that it has cosigned
// nothing, as a hostile program writes it, or an honest one on an older disk.
#pragma once

#include "log/frontier.h"
#include "log/key_history.h"
#include "mirror/message.h"
#include "mirror/vault_store.h"

namespace parley::mirror {

/// The keys with which its owner's log goes on.
struct OwnerSeeds {
  const Secret<32>&node, &log, &id;
};

/// What the owner of a log sends to whoever holds as much of it as `store` does.
/// @param owner  as the charter names it, with its id key
inline Message short_rotation(Store& store, const std::string& group, const log::MemberKeys& owner,
                              const OwnerSeeds& seeds, const Secret<32>& next) {
  const std::string& origin = owner.log.name;
  const std::uint64_t size = store.head(origin)->size;
  log::Rotation rotation{.origin = origin,
                         .nick = owner.nick,
                         .role = log::KeyRole::cosign,
                         .reason = log::RotationReason::lost,
                         .old = owner.newest_cosign(),
                         .next = owner.newest_cosign()};
  rotation.next.key = crypto::public_key_of(next);
  const log::Body body = *log::make_body(log::rotation_body(
      log::make_rotation(rotation, owner.id.name, crypto::SigningKey(seeds.id), crypto::SigningKey(next), nullptr)));
  log::Entry entry;
  entry.author = owner.nick;
  entry.seq = size;
  const vault::LogLeaf last = store.leaves(origin, size - 1, 1)->front();
  entry.prev = last.hash;
  entry.audience = {std::string(log::kEveryone)};
  entry.body = body.commitment();
  entry.time = log::read_entry_unverified(last.note)->time;
  entry.type = log::kKeyRotate;
  const std::string leaf = log::make_entry(entry, owner.node.name, seeds.node).value();
  StoredTree tree(store, origin);
  log::Frontier frontier = *log::Frontier::read(tree, size);
  frontier.append(log::leaf_hash(as_bytes(leaf)), [](const log::TreeNode&, const Digest&) {});
  return *write_message(group,
                        Push{.log = owner.nick,
                             .from = size,
                             .leaves = {leaf},
                             .bodies = {{size, body}},
                             .checkpoint = log::sign_checkpoint({origin, size + 1, frontier.root()}, seeds.log)});
}

}  // namespace parley::mirror
