// The tables of vault.db (schema.h).
// Everything lies under the page cipher (sealed_vfs.h), so that plain SQL works; secrets are sealed once more.
#include "vault/detail/schema.h"

#include <fmt/format.h>

#include <array>

namespace parley::vault::detail {
namespace {

// items, contexts: clustered by what they are read by, so that a pass in (type, value) order reads pages in order.
// contexts.labels: ids of labels, as variable-length integers; item_labels says the same the other way round.
// files: one row for each set of tied hashes; items.file names it, file_items lists it. tlp, pap, kind, type: the
// numbers of their enums.
constexpr const char* kVersion1 = R"(
CREATE TABLE items(
  type INTEGER NOT NULL, value TEXT NOT NULL, id INTEGER NOT NULL, file INTEGER NOT NULL,
  PRIMARY KEY(type, value)) WITHOUT ROWID;
CREATE UNIQUE INDEX items_by_id ON items(id);
CREATE TABLE files(id INTEGER PRIMARY KEY, size INTEGER NOT NULL);
CREATE TABLE file_items(file INTEGER NOT NULL, item INTEGER NOT NULL, PRIMARY KEY(file, item)) WITHOUT ROWID;
CREATE TABLE sources(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, format TEXT NOT NULL, imported INTEGER NOT NULL);
CREATE TABLE contexts(
  item INTEGER NOT NULL, source INTEGER NOT NULL, first_seen INTEGER, last_seen INTEGER, sightings INTEGER NOT NULL,
  confidence INTEGER, tlp INTEGER, pap INTEGER, labels BLOB,
  PRIMARY KEY(item, source)) WITHOUT ROWID;
CREATE TABLE labels(
  id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL, folded TEXT NOT NULL, UNIQUE(kind, name));
CREATE INDEX labels_by_folded ON labels(folded);
CREATE TABLE item_labels(
  label INTEGER NOT NULL, type INTEGER NOT NULL, item INTEGER NOT NULL,
  PRIMARY KEY(label, type, item)) WITHOUT ROWID;
CREATE TABLE warning_lists(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, match INTEGER NOT NULL, entries INTEGER NOT NULL);
CREATE TABLE warning_entries(
  list INTEGER NOT NULL, chunk INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY(list, chunk)) WITHOUT ROWID;
CREATE TABLE peers(
  name TEXT PRIMARY KEY, card TEXT NOT NULL, address TEXT NOT NULL, added INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE sessions(
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, peer TEXT NOT NULL, asked_by_us INTEGER NOT NULL,
  state TEXT NOT NULL, terms TEXT NOT NULL, outcome TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL);
CREATE TABLE steps(
  session INTEGER NOT NULL, number INTEGER NOT NULL, author TEXT NOT NULL, type TEXT NOT NULL, note TEXT NOT NULL,
  PRIMARY KEY(session, number)) WITHOUT ROWID;
CREATE TABLE matches(
  session INTEGER NOT NULL, type INTEGER NOT NULL, value TEXT NOT NULL, item INTEGER NOT NULL, file INTEGER NOT NULL,
  mine TEXT NOT NULL, opened TEXT NOT NULL, theirs TEXT NOT NULL, sealed_commitment BLOB NOT NULL,
  PRIMARY KEY(session, type, value)) WITHOUT ROWID;
CREATE TABLE settings(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE secrets(name TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
)";

// log_nodes.place: as LogGrowth::nodes counts (joint_log.h).
constexpr const char* kVersion2 = R"(
CREATE TABLE logs(
  number INTEGER PRIMARY KEY, origin TEXT NOT NULL UNIQUE, group_id TEXT NOT NULL, nick TEXT NOT NULL,
  own INTEGER NOT NULL, size INTEGER NOT NULL, sealed INTEGER NOT NULL);
CREATE TABLE log_leaves(
  log INTEGER NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, note TEXT NOT NULL, PRIMARY KEY(log, seq))
  WITHOUT ROWID;
CREATE INDEX log_leaves_by_hash ON log_leaves(hash);
CREATE TABLE log_nodes(
  log INTEGER NOT NULL, place INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY(log, place)) WITHOUT ROWID;
CREATE TABLE log_bodies(commitment BLOB PRIMARY KEY, salt BLOB NOT NULL, content BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE log_checkpoints(
  log INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL, PRIMARY KEY(log, size))
  WITHOUT ROWID;
CREATE TABLE log_cosignatures(
  log INTEGER NOT NULL, size INTEGER NOT NULL, cosigner TEXT NOT NULL, line TEXT NOT NULL,
  PRIMARY KEY(log, size, cosigner)) WITHOUT ROWID;
)";

// group_material.types: one byte a type, none: all.
constexpr const char* kVersion3 = R"(
CREATE TABLE groups(
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL, created INTEGER NOT NULL,
  latest INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE charters(
  group_id TEXT NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, note TEXT NOT NULL, taken INTEGER NOT NULL,
  PRIMARY KEY(group_id, seq)) WITHOUT ROWID;
CREATE TABLE group_papers(
  group_id TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY(group_id, kind, key)) WITHOUT ROWID;
CREATE TABLE group_material(
  group_id TEXT NOT NULL, number INTEGER NOT NULL, types BLOB NOT NULL, label TEXT NOT NULL, source TEXT NOT NULL,
  tlp_max INTEGER, PRIMARY KEY(group_id, number)) WITHOUT ROWID;
CREATE TABLE invitations(
  id TEXT PRIMARY KEY, group_id TEXT NOT NULL, invited TEXT NOT NULL, expires INTEGER NOT NULL,
  failures INTEGER NOT NULL, open INTEGER NOT NULL) WITHOUT ROWID;
ALTER TABLE peers ADD COLUMN confirmed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN group_id TEXT NOT NULL DEFAULT '';
)";

// What a charter's budgets, and the limits on questions that nobody answers, ask for.
constexpr const char* kVersion4 = R"(
CREATE INDEX sessions_by_group ON sessions(group_id, state, created);
CREATE INDEX sessions_by_peer ON sessions(group_id, peer, state, created);
)";

// custody.entry: as evidence/custody.h writes it.
constexpr const char* kVersion5 = R"(
CREATE TABLE sealed_files(
  id TEXT PRIMARY KEY, purpose TEXT NOT NULL, size INTEGER NOT NULL, made INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE cases(id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, made INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE case_files(
  case_id TEXT NOT NULL, number INTEGER NOT NULL, file TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,
  sha256 BLOB NOT NULL, root BLOB NOT NULL, PRIMARY KEY(case_id, number)) WITHOUT ROWID;
CREATE TABLE custody(
  case_id TEXT NOT NULL, seq INTEGER NOT NULL, entry TEXT NOT NULL, PRIMARY KEY(case_id, seq)) WITHOUT ROWID;
)";

// admission_epochs.number: in the place of group and epoch. admission_read: how far a log has been read.
constexpr const char* kVersion6 = R"(
CREATE TABLE admission_epochs(
  number INTEGER PRIMARY KEY, group_id TEXT NOT NULL, epoch BLOB NOT NULL, UNIQUE(group_id, epoch));
CREATE TABLE admission_tags(epoch INTEGER NOT NULL, item INTEGER NOT NULL, tag BLOB NOT NULL, PRIMARY KEY(epoch, item))
  WITHOUT ROWID;
CREATE TABLE admission_batches(
  number INTEGER PRIMARY KEY AUTOINCREMENT, epoch INTEGER NOT NULL, type INTEGER NOT NULL, sealed_seed BLOB NOT NULL,
  blinded BLOB NOT NULL);
CREATE TABLE admission_batch_items(
  batch INTEGER NOT NULL, position INTEGER NOT NULL, epoch INTEGER NOT NULL, item INTEGER NOT NULL,
  PRIMARY KEY(batch, position), UNIQUE(epoch, item)) WITHOUT ROWID;
CREATE TABLE admission_answers(
  batch INTEGER NOT NULL, nick TEXT NOT NULL, answer BLOB NOT NULL, PRIMARY KEY(batch, nick)) WITHOUT ROWID;
CREATE TABLE admission_read(origin TEXT PRIMARY KEY, size INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE admission_keys(
  group_id TEXT NOT NULL, epoch TEXT NOT NULL, nick TEXT NOT NULL, members TEXT NOT NULL, key BLOB NOT NULL,
  PRIMARY KEY(group_id, epoch, nick)) WITHOUT ROWID;
CREATE TABLE admission_counts(
  group_id TEXT NOT NULL, helper TEXT NOT NULL, batch BLOB NOT NULL, owner TEXT NOT NULL, epoch BLOB NOT NULL,
  type INTEGER NOT NULL, count INTEGER NOT NULL, answers BLOB NOT NULL, entry BLOB NOT NULL, time INTEGER NOT NULL,
  repeats INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(group_id, helper, batch)) WITHOUT ROWID;
CREATE INDEX admission_counts_by_owner ON admission_counts(group_id, epoch, helper, owner, type);
CREATE TABLE admission_helpers(
  group_id TEXT NOT NULL, nick TEXT NOT NULL, reached INTEGER NOT NULL, away_since INTEGER NOT NULL,
  trouble TEXT NOT NULL, PRIMARY KEY(group_id, nick)) WITHOUT ROWID;
)";

// admission_canaries: what is admitted beside the items, as item -number; _sets: those of whose canaries all are there.
// admission_keys: of each type now, read from the logs again. admission_counts.entry: zeros until the count stands in
// our log; .sample: hash of the sample that was proven, if any was. admission_fixed: what an owner had fixed before it
// named its sample.
constexpr const char* kVersion7 = R"(
DROP TABLE admission_keys;
CREATE TABLE admission_keys(
  group_id TEXT NOT NULL, epoch TEXT NOT NULL, nick TEXT NOT NULL, type INTEGER NOT NULL, members TEXT NOT NULL,
  key BLOB NOT NULL, PRIMARY KEY(group_id, epoch, nick, type)) WITHOUT ROWID;
DELETE FROM admission_read;
ALTER TABLE admission_counts ADD COLUMN sample BLOB NOT NULL DEFAULT X'';
CREATE TABLE admission_fixed(
  batch INTEGER NOT NULL, nick TEXT NOT NULL, answers BLOB NOT NULL, sample BLOB NOT NULL, PRIMARY KEY(batch, nick))
  WITHOUT ROWID;
CREATE TABLE admission_canaries(
  number INTEGER PRIMARY KEY AUTOINCREMENT, epoch INTEGER NOT NULL, type INTEGER NOT NULL, value TEXT NOT NULL,
  UNIQUE(epoch, type, value));
CREATE TABLE admission_canary_sets(epoch INTEGER NOT NULL, set_entry BLOB NOT NULL, PRIMARY KEY(epoch, set_entry))
  WITHOUT ROWID;
ALTER TABLE admission_helpers ADD COLUMN bad_answers INTEGER NOT NULL DEFAULT 0;
ALTER TABLE admission_helpers ADD COLUMN bad_answers_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE admission_helpers ADD COLUMN bad_answers_why TEXT NOT NULL DEFAULT '';
)";

// record: as operators/record.h writes it.
constexpr const char* kVersion8 = R"(
CREATE TABLE operator_log(seq INTEGER PRIMARY KEY, record TEXT NOT NULL, signature BLOB NOT NULL);
)";

constexpr const char* kVersion9 = R"(
ALTER TABLE log_cosignatures ADD COLUMN arrived INTEGER NOT NULL DEFAULT 0;
)";

// A body belongs to the entry that it came with. Before, it was found by its commitment, which anybody can repeat: of
// several entries that name it our own has it, else the one that we may read, and where we may read several of others,
// none; but a rotation of a key has it, since it names its owner. body_names.name: the commitment as an entry's note
// spells it; an audience stands in front of it.
constexpr const char* kVersion10 = R"(
ALTER TABLE log_bodies RENAME TO bodies_by_commitment;
CREATE TABLE log_bodies(leaf BLOB PRIMARY KEY, salt BLOB NOT NULL, content BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE body_names(name TEXT PRIMARY KEY, commitment BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO body_names SELECT lower(hex(commitment)), commitment FROM bodies_by_commitment;
CREATE TABLE body_readers(commitment BLOB NOT NULL, leaf BLOB NOT NULL, own INTEGER NOT NULL,
  PRIMARY KEY(commitment, leaf)) WITHOUT ROWID;
INSERT OR IGNORE INTO body_readers
  SELECT n.commitment, l.hash, o.own = 1 OR instr(l.note, '"type":"key.rotate"') > 0
  FROM log_leaves l JOIN logs o ON o.number = l.log
  JOIN body_names n ON n.name = substr(l.note, instr(l.note, '"body":"') + 8, 64)
  LEFT JOIN logs m ON m.group_id = o.group_id AND m.own = 1
  WHERE o.own = 1 OR m.nick IS NULL OR instr(substr(l.note, 1, instr(l.note, '],"author":')), '"*"') > 0
    OR instr(substr(l.note, 1, instr(l.note, '],"author":')), '"' || m.nick || '"') > 0;
INSERT INTO log_bodies SELECT r.leaf, b.salt, b.content
  FROM body_readers r JOIN bodies_by_commitment b ON b.commitment = r.commitment
  WHERE r.own = 1
    OR NOT EXISTS (SELECT 1 FROM body_readers s WHERE s.commitment = r.commitment AND s.leaf <> r.leaf);
DROP TABLE body_readers;
DROP TABLE body_names;
DROP TABLE bodies_by_commitment;
)";

/// The step from version i to i + 1.
constexpr std::array kMigrations = {kVersion1, kVersion2, kVersion3, kVersion4, kVersion5,
                                    kVersion6, kVersion7, kVersion8, kVersion9, kVersion10};
static_assert(kMigrations.size() == kSchemaVersion);

}  // namespace

Status migrate(Connection& connection) {
  TRY(std::int64_t version, connection.integer("PRAGMA user_version"));
  if (version < 0 || version > kSchemaVersion) {
    return fail(Errc::unsupported, fmt::format("This vault's tables have version {}; this program knows version {}. "
                                               "Use a newer parley.",
                                               version, kSchemaVersion));
  }
  for (; version < kSchemaVersion; ++version) {
    TRY(Transaction transaction, Transaction::begin(connection));
    TRY_STATUS(connection.execute(kMigrations[static_cast<std::size_t>(version)]));
    TRY_STATUS(connection.execute(fmt::format("PRAGMA user_version={}", version + 1).c_str()));
    TRY_STATUS(transaction.commit());
  }
  return {};
}

}  // namespace parley::vault::detail
