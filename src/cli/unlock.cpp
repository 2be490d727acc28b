// Unlocking.
#include "cli/unlock.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/encoding.h"
#include "base/random.h"
#include "session/audit_keeping.h"
#include "session/session.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMaxKeyFileBytes = 4096;
constexpr std::string_view kKeyFileForm =
    "A key file has 64 hex digits on one line, readable by its owner only; parley init makes one where "
    "PARLEY_KEY_FILE names a file that is not there.";

SecretBytes secret_text(const char* text) {
  return SecretBytes(as_bytes(text));
}

/// One line of hexadecimal digits.
SecretBytes key_file_text(const Secret<32>& key) {
  SecretBytes text(2 * Secret<32>::kSize + 1);
  sodium_bin2hex(reinterpret_cast<char*>(text.expose_mutable().data()), text.size(), as_uchar(key.expose()),
                 Secret<32>::kSize);
  text.expose_mutable().back() = std::byte{'\n'};  // in the place of libsodium's NUL
  return text;
}

}  // namespace

Result<Secret<32>> read_key_file(const std::filesystem::path& path) {
  TRY_STATUS(check_private(path));
  TRY(const SecretBytes content, read_secret_file(path, kMaxKeyFileBytes));
  std::string_view text = as_text(content.expose());
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  Secret<32> key;
  if (!read_hex(text, key.expose_mutable())) return fail(Errc::format, std::string(kKeyFileForm), path.string());
  return key;
}

Result<vault::Unlock> unlock_from_surroundings(Console& console) {
  vault::Unlock unlock;
  if (const char* key_file = std::getenv("PARLEY_KEY_FILE")) {
    TRY(unlock.key_file, read_key_file(key_file));
  } else if (const char* passphrase = std::getenv("PARLEY_PASSPHRASE")) {
    unlock.passphrase = secret_text(passphrase);
  } else {
    TRY(unlock.passphrase, console.ask_secret("Passphrase: "));
  }
  return unlock;
}

Result<vault::Unlock> new_unlock(Console& console) {
  if (const char* key_file = std::getenv("PARLEY_KEY_FILE");
      key_file != nullptr && !std::filesystem::exists(key_file)) {
    const Secret<32> fresh = random_secret<32>();
    TRY_STATUS(write_file_atomically(key_file, key_file_text(fresh).expose(), 0600));
    console.say(fmt::format("Made the key file {}. Whoever has it and this folder can read the vault; keep them apart.",
                            key_file));
  }
  if (std::getenv("PARLEY_KEY_FILE") != nullptr || std::getenv("PARLEY_PASSPHRASE") != nullptr) {
    TRY(vault::Unlock unlock, unlock_from_surroundings(console));
    if (!unlock.key_file && unlock.passphrase.empty())
      return fail(Errc::passphrase, "PARLEY_PASSPHRASE is empty; an empty passphrase protects nothing.");
    return unlock;
  }
  vault::Unlock unlock;
  TRY(unlock.passphrase, console.ask_secret("Passphrase for the new vault (there is no way back without it): "));
  if (unlock.passphrase.empty()) return fail(Errc::passphrase, "An empty passphrase protects nothing.");
  TRY(const SecretBytes again, console.ask_secret("The same once more: "));
  if (!constant_time_equal(unlock.passphrase.expose(), again.expose()))
    return fail(Errc::passphrase, "The two are not the same. Nothing was made.");
  return unlock;
}

Result<OpenMember> open_member(Console& console, const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "vault.hdr"))
    return fail(Errc::not_found,
                "There is no member here. Make one with parley init NAME, or set PARLEY_HOME to its folder.",
                folder.string());
  TRY(const vault::Unlock unlock, unlock_from_surroundings(console));
  OpenMember opened;
  TRY(opened.vault, vault::Vault::open(folder, unlock));
  TRY(opened.member, group::load_member(folder, *opened.vault));
  TRY(opened.operator_log, operators::OperatorLog::open(*opened.vault));
  opened.groups = std::make_unique<group::Groups>(
      folder, *opened.vault, opened.member.card,
      [&vault = *opened.vault, &operator_log = *opened.operator_log](group::JointLog& log) {
        log.also_tie([&operator_log] {
          return group::JointLog::OwnTree{.name = std::string(operators::kHeadName),
                                          .size = operator_log.size(),
                                          .head = operator_log.head().to_json()};
        });
        return session::log_aborts(vault, log);
      });
  TRY(const std::size_t interrupted, session::close_interrupted(*opened.vault));
  TRY_STATUS(session::end_old_records(*opened.vault));
  if (interrupted > 0)
    console.say(fmt::format(
        "{} session(s) had been interrupted by a stop or crash and are closed now; parley session list tells which.",
        interrupted));
  return opened;
}

}  // namespace parley::cli
