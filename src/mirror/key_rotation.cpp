// Keys that are replaced: our own, and those of others as their logs arrive (log.md 1.6). A rotation counts from its
// entry on, as soon as that entry is kept.
#include "mirror/key_rotation.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "mirror/detail/impl.h"

namespace parley::mirror {
namespace {

/// The statement, the entry, and what the statement is signed with.
constexpr std::uint64_t kChecksOfARotation = 4;
/// In the spelling that every entry has.
constexpr std::string_view kTypeMark = R"("type":"key.rotate")";

}  // namespace

Result<std::optional<log::Body>> stored_body(Store& store, std::string_view leaf) {
  TRY(const log::Entry entry, log::read_entry_unverified(leaf));
  return stored_body(store, log::leaf_hash(as_bytes(leaf)), entry.body);
}

log::StepKey rotation_key(std::string_view nick, std::size_t number) {
  return {std::string(nick), fmt::format("{}", number), std::string(log::kKeyRotate)};
}

Status load_rotations(Store& store, log::MemberKeys& member) {
  member.rotated.clear();
  if (member.id.name.empty()) return {};
  while (true) {
    TRY(const auto seq, store.step(member.log.name, rotation_key(member.nick, member.rotated.size())));
    if (!seq) return {};
    TRY(const auto rows, store.leaves(member.log.name, *seq, 1));
    const std::string& leaf = rows.empty() ? std::string() : rows.front().note;
    const auto body = stored_body(store, leaf);
    if (!body && body.error().code == Errc::io) return std::unexpected(body.error());
    // A row that is no entry any more is damaged, like one that says something else.
    Status taken;
    if (!body)
      taken = std::unexpected(body.error());
    else if (!*body)
      taken = fail(Errc::vault_damaged, "The body of a rotation is not there.");
    else
      taken = log::admit_rotation(member, leaf, **body);
    if (!taken)
      return fail(Errc::vault_damaged,
                  fmt::format("Entry {} of the log of {}, which rotates a key, is damaged here: {}", *seq, member.nick,
                              taken.error().message));
  }
}

Status load_rotations(vault::Vault& vault, std::string_view group, std::span<log::MemberKeys> members) {
  VaultStore store(vault, std::string(group), members, 0);
  for (log::MemberKeys& member : members) TRY_STATUS(load_rotations(store, member));
  return {};
}

// --- of others -----------------------------------------------------------------------------------------------------

Result<bool> Replica::Impl::admit(log::MemberKeys& keys, std::uint64_t seq, std::string_view leaf,
                                  const log::Body* body) {
  if (leaf.find(kTypeMark) == std::string_view::npos) return false;
  TRY(const log::Entry claimed, log::read_entry_unverified(leaf));
  if (claimed.type != log::kKeyRotate) return false;
  if (claimed.seq != seq)
    return fail(Errc::protocol, fmt::format("An entry {} came where {} is due.", claimed.seq, seq));
  if (body == nullptr)
    return fail(Errc::protocol,
                fmt::format("Entry {} of the log of {} rotates a key, and came without its body.", seq, keys.nick));
  effort.checked += kChecksOfARotation;
  TRY_STATUS(log::admit_rotation(keys, leaf, *body));
  return true;
}

Status Replica::Impl::take_rotation(std::size_t owner, std::uint64_t seq, std::string_view leaf, const log::Body* body,
                                    std::vector<StepRow>& steps) {
  log::MemberKeys& keys = group.members[owner];
  TRY(const bool rotates, admit(keys, seq, leaf, body));
  if (!rotates) return {};
  steps.push_back({keys.log.name, rotation_key(keys.nick, keys.rotated.size() - 1), seq});
  forget_verified();
  return {};
}

void Replica::Impl::forget_verified() {
  for (detail::LogCopy& copy : logs) copy.verified_note.clear();
}

bool Replica::Impl::counts(const vault::LogCosignature& line) const {
  const auto cosigner = member(line.cosigner);
  const auto signature = detail::signature_of(line.line);
  return cosigner && signature && keys(*cosigner).ever_cosigned_by(*signature).has_value();
}

std::optional<log::VerifierKey> Replica::Impl::cosign_key(std::size_t cosigner, const detail::LogCopy& copy,
                                                          std::uint64_t size,
                                                          const log::NoteSignature& signature) const {
  for (log::VerifierKey& key : keys(cosigner).cosign_on(nick(copy.owner), size))
    if (signature.name == key.name && signature.key_id == key.id()) return std::move(key);
  return std::nullopt;
}

// --- our own -------------------------------------------------------------------------------------------------------

void Replica::Impl::choose_keys() {
  if (!signing) return;
  const log::MemberKeys& self = keys(group.self);
  const auto choose = [&](const log::VerifierKey& due) -> std::optional<crypto::SigningKey> {
    for (const Secret<32>& seed : seeds)
      if (crypto::public_key_of(seed) == due.key) return crypto::SigningKey(seed);
    return std::nullopt;
  };
  signing->node = choose(self.newest_node());
  signing->cosign = choose(self.newest_cosign());
}

/// The largest tree under which a cosignature of ours stands on the disk.
Result<std::uint64_t> Replica::Impl::cosigned_on_disk(const detail::LogCopy& copy) const {
  TRY(const vault::LogHead head, store.head(copy.origin));
  for (std::uint64_t size = head.size; size > 0; --size) {
    TRY(const auto lines, store.cosignatures(copy.origin, size));
    if (std::ranges::any_of(lines, [&](const vault::LogCosignature& line) {
          return line.cosigner == nick(group.self) && counts(line);
        }))
      return size;
  }
  return 0;
}

/// How far our old `cosign` key has cosigned each of the others' logs. Of a copy that is damaged it is not in memory,
/// and what the rotation does not leave to the old key it takes from it for good.
Result<std::vector<log::Cutoff>> Replica::Impl::cosigned_so_far() const {
  std::vector<log::Cutoff> cutoffs;
  for (const detail::LogCopy& copy : logs) {
    if (copy.owner == group.self) continue;
    std::uint64_t size = copy.held[group.self];
    if (copy.mending) {
      TRY(const std::uint64_t on_disk, cosigned_on_disk(copy));
      size = std::max(size, on_disk);
    }
    if (size > 0) cutoffs.push_back({nick(copy.owner), size});
  }
  std::ranges::sort(cutoffs, {}, &log::Cutoff::nick);
  return cutoffs;
}

Result<std::pair<log::VerifierKey, const Secret<32>*>> Replica::Impl::key_in_use(const NewKey& next) const {
  const log::MemberKeys& self = keys(group.self);
  log::VerifierKey key = next.role == log::KeyRole::node ? self.newest_node() : self.newest_cosign();
  if (next.role == log::KeyRole::tls) {
    const log::PlacedRotation* before = self.rotation(log::KeyRole::tls);
    key = before != nullptr ? before->rotation.next
                            : log::VerifierKey{log::tls_key_name(self.log.name), log::KeyType::ed25519, next.first_tls};
  }
  const Secret<32>* found = nullptr;
  for (const Secret<32>& seed : seeds)
    if (crypto::public_key_of(seed) == key.key) found = &seed;
  if (next.old_tls && crypto::public_key_of(*next.old_tls) == key.key) found = &*next.old_tls;
  if (found == nullptr && log::old_key_signs(next.reason))
    return fail(
        Errc::not_found,
        fmt::format("The {} key that is in use is not here, and so cannot sign its own replacement. Say that it "
                    "is lost, or stolen.",
                    log::name_of(next.role)));
  return std::pair(std::move(key), found);
}

Result<EntryView> Replica::Impl::rotate(const NewKey& next, const Secret<32>& id_seed, std::int64_t now,
                                        const Work& work) {
  log::MemberKeys& self = group.members[group.self];
  if (state() != State::live)
    return fail(Errc::policy, fmt::format("No key can be rotated now ({}).", name_of(state())));
  if (self.id.name.empty() || crypto::public_key_of(id_seed) != self.id.key)
    return fail(Errc::usage, "The id key that is to sign the rotation is not the one that the group knows.");
  TRY_STATUS(flush());
  TRY(const auto old, key_in_use(next));
  log::Rotation rotation{.origin = self.log.name,
                         .nick = self.nick,
                         .role = next.role,
                         .reason = next.reason,
                         .old = old.first,
                         .next = old.first,
                         .since = next.since};
  rotation.next.key = crypto::public_key_of(next.seed);
  if (log::is_key_of(group.members, rotation.next)) return fail(Errc::usage, "The new key is one that is in use.");
  if (next.role == log::KeyRole::cosign && log::looks_like_one_before(self, rotation.next))
    return fail(Errc::usage,
                "The new key looks like one that this member had before. Nothing was written: do it again.");
  if (self.rotated.size() >= log::kMaxRotations)
    return fail(Errc::limit, fmt::format("This log has {} rotations, and there are no more.", log::kMaxRotations));
  if (next.role == log::KeyRole::cosign) {
    TRY(rotation.cutoffs, cosigned_so_far());
  }
  const std::optional<crypto::SigningKey> old_key =
      old.second == nullptr ? std::nullopt : std::optional(crypto::SigningKey(*old.second));
  const std::string statement = log::make_rotation(rotation, self.id.name, crypto::SigningKey(id_seed),
                                                   crypto::SigningKey(next.seed), old_key ? &*old_key : nullptr);
  // What nobody would take must not stand in our log, which could not go on behind it.
  TRY(const log::Rotation read, log::read_rotation(statement, self.id));
  if (read != rotation) return fail(Errc::internal, "The rotation of a key does not read back as it was made.");
  return append_rotation(std::move(rotation), statement, next.seed, now, work);
}

Result<EntryView> Replica::Impl::append_rotation(log::Rotation rotation, const std::string& statement,
                                                 const Secret<32>& seed, std::int64_t now, const Work& work) {
  log::MemberKeys& self = group.members[group.self];
  // Its place is known, since nobody else writes meanwhile; a new node key signs its own entry.
  self.rotated.push_back({own().size(), std::move(rotation), {}, {}, {}});
  forget_verified();
  seeds.push_back(seed.clone());
  choose_keys();
  rotating = true;
  auto written = append({draft_for_everyone(log::kKeyRotate, log::rotation_body(statement)), work}, now);
  rotating = false;
  if (!written) {
    self.rotated.pop_back();
    seeds.pop_back();
    choose_keys();
    return written;
  }
  TRY(const auto rows, store.leaves(self.log.name, written->entry.seq, 1));
  if (rows.empty()) return fail(Errc::vault_damaged, "An entry of our own log is missing on this disk.");
  TRY(const auto body, stored_body(store, rows.front().note));
  log::PlacedRotation& placed = self.rotated.back();
  placed.leaf = rows.front().note;
  if (body) placed.salt = body->salt, placed.body = body->text;
  return written;
}

}  // namespace parley::mirror
