// A context as a row of the table contexts (contexts.h).
// indicator/context.h says what the fields mean.
#include "vault/detail/contexts.h"

#include <algorithm>
#include <limits>

#include "vault/detail/labels.h"

namespace parley::vault::detail {
namespace {

template <typename Value>
std::optional<Value> read_optional(const Statement& statement, int column) {
  if (statement.is_null(column)) return std::nullopt;
  return static_cast<Value>(statement.integer(column));
}

/// The one of two optional values that `better` prefers; a value before none.
template <typename Value, typename Better>
void take_better(std::optional<Value>& mine, const std::optional<Value>& other, Better better) {
  if (other && (!mine || better(*other, *mine))) mine = other;
}

}  // namespace

void ContextRow::merge(const ContextRow& other) {
  take_better(first_seen, other.first_seen, std::less<>());
  take_better(last_seen, other.last_seen, std::greater<>());
  take_better(confidence, other.confidence, std::greater<>());
  take_better(tlp, other.tlp, std::greater<>());
  take_better(pap, other.pap, std::greater<>());
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  sightings = other.sightings > kMost - sightings ? kMost : sightings + other.sightings;
  if (labels == other.labels) return;
  std::vector<std::int64_t> ids = decode_label_ids(labels);
  std::ranges::copy(decode_label_ids(other.labels), std::back_inserter(ids));
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  labels = encode_label_ids(ids);
}

ContextRow read_context(const Statement& statement, int first_column) {
  ContextRow row;
  row.first_seen = read_optional<UnixSeconds>(statement, first_column);
  row.last_seen = read_optional<UnixSeconds>(statement, first_column + 1);
  row.sightings = statement.integer(first_column + 2);
  row.confidence = read_optional<std::uint8_t>(statement, first_column + 3);
  row.tlp = read_optional<std::uint8_t>(statement, first_column + 4);
  row.pap = read_optional<std::uint8_t>(statement, first_column + 5);
  row.labels = to_bytes(statement.bytes(first_column + 6));
  return row;
}

void bind_context(Statement& statement, int first_index, const ContextRow& row) {
  statement.bind(first_index, row.first_seen)
      .bind(first_index + 1, row.last_seen)
      .bind(first_index + 2, row.sightings)
      .bind(first_index + 3, row.confidence)
      .bind(first_index + 4, row.tlp)
      .bind(first_index + 5, row.pap);
  if (row.labels.empty()) {
    statement.bind_null(first_index + 6);
  } else {
    statement.bind(first_index + 6, ByteView(row.labels));
  }
}

}  // namespace parley::vault::detail
