#include "mirror/check.h"

#include <fmt/format.h>

#include <algorithm>

#include "log/checkpoint.h"
#include "log/frontier.h"
#include "mirror/detail/log_copy.h"

namespace parley::mirror {
namespace {

constexpr std::uint64_t kLeavesAtOnce = 4096;
constexpr std::size_t kSignaturesAtOnce = 64;  // some milliseconds

/// What is stored of consecutive entries, and what was read of it without looking at what is before and after.
struct Part {
  std::vector<vault::LogLeaf> rows;
  std::vector<std::optional<Digest>> nodes;
  std::vector<vault::LogCheckpoint> checkpoints;                   ///< ascending
  std::vector<vault::LogCosignature> cosignatures;                 ///< ascending by size
  std::vector<Result<log::Entry>> entries;                         ///< of rows, each signed by the owner
  std::vector<Digest> leaf_hashes;                                 ///< of rows
  std::vector<std::optional<log::Checkpoint>> signed_checkpoints;  ///< of checkpoints; nothing for a bad signature
  std::vector<char> cosigned;                                      ///< of cosignatures: whether they verify
};

/// A log on the way, derived again from its entries.
class Check {
 public:
  Check(Store& store, std::span<const log::MemberKeys> members, std::size_t owner, std::size_t reader, ThreadPool& pool)
      : store_(store),
        members_(members),
        owner_(owner),
        reader_(reader),
        origin_(members[owner].log.name),
        pool_(pool) {}

  Result<std::vector<Defect>> run() && {
    TRY(const vault::LogHead head, store_.head(origin_));
    while (state_.size < head.size) {
      TRY(Part part, read_part(std::min(kLeavesAtOnce, head.size - state_.size)));
      if (part.rows.empty()) note(state_.size, "The log ends here, before its size.");
      if (part.rows.empty()) return std::move(defects_);
      verify_signatures(part);
      for (std::size_t i = 0; i < part.rows.size(); ++i) {
        TRY(const bool goes_on, check_entry(part, i));
        if (!goes_on) return std::move(defects_);
      }
    }
    if (head.size > 0 && (!head.checkpoint || head.checkpoint->size != head.size))
      note(head.size - 1, "There is no checkpoint of the whole log.");
    if (head.sealed != state_.sealed)
      note(head.size - 1, "The log is marked as sealed, or not, against its last entry.");
    return std::move(defects_);
  }

 private:
  const std::string& nick() const { return members_[owner_].nick; }
  Defect& note(std::uint64_t seq, std::string what, bool breaks = true) {
    return defects_.emplace_back(Defect{.log = nick(), .seq = seq, .what = std::move(what), .breaks = breaks});
  }

  Result<Part> read_part(std::uint64_t count) {
    Part part;
    TRY(part.rows, store_.leaves(origin_, state_.size, count));
    const std::uint64_t read = part.rows.size();
    if (auto nodes = store_.completed(origin_, state_.size, read)) part.nodes = *std::move(nodes);
    TRY(part.checkpoints, store_.checkpoints(origin_, state_.size + 1, read));
    TRY(part.cosignatures, store_.all_cosignatures(origin_, state_.size + 1, read));
    return part;
  }

