// An owner's side of admission in the vault: tags, batches, canaries, helpers (vault.h, admission.h).
#include "vault/admission.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/random.h"
#include "vault/detail/admission_rows.h"
#include "vault/detail/database.h"
#include "vault/detail/selection.h"

namespace parley::vault {
namespace {

using detail::Connection;
using detail::SelectionSql;
using detail::Statement;
using detail::Transaction;
using detail::type_of;

/// The number of an epoch; 0 where nothing is kept of it.
Result<std::int64_t> epoch_number(Connection& connection, std::string_view group, const Digest& epoch) {
  TRY(Statement find, connection.prepare("SELECT number FROM admission_epochs WHERE group_id=?1 AND epoch=?2"));
  TRY(const bool known, find.bind(1, group).bind(2, ByteView(epoch)).step());
  return known ? find.integer(0) : 0;
}

Result<std::int64_t> make_epoch_number(Connection& connection, std::string_view group, const Digest& epoch) {
  TRY(Statement add,
      connection.prepare("INSERT INTO admission_epochs(group_id, epoch) VALUES(?1, ?2) ON CONFLICT DO NOTHING"));
  TRY_STATUS(add.bind(1, group).bind(2, ByteView(epoch)).run());
  return epoch_number(connection, group, epoch);
}

std::string seed_place(std::int64_t batch) {
  return fmt::format("admission_batches sealed_seed {}", batch);
}

/// A number below `bound`, as good as uniform: 64 random bits against far fewer numbers.
std::uint64_t below(std::uint64_t bound) {
  return read_be<std::uint64_t>(random_bytes<sizeof(std::uint64_t)>()) % bound;
}

/// Up to `most` of the ids that `rows` gives, each as likely as each other: the reservoir of Vitter 1985 (algorithm R).
Result<std::vector<ItemId>> draw(Statement& rows, std::uint64_t most) {
  std::vector<ItemId> drawn;
  for (std::uint64_t seen = 1;; ++seen) {
    TRY(const bool row, rows.step());
    if (!row) return drawn;
    if (drawn.size() < most)
      drawn.push_back(rows.integer(0));
    else if (const std::uint64_t place = below(seen); place < most)
      drawn[place] = rows.integer(0);
  }
}

/// Fisher and Yates.
void shuffle(std::vector<ItemId>& ids) {
  for (std::size_t left = ids.size(); left > 1; --left) std::swap(ids[left - 1], ids[below(left)]);
}

/// What has no tag of an epoch and is in no batch of it, for a column of ids.
std::string waits(std::string_view id, std::int64_t epoch) {
  return fmt::format(
      "NOT EXISTS (SELECT 1 FROM admission_tags t WHERE t.epoch = {1} AND t.item = {0}) AND NOT EXISTS "
      "(SELECT 1 FROM admission_batch_items b WHERE b.epoch = {1} AND b.item = {0})",
      id, epoch);
}

/// Canaries are the items -1, -2, ...: of what is imported none has such a number.
constexpr std::string_view kItemValue =
    "CASE WHEN b.item < 0 THEN (SELECT value FROM admission_canaries WHERE number = -b.item) "
    "ELSE (SELECT value FROM items WHERE id = b.item) END";

/// Batches go with all that belongs to them.
Status remove_batches(Connection& connection, const std::string& which) {
  for (const char* table : {"admission_answers", "admission_fixed", "admission_batch_items"})
    TRY_STATUS(connection.execute(
        fmt::format("DELETE FROM {} WHERE batch IN (SELECT number FROM admission_batches WHERE {})", table, which)
            .c_str()));
  return connection.execute(fmt::format("DELETE FROM admission_batches WHERE {}", which).c_str());
}

}  // namespace

Status Vault::admit_canaries(std::string_view group, const Digest& epoch, const Digest& set_entry,
                             std::span<const AdmissionDecoys> decoys) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(auto transaction, Transaction::begin(connection));
  TRY(const std::int64_t number, make_epoch_number(connection, group, epoch));
  TRY(Statement set,
      connection.prepare("INSERT OR IGNORE INTO admission_canary_sets(epoch, set_entry) VALUES(?1, ?2)"));
  TRY(const std::int64_t is_new, set.bind(1, number).bind(2, ByteView(set_entry)).run_counting());
  if (is_new == 0) return {};
  TRY(Statement add,
      connection.prepare("INSERT OR IGNORE INTO admission_canaries(epoch, type, value) VALUES(?1, ?2, ?3)"));
  for (const AdmissionDecoys& of_type : decoys) {
    std::int64_t added = 0;
    for (const indicator::Canonical& canary : of_type.canaries) {
      add.bind(1, number).bind(2, static_cast<std::int64_t>(of_type.type)).bind(3, std::string_view(canary.value()));
      TRY(const std::int64_t one, add.run_counting());
      added += one;
    }
    for (; added < of_type.count; ++added) {
      const std::string filler = to_hex(random_bytes<32>());
      add.bind(1, number).bind(2, static_cast<std::int64_t>(of_type.type)).bind(3, std::string_view(filler));
      TRY_STATUS(add.run());
    }
  }
  return transaction.commit();
}

