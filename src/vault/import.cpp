// One import: a transaction that takes records, sorts them in batches and writes each table in its own order.
// vault.h, Import; detail/batch.h; detail/file_ties.h. What counts as the same source again: docs/decisions.md.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "vault/detail/batch.h"
#include "vault/detail/database.h"
#include "vault/detail/file_ties.h"
#include "vault/detail/labels.h"

namespace parley::vault {
namespace {

using detail::Batch;
using detail::Connection;
using detail::ContextRow;
using detail::Statement;

constexpr std::uint64_t kProgressStep = 4096;

/// A context that an item has already.
struct HeldContext {
  std::int64_t source = 0;
  ContextRow row;
};

struct Statements {
  static Result<Statements> make(Connection& connection) {
    TRY(Statement add_source, connection.prepare("INSERT INTO sources(name, format, imported) VALUES(?1, ?2, ?3)"));
    TRY(Statement drop_source, connection.prepare("DELETE FROM sources WHERE id=?1"));
    TRY(Statement source_name, connection.prepare("SELECT name FROM sources WHERE id=?1"));
    TRY(Statement add_item, connection.prepare("INSERT INTO items(type, value, id, file) VALUES(?1, ?2, ?3, ?4) "
                                               "ON CONFLICT(type, value) DO NOTHING"));
    TRY(Statement find_item, connection.prepare("SELECT id, file FROM items WHERE type=?1 AND value=?2"));
    TRY(Statement see_item, connection.prepare("INSERT OR IGNORE INTO temp.seen_items(id) VALUES(?1)"));
    TRY(Statement contexts,
        connection.prepare("SELECT source, first_seen, last_seen, sightings, confidence, tlp, pap, labels "
                           "FROM contexts WHERE item=?1"));
    TRY(Statement put_context,
        connection.prepare("INSERT OR REPLACE INTO contexts VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"));
    TRY(Statement drop_context, connection.prepare("DELETE FROM contexts WHERE item=?1 AND source=?2"));
    TRY(Statement add_label,
        connection.prepare("INSERT OR IGNORE INTO item_labels(label, type, item) VALUES(?1, ?2, ?3)"));
    return Statements{std::move(add_source),   std::move(drop_source), std::move(source_name), std::move(add_item),
                      std::move(find_item),    std::move(see_item),    std::move(contexts),    std::move(put_context),
                      std::move(drop_context), std::move(add_label)};
  }

  Statement add_source, drop_source, source_name, add_item, find_item, see_item, contexts, put_context, drop_context,
      add_label;
};

class ImportJob final : public Import {
 public:
  static Result<std::unique_ptr<ImportJob>> begin(Database& database) {
    Connection& connection = database.connection();
    TRY(const indicator::WarningLists* lists, database.warning_lists());
    TRY_STATUS(connection.execute("CREATE TEMP TABLE IF NOT EXISTS seen_items(id INTEGER PRIMARY KEY);"));
    TRY(auto transaction, detail::Transaction::begin(connection));
    TRY_STATUS(connection.execute("DELETE FROM temp.seen_items"));
    TRY(Statements statements, Statements::make(connection));
    TRY(detail::LabelTable labels, detail::LabelTable::make(connection));
    TRY(detail::FileTies ties, detail::FileTies::make(connection));
    TRY(const std::int64_t last_item, connection.integer("SELECT coalesce(max(id), 0) FROM items"));
    return std::unique_ptr<ImportJob>(new ImportJob(database, *lists, std::move(transaction), std::move(statements),
                                                    std::move(labels), std::move(ties), last_item));
  }

  ~ImportJob() override { transaction_.reset(); }

  Status begin_source(const ImportInfo& info) override;
  Status add(const indicator::Canonical& indicator, const indicator::Context& context,
             std::uint64_t file_object) override;
  Result<ImportSummary> commit(Progress& progress) override;

 private:
  struct Source {
    std::int64_t id = 0;
    bool used = false;
  };
  /// Opens the door again, after everything else of the import is gone.
  struct GateKeeper {
    detail::Gate* gate;
    ~GateKeeper() { gate->leave_import(); }
  };

