// Hashes of one file (file_ties.h).
// Union by size (Tarjan 1975), in memory and in the tables: an item changes its set at most log2(n) times.
#include "vault/detail/file_ties.h"

#include <algorithm>
#include <array>

namespace parley::vault::detail {
namespace {

constexpr std::array<std::string_view, 11> kStatements = {
    "INSERT INTO temp.noted_ties(source, object, item) VALUES(?1, ?2, ?3)",
    "SELECT file FROM items WHERE id=?1",
    "SELECT size FROM files WHERE id=?1",
    "UPDATE items SET file=?2 WHERE id=?1",
    "INSERT INTO file_items(file, item) VALUES(?1, ?2)",
    "UPDATE files SET size=size+?2 WHERE id=?1",
    "INSERT INTO files(id, size) VALUES(?1, ?2)",
    "UPDATE items SET file=?2 WHERE id IN (SELECT item FROM file_items WHERE file=?1)",
    "INSERT INTO file_items SELECT ?2, item FROM file_items WHERE file=?1",
    "DELETE FROM file_items WHERE file=?1",
    "DELETE FROM files WHERE id=?1",
};

}  // namespace

Result<FileTies> FileTies::make(Connection& connection) {
  TRY_STATUS(
      connection.execute("CREATE TEMP TABLE IF NOT EXISTS noted_ties(source INTEGER, object INTEGER, item INTEGER);"
                         "DELETE FROM temp.noted_ties"));
  std::vector<Statement> statements;
  for (const std::string_view sql : kStatements) {
    TRY(Statement statement, connection.prepare(sql));
    statements.push_back(std::move(statement));
  }
  TRY(const std::int64_t last_file, connection.integer("SELECT coalesce(max(id), 0) FROM files"));
  return FileTies(connection, std::move(statements), last_file);
}

FileTies::FileTies(Connection& connection, std::vector<Statement> statements, std::int64_t last_file)
    : connection_(&connection),
      note_(std::move(statements[0])),
      file_of_(std::move(statements[1])),
      size_of_(std::move(statements[2])),
      set_file_(std::move(statements[3])),
      list_(std::move(statements[4])),
      grow_(std::move(statements[5])),
      add_(std::move(statements[6])),
      move_items_(std::move(statements[7])),
      copy_list_(std::move(statements[8])),
      clear_list_(std::move(statements[9])),
      remove_(std::move(statements[10])),
      last_file_(last_file) {}

std::uint32_t FileTies::root_of(std::uint32_t number) {
  while (sets_[number].parent != number) {
    sets_[number].parent = sets_[sets_[number].parent].parent;  // path halving
    number = sets_[number].parent;
  }
  return number;
}

void FileTies::unite(std::uint32_t a, std::uint32_t b) {
  a = root_of(a);
  b = root_of(b);
  if (a == b) return;
  if (sets_[a].size < sets_[b].size) std::swap(a, b);
  sets_[b].parent = a;
  sets_[a].size += sets_[b].size;
}

void FileTies::begin_batch(const Batch& batch) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (i > 0 && !batch.same_indicator(i - 1, i)) ++number;
    if (batch.ties(i)) objects_.push_back({batch.source(i), batch.file_object(i), number});
  }
  if (objects_.empty()) return;
  std::ranges::sort(objects_);
  sets_.resize(number + 1);
  for (const Object& object : objects_) sets_[object.number].parent = object.number;
  for (std::size_t i = 1; i < objects_.size(); ++i) {
    const bool same_file = objects_[i].source == objects_[i - 1].source && objects_[i].object == objects_[i - 1].object;
    if (same_file) unite(objects_[i - 1].number, objects_[i].number);
  }
}

std::int64_t FileTies::file_if_new(std::size_t number) {
  if (sets_.empty() || sets_[number].parent == kNone) return 0;
  Set& set = sets_[root_of(static_cast<std::uint32_t>(number))];
  if (set.size < 2) return 0;
  if (set.file == 0) set.file = ++last_file_;
  return set.file;
}

void FileTies::added(std::size_t number, std::int64_t item) {
  if (sets_.empty() || sets_[number].parent == kNone) return;
  Set& set = sets_[root_of(static_cast<std::uint32_t>(number))];
  if (set.first_new == 0) set.first_new = item;
  if (set.file == 0) return;
  ++set.new_items;
  placed_.push_back({set.file, item});
}

void FileTies::known(std::size_t number, std::int64_t item, std::int64_t file) {
  if (sets_.empty() || sets_[number].parent == kNone) return;
  const std::uint32_t root = root_of(static_cast<std::uint32_t>(number));
  if (sets_[root].first_known == 0) {
    sets_[root].first_known = item;
    sets_[root].first_known_file = file;
  }
  known_.push_back({root, item, file});
}

