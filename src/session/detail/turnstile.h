// One reveal of a session at a time in this process.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "vault/vault.h"

namespace parley::session::detail {

/// Two exchanges would each overwrite what the other has put on record. Whoever is inside leaves with its scope.
class Turnstile {
 public:
  /// @error Errc::refused when an exchange of `session` is under way
  static Result<Turnstile> enter(const vault::Vault& vault, const std::string& session) {
    const std::lock_guard lock(mutex());
    const auto [place, entered] = inside().emplace(&vault, session);
    if (!entered) return fail(Errc::refused, "A reveal of this session is under way already.");
    return Turnstile(*place);
  }
  Turnstile(Turnstile&& other) noexcept : key_(std::exchange(other.key_, std::nullopt)) {}
  Turnstile& operator=(Turnstile&&) = delete;
  ~Turnstile() {
    if (!key_) return;
    const std::lock_guard lock(mutex());
    inside().erase(*key_);
  }

 private:
  using Key = std::pair<const vault::Vault*, std::string>;
  explicit Turnstile(Key key) : key_(std::move(key)) {}
  static std::mutex& mutex() {
    static std::mutex mutex;
    return mutex;
  }
  static std::set<Key>& inside() {
    static std::set<Key> sessions;
    return sessions;
  }

  std::optional<Key> key_;
};

}  // namespace parley::session::detail