  ImportJob(Database& database, const indicator::WarningLists& lists, detail::Transaction transaction,
            Statements statements, detail::LabelTable labels, detail::FileTies ties, std::int64_t last_item)
      : keeper_{&database.gate()},
        database_(database),
        lists_(lists),
        sql_(std::move(statements)),
        labels_(std::move(labels)),
        ties_(std::move(ties)),
        last_known_item_(last_item),
        last_item_(last_item),
        transaction_(std::move(transaction)) {}

  Status ready();
  Status keep(Status status);
  Result<ContextRow> row_of(const indicator::Context& context);
  Status flush(Progress& progress, bool more_batches);
  Result<std::size_t> store_group(std::size_t begin, std::size_t number);
  Result<std::int64_t> store_item(const Batch::Record& record, std::size_t number);
  Status count_item(const Batch::Record& record, bool is_new);
  Result<std::vector<HeldContext>> held_contexts(std::int64_t item);
  Status store_context(const Batch::Record& record, std::int64_t item, std::vector<HeldContext>& held);
  Status put_context(std::int64_t item, std::int64_t source, const ContextRow& row);
  Result<bool> has_twin(std::int64_t source, const ContextRow& row, const std::vector<HeldContext>& held);
  Result<std::string> source_name(std::int64_t source);
  Status finish(Progress& progress);

  GateKeeper keeper_;
  Database& database_;
  const indicator::WarningLists& lists_;
  Statements sql_;
  detail::LabelTable labels_;
  detail::FileTies ties_;
  Batch batch_;
  std::int64_t last_known_item_;  ///< items above are new in this import
  std::int64_t last_item_;
  std::optional<detail::Transaction> transaction_;

