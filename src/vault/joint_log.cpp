// The joint log's tables (vault.h, joint_log.h).
#include <fmt/format.h>

#include <bit>

#include "vault/detail/database.h"

namespace parley::vault {
namespace {

using detail::Connection;
using detail::Statement;

constexpr std::string_view kHeadColumns =
    "logs.number, origin, group_id, nick, own, logs.size, sealed, c.size, c.root, c.note FROM logs "
    "LEFT JOIN log_checkpoints c ON c.log = logs.number AND "
    "c.size = (SELECT max(size) FROM log_checkpoints WHERE log = logs.number)";

struct NumberedHead {
  std::int64_t number = 0;
  LogHead head;
};

std::uint64_t unsigned_of(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

Result<Digest> digest_of(ByteView bytes) {
  Digest digest;
  if (bytes.size() != digest.size())
    return fail(Errc::vault_damaged, "A hash in the vault's joint log has a wrong length.");
  std::ranges::copy(bytes, digest.begin());
  return digest;
}

Result<NumberedHead> read_head(const Statement& row) {
  NumberedHead read{row.integer(0),
                    {.origin = std::string(row.text(1)),
                     .group = std::string(row.text(2)),
                     .nick = std::string(row.text(3)),
                     .own = row.integer(4) != 0,
                     .size = unsigned_of(row.integer(5)),
                     .sealed = row.integer(6) != 0,
                     .checkpoint = {}}};
  if (!row.is_null(7)) {
    TRY(const Digest root, digest_of(row.bytes(8)));
    read.head.checkpoint = LogCheckpoint{unsigned_of(row.integer(7)), root, std::string(row.text(9))};
  }
  return read;
}

Result<NumberedHead> find_head(Connection& connection, std::string_view origin) {
  TRY(Statement find, connection.prepare(fmt::format("SELECT {} WHERE origin=?1", kHeadColumns)));
  TRY(const bool row, find.bind(1, origin).step());
  if (!row) return fail(Errc::not_found, fmt::format("This vault keeps no log {}.", origin));
  return read_head(find);
}

/// The number under which a log's rows lie.
Result<std::int64_t> find_number(Connection& connection, std::string_view origin) {
  TRY(Statement find, connection.prepare("SELECT number FROM logs WHERE origin=?1"));
  TRY(const bool row, find.bind(1, origin).step());
  if (!row) return fail(Errc::not_found, fmt::format("This vault keeps no log {}.", origin));
  return find.integer(0);
}

/// Complete subtrees in a tree of `leaves` leaves.
std::uint64_t nodes_of(std::uint64_t leaves) {
  return 2 * leaves - static_cast<std::uint64_t>(std::popcount(leaves));
}

Status check(const LogHead& head, const LogGrowth& growth) {
  if (growth.from != head.size)
    return fail(Errc::internal, fmt::format("The log {} has {} entries, and what was to be added begins at {}.",
                                            head.origin, head.size, growth.from));
  if (head.sealed && !growth.leaves.empty())
    return fail(Errc::policy,
                fmt::format("The log {} is sealed at {} entries; nothing can be added.", head.origin, head.size));
  const std::uint64_t size = head.size + growth.leaves.size();
  if (growth.nodes.size() != nodes_of(size) - nodes_of(head.size))
    return fail(Errc::internal, "The hashes that were to be added to a log are not those of its entries.");
  if (growth.checkpoint) {
    if (growth.checkpoint->size > size)
      return fail(Errc::internal, "A checkpoint was to be kept for more entries than the log has.");
    if (head.checkpoint && growth.checkpoint->size < head.checkpoint->size)
      return fail(Errc::exists, fmt::format("The log {} has a checkpoint of {} entries; one of {} cannot follow it.",
                                            head.origin, head.checkpoint->size, growth.checkpoint->size));
    if (head.checkpoint && growth.checkpoint->size == head.checkpoint->size &&
        growth.checkpoint->root != head.checkpoint->root)
      return fail(Errc::exists, fmt::format("The log {} has a checkpoint of {} entries with another root.", head.origin,
                                            head.checkpoint->size));
  }
  return {};
}

/// @param verb  "INSERT", or "INSERT OR REPLACE" where rows stand already
Status write_rows(Connection& connection, std::string_view verb, std::int64_t log, std::uint64_t from,
                  std::span<const LogLeaf> leaves, std::span<const Digest> nodes) {
  TRY(Statement leaf,
      connection.prepare(fmt::format("{} INTO log_leaves(log, seq, hash, note) VALUES(?1, ?2, ?3, ?4)", verb)));
  auto seq = static_cast<std::int64_t>(from);
  for (const LogLeaf& added : leaves) {
    leaf.bind(1, log).bind(2, seq++).bind(3, ByteView(added.hash));
    TRY_STATUS(leaf.bind(4, std::string_view(added.note)).run());
  }
  TRY(Statement node, connection.prepare(fmt::format("{} INTO log_nodes(log, place, hash) VALUES(?1, ?2, ?3)", verb)));
  auto place = static_cast<std::int64_t>(nodes_of(from));
  for (const Digest& hash : nodes) {
    node.bind(1, log).bind(2, place++);
    TRY_STATUS(node.bind(3, ByteView(hash)).run());
  }
  return {};
}

Status write_checkpoint(Connection& connection, std::string_view verb, std::int64_t log,
                        const LogCheckpoint& checkpoint) {
  TRY(Statement write,
      connection.prepare(fmt::format("{} INTO log_checkpoints(log, size, root, note) VALUES(?1, ?2, ?3, ?4)", verb)));
  write.bind(1, log).bind(2, static_cast<std::int64_t>(checkpoint.size)).bind(3, ByteView(checkpoint.root));
  return write.bind(4, std::string_view(checkpoint.note)).run();
}

Status add_leaves(Connection& connection, std::int64_t log, const LogGrowth& growth) {
  TRY_STATUS(write_rows(connection, "INSERT", log, growth.from, growth.leaves, growth.nodes));
  const auto seq = static_cast<std::int64_t>(growth.from + growth.leaves.size());
  TRY(Statement grow, connection.prepare("UPDATE logs SET size=?2, sealed=max(sealed, ?3) WHERE number=?1"));
  return grow.bind(1, log).bind(2, seq).bind(3, growth.seals ? 1 : 0).run();
}

Status add_rest(Connection& connection, std::int64_t log, const LogGrowth& growth) {
  TRY(Statement body, connection.prepare("INSERT OR REPLACE INTO log_bodies(leaf, salt, content) VALUES(?1, ?2, ?3)"));
  for (const LogBody& added : growth.bodies) {
    body.bind(1, ByteView(added.leaf)).bind(2, ByteView(added.salt));
    TRY_STATUS(body.bind(3, ByteView(added.content)).run());
  }
  if (growth.checkpoint) TRY_STATUS(write_checkpoint(connection, "INSERT OR IGNORE", log, *growth.checkpoint));
  TRY(Statement cosignature,
      connection.prepare(
          "INSERT INTO log_cosignatures(log, size, cosigner, line, arrived) VALUES(?1, ?2, ?3, ?4, ?5) "
          "ON CONFLICT(log, size, cosigner) DO UPDATE SET line=excluded.line, arrived=excluded.arrived"));
  for (const LogCosignature& added : growth.cosignatures) {
    cosignature.bind(1, log).bind(2, static_cast<std::int64_t>(added.size)).bind(3, std::string_view(added.cosigner));
    TRY_STATUS(cosignature.bind(4, std::string_view(added.line)).bind(5, added.arrived).run());
  }
  return {};
}

// What a log says of admission is read again from its beginning once its end has changed (admission.h). A count of our
// own that has no entry yet stays: it is charged all the same.
Status forget_what_it_says_of_admission(Connection& connection, const LogHead& head) {
  TRY(Statement read, connection.prepare("DELETE FROM admission_read WHERE origin=?1"));
  TRY_STATUS(read.bind(1, std::string_view(head.origin)).run());
  for (const char* sql : {"DELETE FROM admission_keys WHERE group_id=?1 AND nick=?2",
                          "DELETE FROM admission_counts WHERE group_id=?1 AND helper=?2 AND entry<>zeroblob(32)"}) {
    TRY(Statement statement, connection.prepare(sql));
    TRY_STATUS(statement.bind(1, std::string_view(head.group)).bind(2, std::string_view(head.nick)).run());
  }
  return {};
}

}  // namespace

Status Vault::begin_log(const LogHead& log) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(Statement add, connection.prepare("INSERT INTO logs(origin, group_id, nick, own, size, sealed) "
                                        "VALUES(?1, ?2, ?3, ?4, 0, 0) ON CONFLICT DO NOTHING"));
  add.bind(1, std::string_view(log.origin)).bind(2, std::string_view(log.group)).bind(3, std::string_view(log.nick));
  TRY(const std::int64_t added, add.bind(4, log.own ? 1 : 0).run_counting());
  if (added == 0) return fail(Errc::exists, fmt::format("This vault keeps the log {} already.", log.origin));
  return {};
}

Status Vault::grow_log(const LogGrowth& growth) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(auto transaction, detail::Transaction::begin(connection));
  TRY(const NumberedHead found, find_head(connection, growth.origin));
  TRY_STATUS(check(found.head, growth));
  TRY_STATUS(add_leaves(connection, found.number, growth));
  TRY_STATUS(add_rest(connection, found.number, growth));
  return transaction.commit();
}

