// What the vault's parts share (database.h).
// Subkeys and cells: log.md 7.1 and 7.2.
#include "vault/detail/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>

#include <cerrno>

#include "base/file.h"
#include "base/random.h"
#include "vault/detail/integrity.h"
#include "vault/detail/schema.h"
#include "vault/detail/selection.h"

namespace parley::vault {
namespace {

constexpr const char* kSubkeyContext = "parleyvl";  // crypto_kdf context (log.md 7.1)
constexpr std::byte kCellVersion{1};                // first byte of a sealed cell (log.md 7.2)

std::string cell_context(std::string_view place) {
  return fmt::format("parley/vault/cell/v1 {}", place);
}

}  // namespace

namespace detail {

Secret<32> derive_subkey(const Secret<32>& vault_key, Subkey which) {
  Secret<32> key;
  crypto_kdf_derive_from_key(as_uchar_mutable(key.expose_mutable()), 32, static_cast<std::uint64_t>(which),
                             kSubkeyContext, as_uchar(vault_key.expose()));
  return key;
}

}  // namespace detail

Database::Database(Secret<32> vault_key, std::unique_ptr<detail::Connection> connection,
                   std::optional<detail::LockFile> lock)
    : lock_(std::move(lock)), vault_key_(std::move(vault_key)), connection_(std::move(connection)) {}

Status Database::create(const std::filesystem::path& folder, const Secret<32>& vault_key) {
  const std::filesystem::path path = folder / "vault.db";
  const FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    return fail(Errc::io, fmt::format("Cannot make the vault's database: {}.", system_error_text(errno)),
                path.string());
  }
  TRY(auto vfs, detail::SealedVfs::make(folder, detail::derive_subkey(vault_key, Subkey::pages)));
  TRY(auto connection, detail::Connection::open(std::move(vfs), path, true));
  TRY_STATUS(detail::migrate(*connection));
  connection->checkpoint_on_close();
  return {};
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& folder, Secret<32> vault_key,
                                                 detail::LockFile lock) {
  const std::filesystem::path path = folder / "vault.db";
  TRY(auto vfs, detail::SealedVfs::make(folder, detail::derive_subkey(vault_key, Subkey::pages)));
  TRY_STATUS(detail::check_files(vfs->cipher(), path, folder / "vault.db-wal"));
  TRY(auto connection, detail::Connection::open(std::move(vfs), path, false));
  TRY_STATUS(detail::migrate(*connection));
  TRY_STATUS(detail::register_has_label(*connection));
  connection->checkpoint_on_close();
  return std::unique_ptr<Database>(new Database(std::move(vault_key), std::move(connection), std::move(lock)));
}

Secret<32> Database::subkey(Subkey which) const {
  return detail::derive_subkey(vault_key_, which);
}

Bytes Database::seal_cell(std::string_view place, ByteView plain) const {
  const Secret<32> key = subkey(Subkey::session_secrets);
  const std::string context = cell_context(place);
  Bytes sealed(1 + detail::kNonceBytes + plain.size() + detail::kTagBytes);
  sealed[0] = kCellVersion;
  const MutableByteView nonce = MutableByteView(sealed).subspan(1, detail::kNonceBytes);
  fill_random(nonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt(as_uchar_mutable(MutableByteView(sealed).subspan(1 + detail::kNonceBytes)),
                                             nullptr, as_uchar(plain), plain.size(), as_uchar(as_bytes(context)),
                                             context.size(), nullptr, as_uchar(nonce), as_uchar(key.expose()));
  return sealed;
}

Result<SecretBytes> Database::open_cell(std::string_view place, ByteView sealed) const {
  constexpr std::size_t kOverheadBytes = 1 + detail::kNonceBytes + detail::kTagBytes;
  const Secret<32> key = subkey(Subkey::session_secrets);
  const std::string context = cell_context(place);
  if (sealed.size() >= kOverheadBytes && sealed[0] == kCellVersion) {
    SecretBytes plain(sealed.size() - kOverheadBytes);
    const ByteView nonce = sealed.subspan(1, detail::kNonceBytes);
    const ByteView box = sealed.subspan(1 + detail::kNonceBytes);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(as_uchar_mutable(plain.expose_mutable()), nullptr, nullptr,
                                                   as_uchar(box), box.size(), as_uchar(as_bytes(context)),
                                                   context.size(), as_uchar(nonce), as_uchar(key.expose())) == 0) {
      return plain;
    }
  }
  return fail(Errc::vault_damaged, "A sealed value of the vault does not open in its place.", std::string(place));
}

Result<const indicator::WarningLists*> Database::warning_lists() {
  if (!warning_lists_) {
    TRY(auto lists, read_warning_lists());
    warning_lists_ = std::move(lists);
  }
  return &*warning_lists_;
}

}  // namespace parley::vault