Result<std::vector<std::pair<ItemId, indicator::Canonical>>> Vault::admission_canaries(std::string_view group,
                                                                                       const Digest& epoch) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const std::int64_t number, epoch_number(connection, group, epoch));
  TRY(Statement rows, connection.prepare("SELECT -number, type, value FROM admission_canaries WHERE epoch=?1"));
  rows.bind(1, number);
  std::vector<std::pair<ItemId, indicator::Canonical>> canaries;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return canaries;
    canaries.emplace_back(rows.integer(0),
                          indicator::Canonical::from_storage(type_of(rows.integer(1)), std::string(rows.text(2))));
  }
}

Result<std::vector<std::pair<ItemId, indicator::Canonical>>> Vault::not_admitted(Selection selection,
                                                                                 const Digest& epoch,
                                                                                 indicator::Type type,
                                                                                 std::uint64_t most) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const std::int64_t number, epoch_number(connection, selection.group, epoch));
  selection.types = {type};
  selection.admission.reset();
  TRY(Statement canaries, connection.prepare(fmt::format(
                              "SELECT -c.number FROM admission_canaries c WHERE c.epoch = {} AND c.type = ?1 AND {}",
                              number, waits("-c.number", number))));
  canaries.bind(1, static_cast<std::int64_t>(type));
  TRY(std::vector<ItemId> drawn, draw(canaries, most));
  TRY(const SelectionSql chosen, SelectionSql::make(connection, selection));
  if (!chosen.empty()) {
    TRY(Statement rows, connection.prepare(fmt::format("SELECT i.id FROM items i WHERE {} AND {}", chosen.where(),
                                                       waits("i.id", number))));
    chosen.bind(rows, type);
    TRY(const std::vector<ItemId> others, draw(rows, most - drawn.size()));
    drawn.insert(drawn.end(), others.begin(), others.end());
  }
  shuffle(drawn);
  TRY(Statement find, connection.prepare(fmt::format("SELECT {} FROM (SELECT ?1 AS item) b", kItemValue)));
  std::vector<std::pair<ItemId, indicator::Canonical>> items;
  for (const ItemId id : drawn) {
    find.reset();
    TRY(const bool row, find.bind(1, id).step());
    if (!row || find.is_null(0)) return fail(Errc::vault_damaged, "An indicator is not there by its number.");
    items.emplace_back(id, indicator::Canonical::from_storage(type, std::string(find.text(0))));
  }
  return items;
}

Status Vault::add_admission_batch(std::string_view group, const Digest& epoch, indicator::Type type,
                                  const AdmissionInput& input) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(auto transaction, Transaction::begin(connection));
  TRY(const std::int64_t number, make_epoch_number(connection, group, epoch));
  TRY(Statement add, connection.prepare("INSERT INTO admission_batches(epoch, type, sealed_seed, blinded) "
                                        "VALUES(?1, ?2, X'', ?3)"));
  TRY_STATUS(add.bind(1, number).bind(2, static_cast<std::int64_t>(type)).bind(3, ByteView(input.blinded)).run());
  const std::int64_t batch = connection.last_row();
  TRY(Statement seal, connection.prepare("UPDATE admission_batches SET sealed_seed=?2 WHERE number=?1"));
  const Bytes sealed = state_->database->seal_cell(seed_place(batch), input.seed.expose());
  TRY_STATUS(seal.bind(1, batch).bind(2, ByteView(sealed)).run());
  TRY(Statement item, connection.prepare("INSERT OR IGNORE INTO admission_batch_items(batch, position, epoch, item) "
                                         "SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM admission_tags WHERE "
                                         "epoch=?3 AND item=?4)"));
  std::int64_t position = 0;
  for (const auto& [id, indicator] : input.items) {
    TRY(const std::int64_t added, item.bind(1, batch).bind(2, position++).bind(3, number).bind(4, id).run_counting());
    if (added == 0) return fail(Errc::exists, "An indicator is on its way to its tag already.");
  }
  return transaction.commit();
}