Status Vault::repair_log(std::string_view origin, std::uint64_t from, std::span<const LogLeaf> leaves,
                         std::span<const Digest> nodes, const std::optional<LogCheckpoint>& checkpoint) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(auto transaction, detail::Transaction::begin(connection));
  TRY(const NumberedHead found, find_head(connection, origin));
  const std::uint64_t end = from + leaves.size();
  if (end < from || end > found.head.size || nodes.size() != nodes_of(end) - nodes_of(from))
    return fail(Errc::internal,
                fmt::format("The rows of the log {} that were to be repaired are not its own.", origin));
  TRY_STATUS(write_rows(connection, "INSERT OR REPLACE", found.number, from, leaves, nodes));
  if (checkpoint) TRY_STATUS(write_checkpoint(connection, "INSERT OR REPLACE", found.number, *checkpoint));
  return transaction.commit();
}

Status Vault::cut_log(std::string_view origin, std::uint64_t size, const std::optional<LogCheckpoint>& checkpoint) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(auto transaction, detail::Transaction::begin(connection));
  TRY(const NumberedHead found, find_head(connection, origin));
  if (!found.head.own || size > found.head.size || (checkpoint && checkpoint->size != size))
    return fail(Errc::internal, fmt::format("The log {} cannot be cut to {} entries.", origin, size));
  const std::pair<std::string_view, std::uint64_t> first_to_go[] = {
      {"DELETE FROM log_leaves WHERE log=?1 AND seq>=?2", size},
      {"DELETE FROM log_nodes WHERE log=?1 AND place>=?2", nodes_of(size)},
      {"DELETE FROM log_checkpoints WHERE log=?1 AND size>=?2", size + 1},
      {"DELETE FROM log_cosignatures WHERE log=?1 AND size>=?2", size + 1},
      {"UPDATE logs SET size=?2, sealed=0 WHERE number=?1", size},
  };
  for (const auto& [sql, first] : first_to_go) {
    TRY(Statement statement, connection.prepare(std::string(sql)));
    TRY_STATUS(statement.bind(1, found.number).bind(2, static_cast<std::int64_t>(first)).run());
  }
  if (checkpoint) TRY_STATUS(write_checkpoint(connection, "INSERT OR IGNORE", found.number, *checkpoint));
  TRY_STATUS(forget_what_it_says_of_admission(connection, found.head));
  return transaction.commit();
}

