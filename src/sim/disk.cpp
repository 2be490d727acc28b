#include "sim/disk.h"

#include <algorithm>

namespace parley::sim {
namespace {

template <typename Map>
std::optional<typename Map::mapped_type> found_in(const Map& map, const typename Map::key_type& key) {
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

std::unexpected<Error> broken_disk() {
  return fail(Errc::io, "The disk failed.");
}

/// Calls `put(node, hash)` for the nodes that leaves from, ... complete, in the order of LogGrowth::nodes.
template <typename Put>
void for_nodes(std::uint64_t from, std::uint64_t count, std::span<const Digest> hashes, Put&& put) {
  std::size_t next = 0;
  for (std::uint64_t seq = from; seq < from + count; ++seq)
    for (std::uint8_t level = 0; level == 0 || ((seq + 1) >> (level - 1)) % 2 == 0; ++level)
      if (next < hashes.size()) put(log::TreeNode{level, seq >> level}, hashes[next++]);
}

}  // namespace

const LogRows& Disk::rows(std::string_view origin) const {
  static const LogRows kNothing;
  const auto found = logs_.find(origin);
  return found == logs_.end() ? kNothing : found->second;
}

Status Disk::readable() {
  if (std::exchange(read_fails_, false) || reads_fail_) return broken_disk();
  return {};
}

/// In the place of what was asked for, another row of the log.
template <typename Row>
void Disk::misdirect(Row& row, std::string_view origin) {
  if (!misdirected_) return;
  const LogRows& log = rows(origin);
  const auto nth = [&](const auto& all) {
    auto at = all.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(*misdirected_ % all.size()));
    return at;
  };
  if constexpr (std::is_same_v<Row, vault::LogLeaf>) row = *nth(log.leaves);
  if constexpr (std::is_same_v<Row, vault::LogCheckpoint>) row = nth(log.checkpoints)->second;
  if constexpr (std::is_same_v<Row, Digest>) row = nth(log.nodes)->second;
  if constexpr (std::is_same_v<Row, vault::LogBody>) row = nth(bodies_)->second;
  misdirected_.reset();
}

Result<vault::LogHead> Disk::head(std::string_view origin) {
  TRY_STATUS(readable());
  const LogRows& log = rows(origin);
  vault::LogHead head{.origin = std::string(origin), .group = {}, .nick = {}, .checkpoint = {}};
  head.size = log.leaves.size();
  head.sealed = log.sealed;
  if (!log.checkpoints.empty()) head.checkpoint = log.checkpoints.rbegin()->second;
  return head;
}

Result<std::vector<vault::LogLeaf>> Disk::leaves(std::string_view origin, std::uint64_t from, std::uint64_t count) {
  TRY_STATUS(readable());
  const auto& all = rows(origin).leaves;
  if (from >= all.size()) return std::vector<vault::LogLeaf>{};
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(from);
  std::vector found(begin, begin + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(count, all.size() - from)));
  misdirect(found.front(), origin);
  return found;
}

Result<std::optional<std::uint64_t>> Disk::index(std::string_view origin, const Digest& leaf) {
  TRY_STATUS(readable());
  return found_in(rows(origin).places, leaf);
}

Result<std::vector<Digest>> Disk::nodes(std::string_view origin, std::span<const log::TreeNode> nodes) {
  TRY_STATUS(readable());
  std::vector<Digest> found;
  for (const log::TreeNode& node : nodes) {
    const auto hash = found_in(rows(origin).nodes, node);
    if (!hash) return fail(Errc::not_found, "This disk has no such hash.");
    found.push_back(*hash);
    misdirect(found.back(), origin);
  }
  return found;
}

Result<std::optional<vault::LogBody>> Disk::entry_body(const Digest& leaf) {
  TRY_STATUS(readable());
  auto found = found_in(bodies_, leaf);
  if (found) misdirect(*found, {});
  return found;
}

Result<std::optional<vault::LogCheckpoint>> Disk::checkpoint(std::string_view origin, std::uint64_t size) {
  TRY_STATUS(readable());
  auto found = found_in(rows(origin).checkpoints, size);
  if (found) misdirect(*found, origin);
  return found;
}