Result<std::vector<AdmissionBatch>> Vault::admission_batches(std::string_view group, const Digest& epoch) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const std::int64_t number, epoch_number(connection, group, epoch));
  TRY(Statement rows,
      connection.prepare("SELECT b.number, b.type, length(b.blinded) / 32, a.nick, "
                         "(SELECT count(*) FROM admission_batch_items x WHERE x.batch = b.number AND "
                         "x.item < 0) FROM admission_batches b LEFT JOIN admission_answers a ON a.batch = b.number "
                         "WHERE b.epoch=?1 ORDER BY b.number, a.nick"));
  rows.bind(1, number);
  std::vector<AdmissionBatch> batches;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return batches;
    if (batches.empty() || batches.back().number != rows.integer(0))
      batches.push_back({.number = rows.integer(0),
                         .epoch = epoch,
                         .type = type_of(rows.integer(1)),
                         .count = static_cast<std::uint64_t>(rows.integer(2)),
                         .canaries = static_cast<std::uint64_t>(rows.integer(4))});
    if (!rows.is_null(3)) batches.back().answered.emplace_back(rows.text(3));
  }
}

Result<AdmissionInput> Vault::admission_input(std::int64_t batch) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(Statement find, connection.prepare("SELECT type, sealed_seed, blinded FROM admission_batches WHERE number=?1"));
  TRY(const bool found, find.bind(1, batch).step());
  if (!found) return fail(Errc::not_found, "This batch is finished, or was never begun.");
  const indicator::Type type = type_of(find.integer(0));
  TRY(const SecretBytes seed, state_->database->open_cell(seed_place(batch), find.bytes(1)));
  if (seed.size() != Secret<32>::kSize) return fail(Errc::vault_damaged, "The seed of a batch has a wrong length.");
  AdmissionInput input{.seed = Secret<32>(seed.expose().first<32>()), .blinded = to_bytes(find.bytes(2)), .items = {}};
  TRY(Statement rows,
      connection.prepare(fmt::format(
          "SELECT b.item, {} FROM admission_batch_items b WHERE b.batch=?1 ORDER BY b.position", kItemValue)));
  rows.bind(1, batch);
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) break;
    if (rows.is_null(1)) continue;
    input.items.emplace_back(rows.integer(0), indicator::Canonical::from_storage(type, std::string(rows.text(1))));
  }
  if (input.items.size() * 32 != input.blinded.size())
    return fail(Errc::vault_damaged, "A batch for admission is not whole in the vault.");
  return input;
}

Result<std::optional<AdmissionFixed>> Vault::admission_fixed(std::int64_t batch, std::string_view nick) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement find,
      state_->database->connection().prepare("SELECT answers, sample FROM admission_fixed WHERE batch=?1 AND nick=?2"));
  TRY(const bool row, find.bind(1, batch).bind(2, nick).step());
  if (!row) return std::nullopt;
  AdmissionFixed fixed;
  TRY(fixed.answers, detail::fixed_bytes<32>(find.bytes(0)));
  ByteView rest = find.bytes(1);
  for (; rest.size() >= sizeof(std::uint32_t); rest = rest.subspan(sizeof(std::uint32_t)))
    fixed.sample.push_back(read_be<std::uint32_t>(rest));
  return fixed;
}

Status Vault::fix_admission(std::int64_t batch, std::string_view nick, const AdmissionFixed& fixed) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement put, state_->database->connection().prepare(
                         "INSERT INTO admission_fixed(batch, nick, answers, sample) VALUES(?1, ?2, ?3, ?4)"));
  Bytes sample;
  for (const std::uint32_t index : fixed.sample) append_be(sample, index);
  return put.bind(1, batch).bind(2, nick).bind(3, ByteView(fixed.answers)).bind(4, ByteView(sample)).run();
}

Status Vault::drop_admission_batch(std::int64_t batch) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(auto transaction, Transaction::begin(connection));
  TRY_STATUS(remove_batches(connection, fmt::format("number = {}", batch)));
  return transaction.commit();
}

Status Vault::put_admission_answer(std::int64_t batch, std::string_view nick, ByteView answer) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement put, state_->database->connection().prepare(
                         "INSERT OR REPLACE INTO admission_answers(batch, nick, answer) SELECT ?1, ?2, ?3 WHERE "
                         "EXISTS (SELECT 1 FROM admission_batches WHERE number=?1)"));
  return put.bind(1, batch).bind(2, nick).bind(3, answer).run();
}

Result<std::map<std::string, Bytes>> Vault::admission_answers(std::int64_t batch) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement rows,
      state_->database->connection().prepare("SELECT nick, answer FROM admission_answers WHERE batch=?1"));
  rows.bind(1, batch);
  std::map<std::string, Bytes> answers;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return answers;
    answers.emplace(std::string(rows.text(0)), to_bytes(rows.bytes(1)));
  }
}