Result<LogHead> Vault::log_head(std::string_view origin) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(NumberedHead found, find_head(state_->database->connection(), origin));
  return std::move(found.head);
}

Result<std::vector<LogHead>> Vault::logs() {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement list,
      state_->database->connection().prepare(fmt::format("SELECT {} ORDER BY group_id, nick, origin", kHeadColumns)));
  std::vector<LogHead> heads;
  while (true) {
    TRY(const bool row, list.step());
    if (!row) return heads;
    TRY(NumberedHead read, read_head(list));
    heads.push_back(std::move(read.head));
  }
}

Result<std::vector<LogLeaf>> Vault::log_leaves(std::string_view origin, std::uint64_t from, std::uint64_t count) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const std::int64_t number, find_number(connection, origin));
  TRY(Statement list, connection.prepare("SELECT hash, note FROM log_leaves WHERE log=?1 AND seq>=?2 ORDER BY seq "
                                         "LIMIT ?3"));
  list.bind(1, number).bind(2, static_cast<std::int64_t>(from)).bind(3, static_cast<std::int64_t>(count));
  std::vector<LogLeaf> leaves;
  while (true) {
    TRY(const bool row, list.step());
    if (!row) return leaves;
    TRY(const Digest hash, digest_of(list.bytes(0)));
    leaves.push_back({hash, std::string(list.text(1))});
  }
}

Result<std::optional<std::uint64_t>> Vault::log_index(std::string_view origin, const Digest& leaf) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const std::int64_t number, find_number(connection, origin));
  TRY(Statement find, connection.prepare("SELECT seq FROM log_leaves WHERE hash=?1 AND log=?2"));
  TRY(const bool row, find.bind(1, ByteView(leaf)).bind(2, number).step());
  if (!row) return std::nullopt;
  return unsigned_of(find.integer(0));
}

