// Keys of one group: made, loaded, destroyed (group_keys.h).
#include "group/group_keys.h"

#include <fmt/format.h>

#include <array>

#include "base/file.h"
#include "base/random.h"
#include "group/charter.h"
#include "group/key_file.h"
#include "group/rotation.h"

namespace parley::group {
namespace {

constexpr unsigned kSecretMode = 0600;

std::filesystem::path file_of(const std::filesystem::path& folder, std::string_view group) {
  return folder / fmt::format("group-{}.key", group);
}

std::string secret_name(std::string_view group) {
  return fmt::format("group/{}/keys", group);
}

log::MemberKeys public_halves(std::string_view domain, std::string_view group, std::string_view nick,
                              const Secret<32>& node, const Secret<32>& log, const Secret<32>& cosign) {
  using log::KeyType;
  const std::string origin = log_key_name(domain, group, nick);
  return {.nick = std::string(nick),
          .node = log::vkey_of(origin + "/node", KeyType::ed25519, node),
          .log = log::vkey_of(origin, KeyType::ed25519, log),
          .cosign = log::vkey_of(origin + "/mirror", KeyType::cosignature, cosign)};
}

Result<std::optional<Secret<32>>> wrapping_secret(vault::Vault& vault, std::string_view group) {
  TRY(const auto stored, vault.secret(secret_name(group)));
  if (!stored) return std::nullopt;
  if (stored->size() != Secret<32>::kSize)
    return fail(Errc::vault_damaged, "The secret of a group's keys has a wrong length in the vault.");
  return Secret<32>(stored->expose().first<Secret<32>::kSize>());
}

}  // namespace

Result<GroupKeys> create_group_keys(const std::filesystem::path& folder, vault::Vault& vault, std::string_view domain,
                                    std::string_view group, std::string_view nick) {
  TRY(const auto known, wrapping_secret(vault, group));
  std::error_code ignored;
  const std::filesystem::path path = file_of(folder, group);
  if (known || std::filesystem::exists(path, ignored))
    return fail(Errc::exists, "There are keys for this group already; nothing was changed.", path.string());
  const Secret<32> wrapping = random_secret<32>();
  GroupKeys made{{}, random_secret<32>(), random_secret<32>(), random_secret<32>()};
  made.keys = public_halves(domain, group, nick, made.node, made.log, made.cosign);
  const KeyDerivation derivation{KeyDerivation::Kind::key_file, crypto::Argon2Cost{},
                                 random_bytes<crypto::kArgon2SaltBytes>()};
  const std::array in_order = {made.cosign.clone(), made.log.clone(), made.node.clone()};
  const KeyFile file =
      seal_key_file(nick, KeyRing::group, derivation, box_key(derivation, wrapping), in_order, short_id(group));
  TRY_STATUS(write_file_atomically(path, as_bytes(file.text()), kSecretMode));
  if (auto kept = vault.put_secret(secret_name(group), wrapping.expose()); !kept) {
    std::filesystem::remove(path, ignored);
    return std::unexpected(std::move(kept).error());
  }
  return made;
}

Result<GroupKeys> load_group_keys(const std::filesystem::path& folder, vault::Vault& vault, std::string_view domain,
                                  std::string_view group, std::string_view nick) {
  const std::filesystem::path path = file_of(folder, group);
  TRY(const auto wrapping, wrapping_secret(vault, group));
  if (!wrapping)
    return fail(Errc::not_found, "This member has no keys in this group; they were destroyed, or never made.",
                path.string());
  TRY(const Bytes content, read_file(path, kMaxKeyFileBytes));
  TRY_STATUS(check_private(path));
  auto file = parse_key_file(as_text(content));
  if (!file) return std::unexpected(std::move(file).error().at(path.string()));
  if (file->ring != KeyRing::group || file->group != short_id(group) || file->nick != nick ||
      file->derivation.kind != KeyDerivation::Kind::key_file)
    return fail(Errc::format, "The key file holds other keys than those of this group.", path.string());
  auto seeds = open_key_file(*file, box_key(file->derivation, *wrapping));
  if (!seeds) return std::unexpected(std::move(seeds).error().at(path.string()));
  GroupKeys loaded{{}, std::move((*seeds)[2]), std::move((*seeds)[1]), std::move((*seeds)[0])};
  loaded.keys = public_halves(domain, group, nick, loaded.node, loaded.log, loaded.cosign);
  return loaded;
}

Status destroy_group_keys(const std::filesystem::path& folder, vault::Vault& vault, std::string_view group) {
  TRY_STATUS(vault.put_secret(secret_name(group), {}));
  TRY_STATUS(forget_rotated_seeds(vault, group));
  std::error_code error;
  std::filesystem::remove(file_of(folder, group), error);
  if (error)
    return fail(Errc::io, "The keys of the group can no longer be opened, but their file cannot be removed.",
                file_of(folder, group).string());
  return {};
}

}  // namespace parley::group
