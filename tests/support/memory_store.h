// A disk in memory for replicas of the joint log: what was committed survives a restart, nothing else does; it can fail
// at any commit, be put back to an older state, and writes down in which order things became durable.
#pragma once

#include <algorithm>
#include <bit>
#include <map>
#include <string>
#include <vector>

#include "mirror/store.h"

namespace parley::mirror {

/// The rows of one log.
struct MemoryLog {
  std::vector<vault::LogLeaf> leaves;
  std::map<log::TreeNode, Digest> nodes;
  std::map<std::uint64_t, vault::LogCheckpoint> checkpoints;
  std::map<std::uint64_t, std::map<std::string, std::string>> cosignatures;
  std::map<log::StepKey, std::uint64_t> steps;
  std::optional<FaultRow> fault;
  Usage usage;
  std::string seen;
  std::optional<std::uint64_t> lacking;
  bool sealed = false;
};

/// All that is durable. A copy of it is a backup.
struct MemoryDisk {
  std::map<std::string, MemoryLog, std::less<>> logs;
  std::map<Digest, vault::LogBody> bodies;    ///< by the leaf hash of their entries
  std::map<std::string, std::string> others;  ///< what `work` of a commit writes
};

enum class CommitFailure { none, nothing_written, all_written };

class MemoryStore : public Store {
 public:
  MemoryDisk disk;
  std::vector<std::string> order;                   ///< of commits and, by MemoryGuard, of what was signed
  CommitFailure next_commit = CommitFailure::none;  ///< once
  std::function<void(MemoryDisk&)> after_commit;    ///< what else happens to the disk
  std::uint64_t commits = 0;
  std::uint64_t leaves_read = 0;
  std::uint64_t leaves_fail_in = 0;             ///< so many readings, once, as an error of the disk does; 0: never
  std::uint64_t free = std::uint64_t{1} << 40;  ///< bytes

  Result<vault::LogHead> head(std::string_view origin) override {
    const MemoryLog& log = of(origin);
    vault::LogHead head{.origin = std::string(origin), .group = {}, .nick = {}, .checkpoint = {}};
    head.size = log.leaves.size();
    head.sealed = log.sealed;
    if (!log.checkpoints.empty()) head.checkpoint = log.checkpoints.rbegin()->second;
    return head;
  }
  Result<std::vector<vault::LogLeaf>> leaves(std::string_view origin, std::uint64_t from,
                                             std::uint64_t count) override {
    if (leaves_fail_in > 0 && --leaves_fail_in == 0) return fail(Errc::io, "The disk failed.");
    const auto& all = of(origin).leaves;
    std::vector<vault::LogLeaf> found;
    for (std::uint64_t i = from; i < all.size() && i - from < count; ++i) found.push_back(all[i]);
    leaves_read += found.size();
    return found;
  }
  Result<std::optional<std::uint64_t>> index(std::string_view origin, const Digest& leaf) override {
    const auto& all = of(origin).leaves;
    const auto found = std::ranges::find(all, leaf, &vault::LogLeaf::hash);
    if (found == all.end()) return std::nullopt;
    return static_cast<std::uint64_t>(found - all.begin());
  }
  Result<std::vector<Digest>> nodes(std::string_view origin, std::span<const log::TreeNode> nodes) override {
    std::vector<Digest> found;
    for (const log::TreeNode& node : nodes) {
      const auto hash = of(origin).nodes.find(node);
      if (hash == of(origin).nodes.end()) return fail(Errc::not_found, "This disk has no such hash.");
      found.push_back(hash->second);
    }
    return found;
  }
  Result<std::optional<vault::LogBody>> entry_body(const Digest& leaf) override { return found_in(disk.bodies, leaf); }
  Result<std::optional<vault::LogCheckpoint>> checkpoint(std::string_view origin, std::uint64_t size) override {
    return found_in(of(origin).checkpoints, size);
  }
  Result<std::vector<vault::LogCosignature>> cosignatures(std::string_view origin, std::uint64_t size) override {
    std::vector<vault::LogCosignature> found;
    const auto& all = of(origin).cosignatures;
    if (const auto at = all.find(size); at != all.end())
      for (const auto& [nick, line] : at->second) found.push_back({size, nick, line});
    return found;
  }
  Result<std::optional<std::uint64_t>> step(std::string_view origin, const log::StepKey& step) override {
    return found_in(of(origin).steps, step);
  }
  Result<std::optional<FaultRow>> fault(std::string_view origin) override { return of(origin).fault; }
  Result<std::string> seen(std::string_view origin) override { return of(origin).seen; }
  Result<std::optional<std::uint64_t>> lacking(std::string_view origin) override { return of(origin).lacking; }