Status FileTies::end_batch(bool more) {
  TRY_STATUS(write_new_files());
  TRY_STATUS(join_known());
  if (more) TRY_STATUS(note_objects());
  sets_.clear();
  objects_.clear();
  placed_.clear();
  known_.clear();
  return {};
}

Status FileTies::write_new_files() {
  std::ranges::sort(placed_);
  for (std::size_t i = 0; i < placed_.size(); ++i) {
    TRY_STATUS(list_.bind(1, placed_[i].file).bind(2, placed_[i].item).run());
  }
  for (const Set& set : sets_) {
    if (set.new_items > 0) TRY_STATUS(add_.bind(1, set.file).bind(2, set.new_items).run());
  }
  return {};
}

Status FileTies::join_known() {
  for (const Known& known : known_) {
    const Set& set = sets_[known.root];
    const bool joined_already = set.first_new == 0 && known.file != 0 && known.file == set.first_known_file;
    const std::int64_t other = set.first_new != 0 ? set.first_new : set.first_known;
    if (!joined_already && other != known.item) TRY_STATUS(tie(other, known.item));
  }
  return {};
}

/// One hash of each file object, so that finish() finds the other batches' ones.
Status FileTies::note_objects() {
  for (std::size_t i = 0; i < objects_.size(); ++i) {
    const Object& object = objects_[i];
    if (i > 0 && object.source == objects_[i - 1].source && object.object == objects_[i - 1].object) continue;
    const Set& set = sets_[root_of(object.number)];
    note_.bind(1, object.source).bind(2, static_cast<std::int64_t>(object.object));
    TRY_STATUS(note_.bind(3, set.first_new != 0 ? set.first_new : set.first_known).run());
  }
  return {};
}

Status FileTies::finish() {
  TRY(Statement rows, connection_->prepare("SELECT source, object, item FROM temp.noted_ties ORDER BY source, object"));
  std::optional<std::array<std::int64_t, 3>> first;  // of its source and object
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) break;
    const std::array<std::int64_t, 3> noted = {rows.integer(0), rows.integer(1), rows.integer(2)};
    const bool same_object = first && (*first)[0] == noted[0] && (*first)[1] == noted[1];
    if (!same_object) {
      first = noted;
    } else if ((*first)[2] != noted[2]) {
      TRY_STATUS(tie((*first)[2], noted[2]));
    }
  }
  return connection_->execute("DELETE FROM temp.noted_ties");
}

Result<std::int64_t> FileTies::number_in(Statement& statement, std::int64_t parameter) {
  TRY(const bool row, statement.bind(1, parameter).step());
  if (!row) return fail(Errc::vault_damaged, "The vault's ties between hashes of one file contradict each other.");
  const std::int64_t value = statement.integer(0);
  statement.reset();
  return value;
}

Status FileTies::place(std::int64_t item, std::int64_t file) {
  TRY_STATUS(set_file_.bind(1, item).bind(2, file).run());
  TRY_STATUS(list_.bind(1, file).bind(2, item).run());
  return grow_.bind(1, file).bind(2, std::int64_t{1}).run();
}

Status FileTies::tie(std::int64_t a, std::int64_t b) {
  TRY(const std::int64_t file_a, number_in(file_of_, a));
  TRY(const std::int64_t file_b, number_in(file_of_, b));
  if (file_a == 0 && file_b == 0) {
    TRY_STATUS(add_.bind(1, ++last_file_).bind(2, std::int64_t{0}).run());
    TRY_STATUS(place(a, last_file_));
    return place(b, last_file_);
  }
  if (file_b == 0) return place(b, file_a);
  if (file_a == 0) return place(a, file_b);
  return file_a == file_b ? Status() : merge(file_a, file_b);
}

Status FileTies::merge(std::int64_t a, std::int64_t b) {
  TRY(const std::int64_t size_a, number_in(size_of_, a));
  TRY(const std::int64_t size_b, number_in(size_of_, b));
  const std::int64_t smaller = size_a < size_b ? a : b;
  const std::int64_t larger = size_a < size_b ? b : a;
  TRY_STATUS(move_items_.bind(1, smaller).bind(2, larger).run());
  TRY_STATUS(copy_list_.bind(1, smaller).bind(2, larger).run());
  TRY_STATUS(clear_list_.bind(1, smaller).run());
  TRY_STATUS(grow_.bind(1, larger).bind(2, std::min(size_a, size_b)).run());
  return remove_.bind(1, smaller).run();
}

}  // namespace parley::vault::detail
