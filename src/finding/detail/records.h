// The entries of the logs that are about findings, read one by one. A member may write as many as its log's quota lets
// it, each with a body of nearly a megabyte: of each log only so many are judged, and only one is in memory at a time.
#pragma once

#include <array>
#include <functional>

#include "finding/casebook.h"

namespace parley::finding::detail {

/// How much of one type in one log is judged: its first entries. The first, so that which of a member's entries count
/// does not change when it writes more. Far above honest use: hundreds of findings by one member, also where it hands
/// on what others say against them.
struct Share {
  std::string_view type;
  std::uint64_t entries;
  std::uint64_t body_bytes;  ///< of all of them together
};
inline constexpr std::uint64_t kMiB = 1 << 20;
inline constexpr std::array<Share, 5> kShares = {{{log::kFindingDraft, 1024, 32 * kMiB},
                                                  {log::kFindingSign, 4096, 64 * kMiB},
                                                  {log::kFindingDissent, 16384, 64 * kMiB},
                                                  {log::kFindingPublish, 4096, 16 * kMiB},
                                                  {log::kFindingWithdraw, 4096, 16 * kMiB}}};
/// Of one member's entries that do not count so many are told one by one.
inline constexpr std::size_t kMaxOdditiesOfOne = 64;

struct Found {
  Place place;
  std::string origin;  ///< of the log
  log::Entry entry;
  std::string note;
  std::optional<log::Json> body;  ///< nothing where it is not here
};

/// Collects what does not count, of each member so much and then only how much more.
class Oddities {
 public:
  explicit Oddities(Casebook& book) : book_(book) {}
  /// @return whether it is told by itself
  bool add(const Place& place, std::string why);
  void left_out(const std::string& nick, std::uint64_t entries, std::string why);

 private:
  Casebook& book_;
  std::map<std::string, std::size_t, std::less<>> told_;           // by nick
  std::map<std::string, std::size_t, std::less<>> place_of_rest_;  // in book_.left_out, by nick
};

/// One member's log.
class Records {
 public:
  /// Finds where its entries about findings stand. @error the vault's
  static Result<Records> of(vault::Vault& vault, const group::CharterMember& member);

  const std::string& nick() const { return nick_; }
  const std::string& origin() const { return origin_; }  ///< of the log
  /// Whether `entries` more of this type, with bodies of `bytes` in all, would still be judged. @error the vault's
  Result<bool> has_room(vault::Vault& vault, std::string_view type, std::size_t entries, std::uint64_t bytes) const;
  /// Judges the entries of one type that every member may read, in the order of the log. @error the vault's
  Status judge_each(vault::Vault& vault, std::string_view type, Oddities& oddities,
                    const std::function<void(const Found&)>& judge) const;

 private:
  std::string nick_, origin_;
  std::array<std::vector<std::uint64_t>, kShares.size()> places_;  // by type
  std::array<std::uint64_t, kShares.size()> beyond_{};             // entries of each type that are more than its share
};

}  // namespace parley::finding::detail
