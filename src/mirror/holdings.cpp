#include "mirror/holdings.h"

#include <algorithm>

#include "mirror/detail/log_copy.h"
#include "mirror/vault_store.h"

namespace parley::mirror {
namespace {

/// How many trees of a log are looked at, and of how many the rows are in memory at a time.
constexpr std::uint64_t kLookAhead = 4096, kSizesAtOnce = 256;

/// A stored line that is not verified yet.
struct Claim {
  log::Checkpoint checkpoint;
  log::NoteSignature signature;
  Holding holding;
};

std::optional<Claim> claim_of(const std::string& origin, const vault::LogCosignature& line,
                              std::span<const vault::LogCheckpoint> rows) {
  // What stands on no checkpoint proves nothing.
  const auto row = std::ranges::lower_bound(rows, line.size, {}, &vault::LogCheckpoint::size);
  auto signature = detail::signature_of(line.line);
  if (row == rows.end() || row->size != line.size || !signature) return std::nullopt;
  if (signature->signature.size() < sizeof(std::uint64_t)) return std::nullopt;
  const auto stated = static_cast<std::int64_t>(read_be<std::uint64_t>(signature->signature));
  if (stated < 0) return std::nullopt;  // verify_cosignature() takes no such time
  Holding holding{.nick = line.cosigner, .since = stated, .stated = stated, .key = {}};
  if (line.arrived > 0) holding.since = std::min(holding.since, line.arrived);
  return Claim{.checkpoint = {.origin = origin, .size = row->size, .root = row->root},
               .signature = *std::move(signature),
               .holding = std::move(holding)};
}

/// Whether one of its cosigner's keys made it, which is then named.
bool is_sound(Claim& claim, std::span<const log::MemberKeys> keys) {
  return std::ranges::any_of(keys, [&](const log::MemberKeys& member) {
    auto key = member.nick == claim.holding.nick ? member.ever_cosigned_by(claim.signature) : std::nullopt;
    if (!key || !log::verify_cosignature(claim.checkpoint, claim.signature, *key)) return false;
    claim.holding.key = *std::move(key);
    return true;
  });
}

}  // namespace

Result<log::NoteSignature> signature_in(const vault::LogCosignature& line) {
  return detail::signature_of(line.line);
}

Result<std::vector<Holding>> Holdings::of(const std::string& origin, std::uint64_t seq) {
  auto known = known_.find({origin, seq});
  if (known == known_.end()) {
    TRY(auto holdings, read(origin, seq, [](const std::vector<Holding>&) { return false; }));
    known = known_.emplace(std::pair(origin, seq), std::move(holdings)).first;
  }
  return known->second;
}

Result<std::vector<Holding>> Holdings::of_until(const std::string& origin, std::uint64_t seq, const Enough& enough) {
  if (const auto known = known_.find({origin, seq}); known != known_.end()) return known->second;
  return read(origin, seq, enough);
}

Result<std::vector<Holding>> Holdings::read(const std::string& origin, std::uint64_t seq, const Enough& enough) {
  std::map<std::string, Holding> earliest;
  std::vector<Holding> holdings;
  VaultStore store(vault_, {}, {}, 0);
  TRY(const vault::LogHead head, store.head(origin));
  const std::uint64_t end = std::min(head.size, seq + kLookAhead) + 1;
  for (std::uint64_t from = seq + 1; from < end; from += kSizesAtOnce) {
    ++read_count_;
    const std::uint64_t count = std::min(kSizesAtOnce, end - from);
    TRY(const auto rows, store.checkpoints(origin, from, count));
    TRY(const auto lines, store.all_cosignatures(origin, from, count));
    std::vector<Claim> claims;
    for (const vault::LogCosignature& line : lines)
      if (auto claim = claim_of(origin, line, rows)) claims.push_back(*std::move(claim));
    // By time, so that of each member few more than one are verified.
    std::ranges::stable_sort(claims, {}, [](const Claim& claim) { return claim.holding.since; });
    for (Claim& claim : claims) {
      const auto before = earliest.find(claim.holding.nick);
      if (before != earliest.end() && before->second.since <= claim.holding.since) continue;
      if (is_sound(claim, keys_)) earliest.insert_or_assign(claim.holding.nick, std::move(claim.holding));
    }
    holdings.clear();
    for (const auto& [nick, holding] : earliest) holdings.push_back(holding);
    if (enough(holdings)) break;
  }
  return holdings;
}

}  // namespace parley::mirror
