// A member whose log goes two ways: it shows one of the others what the rest never see.
#pragma once

#include "finding/three_members.h"
#include "log/frontier.h"

namespace parley::finding {

/// The next entry of `author`, for everybody by its audience, on what `to` has of that log: only `to` gets it.
inline void show_only_to(ThreeMembers& members, const std::string& author, const std::string& to, std::string_view type,
                         const log::Json& json) {
  const group::Membership membership = members.membership(author);
  const group::Charter& charter = membership.charter();
  Participant& owner = members.group_[author];
  const auto keys = group::load_group_keys(owner.desk().folder, owner.vault(), charter.domain, charter.group, author);
  ASSERT_HOLDS(keys);
  mirror::VaultStore store(members.group_[to].vault(), charter.group, {}, 0);
  const std::string& origin = keys->keys.log.name;
  const std::uint64_t size = store.head(origin)->size;
  const vault::LogLeaf last = store.leaves(origin, size - 1, 1)->front();
  const log::Body body = *log::make_body(json);
  const log::Entry entry{.author = author,
                         .seq = size,
                         .prev = last.hash,
                         .charter = membership.signed_charter().hash,
                         .session = {},
                         .refs = {},
                         .audience = {std::string(log::kEveryone)},
                         .body = body.commitment(),
                         .time = log::read_entry_unverified(last.note)->time,
                         .type = std::string(type)};
  const std::string leaf = log::make_entry(entry, keys->keys.node.name, keys->node).value();
  mirror::StoredTree tree(store, origin);
  log::Frontier frontier = *log::Frontier::read(tree, size);
  frontier.append(log::leaf_hash(as_bytes(leaf)), [](const log::TreeNode&, const Digest&) {});
  const mirror::Message push = *mirror::write_message(
      charter.group, mirror::Push{.log = author,
                                  .from = size,
                                  .leaves = {leaf},
                                  .bodies = {{size, body}},
                                  .checkpoint = log::sign_checkpoint({origin, size + 1, frontier.root()}, keys->log)});
  members.log(to).with([&](mirror::Replica& replica) { EXPECT_HOLDS(replica.take(author, push, kBegin + 60)); });
}

}  // namespace parley::finding
