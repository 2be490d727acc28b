// A Selection as SQL (selection.h).
// vault.h, Selection, says what each condition means.
#include "vault/detail/selection.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "vault/detail/labels.h"
#include "vault/detail/material_rules.h"

namespace parley::vault::detail {
namespace {

constexpr auto kUnmarkedTlp = indicator::Tlp::amber;  // vault.h, Selection::tlp_max

std::vector<std::int64_t> label_ids(sqlite3_value* value) {
  const auto* data = static_cast<const std::byte*>(sqlite3_value_blob(value));
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
  return decode_label_ids(data == nullptr ? ByteView() : ByteView(data, size));
}

/// has_label(a context's labels, wanted labels), both as encode_label_ids writes them.
void has_label(sqlite3_context* context, int, sqlite3_value** arguments) {
  const std::vector<std::int64_t> held = label_ids(arguments[0]);
  const std::vector<std::int64_t> wanted = label_ids(arguments[1]);
  const bool found = std::ranges::any_of(held, [&](std::int64_t id) { return std::ranges::binary_search(wanted, id); });
  sqlite3_result_int(context, found ? 1 : 0);
}

Result<std::vector<std::int64_t>> source_ids_named(Connection& connection, std::string_view name) {
  TRY(Statement rows, connection.prepare("SELECT id FROM sources WHERE name=?1"));
  rows.bind(1, name);
  std::vector<std::int64_t> ids;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return ids;
    ids.push_back(rows.integer(0));
  }
}

}  // namespace

Status register_has_label(Connection& connection) {
  const int rc = sqlite3_create_function_v2(connection.handle(), "has_label", 2,
                                            SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr, has_label,
                                            nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return std::unexpected(connection.error(rc));
  return {};
}

Result<SelectionSql> SelectionSql::make(Connection& connection, const Selection& selection) {
  SelectionSql sql;
  sql.types_ = selection.types;
  if (sql.types_.empty()) sql.types_.assign(indicator::kAllTypes.begin(), indicator::kAllTypes.end());
  std::ranges::sort(sql.types_);
  sql.types_.erase(std::unique(sql.types_.begin(), sql.types_.end()), sql.types_.end());
  sql.since_ = selection.since;
  sql.tlp_max_ = selection.tlp_max;
  sql.where_ = "i.type = ?1";

  std::string on_context;
  if (!selection.group.empty()) {
    TRY_STATUS(sql.admit_group(connection, selection.group));
    // What an admitted source says under a stricter mark does not go along with what it may enter by another.
    if (selection.tlp_max)
      sql.of_group_ += fmt::format(" AND coalesce(c.tlp, {}) <= {}", static_cast<int>(kUnmarkedTlp),
                                   static_cast<int>(*selection.tlp_max));
    on_context += sql.of_group_;
  }
  if (sql.since_) on_context += " AND coalesce(c.last_seen, c.first_seen) >= ?2";
  if (sql.tlp_max_) on_context += fmt::format(" AND coalesce(c.tlp, {}) <= ?3", static_cast<int>(kUnmarkedTlp));
  if (!selection.label.empty()) {
    TRY(const std::vector<std::int64_t> ids, label_ids_named(connection, selection.label));
    sql.empty_ = sql.empty_ || ids.empty();
    const std::string labels = fmt::format("label IN ({})", fmt::join(ids, ","));
    sql.where_ += fmt::format(" AND i.id IN (SELECT item FROM item_labels WHERE {} AND type = ?1)", labels);
    if (on_context.empty()) {
      sql.label_only_ = labels;
    } else {
      sql.label_ids_ = encode_label_ids(ids);
      on_context += " AND has_label(c.labels, ?4)";
    }
  }
  if (!on_context.empty()) {
    sql.where_ += fmt::format(" AND EXISTS (SELECT 1 FROM contexts c WHERE c.item = i.id{})", on_context);
  }
  if (selection.admission) TRY_STATUS(sql.admit_tagged(connection, selection.group, *selection.admission));
  sql.selective_ = !on_context.empty() || sql.label_only_ || selection.admission;
  return sql;
}

Status SelectionSql::admit_tagged(Connection& connection, const std::string& group, const TaggedOnly& admission) {
  TRY(Statement find, connection.prepare("SELECT number FROM admission_epochs WHERE group_id=?1 AND epoch=?2"));
  TRY(const bool known, find.bind(1, std::string_view(group)).bind(2, ByteView(admission.epoch)).step());
  const std::int64_t epoch = known ? find.integer(0) : 0;  // no epoch has the number 0
  std::vector<int> types;
  for (const indicator::Type type : admission.types) types.push_back(static_cast<int>(type));
  where_ += fmt::format(
      " AND (i.type NOT IN ({}) OR EXISTS (SELECT 1 FROM admission_tags t WHERE t.epoch = {} AND t.item = i.id))",
      fmt::join(types, ","), epoch);
  label_only_.reset();  // labels alone do not say it any more
  return {};
}

// The rules of one group, each as a condition; what none of them admits does not belong to it. All that goes into the
// text is numbers and hexadecimal digits.
Status SelectionSql::admit_group(Connection& connection, const std::string& group) {
  TRY(const std::vector<MaterialRule> rules, read_material_rules(connection, group));
  std::vector<std::string> alternatives;
  for (const MaterialRule& rule : rules) {
    std::string condition = "1";
    if (!rule.types.empty()) {
      std::vector<int> types;
      for (const indicator::Type type : rule.types) types.push_back(static_cast<int>(type));
      condition += fmt::format(" AND i.type IN ({})", fmt::join(types, ","));
    }
    if (!rule.label.empty()) {
      TRY(const std::vector<std::int64_t> ids, label_ids_named(connection, rule.label));
      if (ids.empty()) continue;
      condition += fmt::format(" AND has_label(c.labels, X'{}')", to_hex(encode_label_ids(ids)));
    }
    if (!rule.source.empty()) {
      TRY(const std::vector<std::int64_t> ids, source_ids_named(connection, rule.source));
      if (ids.empty()) continue;
      condition += fmt::format(" AND c.source IN ({})", fmt::join(ids, ","));
    }
    if (rule.tlp_max)
      condition += fmt::format(" AND coalesce(c.tlp, {}) <= {}", static_cast<int>(kUnmarkedTlp),
                               static_cast<int>(*rule.tlp_max));
    alternatives.push_back("(" + condition + ")");
  }
  empty_ = alternatives.empty();
  of_group_ = fmt::format(" AND ({})", fmt::join(alternatives, " OR "));
  return {};
}

void SelectionSql::bind(Statement& statement, indicator::Type type) const {
  statement.bind(1, static_cast<std::int64_t>(type));
  if (since_) statement.bind(2, *since_);
  if (tlp_max_) statement.bind(3, static_cast<std::int64_t>(*tlp_max_));
  if (!label_ids_.empty()) statement.bind(4, ByteView(label_ids_));
}

}  // namespace parley::vault::detail