Result<std::vector<vault::LogCosignature>> Disk::cosignatures(std::string_view origin, std::uint64_t size) {
  TRY_STATUS(readable());
  std::vector<vault::LogCosignature> found;
  const auto& all = rows(origin).cosignatures;
  if (const auto at = all.find(size); at != all.end())
    for (const auto& [nick, line] : at->second) found.push_back({size, nick, line});
  return found;
}

Result<std::optional<std::uint64_t>> Disk::step(std::string_view origin, const log::StepKey& step) {
  TRY_STATUS(readable());
  return found_in(rows(origin).steps, step);
}

Result<std::optional<mirror::FaultRow>> Disk::fault(std::string_view origin) {
  TRY_STATUS(readable());
  return rows(origin).fault;
}

Result<mirror::Usage> Disk::usage(std::string_view origin) {
  TRY_STATUS(readable());
  return rows(origin).usage;
}

Result<std::string> Disk::seen(std::string_view origin) {
  TRY_STATUS(readable());
  return rows(origin).seen;
}

Result<std::optional<std::uint64_t>> Disk::lacking(std::string_view origin) {
  TRY_STATUS(readable());
  return rows(origin).lacking;
}

// --- rows beside the log -------------------------------------------------------------------------------------------

bool StoredSession::has_step(std::string_view author, std::string_view type) const {
  return std::ranges::any_of(steps, [&](const vault::SessionStep& step) {
    return step.author == author && (type.empty() || step.type == type);
  });
}

void Disk::save_session(vault::SessionRow row, std::vector<vault::SessionStep> steps) {
  const std::string id = row.id;
  const auto stored = sessions_.find(id);
  const auto [pending, is_new] = pending_.sessions.try_emplace(id);
  if (is_new && stored != sessions_.end()) pending->second.steps = stored->second.steps;
  pending->second.row = std::move(row);
  std::ranges::move(steps, std::back_inserter(pending->second.steps));
}

std::string Disk::secret(const std::string& name) const {
  return found_in(secrets_, name).value_or("");
}

const StoredSession* Disk::session(const std::string& id) const {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : &found->second;
}

std::optional<log::Body> Disk::stored_body(const Digest& leaf) const {
  const auto found = bodies_.find(leaf);
  if (found == bodies_.end()) return std::nullopt;
  return log::Body{found->second.salt, std::string(as_text(found->second.content))};
}

std::optional<log::Json> Disk::said(std::string_view origin, const Digest& leaf) const {
  const LogRows& log = rows(origin);
  const auto place = log.places.find(leaf);
  if (place == log.places.end()) return std::nullopt;
  const auto entry = log::read_entry_unverified(log.leaves[place->second].note);
  if (!entry) return std::nullopt;
  const auto body = stored_body(leaf);
  if (!body) return std::nullopt;
  auto opened = log::open_body(*entry, *body);
  return opened ? std::optional(*std::move(opened)) : std::nullopt;
}

std::optional<log::Json> Disk::said(std::string_view origin, const log::StepKey& step) const {
  const LogRows& log = rows(origin);
  const auto taken = log.steps.find(step);
  if (taken == log.steps.end() || taken->second >= log.leaves.size()) return std::nullopt;
  return said(origin, log.leaves[taken->second].hash);
}

// --- writing -------------------------------------------------------------------------------------------------------

Status Disk::commit(const mirror::Batch& batch, const std::function<Status()>& work) {
  if (writes_fail_) return broken_disk();
  TRY_STATUS(check(batch));
  pending_ = {};
  if (work) TRY_STATUS(work());
  const Trap trap = std::exchange(trap_, Trap::none);
  if (trap == Trap::die_before) throw ProcessDied{};
  if (trap == Trap::error) return broken_disk();
  auto record = std::make_shared<Record>(Record{batch, std::exchange(pending_, {})});
  if (trap == Trap::die_in) {
    // Half of it is on the disk. Recovery sees that and takes it back, unless this disk is the flawed one.
    if (flaw_ != Flaw::loses_what_goes_with_an_entry) throw ProcessDied{};
    record->own = {};
  }
  journal_.push_back(record);
  apply(*record);
  if (!lying_ && flaw_ != Flaw::syncs_after_sending) sync();
  if (trap == Trap::die_in) sync();
  if (trap == Trap::die_in || trap == Trap::die_after) throw ProcessDied{};
  if (trap == Trap::error_written) return broken_disk();
  return {};
}