  Result<Usage> usage(std::string_view origin) override { return of(origin).usage; }
  Result<std::uint64_t> free_bytes() override { return free; }

  Status commit(const Batch& batch, const std::function<Status()>& work) override {
    const CommitFailure failure = std::exchange(next_commit, CommitFailure::none);
    const Before before = before_of(batch);
    Status done = write(batch);
    if (done && work) done = work();
    if (!done || failure == CommitFailure::nothing_written) undo(before);
    if (!done) return done;
    if (failure != CommitFailure::none) return fail(Errc::io, "The disk failed.");
    ++commits;
    for (const vault::LogGrowth& growth : batch.growth) {
      for (const vault::LogCosignature& cosignature : growth.cosignatures)
        order.push_back("cosignature of " + cosignature.cosigner + " on " + growth.origin + " " +
                        std::to_string(cosignature.size));
      if (!growth.leaves.empty())
        order.push_back("entries of " + growth.origin + " to " + std::to_string(growth.from + growth.leaves.size()));
    }
    if (after_commit) after_commit(disk);
    return {};
  }

 private:
  /// Of what a batch touches, the state before it: a log of a thousand entries takes a thousand commits.
  struct Before {
    std::map<std::string, std::optional<MemoryLog>> logs;
    std::map<std::string, std::string> others;
    std::vector<Digest> new_bodies;
  };
  Before before_of(const Batch& batch) const {
    Before before{.logs = {}, .others = disk.others, .new_bodies = {}};
    const auto keep = [&](const auto& rows) {
      for (const auto& row : rows) before.logs[row.origin] = found_in(disk.logs, row.origin);
    };
    keep(batch.growth), keep(batch.steps), keep(batch.faults), keep(batch.repairs), keep(batch.usage), keep(batch.seen);
    keep(batch.lacking);
    keep(batch.cuts);
    for (const vault::LogGrowth& growth : batch.growth)
      for (const vault::LogBody& body : growth.bodies)
        if (!disk.bodies.contains(body.leaf)) before.new_bodies.push_back(body.leaf);
    return before;
  }
  void undo(const Before& before) {
    for (const auto& [origin, log] : before.logs) {
      if (log) disk.logs[origin] = *log;
      if (!log) disk.logs.erase(origin);
    }
    for (const Digest& leaf : before.new_bodies) disk.bodies.erase(leaf);
    disk.others = before.others;
  }
  template <typename Map>
  static std::optional<typename Map::mapped_type> found_in(const Map& map, const typename Map::key_type& key) {
    const auto found = map.find(key);
    if (found == map.end()) return std::nullopt;
    return found->second;
  }
  const MemoryLog& of(std::string_view origin) const {
    static const MemoryLog kNothing;
    const auto found = disk.logs.find(origin);
    return found == disk.logs.end() ? kNothing : found->second;
  }
  /// The nodes that leaves from, ... complete, in the order of LogGrowth::nodes.
  static Status put_nodes(MemoryLog& log, std::uint64_t from, std::uint64_t count, std::span<const Digest> hashes) {
    std::size_t next = 0;
    for (std::uint64_t seq = from; seq < from + count; ++seq) {
      for (std::uint8_t level = 0; level == 0 || ((seq + 1) >> (level - 1)) % 2 == 0; ++level) {
        if (next == hashes.size()) return fail(Errc::internal, "Too few hashes came to the disk.");
        log.nodes[{level, seq >> level}] = hashes[next++];
      }
    }
    if (next != hashes.size()) return fail(Errc::internal, "Too many hashes came to the disk.");
    return {};
  }
  Status write(const Batch& batch) {
    for (const vault::LogGrowth& growth : batch.growth) TRY_STATUS(grow(growth));
    for (const UsageRow& row : batch.usage) disk.logs[row.origin].usage = row.usage;
    for (const StepRow& row : batch.steps) disk.logs[row.origin].steps[row.step] = row.seq;
    for (const FaultRow& row : batch.faults)
      if (auto& fault = disk.logs[row.origin].fault; !fault) fault = row;
    for (const SeenRow& row : batch.seen) disk.logs[row.origin].seen = row.note;
    for (const LackingRow& row : batch.lacking) disk.logs[row.origin].lacking = row.from;
    for (const CutRow& cut : batch.cuts) TRY_STATUS(cut_off(cut));
    for (const RepairRows& rows : batch.repairs) {
      MemoryLog& log = disk.logs[rows.origin];
      if (rows.from + rows.leaves.size() > log.leaves.size()) return fail(Errc::internal, "A repair beyond the log.");
      std::ranges::copy(rows.leaves, log.leaves.begin() + static_cast<std::ptrdiff_t>(rows.from));
      TRY_STATUS(put_nodes(log, rows.from, rows.leaves.size(), rows.nodes));
      if (rows.checkpoint) log.checkpoints[rows.checkpoint->size] = *rows.checkpoint;
    }
    return {};
  }
  Status cut_off(const CutRow& cut) {
    MemoryLog& log = disk.logs[cut.origin];
    if (cut.size > log.leaves.size()) return fail(Errc::internal, "A cut beyond the log.");
    log.leaves.resize(cut.size);
    std::erase_if(log.nodes, [&](const auto& row) { return (row.first.index + 1) << row.first.level > cut.size; });
    std::erase_if(log.checkpoints, [&](const auto& row) { return row.first > cut.size; });
    std::erase_if(log.cosignatures, [&](const auto& row) { return row.first > cut.size; });
    for (const log::StepKey& step : cut.steps) log.steps.erase(step);
    for (const Digest& leaf : cut.leaves) disk.bodies.erase(leaf);
    if (cut.checkpoint) log.checkpoints.emplace(cut.size, *cut.checkpoint);
    log.sealed = false;
    return {};
  }
  Status grow(const vault::LogGrowth& growth) {
    MemoryLog& log = disk.logs[growth.origin];
    if (growth.from != log.leaves.size()) return fail(Errc::internal, "Somebody else wrote to this log.");
    if (log.sealed && !growth.leaves.empty()) return fail(Errc::policy, "This log is sealed.");
    TRY_STATUS(put_nodes(log, growth.from, growth.leaves.size(), growth.nodes));
    log.leaves.insert(log.leaves.end(), growth.leaves.begin(), growth.leaves.end());
    log.sealed = log.sealed || growth.seals;
    for (const vault::LogBody& body : growth.bodies) disk.bodies.insert_or_assign(body.leaf, body);
    if (growth.checkpoint) {
      if (growth.checkpoint->size > log.leaves.size()) return fail(Errc::internal, "A checkpoint beyond the log.");
      const auto [row, is_new] = log.checkpoints.emplace(growth.checkpoint->size, *growth.checkpoint);
      if (!is_new && row->second.root != growth.checkpoint->root)
        return fail(Errc::exists, "A second checkpoint of one size.");
    }
    for (const vault::LogCosignature& added : growth.cosignatures)
      log.cosignatures[added.size][added.cosigner] = added.line;
    return {};
  }
};

class MemoryGuard : public Guard {
 public:
  explicit MemoryGuard(MemoryStore& store) : store_(store) {}
  vault::SignedHead signed_head;
  bool fails = false;

  vault::SignedHead head() const override { return signed_head; }
  Status advance(const vault::SignedHead& next) override {
    if (fails) return fail(Errc::io, "The guard's disk failed.");
    if (next == signed_head) return {};
    if (next.size <= signed_head.size) return fail(Errc::exists, "A second history was to be signed.");
    signed_head = next;
    store_.order.push_back("guard " + std::to_string(next.size));
    return {};
  }
  Status restart(const vault::SignedHead& head) override {
    signed_head = head;
    return {};
  }

 private:
  MemoryStore& store_;
};

}  // namespace parley::mirror