  /// All that takes time, in all threads.
  void verify_signatures(Part& part) {
    const Result<log::Entry> not_read = fail(Errc::internal, "This entry was not read.");
    part.entries.assign(part.rows.size(), not_read);
    part.leaf_hashes.resize(part.rows.size());
    pool_.parallel_for(part.rows.size(), kSignaturesAtOnce, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        part.entries[i] = log::read_entry(part.rows[i].note, members_[owner_]);
        part.leaf_hashes[i] = log::leaf_hash(as_bytes(part.rows[i].note));
      }
    });
    part.signed_checkpoints.resize(part.checkpoints.size());
    pool_.parallel_for(part.checkpoints.size(), kSignaturesAtOnce, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i)
        if (auto read = log::read_checkpoint(part.checkpoints[i].note, members_[owner_].log))
          part.signed_checkpoints[i] = *std::move(read);
    });
    part.cosigned.resize(part.cosignatures.size());
    pool_.parallel_for(part.cosignatures.size(), kSignaturesAtOnce, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) part.cosigned[i] = is_cosigned(part, part.cosignatures[i]) ? 1 : 0;
    });
  }

  bool is_cosigned(const Part& part, const vault::LogCosignature& line) const {
    const auto row = std::ranges::lower_bound(part.checkpoints, line.size, {}, &vault::LogCheckpoint::size);
    if (row == part.checkpoints.end() || row->size != line.size)
      return true;  // it stands on nothing, and proves nothing
    const auto& checkpoint = part.signed_checkpoints[static_cast<std::size_t>(row - part.checkpoints.begin())];
    const auto cosigner = std::ranges::find(members_, line.cosigner, &log::MemberKeys::nick);
    const auto signature = detail::signature_of(line.line);
    if (cosigner == members_.end()) return true;  // by somebody who is no member any more: nobody goes by it
    if (!checkpoint || !signature) return false;
    const auto key = cosigner->ever_cosigned_by(*signature);
    return key && log::verify_cosignature(*checkpoint, *signature, *key).has_value();
  }

  /// @return false if the chain of entries ends here
  Result<bool> check_entry(Part& part, std::size_t i) {
    const std::uint64_t seq = state_.size;
    if (!part.entries[i]) {
      note(seq, part.entries[i].error().message);
      return false;
    }
    const Digest& hash = part.leaf_hashes[i];
    const auto extension = log::follow(state_, *std::move(part.entries[i]), hash);
    if (!extension) {
      note(seq, extension.error().message);
      return false;
    }
    if (hash != part.rows[i].hash) note(seq, "The stored hash of the entry is not its hash.");
    bool as_stored = true;
    if (i == 0) next_node_ = 0;
    frontier_.append(hash, [&](const log::TreeNode&, const Digest& node) {
      const std::size_t place = next_node_++;
      as_stored = as_stored && place < part.nodes.size() && part.nodes[place] == node;
    });
    if (!as_stored) note(seq, "A stored hash of the tree is not that of its entries.");
    state_ = extension->state;
    TRY_STATUS(check_body(extension->entry, hash));
    check_checkpoint(part);
    return true;
  }

  Status check_body(const log::Entry& entry, const Digest& leaf) {
    if (!detail::may_read(entry, members_[reader_].nick)) return {};
    TRY(const auto body, store_.entry_body(leaf));
    if (body && !log::open_body(entry, {body->salt, std::string(as_text(body->content))}))
      note(entry.seq, "The stored body is not the one that the entry was signed for.", false).of_body = true;
    return {};
  }

  void check_checkpoint(const Part& part) {
    const auto row = std::ranges::lower_bound(part.checkpoints, state_.size, {}, &vault::LogCheckpoint::size);
    if (row == part.checkpoints.end() || row->size != state_.size) return;
    const auto& checkpoint = part.signed_checkpoints[static_cast<std::size_t>(row - part.checkpoints.begin())];
    if (!checkpoint || checkpoint->size != state_.size || checkpoint->root != frontier_.root() ||
        row->root != checkpoint->root) {
      note(state_.size - 1, "The stored checkpoint is not one of these entries.");
      return;
    }
    const auto lines = std::ranges::equal_range(part.cosignatures, state_.size, {}, &vault::LogCosignature::size);
    for (const vault::LogCosignature& line : lines) {
      if (part.cosigned[static_cast<std::size_t>(&line - part.cosignatures.data())] != 0) continue;
      note(state_.size - 1, fmt::format("The stored cosignature of {} does not verify.", line.cosigner), false);
    }
  }

  Store& store_;
  std::span<const log::MemberKeys> members_;
  std::size_t owner_;
  std::size_t reader_;
  std::string origin_;
  ThreadPool& pool_;
  log::LogState state_;
  log::Frontier frontier_;
  std::size_t next_node_ = 0;  ///< in the part that is looked at
  std::vector<Defect> defects_;
};

}  // namespace

Result<std::vector<Defect>> check_log(Store& store, std::span<const log::MemberKeys> members, std::size_t owner,
                                      std::size_t reader, ThreadPool& pool) {
  return Check(store, members, owner, reader, pool).run();
}

}  // namespace parley::mirror