Status Disk::check(const mirror::Batch& batch) const {
  for (const vault::LogGrowth& growth : batch.growth) {
    const LogRows& log = rows(growth.origin);
    if (growth.from != log.leaves.size()) return fail(Errc::internal, "Somebody else wrote to this log.");
    if (log.sealed && !growth.leaves.empty()) return fail(Errc::policy, "This log is sealed.");
    if (!growth.checkpoint) continue;
    if (growth.checkpoint->size > log.leaves.size() + growth.leaves.size())
      return fail(Errc::internal, "A checkpoint beyond the log.");
    const auto row = log.checkpoints.find(growth.checkpoint->size);
    if (row != log.checkpoints.end() && row->second.root != growth.checkpoint->root)
      return fail(Errc::exists, "A second checkpoint of one size.");
  }
  for (const mirror::CutRow& row : batch.cuts)
    if (row.size > rows(row.origin).leaves.size()) return fail(Errc::internal, "A cut beyond the log.");
  for (const mirror::RepairRows& repair : batch.repairs)
    if (repair.from + repair.leaves.size() > rows(repair.origin).leaves.size())
      return fail(Errc::internal, "A repair beyond the log.");
  return {};
}

void Disk::apply(const Record& record) {
  for (const vault::LogGrowth& growth : record.batch.growth) grow(growth);
  for (const mirror::StepRow& row : record.batch.steps) logs_[row.origin].steps[row.step] = row.seq;
  for (const mirror::FaultRow& row : record.batch.faults)
    if (auto& fault = logs_[row.origin].fault; !fault) fault = row;
  for (const mirror::UsageRow& row : record.batch.usage) logs_[row.origin].usage = row.usage;
  for (const mirror::SeenRow& row : record.batch.seen) logs_[row.origin].seen = row.note;
  for (const mirror::LackingRow& row : record.batch.lacking) logs_[row.origin].lacking = row.from;
  for (const mirror::CutRow& row : record.batch.cuts) cut(row);
  for (const mirror::RepairRows& repair : record.batch.repairs) {
    LogRows& log = logs_[repair.origin];
    for (std::size_t i = 0; i < repair.leaves.size(); ++i) {
      log.leaves[repair.from + i] = repair.leaves[i];
      log.places[repair.leaves[i].hash] = repair.from + i;
    }
    for_nodes(repair.from, repair.leaves.size(), repair.nodes,
              [&](const log::TreeNode& node, const Digest& hash) { log.nodes[node] = hash; });
    if (repair.checkpoint) log.checkpoints[repair.checkpoint->size] = *repair.checkpoint;
  }
  for (const auto& [id, session] : record.own.sessions) sessions_[id] = session;
  for (const auto& [name, secret] : record.own.secrets) secrets_[name] = secret;
  if (record.own.latest) latest_ = std::max(latest_, *record.own.latest);
}

void Disk::cut(const mirror::CutRow& row) {
  LogRows& log = logs_[row.origin];
  log.leaves.resize(row.size);
  std::erase_if(log.places, [&](const auto& place) { return place.second >= row.size; });
  std::erase_if(log.nodes, [&](const auto& node) { return (node.first.index + 1) << node.first.level > row.size; });
  std::erase_if(log.checkpoints, [&](const auto& checkpoint) { return checkpoint.first > row.size; });
  std::erase_if(log.cosignatures, [&](const auto& cosignature) { return cosignature.first > row.size; });
  for (const log::StepKey& step : row.steps) log.steps.erase(step);
  for (const Digest& leaf : row.leaves) bodies_.erase(leaf);
  if (row.checkpoint) log.checkpoints.emplace(row.size, *row.checkpoint);
  log.sealed = false;
}

