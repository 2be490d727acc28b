#include "log/member_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "log/merkle.h"

namespace parley::log {
namespace {

constexpr std::size_t kMaxNickBytes = 32;

/// What must be distinct in all of a group.
struct Taken {
  std::set<std::string> names;
  std::set<ByteArray<32>> keys;
};

Status admit(const VerifierKey& key, KeyType type, std::string_view role, const std::string& nick, Taken& taken) {
  const std::string what = fmt::format("The {} key of {}", role, nick);
  if (key.type != type) return fail(Errc::format, what + " is of another type than its role asks for.");
  // Whoever made the key by hand did not pass parse_vkey(), which has the rules for names.
  TRY(const VerifierKey read, parse_vkey(key.text()));
  if (read != key) return fail(Errc::format, what + " has no proper name.");
  if (!taken.names.insert(key.name).second) {
    return fail(Errc::format, fmt::format("{} has the name of another key: {}.", what, visible(key.name)));
  }
  if (!taken.keys.insert(key.key).second) {
    return fail(Errc::format, what + " stands in the group a second time; each role of each member has its own key.");
  }
  return {};
}

}  // namespace

const PlacedRotation* MemberKeys::rotation(KeyRole role, std::uint64_t seq) const {
  for (auto placed = rotated.rbegin(); placed != rotated.rend(); ++placed)
    if (placed->rotation.role == role && placed->seq <= seq) return &*placed;
  return nullptr;
}

const VerifierKey& MemberKeys::node_at(std::uint64_t seq) const {
  const PlacedRotation* placed = rotation(KeyRole::node, seq);
  return placed == nullptr ? node : placed->rotation.next;
}

const VerifierKey& MemberKeys::newest_cosign() const {
  const PlacedRotation* placed = rotation(KeyRole::cosign);
  return placed == nullptr ? cosign : placed->rotation.next;
}

std::optional<VerifierKey> MemberKeys::ever_cosigned_by(const NoteSignature& signature) const {
  const auto is_by = [&](const VerifierKey& key) { return signature.name == key.name && signature.key_id == key.id(); };
  if (is_by(cosign)) return cosign;
  for (const PlacedRotation& placed : rotated)
    if (placed.rotation.role == KeyRole::cosign && is_by(placed.rotation.next)) return placed.rotation.next;
  return std::nullopt;
}

std::vector<VerifierKey> MemberKeys::cosign_on(std::string_view owner, std::uint64_t size) const {
  std::vector<VerifierKey> keys{newest_cosign()};
  std::uint64_t most = kMaxTreeSize;  // what all later rotations leave to the key before them
  for (auto placed = rotated.rbegin(); placed != rotated.rend(); ++placed) {
    if (placed->rotation.role != KeyRole::cosign) continue;
    const auto& cutoffs = placed->rotation.cutoffs;
    const auto cutoff = std::ranges::find(cutoffs, owner, &Cutoff::nick);
    most = std::min(most, cutoff == cutoffs.end() ? 0 : cutoff->size);
    if (size <= most) keys.push_back(placed->rotation.old);
  }
  return keys;
}

bool is_nick(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNickBytes &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

Status admit_members(std::span<const MemberKeys> members) {
  if (members.empty()) return fail(Errc::format, "A group has at least one member.");
  if (members.size() > kMaxGroupMembers) {
    return fail(Errc::limit, fmt::format("A group of {} members; {} is the limit.", members.size(), kMaxGroupMembers));
  }
  std::set<std::string> nicks;
  Taken taken;
  for (const MemberKeys& member : members) {
    if (!is_nick(member.nick)) {
      return fail(Errc::format, fmt::format("\"{}\" is no nick: 1 to 32 of a-z, 0-9 and -.",
                                            visible(std::string_view(member.nick).substr(0, kMaxNickBytes))));
    }
    if (!nicks.insert(member.nick).second) {
      return fail(Errc::format, fmt::format("Two members have the nick {}.", member.nick));
    }
    TRY_STATUS(admit(member.node, KeyType::ed25519, "node", member.nick, taken));
    TRY_STATUS(admit(member.log, KeyType::ed25519, "log", member.nick, taken));
    TRY_STATUS(admit(member.cosign, KeyType::cosignature, "cosign", member.nick, taken));
  }
  return {};
}

}  // namespace parley::log