  ImportInfo info_;
  std::vector<Source> sources_;
  std::map<std::int64_t, std::string> source_names_;
  std::vector<indicator::Label> last_labels_;  ///< of the record before: feeds repeat them
  Bytes last_label_ids_;
  bool have_last_labels_ = false;
  std::size_t full_batches_ = 0;
  ImportSummary summary_;
  std::optional<Error> failure_;  ///< the first; nothing is written after it
};

Status ImportJob::ready() {
  database_.gate().import_works_here();
  if (failure_) return std::unexpected(*failure_);
  if (!transaction_) return fail(Errc::internal, "This import has ended already.");
  return {};
}

Status ImportJob::keep(Status status) {
  if (!status && !failure_) failure_ = status.error();
  return status;
}

Status ImportJob::begin_source(const ImportInfo& info) {
  TRY_STATUS(ready());
  info_ = info;
  have_last_labels_ = false;
  sql_.add_source.bind(1, std::string_view(info.source))
      .bind(2, std::string_view(info.format))
      .bind(3, wall_clock_now());
  TRY_STATUS(keep(sql_.add_source.run()));
  sources_.push_back({database_.connection().last_row(), false});
  source_names_[sources_.back().id] = info.source;
  return {};
}

/// The context as it is kept: with the import's own labels, and its mark where the record has none.
Result<ContextRow> ImportJob::row_of(const indicator::Context& context) {
  if (!have_last_labels_ || context.labels != last_labels_) {
    std::vector<std::int64_t> ids;
    for (const indicator::Label& label : context.labels) {
      TRY(const std::int64_t id, labels_.id_of(label));
      ids.push_back(id);
    }
    for (const std::string& name : info_.labels) {
      TRY(const std::int64_t id, labels_.id_of({indicator::LabelKind::label, name}));
      ids.push_back(id);
    }
    std::ranges::sort(ids);
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    last_label_ids_ = detail::encode_label_ids(ids);
    last_labels_ = context.labels;
    have_last_labels_ = true;
  }
  ContextRow row{.first_seen = context.first_seen,
                 .last_seen = context.last_seen,
                 .sightings = static_cast<std::int64_t>(
                     std::min(context.sightings, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))),
                 .confidence = context.confidence,
                 .tlp = {},
                 .pap = {},
                 .labels = last_label_ids_};
  const std::optional<indicator::Tlp> tlp = context.tlp ? context.tlp : info_.tlp;
  if (tlp) row.tlp = static_cast<std::uint8_t>(*tlp);
  if (context.pap) row.pap = static_cast<std::uint8_t>(*context.pap);
  return row;
}

Status ImportJob::add(const indicator::Canonical& indicator, const indicator::Context& context,
                      std::uint64_t file_object) {
  TRY_STATUS(ready());
  if (sources_.empty()) return fail(Errc::internal, "A record was imported before its source was named.");
  if (indicator.value().size() > indicator::kMaxValueBytes) {
    return fail(Errc::limit, fmt::format("The value has {} bytes; at most {} are taken.", indicator.value().size(),
                                         indicator::kMaxValueBytes));
  }
  auto row = row_of(context);
  if (!row) return keep(std::unexpected(std::move(row).error()));
  batch_.add({indicator.type(), indicator.value(), sources_.back().id, file_object, std::move(*row)});
  ++summary_.records;
  if (!batch_.full()) return {};
  SilentProgress silent;
  ++full_batches_;
  return keep(flush(silent, true));
}

Status ImportJob::flush(Progress& progress, bool more_batches) {
  batch_.sort();
  progress.phase("store", batch_.size());
  std::uint64_t reported = 0;
  ties_.begin_batch(batch_);
  std::size_t number = 0;  // of the indicator in this batch
  for (std::size_t at = 0; at < batch_.size(); ++number) {
    TRY(at, store_group(at, number));
    if (at - reported < kProgressStep) continue;
    reported = at;
    progress.advance(reported);
    if (progress.cancelled()) return fail(Errc::cancelled, "The import was stopped; the vault stays as it was.");
  }
  TRY_STATUS(ties_.end_batch(more_batches));
  batch_.clear();
  return {};
}

/// Stores all records of one indicator. @return where the next indicator begins
Result<std::size_t> ImportJob::store_group(std::size_t begin, std::size_t number) {
  Batch::Record record = batch_.at(begin);
  TRY(const std::int64_t item, store_item(record, number));
  const bool is_new = item == last_item_ && item > last_known_item_;
  std::vector<HeldContext> held;
  if (!is_new) {
    TRY(held, held_contexts(item));
  }
  std::size_t next = begin;
  for (;;) {
    ++next;
    std::optional<Batch::Record> following;
    if (next < batch_.size()) following = batch_.at(next);
    const bool same_item = following && following->type == record.type && following->value == record.value;
    if (same_item && following->source == record.source) {
      following->row.merge(record.row);
    } else {
      TRY_STATUS(store_context(record, item, held));
    }
    if (!same_item) return next;
    record = std::move(*following);
  }
}

/// @return the item's id; last_item_ when it is new
Result<std::int64_t> ImportJob::store_item(const Batch::Record& record, std::size_t number) {
  const auto type = static_cast<std::int64_t>(record.type);
  sql_.add_item.bind(1, type).bind(2, record.value).bind(3, last_item_ + 1).bind(4, ties_.file_if_new(number));
  TRY(const std::int64_t added, sql_.add_item.run_counting());
  if (added > 0) {
    TRY_STATUS(count_item(record, true));
    ties_.added(number, ++last_item_);
    return last_item_;
  }
  TRY(const bool found, sql_.find_item.bind(1, type).bind(2, record.value).step());
  if (!found) return fail(Errc::vault_damaged, "The vault's items contradict each other.");
  const std::int64_t item = sql_.find_item.integer(0);
  ties_.known(number, item, sql_.find_item.integer(1));
  sql_.find_item.reset();
  if (item > last_known_item_) return item;
  TRY(const std::int64_t first_time, sql_.see_item.bind(1, item).run_counting());
  if (first_time > 0) TRY_STATUS(count_item(record, false));
  return item;
}

Status ImportJob::count_item(const Batch::Record& record, bool is_new) {
  if (is_new) {
    ++summary_.new_items;
    ++summary_.new_by_type[record.type];
  } else {
    ++summary_.known_items;
  }
  const auto indicator = indicator::Canonical::from_storage(record.type, std::string(record.value));
  for (const std::string& list : lists_.marks(indicator)) ++summary_.marked[list];
  return {};
}

Result<std::vector<HeldContext>> ImportJob::held_contexts(std::int64_t item) {
  std::vector<HeldContext> held;
  sql_.contexts.bind(1, item);
  for (;;) {
    TRY(const bool row, sql_.contexts.step());
    if (!row) return held;
    held.push_back({sql_.contexts.integer(0), detail::read_context(sql_.contexts, 1)});
  }
}

/// One context for each item and source. What the same source said in an earlier import, word for word, is not kept
/// twice.
Status ImportJob::store_context(const Batch::Record& record, std::int64_t item, std::vector<HeldContext>& held) {
  const auto earlier = std::ranges::find(held, record.source, &HeldContext::source);
  const bool from_earlier_batch = earlier != held.end();
  ContextRow row = record.row;
  if (from_earlier_batch) row.merge(earlier->row);
  TRY(const bool twin, has_twin(record.source, row, held));
  if (twin && !from_earlier_batch) return {};
  if (twin) return sql_.drop_context.bind(1, item).bind(2, record.source).run();

  TRY_STATUS(put_context(item, record.source, row));
  for (const std::int64_t label : detail::decode_label_ids(row.labels)) {
    TRY_STATUS(sql_.add_label.bind(1, label).bind(2, static_cast<std::int64_t>(record.type)).bind(3, item).run());
  }
  if (!from_earlier_batch) held.push_back({record.source, std::move(row)});
  return {};
}

Status ImportJob::put_context(std::int64_t item, std::int64_t source, const ContextRow& row) {
  sql_.put_context.bind(1, item).bind(2, source);
  detail::bind_context(sql_.put_context, 3, row);
  TRY_STATUS(sql_.put_context.run());
  const auto used = std::ranges::lower_bound(sources_, source, {}, &Source::id);
  if (used != sources_.end() && used->id == source) used->used = true;
  return {};
}

Result<bool> ImportJob::has_twin(std::int64_t source, const ContextRow& row, const std::vector<HeldContext>& held) {
  for (const HeldContext& other : held) {
    if (other.source == source || other.row != row) continue;
    TRY(const std::string mine, source_name(source));
    TRY(const std::string theirs, source_name(other.source));
    if (mine == theirs) return true;
  }
  return false;
}

Result<std::string> ImportJob::source_name(std::int64_t source) {
  if (const auto known = source_names_.find(source); known != source_names_.end()) return known->second;
  TRY(const bool found, sql_.source_name.bind(1, source).step());
  if (!found) return fail(Errc::vault_damaged, "The vault names a source that it does not hold.");
  std::string name(sql_.source_name.text(0));
  sql_.source_name.reset();
  source_names_[source] = name;
  return name;
}

Status ImportJob::finish(Progress& progress) {
  TRY_STATUS(flush(progress, full_batches_ > 0));
  TRY_STATUS(ties_.finish());
  for (const Source& source : sources_) {
    if (!source.used) TRY_STATUS(sql_.drop_source.bind(1, source.id).run());
  }
  if (progress.cancelled()) return fail(Errc::cancelled, "The import was stopped; the vault stays as it was.");
  progress.phase("make durable", 0);
  return transaction_->commit();
}

Result<ImportSummary> ImportJob::commit(Progress& progress) {
  TRY_STATUS(ready());
  TRY_STATUS(keep(finish(progress)));
  transaction_.reset();
  return summary_;
}

}  // namespace

Result<std::unique_ptr<Import>> detail::begin_import(Database& database) {
  TRY_STATUS(database.gate().enter_import());
  auto job = ImportJob::begin(database);
  if (!job) {
    database.gate().leave_import();
    return std::unexpected(std::move(job).error());
  }
  return std::unique_ptr<Import>(std::move(*job));
}

}  // namespace parley::vault