Status Vault::finish_admission_batch(std::int64_t batch, ByteView tags) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(auto transaction, Transaction::begin(connection));
  TRY(Statement items, connection.prepare("SELECT epoch, item FROM admission_batch_items WHERE batch=?1 ORDER BY "
                                          "position"));
  items.bind(1, batch);
  TRY(Statement add, connection.prepare("INSERT OR REPLACE INTO admission_tags(epoch, item, tag) VALUES(?1, ?2, ?3)"));
  std::size_t position = 0;
  for (;;) {
    TRY(const bool row, items.step());
    if (!row) break;
    if ((position + 1) * sizeof(AdmissionTag) > tags.size())
      return fail(Errc::internal, "A batch was to be finished with too few tags.");
    add.bind(1, items.integer(0)).bind(2, items.integer(1));
    TRY_STATUS(add.bind(3, tags.subspan(position++ * sizeof(AdmissionTag), sizeof(AdmissionTag))).run());
  }
  TRY_STATUS(remove_batches(connection, fmt::format("number = {}", batch)));
  return transaction.commit();
}

Result<std::vector<std::pair<ItemId, AdmissionTag>>> Vault::admission_tags(std::string_view group,
                                                                           const Digest& epoch) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const std::int64_t number, epoch_number(connection, group, epoch));
  TRY(Statement rows, connection.prepare("SELECT item, tag FROM admission_tags WHERE epoch=?1 ORDER BY item"));
  rows.bind(1, number);
  std::vector<std::pair<ItemId, AdmissionTag>> tags;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return tags;
    TRY(const AdmissionTag tag, detail::fixed_bytes<32>(rows.bytes(1)));
    tags.emplace_back(rows.integer(0), tag);
  }
}

Result<std::map<indicator::Type, std::uint64_t>> Vault::count_tags(std::string_view group, const Digest& epoch) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const std::int64_t number, epoch_number(connection, group, epoch));
  TRY(Statement rows,
      connection.prepare("SELECT i.type, count(*) FROM admission_tags t JOIN items i ON i.id = t.item WHERE t.epoch=?1 "
                         "GROUP BY i.type UNION ALL SELECT c.type, count(*) FROM admission_tags t JOIN "
                         "admission_canaries c ON c.number = -t.item WHERE t.epoch=?1 GROUP BY c.type"));
  rows.bind(1, number);
  std::map<indicator::Type, std::uint64_t> counts;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return counts;
    counts[type_of(rows.integer(0))] += static_cast<std::uint64_t>(rows.integer(1));
  }
}

Status Vault::forget_admissions(std::string_view group, const std::optional<Digest>& kept) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(auto transaction, Transaction::begin(connection));
  TRY(Statement list, connection.prepare("SELECT number, epoch FROM admission_epochs WHERE group_id=?1"));
  list.bind(1, group);
  std::vector<std::int64_t> numbers;
  for (;;) {
    TRY(const bool row, list.step());
    if (!row) break;
    if (!kept || !std::ranges::equal(list.bytes(1), *kept)) numbers.push_back(list.integer(0));
  }
  if (numbers.empty()) return {};
  const std::string of_epochs = fmt::format("epoch IN ({})", fmt::join(numbers, ","));
  TRY_STATUS(remove_batches(connection, of_epochs));
  for (const char* table : {"admission_tags", "admission_canaries", "admission_canary_sets"})
    TRY_STATUS(connection.execute(fmt::format("DELETE FROM {} WHERE {}", table, of_epochs).c_str()));
  TRY_STATUS(connection.execute(
      fmt::format("DELETE FROM admission_epochs WHERE number IN ({})", fmt::join(numbers, ",")).c_str()));
  return transaction.commit();
}

Status Vault::put_admission_helper(std::string_view group, const AdmissionHelper& helper) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement put, state_->database->connection().prepare(
                         "INSERT OR REPLACE INTO admission_helpers(group_id, nick, reached, away_since, trouble, "
                         "bad_answers, bad_answers_at, bad_answers_why) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"));
  put.bind(1, group).bind(2, std::string_view(helper.nick)).bind(3, helper.reached).bind(4, helper.away_since);
  put.bind(5, std::string_view(helper.trouble)).bind(6, helper.bad_answers).bind(7, helper.bad_answers_at);
  return put.bind(8, std::string_view(helper.bad_answers_why)).run();
}

Result<std::vector<AdmissionHelper>> Vault::admission_helpers(std::string_view group) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement rows,
      state_->database->connection().prepare(
          "SELECT nick, reached, away_since, trouble, bad_answers, bad_answers_at, bad_answers_why FROM "
          "admission_helpers WHERE group_id=?1 ORDER BY nick"));
  rows.bind(1, group);
  std::vector<AdmissionHelper> helpers;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return helpers;
    helpers.push_back({std::string(rows.text(0)), rows.integer(1), rows.integer(2), std::string(rows.text(3)),
                       rows.integer(4), rows.integer(5), std::string(rows.text(6))});
  }
}

}  // namespace parley::vault
