// A context as a row of the table contexts: how it is bound, read, compared and merged.
// indicator/context.h; docs/vault-format.md, "vault.db: tables".
#pragma once

#include "indicator/context.h"
#include "vault/detail/sqlite.h"

namespace parley::vault::detail {

/// As indicator::Context, with its labels by id.
struct ContextRow {
  std::optional<UnixSeconds> first_seen;
  std::optional<UnixSeconds> last_seen;
  std::int64_t sightings = 1;
  std::optional<std::uint8_t> confidence;
  std::optional<std::uint8_t> tlp;
  std::optional<std::uint8_t> pap;
  Bytes labels;  ///< encode_label_ids

  bool operator==(const ContextRow&) const = default;

  /// Takes in another record of the same source about the same item: the wider span of time, all sightings, the surer
  /// confidence, the stricter marks, all labels.
  void merge(const ContextRow& other);
};

/// Seven columns from `first_column` on, in the order of ContextRow's fields.
ContextRow read_context(const Statement& statement, int first_column);
/// The same columns as parameters. `row` must live until the statement has run.
void bind_context(Statement& statement, int first_index, const ContextRow& row);

}  // namespace parley::vault::detail
