#include "mirror/vault_store.h"

#include <fmt/format.h>

#include <bit>

#include "base/encoding.h"
#include "vault/number_setting.h"

namespace parley::mirror {
namespace {

/// Where the vault keeps the hash of a subtree: LogGrowth::nodes has each right after its last leaf, the smaller first.
/// A tree of n leaves has 2n - popcount(n) complete subtrees.
std::uint64_t place_of(const log::TreeNode& node) {
  const std::uint64_t last_leaf = ((node.index + 1) << node.level) - 1;
  return 2 * last_leaf - static_cast<std::uint64_t>(std::popcount(last_leaf)) + node.level;
}

std::string step_setting(std::string_view origin, const log::StepKey& step) {
  return fmt::format("log-step {} {} {}", origin, step.session, step.type);
}

std::string fault_setting(std::string_view origin) {
  return fmt::format("log-fault {}", origin);
}

std::string usage_setting(std::string_view origin) {
  return fmt::format("log-usage {}", origin);
}

std::string branch_setting(std::string_view origin) {
  return fmt::format("log-branch {}", origin);
}

std::string lacking_setting(std::string_view origin) {
  return fmt::format("log-lacking {}", origin);
}

std::string seen_setting(std::string_view origin) {
  return fmt::format("log-seen {}", origin);
}

/// `found`, or what stands for a log that was never begun.
template <typename T>
Result<T> or_nothing(Result<T> found, T nothing) {
  if (!found && found.error().code == Errc::not_found) return nothing;
  return found;
}

}  // namespace

VaultStore::VaultStore(vault::Vault& vault, std::string group, std::span<const log::MemberKeys> members,
                       std::size_t self)
    : vault_(vault), group_(std::move(group)) {
  for (std::size_t i = 0; i < members.size(); ++i) owners_.push_back({members[i].log.name, members[i].nick, i == self});
}

Result<vault::LogHead> VaultStore::head(std::string_view origin) {
  return or_nothing(vault_.log_head(origin),
                    vault::LogHead{.origin = std::string(origin), .group = group_, .nick = {}, .checkpoint = {}});
}

Result<std::vector<vault::LogLeaf>> VaultStore::leaves(std::string_view origin, std::uint64_t from,
                                                       std::uint64_t count) {
  return or_nothing(vault_.log_leaves(origin, from, count), {});
}

Result<std::optional<std::uint64_t>> VaultStore::index(std::string_view origin, const Digest& leaf) {
  return or_nothing(vault_.log_index(origin, leaf), {});
}

Result<std::vector<Digest>> VaultStore::nodes(std::string_view origin, std::span<const log::TreeNode> nodes) {
  std::vector<std::uint64_t> places;
  for (const log::TreeNode& node : nodes) places.push_back(place_of(node));
  return vault_.log_nodes(origin, places);
}

Result<std::optional<vault::LogBody>> VaultStore::entry_body(const Digest& leaf) {
  return vault_.entry_body(leaf);
}

Result<std::optional<vault::LogCheckpoint>> VaultStore::checkpoint(std::string_view origin, std::uint64_t size) {
  return or_nothing(vault_.log_checkpoint(origin, size), {});
}

Result<std::vector<vault::LogCosignature>> VaultStore::cosignatures(std::string_view origin, std::uint64_t size) {
  return or_nothing(vault_.log_cosignatures(origin, size), {});
}

Result<std::vector<std::optional<Digest>>> VaultStore::completed(std::string_view origin, std::uint64_t from,
                                                                 std::uint64_t count) {
  const std::uint64_t first = place_of({0, from});
  return vault_.log_node_range(origin, first, place_of({0, from + count}) - first);
}

Result<std::vector<vault::LogCheckpoint>> VaultStore::checkpoints(std::string_view origin, std::uint64_t from,
                                                                  std::uint64_t count) {
  return or_nothing(vault_.log_checkpoints(origin, from, count), {});
}

Result<std::vector<vault::LogCosignature>> VaultStore::all_cosignatures(std::string_view origin, std::uint64_t from,
                                                                        std::uint64_t count) {
  return or_nothing(vault_.log_cosignatures(origin, from, count), {});
}

Result<std::optional<std::uint64_t>> VaultStore::step(std::string_view origin, const log::StepKey& step) {
  return vault::number_setting(vault_, step_setting(origin, step), "a session's step");
}

Result<std::optional<FaultRow>> VaultStore::fault(std::string_view origin) {
  TRY(std::optional<std::string> fault, vault_.setting(fault_setting(origin)));
  if (!fault) return std::nullopt;
  TRY(const std::optional<std::string> branch, vault_.setting(branch_setting(origin)));
  auto bytes = branch ? from_base64(*branch) : std::nullopt;
  if (!bytes) return fail(Errc::vault_damaged, "The vault's record of a fault is damaged.");
  return FaultRow{std::string(origin), std::move(*fault), std::move(*bytes)};
}

Result<Usage> VaultStore::usage(std::string_view origin) {
  TRY(const std::optional<std::string> text, vault_.setting(usage_setting(origin)));
  return text ? read_usage(*text) : Usage{};
}

Result<std::string> VaultStore::seen(std::string_view origin) {
  TRY(std::optional<std::string> note, vault_.setting(seen_setting(origin)));
  return note ? std::move(*note) : std::string();
}

Result<std::optional<std::uint64_t>> VaultStore::lacking(std::string_view origin) {
  return vault::number_setting(vault_, lacking_setting(origin), "what is lacking of a log");
}

Status VaultStore::commit(const Batch& batch, const std::function<Status()>& work) {
  const Status done = vault_.together([&]() -> Status {
    TRY_STATUS(write(batch));
    return work ? work() : Status{};
  });
  if (!done) begun_.clear();  // what was begun in it was undone
  return done;
}

Status VaultStore::write(const Batch& batch) {
  for (const vault::LogGrowth& growth : batch.growth) {
    TRY_STATUS(begin_if_new(growth.origin));
    TRY_STATUS(vault_.grow_log(growth));
  }
  for (const StepRow& step : batch.steps)
    TRY_STATUS(vault_.put_setting(step_setting(step.origin, step.step), fmt::format("{}", step.seq)));
  for (const FaultRow& fault : batch.faults) {
    TRY(const std::optional<std::string> present, vault_.setting(fault_setting(fault.origin)));
    if (present) continue;
    TRY_STATUS(vault_.put_setting(fault_setting(fault.origin), fault.fault));
    TRY_STATUS(vault_.put_setting(branch_setting(fault.origin), to_base64(fault.branch)));
  }
  for (const UsageRow& row : batch.usage)
    TRY_STATUS(vault_.put_setting(usage_setting(row.origin), write_usage(row.usage)));
  for (const SeenRow& seen : batch.seen) TRY_STATUS(vault_.put_setting(seen_setting(seen.origin), seen.note));
  for (const LackingRow& row : batch.lacking)
    TRY_STATUS(row.from ? vault_.put_setting(lacking_setting(row.origin), fmt::format("{}", *row.from))
                        : vault_.remove_setting(lacking_setting(row.origin)));
  for (const CutRow& cut : batch.cuts) {
    TRY_STATUS(vault_.cut_log(cut.origin, cut.size, cut.checkpoint));
    for (const log::StepKey& step : cut.steps) TRY_STATUS(vault_.remove_setting(step_setting(cut.origin, step)));
    for (const Digest& leaf : cut.leaves) TRY_STATUS(vault_.erase_entry_body(leaf));
  }
  for (const RepairRows& repair : batch.repairs)
    TRY_STATUS(vault_.repair_log(repair.origin, repair.from, repair.leaves, repair.nodes, repair.checkpoint));
  return {};
}

Status VaultStore::begin_if_new(std::string_view origin) {
  if (begun_.contains(origin)) return {};
  const auto owner = std::ranges::find(owners_, origin, &Owner::origin);
  if (owner == owners_.end())
    return fail(Errc::internal, fmt::format("No member of this group has the log {}.", origin));
  const Status begun = vault_.begin_log(
      {.origin = owner->origin, .group = group_, .nick = owner->nick, .own = owner->self, .checkpoint = {}});
  if (!begun && begun.error().code != Errc::exists) return begun;
  begun_.emplace(origin);
  return {};
}

Result<FileGuard> FileGuard::open(std::filesystem::path path) {
  TRY(vault::HeadGuard guard, vault::HeadGuard::open(path));
  return FileGuard(std::move(path), std::move(guard));
}

Status FileGuard::restart(const vault::SignedHead& head) {
  std::error_code error;
  std::filesystem::remove(path_, error);
  if (error)
    return fail(Errc::io, fmt::format("The record of what was signed cannot be removed: {}.", error.message()),
                path_.string());
  TRY(guard_, vault::HeadGuard::open(path_));
  if (head.size == 0) return {};
  return guard_.advance(head);
}

}  // namespace parley::mirror
