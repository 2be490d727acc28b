// Reading the material: items in order, counts, and what the sources said (vault.h).
// The order of items is that of the table's own key, so that a pass needs no sorting.
#include <fmt/format.h>

#include "vault/detail/contexts.h"
#include "vault/detail/database.h"
#include "vault/detail/labels.h"
#include "vault/detail/selection.h"

namespace parley::vault {
namespace {

using detail::Connection;
using detail::LabelTable;
using detail::SelectionSql;
using detail::Statement;

Item read_item(const Statement& row, indicator::Type type) {
  return {row.integer(0), indicator::Canonical::from_storage(type, std::string(row.text(1))), row.integer(2)};
}

/// What ContextReader reads, of a table contexts called c.
constexpr std::string_view kContextColumns =
    "c.source, c.first_seen, c.last_seen, c.sightings, c.confidence, c.tlp, c.pap, c.labels";

/// Turns rows of contexts into SourceContexts; looks each source up once.
class ContextReader {
 public:
  static Result<ContextReader> make(Connection& connection) {
    TRY(LabelTable labels, LabelTable::make(connection));
    TRY(Statement source, connection.prepare("SELECT name, format, imported FROM sources WHERE id=?1"));
    return ContextReader(std::move(labels), std::move(source));
  }

  /// Columns from `first` on: as kContextColumns.
  Result<SourceContext> read(const Statement& row, int first) {
    TRY(SourceContext context, source(row.integer(first)));
    const detail::ContextRow held = detail::read_context(row, first + 1);
    context.context.first_seen = held.first_seen;
    context.context.last_seen = held.last_seen;
    context.context.sightings = static_cast<std::uint64_t>(held.sightings);
    context.context.confidence = held.confidence;
    if (held.tlp) context.context.tlp = static_cast<indicator::Tlp>(*held.tlp);
    if (held.pap) context.context.pap = static_cast<indicator::Pap>(*held.pap);
    TRY(context.context.labels, labels_.labels_of(held.labels));
    return context;
  }

 private:
  ContextReader(LabelTable labels, Statement source) : labels_(std::move(labels)), source_(std::move(source)) {}

  Result<SourceContext> source(std::int64_t id) {
    if (const auto known = sources_.find(id); known != sources_.end()) return known->second;
    TRY(const bool found, source_.bind(1, id).step());
    if (!found) return fail(Errc::vault_damaged, "The vault names a source that it does not hold.");
    SourceContext source{std::string(source_.text(0)), std::string(source_.text(1)), source_.integer(2), {}};
    source_.reset();
    sources_.emplace(id, source);
    return source;
  }

  LabelTable labels_;
  Statement source_;
  std::map<std::int64_t, SourceContext> sources_;
};

Result<std::int64_t> count_of(Connection& connection, const SelectionSql& selection, indicator::Type type) {
  std::string sql = fmt::format("SELECT count(*) FROM items i WHERE {}", selection.where());
  if (selection.label_only()) {
    sql = fmt::format("SELECT count(DISTINCT item) FROM item_labels WHERE {} AND type = ?1", *selection.label_only());
  }
  TRY(Statement statement, connection.prepare(sql));
  selection.bind(statement, type);
  TRY(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

}  // namespace

Status Vault::for_each(const Selection& selection, const std::function<Status(const Item&)>& take) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const SelectionSql chosen, SelectionSql::make(connection, selection));
  if (chosen.empty()) return {};
  TRY(Statement rows, connection.prepare(fmt::format(
                          "SELECT i.id, i.value, i.file FROM items i WHERE {} ORDER BY i.value", chosen.where())));
  for (const indicator::Type type : chosen.types()) {
    chosen.bind(rows, type);
    for (;;) {
      TRY(const bool row, rows.step());
      if (!row) break;
      TRY_STATUS(take(read_item(rows, type)));
    }
  }
  return {};
}

Result<std::map<indicator::Type, std::uint64_t>> Vault::count(const Selection& selection) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const SelectionSql chosen, SelectionSql::make(connection, selection));
  std::map<indicator::Type, std::uint64_t> counts;
  if (chosen.empty()) return counts;
  for (const indicator::Type type : chosen.types()) {
    TRY(const std::int64_t count, count_of(connection, chosen, type));
    if (count > 0) counts[type] = static_cast<std::uint64_t>(count);
  }
  return counts;
}

Result<std::vector<SourceContext>> Vault::contexts(ItemId item) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(ContextReader reader, ContextReader::make(connection));
  TRY(Statement rows,
      connection.prepare(fmt::format("SELECT {} FROM contexts c WHERE c.item=?1 ORDER BY c.source", kContextColumns)));
  rows.bind(1, item);
  std::vector<SourceContext> contexts;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return contexts;
    TRY(SourceContext context, reader.read(rows, 0));
    contexts.push_back(std::move(context));
  }
}

Status Vault::for_each_with_contexts(const Selection& selection,
                                     const std::function<Status(const Item&, std::span<const SourceContext>)>& take) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const SelectionSql chosen, SelectionSql::make(connection, selection));
  if (chosen.empty()) return {};
  TRY(ContextReader reader, ContextReader::make(connection));
  TRY(Statement rows,
      connection.prepare(fmt::format("SELECT i.id, i.value, i.file, {} FROM items i LEFT JOIN contexts c "
                                     "ON c.item = i.id{} WHERE {} ORDER BY i.value, c.source",
                                     kContextColumns, chosen.of_group(), chosen.where())));
  std::vector<SourceContext> contexts;
  for (const indicator::Type type : chosen.types()) {
    chosen.bind(rows, type);
    std::optional<Item> item;
    for (;;) {
      TRY(const bool row, rows.step());
      if (item && (!row || rows.integer(0) != item->id)) {
        TRY_STATUS(take(*item, contexts));
        contexts.clear();
        item.reset();
      }
      if (!row) break;
      if (!item) item = read_item(rows, type);
      if (rows.is_null(3)) continue;
      TRY(SourceContext context, reader.read(rows, 3));
      contexts.push_back(std::move(context));
    }
  }
  return {};
}

}  // namespace parley::vault