Result<std::vector<Digest>> Vault::log_nodes(std::string_view origin, std::span<const std::uint64_t> places) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const std::int64_t number, find_number(connection, origin));
  TRY(Statement find, connection.prepare("SELECT hash FROM log_nodes WHERE log=?1 AND place=?2"));
  std::vector<Digest> hashes;
  for (const std::uint64_t place : places) {
    TRY(const bool row, find.bind(1, number).bind(2, static_cast<std::int64_t>(place)).step());
    if (!row) return fail(Errc::not_found, fmt::format("The log {} has no hash at place {}.", origin, place));
    TRY(const Digest hash, digest_of(find.bytes(0)));
    hashes.push_back(hash);
    find.reset();
  }
  return hashes;
}

Result<std::optional<LogBody>> Vault::entry_body(const Digest& leaf) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement find, state_->database->connection().prepare("SELECT salt, content FROM log_bodies WHERE leaf=?1"));
  TRY(const bool row, find.bind(1, ByteView(leaf)).step());
  if (!row) return std::nullopt;
  LogBody body{.leaf = leaf, .salt = {}, .content = to_bytes(find.bytes(1))};
  TRY(body.salt, digest_of(find.bytes(0)));
  return body;
}

Status Vault::erase_entry_body(const Digest& leaf) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement erase, state_->database->connection().prepare("DELETE FROM log_bodies WHERE leaf=?1"));
  return erase.bind(1, ByteView(leaf)).run();
}

Result<std::vector<std::optional<Digest>>> Vault::log_node_range(std::string_view origin, std::uint64_t place,
                                                                 std::uint64_t count) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const std::int64_t number, find_number(connection, origin));
  TRY(Statement list, connection.prepare("SELECT place, hash FROM log_nodes WHERE log=?1 AND place>=?2 AND place<?3"));
  list.bind(1, number).bind(2, static_cast<std::int64_t>(place)).bind(3, static_cast<std::int64_t>(place + count));
  std::vector<std::optional<Digest>> hashes(count);
  while (true) {
    TRY(const bool row, list.step());
    if (!row) return hashes;
    TRY(hashes[unsigned_of(list.integer(0)) - place], digest_of(list.bytes(1)));
  }
}

Result<std::optional<LogCheckpoint>> Vault::log_checkpoint(std::string_view origin, std::uint64_t size) {
  TRY(std::vector<LogCheckpoint> found, log_checkpoints(origin, size, 1));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<LogCheckpoint>> Vault::log_checkpoints(std::string_view origin, std::uint64_t size,
                                                          std::uint64_t count) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const std::int64_t number, find_number(connection, origin));
  TRY(Statement list, connection.prepare("SELECT size, root, note FROM log_checkpoints WHERE log=?1 AND size>=?2 AND "
                                         "size<?3 ORDER BY size"));
  list.bind(1, number).bind(2, static_cast<std::int64_t>(size)).bind(3, static_cast<std::int64_t>(size + count));
  std::vector<LogCheckpoint> checkpoints;
  while (true) {
    TRY(const bool row, list.step());
    if (!row) return checkpoints;
    TRY(const Digest root, digest_of(list.bytes(1)));
    checkpoints.push_back({unsigned_of(list.integer(0)), root, std::string(list.text(2))});
  }
}

Result<std::vector<LogCosignature>> Vault::log_cosignatures(std::string_view origin, std::uint64_t size) {
  return log_cosignatures(origin, size, 1);
}

Result<std::vector<LogCosignature>> Vault::log_cosignatures(std::string_view origin, std::uint64_t size,
                                                            std::uint64_t count) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const std::int64_t number, find_number(connection, origin));
  TRY(Statement list, connection.prepare("SELECT size, cosigner, line, arrived FROM log_cosignatures WHERE log=?1 AND "
                                         "size>=?2 AND size<?3 ORDER BY size, cosigner"));
  list.bind(1, number).bind(2, static_cast<std::int64_t>(size)).bind(3, static_cast<std::int64_t>(size + count));
  std::vector<LogCosignature> cosignatures;
  while (true) {
    TRY(const bool row, list.step());
    if (!row) return cosignatures;
    cosignatures.push_back(
        {unsigned_of(list.integer(0)), std::string(list.text(1)), std::string(list.text(2)), list.integer(3)});
  }
}

}  // namespace parley::vault
