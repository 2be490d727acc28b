// Making a member and loading it: card.note, id.key and node.key in the member's folder.
#include "group/member.h"

#include <fmt/format.h>

#include <array>

#include "base/encoding.h"
#include "base/random.h"
#include "crypto/ed25519.h"
#include "group/card_rules.h"
#include "group/key_file.h"
#include "log/note.h"

namespace parley::group {
namespace {

constexpr const char* kCardFile = "card.note";
constexpr const char* kIdFile = "id.key";
constexpr const char* kNodeFile = "node.key";
constexpr unsigned kSecretMode = 0600;

KeyDerivation fresh_derivation(KeyDerivation::Kind kind) {
  return {kind, crypto::Argon2Cost{}, random_bytes<crypto::kArgon2SaltBytes>()};
}

/// id.key: under what unlocks the vault, so that one passphrase is enough, and by its own salt.
Result<KeyFile> seal_id(std::string_view nick, const vault::Unlock& unlock, const Secret<32>& seed) {
  const auto kind = unlock.key_file ? KeyDerivation::Kind::key_file : KeyDerivation::Kind::argon2id;
  const KeyDerivation derivation = fresh_derivation(kind);
  TRY(const Secret<32> key, box_key(derivation, unlock));
  return seal_key_file(nick, KeyRing::id, derivation, key, {&seed, 1});
}

/// node.key: under a key of the vault, so that a command that has opened the vault pays for Argon2 once.
KeyFile seal_online(std::string_view nick, const vault::Vault& vault, const MemberSeeds& seeds) {
  const KeyDerivation derivation = fresh_derivation(KeyDerivation::Kind::key_file);
  const Secret<32> key = box_key(derivation, vault.subkey(vault::Subkey::member_keys));
  const std::array in_order = {seeds.cosign.clone(), seeds.log.clone(), seeds.node.clone(), seeds.tls.clone()};
  return seal_key_file(nick, KeyRing::online, derivation, key, in_order);
}

/// Files that go again unless keep() is called.
class NewFiles {
 public:
  NewFiles() = default;
  NewFiles(const NewFiles&) = delete;
  NewFiles& operator=(const NewFiles&) = delete;
  ~NewFiles() {
    std::error_code ignored;
    for (const auto& path : written_) std::filesystem::remove(path, ignored);
  }

  Status write(const std::filesystem::path& path, std::string_view content) {
    written_.push_back(path);
    return write_file_atomically(path, as_bytes(content), kSecretMode);
  }
  void keep() { written_.clear(); }

 private:
  std::vector<std::filesystem::path> written_;
};

Result<KeyFile> read_key_file(const std::filesystem::path& path, KeyRing ring) {
  TRY(const Bytes content, read_file(path, kMaxKeyFileBytes));
  TRY_STATUS(check_private(path));
  auto file = parse_key_file(as_text(content));
  if (!file) return std::unexpected(std::move(file).error().at(path.string()));
  if (file->ring != ring) return fail(Errc::format, "The key file holds other keys than it should.", path.string());
  return file;
}

Result<Card> load_card(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kCardFile;
  TRY(const Bytes note, read_file(path, kMaxCardBytes));
  auto card = read_card(as_text(note));
  if (!card) return std::unexpected(std::move(card).error().at(path.string()));
  return card;
}

Status check_key_belongs(const Secret<32>& seed, const std::string& vkey, const std::filesystem::path& path) {
  TRY(const log::VerifierKey key, log::parse_vkey(vkey));
  if (log::vkey_of(key.name, key.type, seed) == key) return {};
  return fail(Errc::format, "A key in this file is not the one on the member's card.", path.string());
}

}  // namespace

Status create_member(const std::filesystem::path& folder, std::string_view name, const vault::Unlock& unlock,
                     const vault::Vault& vault) {
  TRY_STATUS(check_name(name));
  TRY(const std::string nick, nick_for(name));
  for (const char* file : {kCardFile, kIdFile, kNodeFile}) {
    std::error_code error;
    if (std::filesystem::exists(std::filesystem::symlink_status(folder / file, error))) {
      return fail(Errc::exists, "There is a member already; nothing was changed.", (folder / file).string());
    }
  }
  const MemberSeeds seeds{random_secret<32>(), random_secret<32>(), random_secret<32>(), random_secret<32>(),
                          random_secret<32>()};
  TRY(const KeyFile id_file, seal_id(nick, unlock, seeds.id));
  const KeyFile node_file = seal_online(nick, vault, seeds);
  NewFiles files;
  TRY_STATUS(files.write(folder / kIdFile, id_file.text()));
  TRY_STATUS(files.write(folder / kNodeFile, node_file.text()));
  TRY_STATUS(files.write(folder / kCardFile, make_card(name, nick, seeds, wall_clock_now())));
  files.keep();
  return {};
}

Result<Member> load_member(const std::filesystem::path& folder, const vault::Vault& vault) {
  TRY(Card card, load_card(folder));
  const std::filesystem::path path = folder / kNodeFile;
  TRY(const KeyFile file, read_key_file(path, KeyRing::online));
  if (file.derivation.kind != KeyDerivation::Kind::key_file) {
    return fail(Errc::format, "The node's keys must be sealed under the vault's own key.", path.string());
  }
  auto seeds = open_key_file(file, box_key(file.derivation, vault.subkey(vault::Subkey::member_keys)));
  if (!seeds) return std::unexpected(std::move(seeds).error().at(path.string()));
  Secret<32>& cosign = (*seeds)[0];
  Secret<32>& log = (*seeds)[1];
  Secret<32>& node = (*seeds)[2];
  Secret<32>& tls = (*seeds)[3];
  TRY_STATUS(check_key_belongs(node, card.node_vkey, path));
  TRY_STATUS(check_key_belongs(log, card.log_vkey, path));
  TRY_STATUS(check_key_belongs(cosign, card.cosign_vkey, path));
  if (crypto::public_key_of(tls) != card.tls_key) {
    return fail(Errc::format, "A key in this file is not the one on the member's card.", path.string());
  }
  return Member{std::move(card), std::move(node), std::move(log), std::move(cosign), std::move(tls)};
}

Result<Secret<32>> load_id_seed(const std::filesystem::path& folder, const vault::Unlock& unlock) {
  TRY(const Card card, load_card(folder));
  const std::filesystem::path path = folder / kIdFile;
  TRY(const KeyFile file, read_key_file(path, KeyRing::id));
  TRY(const Secret<32> key, box_key(file.derivation, unlock));
  auto seeds = open_key_file(file, key);
  if (!seeds) return std::unexpected(std::move(seeds).error().at(path.string()));
  TRY_STATUS(check_key_belongs(seeds->front(), card.id_vkey, path));
  return std::move(seeds->front());
}

wire::LocalIdentity Member::identity() const {
  return {card.nick, card.node_vkey.substr(0, card.node_vkey.find('+')), node_seed.clone(), tls_seed.clone()};
}

wire::PinnedPeer pinned(std::string_view peer_name, const Card& card) {
  return {std::string(peer_name), card.nick, card.node_vkey, card.tls_key};
}

}  // namespace parley::group
