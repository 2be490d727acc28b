// A member with its keys, and a log as its owner can write it by hand, honestly or not.
#pragma once

#include "group/charter.h"
#include "log/entry.h"
#include "log/frontier.h"
#include "mirror/message.h"
#include "mirror/replica.h"

namespace parley::sim {

inline constexpr std::string_view kGroup = "51b51b51b51b51b51b51b51b51b51b51";
/// Virtual time 0 in Unix seconds.
inline constexpr std::int64_t kEpoch = 1'790'000'000;

struct Member {
  /// Draws its keys. @param base  what its key names begin with
  explicit Member(const std::string& nick, std::string_view base = "parley.example/g/51b51b51/m/");
  /// The same keys in another group.
  Member in_group(std::string_view base) const;
  mirror::OwnSeeds seeds() const { return {node.clone(), log.clone(), cosign.clone()}; }
  group::CharterMember in_charter() const;

  Secret<32> id, node, log, cosign;
  log::MemberKeys keys;
  ByteArray<32> tls_key{};

 private:
  Member() = default;
  void name_keys(const std::string& nick, std::string_view base);
};

/// A log; a copy of it can go on otherwise.
class Branch {
 public:
  explicit Branch(const Member& owner) : owner_(&owner) {}

  std::size_t size() const { return leaves_.size(); }
  const log::Entry& entry(std::size_t seq) const { return entries_[seq]; }
  const std::string& leaf(std::size_t seq) const { return leaves_[seq]; }
  /// What an honest owner would write next.
  log::Entry next(std::string_view type, std::int64_t now, std::string session = {},
                  std::vector<std::string> audience = {"*"}) const;
  /// Writes it, whatever it says.
  void append(log::Entry entry, const log::Json& body = log::Json::Object{{"v", 1}});
  std::string checkpoint(std::size_t size) const;
  /// Entries [from, to) with the bodies that are for `reader`.
  mirror::Push push(std::string_view reader, std::size_t from, std::size_t to) const;

 private:
  const Member* owner_;
  std::vector<log::Entry> entries_;
  std::vector<std::string> leaves_;
  std::vector<log::Body> bodies_;
  std::vector<Digest> hashes_;
};

}  // namespace parley::sim