void Disk::grow(const vault::LogGrowth& growth) {
  LogRows& log = logs_[growth.origin];
  for_nodes(growth.from, growth.leaves.size(), growth.nodes,
            [&](const log::TreeNode& node, const Digest& hash) { log.nodes[node] = hash; });
  for (const vault::LogLeaf& leaf : growth.leaves) {
    log.places[leaf.hash] = log.leaves.size();
    log.leaves.push_back(leaf);
  }
  log.sealed = log.sealed || growth.seals;
  for (const vault::LogBody& body : growth.bodies) bodies_.insert_or_assign(body.leaf, body);
  if (growth.checkpoint) log.checkpoints.emplace(growth.checkpoint->size, *growth.checkpoint);
  for (const vault::LogCosignature& added : growth.cosignatures)
    log.cosignatures[added.size][added.cosigner] = added.line;
}

// --- what goes wrong -----------------------------------------------------------------------------------------------

void Disk::set_failing(bool writes, bool reads) {
  writes_fail_ = writes;
  reads_fail_ = reads;
}

void Disk::set_lying(bool lying) {
  lying_ = lying;
  if (!lying) sync();
}

bool Disk::crash(Dice& dice) {
  trap_ = Trap::none;
  read_fails_ = false;
  misdirected_.reset();
  pending_ = {};
  if (is_durable()) return false;
  const std::size_t kept = durable_ + dice.below(journal_.size() - durable_ + 1);
  const bool lost = kept < journal_.size();
  if (lost) roll_back(kept);
  sync();
  return lost;
}

void Disk::roll_back(std::size_t commits) {
  journal_.resize(std::min(commits, journal_.size()));
  durable_ = journal_.size();
  rebuild();
}

void Disk::rebuild() {
  logs_.clear();
  bodies_.clear();
  sessions_.clear();
  secrets_.clear();
  latest_ = 0;
  for (const auto& record : journal_) apply(*record);
}

bool Disk::rot(Dice& dice, const std::function<bool(std::string_view, std::uint64_t)>& has_another) {
  if (logs_.empty()) return false;
  auto at = logs_.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(dice.below(logs_.size())));
  LogRows& log = at->second;
  if (log.leaves.empty()) return false;
  const std::size_t seq = dice.below(log.leaves.size());
  const auto flip = [&](std::string& text) { text[dice.below(text.size())] ^= static_cast<char>(1 << dice.below(7)); };
  switch (dice.below(3)) {
    case 0:
      flip(log.leaves[seq].note);
      return true;
    case 1:
      log.nodes[{0, seq}][dice.below(32)] ^= std::byte{1};
      return true;
    default:
      if (log.checkpoints.empty() || !has_another(at->first, log.checkpoints.rbegin()->first)) return false;
      flip(log.checkpoints.rbegin()->second.note);
      return true;
  }
}

void Disk::heal() {
  trap_ = Trap::none;
  writes_fail_ = reads_fail_ = read_fails_ = false;
  misdirected_.reset();
  set_lying(false);
}

// --- the guard -----------------------------------------------------------------------------------------------------

Status SimulatedGuard::advance(const vault::SignedHead& next) {
  if (flaw_ == Flaw::guard_stays) return {};
  const vault::SignedHead now = head();
  if (next == now) return {};
  if (next.size <= now.size) return fail(Errc::exists, "A second history was to be signed.");
  const Trap trap = std::exchange(trap_, Trap::none);
  if (trap == Trap::die_before) throw ProcessDied{};
  if (trap == Trap::error) return broken_disk();
  history_.push_back({disk_.commits(), next});
  if (trap == Trap::die_after) throw ProcessDied{};
  return {};
}

Status SimulatedGuard::restart(const vault::SignedHead& head) {
  history_.push_back({disk_.commits(), head});
  return {};
}

void SimulatedGuard::roll_back(std::size_t commits) {
  std::erase_if(history_, [&](const Moment& moment) { return moment.commits > commits; });
  gone_back_ = true;
}

void SimulatedGuard::process_starts() {
  trap_ = Trap::none;
  if (flaw_ == Flaw::guard_begins_anew) history_.clear();
}

}  // namespace parley::sim
