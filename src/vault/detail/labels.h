// Labels in the vault: each written once, named by its id from then on.
// docs/vault-format.md, "vault.db: tables".
#pragma once

#include <map>
#include <unordered_map>

#include "indicator/context.h"
#include "vault/detail/sqlite.h"

namespace parley::vault::detail {

/// `text` for comparison without regard to case: ASCII, Latin, Greek and Cyrillic capitals become small letters.
std::string fold_case(std::string_view text);

/// Ids as a row keeps them: ascending, variable-length integers.
Bytes encode_label_ids(std::span<const std::int64_t> ids);
std::vector<std::int64_t> decode_label_ids(ByteView encoded);

/// Ids and names, with caches that never grow past kCacheLimit.
class LabelTable {
 public:
  static Result<LabelTable> make(Connection& connection);

  /// Adds the label when it is new.
  Result<std::int64_t> id_of(const indicator::Label& label);
  /// @error Errc::vault_damaged when there is none
  Result<indicator::Label> label_of(std::int64_t id);
  /// Sorted, as Context wants them.
  Result<std::vector<indicator::Label>> labels_of(ByteView encoded_ids);

 private:
  static constexpr std::size_t kCacheLimit = 65536;
  LabelTable(Statement find, Statement add, Statement name)
      : find_(std::move(find)), add_(std::move(add)), name_(std::move(name)) {}

  Connection* connection_ = nullptr;
  Statement find_;
  Statement add_;
  Statement name_;
  std::map<indicator::Label, std::int64_t> ids_;
  std::unordered_map<std::int64_t, indicator::Label> labels_;
};

/// The ids of all labels, of whatever kind, that are called `name` without regard to case.
Result<std::vector<std::int64_t>> label_ids_named(Connection& connection, std::string_view name);

}  // namespace parley::vault::detail
