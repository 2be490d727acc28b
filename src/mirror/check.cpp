#include "mirror/check.h"

#include <fmt/format.h>

#include <algorithm>

#include "log/checkpoint.h"
#include "log/frontier.h"
#include "mirror/detail/log_copy.h"

namespace parley::mirror {
namespace {

constexpr std::uint64_t kLeavesAtOnce = 1024;

/// A log on the way, derived again from its entries.
class Check {
 public:
  Check(Store& store, std::span<const log::MemberKeys> members, std::size_t owner, std::size_t reader)
      : store_(store), members_(members), owner_(owner), reader_(reader), origin_(members[owner].log.name) {}

  Result<std::vector<Defect>> run() && {
    TRY(const vault::LogHead head, store_.head(origin_));
    while (state_.size < head.size) {
      TRY(const auto rows, store_.leaves(origin_, state_.size, std::min(kLeavesAtOnce, head.size - state_.size)));
      if (rows.empty()) note(state_.size, "The log ends here, before its size.");
      for (const vault::LogLeaf& row : rows) {
        TRY(const bool goes_on, check_entry(row));
        if (!goes_on) return std::move(defects_);
      }
      if (rows.empty()) return std::move(defects_);
    }
    if (head.size > 0 && (!head.checkpoint || head.checkpoint->size != head.size))
      note(head.size - 1, "There is no checkpoint of the whole log.");
    if (head.sealed != state_.sealed)
      note(head.size - 1, "The log is marked as sealed, or not, against its last entry.");
    return std::move(defects_);
  }

 private:
  const std::string& nick() const { return members_[owner_].nick; }
  void note(std::uint64_t seq, std::string what, bool breaks = true) {
    defects_.push_back({nick(), seq, std::move(what), breaks});
  }

  /// @return false if the chain of entries ends here
  Result<bool> check_entry(const vault::LogLeaf& row) {
    const std::uint64_t seq = state_.size;
    const auto extension = log::extend(state_, row.note, members_, owner_);
    if (!extension) {
      note(seq, extension.error().message);
      return false;
    }
    if (extension->leaf_hash != row.hash) note(seq, "The stored hash of the entry is not its hash.");
    std::vector<log::TreeNode> places;
    std::vector<Digest> hashes;
    frontier_.append(extension->leaf_hash, [&](const log::TreeNode& node, const Digest& hash) {
      places.push_back(node);
      hashes.push_back(hash);
    });
    const auto stored = store_.nodes(origin_, places);
    if (!stored || *stored != hashes) note(seq, "A stored hash of the tree is not that of its entries.");
    state_ = extension->state;
    TRY_STATUS(check_body(extension->entry));
    TRY_STATUS(check_checkpoint());
    return true;
  }

  Status check_body(const log::Entry& entry) {
    if (!detail::may_read(entry, members_[reader_].nick)) return {};
    TRY(const auto body, store_.body(entry.body));
    if (body && !log::open_body(entry, {body->salt, std::string(as_text(body->content))}))
      note(entry.seq, "The stored body is not the one that the entry was signed for.", false);
    return {};
  }

  Status check_checkpoint() {
    TRY(const auto row, store_.checkpoint(origin_, state_.size));
    if (!row) return {};
    const auto checkpoint = log::read_checkpoint(row->note, members_[owner_].log);
    if (!checkpoint || checkpoint->size != state_.size || checkpoint->root != frontier_.root() ||
        row->root != checkpoint->root) {
      note(state_.size - 1, "The stored checkpoint is not one of these entries.");
      return {};
    }
    TRY(const auto lines, store_.cosignatures(origin_, state_.size));
    for (const vault::LogCosignature& line : lines) {
      const auto cosigner = std::ranges::find(members_, line.cosigner, &log::MemberKeys::nick);
      const auto signature = detail::signature_of(line.line);
      if (cosigner != members_.end() && signature && log::verify_cosignature(*checkpoint, *signature, cosigner->cosign))
        continue;
      note(state_.size - 1, fmt::format("The stored cosignature of {} does not verify.", line.cosigner), false);
    }
    return {};
  }

  Store& store_;
  std::span<const log::MemberKeys> members_;
  std::size_t owner_;
  std::size_t reader_;
  std::string origin_;
  log::LogState state_;
  log::Frontier frontier_;
  std::vector<Defect> defects_;
};

}  // namespace

Result<std::vector<Defect>> check_log(Store& store, std::span<const log::MemberKeys> members, std::size_t owner,
                                      std::size_t reader) {
  return Check(store, members, owner, reader).run();
}

}  // namespace parley::mirror
