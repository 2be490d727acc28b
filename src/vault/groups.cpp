// Groups, their charters and papers, their rules for material, and invitations (vault.h, groups.h).
#include "vault/groups.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "vault/detail/database.h"
#include "vault/detail/material_rules.h"

namespace parley::vault {
namespace {

using detail::Connection;
using detail::Statement;

constexpr std::size_t kShortestPrefix = 4;
constexpr std::string_view kGroupColumns = "id, name, state, created, latest";

GroupRow read_group(const Statement& row) {
  return {std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2)), row.integer(3), row.integer(4)};
}

Result<Digest> read_hash(ByteView bytes) {
  Digest digest;
  if (bytes.size() != digest.size())
    return fail(Errc::vault_damaged, "The hash of a charter in the vault has a wrong length.");
  std::ranges::copy(bytes, digest.begin());
  return digest;
}

Bytes bytes_of(std::span<const indicator::Type> types) {
  Bytes bytes;
  for (const indicator::Type type : types) bytes.push_back(static_cast<std::byte>(type));
  return bytes;
}

std::unexpected<Error> no_group(std::string_view name) {
  return fail(Errc::not_found,
              fmt::format("There is no group {}; parley group list shows them.", visible(name.substr(0, 80))));
}

}  // namespace

namespace detail {

Result<std::vector<MaterialRule>> read_material_rules(Connection& connection, std::string_view group) {
  TRY(Statement rows, connection.prepare("SELECT types, label, source, tlp_max FROM group_material WHERE group_id=?1 "
                                         "ORDER BY number"));
  rows.bind(1, group);
  std::vector<MaterialRule> rules;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return rules;
    MaterialRule rule;
    for (const std::byte type : rows.bytes(0)) {
      rule.types.push_back(static_cast<indicator::Type>(type));
      if (std::ranges::find(indicator::kAllTypes, rule.types.back()) == indicator::kAllTypes.end())
        return fail(Errc::vault_damaged, "A rule for a group's material names a type that does not exist.");
    }
    rule.label = rows.text(1);
    rule.source = rows.text(2);
    if (!rows.is_null(3)) rule.tlp_max = static_cast<indicator::Tlp>(rows.integer(3));
    rules.push_back(std::move(rule));
  }
}

}  // namespace detail

Status Vault::put_group(const GroupRow& group) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(auto transaction, detail::Transaction::begin(connection));
  TRY(Statement taken, connection.prepare("SELECT 1 FROM groups WHERE name=?1 AND id<>?2"));
  TRY(const bool is_taken, taken.bind(1, std::string_view(group.name)).bind(2, std::string_view(group.id)).step());
  if (is_taken)
    return fail(Errc::exists, fmt::format("There is another group that is called {} here. Give this one another name.",
                                          visible(group.name)));
  TRY(Statement put, connection.prepare("INSERT INTO groups(id, name, state, created, latest) VALUES(?1, ?2, ?3, ?4, "
                                        "?5) ON CONFLICT(id) DO UPDATE SET state=excluded.state, "
                                        "latest=max(latest, excluded.latest)"));
  put.bind(1, std::string_view(group.id)).bind(2, std::string_view(group.name));
  put.bind(3, std::string_view(group.state)).bind(4, group.created).bind(5, group.latest);
  TRY_STATUS(put.run());
  return transaction.commit();
}

Result<std::vector<GroupRow>> Vault::groups() {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement rows,
      state_->database->connection().prepare(fmt::format("SELECT {} FROM groups ORDER BY name", kGroupColumns)));
  std::vector<GroupRow> groups;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return groups;
    groups.push_back(read_group(rows));
  }
}

Result<GroupRow> Vault::group(std::string_view name_or_id) {
  TRY(const auto groups, this->groups());
  const GroupRow* found = nullptr;
  for (const GroupRow& group : groups) {
    if (group.name == name_or_id || group.id == name_or_id) return group;
    if (name_or_id.size() < kShortestPrefix || !group.id.starts_with(name_or_id)) continue;
    if (found != nullptr)
      return fail(Errc::not_found, fmt::format("More than one group begins with {}; give more digits.", name_or_id));
    found = &group;
  }
  if (found == nullptr) return no_group(name_or_id);
  return *found;
}

Status Vault::add_charter(std::string_view group, const CharterRow& charter) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(auto transaction, detail::Transaction::begin(connection));
  TRY(Statement find, connection.prepare("SELECT hash FROM charters WHERE group_id=?1 AND seq=?2"));
  TRY(const bool is_there, find.bind(1, group).bind(2, charter.seq).step());
  if (is_there) {
    if (std::ranges::equal(find.bytes(0), ByteView(charter.hash))) return {};
    return fail(Errc::exists,
                fmt::format("Version {} of this charter is in force already, and it is another one.", charter.seq));
  }
  TRY(Statement last, connection.prepare("SELECT coalesce(max(seq), 0) FROM charters WHERE group_id=?1"));
  TRY(const bool counted, last.bind(1, group).step());
  if (!counted || last.integer(0) + 1 != charter.seq)
    return fail(Errc::internal, "A version of a charter was to be kept that does not follow the one before.");
  TRY(Statement put,
      connection.prepare("INSERT INTO charters(group_id, seq, hash, note, taken) VALUES(?1, ?2, ?3, ?4, ?5)"));
  put.bind(1, group).bind(2, charter.seq).bind(3, ByteView(charter.hash));
  TRY_STATUS(put.bind(4, std::string_view(charter.note)).bind(5, charter.taken).run());
  return transaction.commit();
}

Result<std::vector<CharterRow>> Vault::charters(std::string_view group) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement rows, state_->database->connection().prepare(
                          "SELECT seq, hash, note, taken FROM charters WHERE group_id=?1 ORDER BY seq"));
  rows.bind(1, group);
  std::vector<CharterRow> charters;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return charters;
    TRY(const Digest hash, read_hash(rows.bytes(1)));
    charters.push_back({rows.integer(0), hash, std::string(rows.text(2)), rows.integer(3)});
  }
}

Status Vault::put_group_paper(std::string_view group, const GroupPaper& paper) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  const std::string_view kind = paper.kind, key = paper.key;
  if (paper.text.empty()) {
    TRY(Statement remove, connection.prepare("DELETE FROM group_papers WHERE group_id=?1 AND kind=?2 AND key=?3"));
    return remove.bind(1, group).bind(2, kind).bind(3, key).run();
  }
  TRY(Statement put,
      connection.prepare("INSERT OR REPLACE INTO group_papers(group_id, kind, key, text) VALUES(?1, ?2, ?3, ?4)"));
  return put.bind(1, group).bind(2, kind).bind(3, key).bind(4, std::string_view(paper.text)).run();
}

Result<std::vector<GroupPaper>> Vault::group_papers(std::string_view group) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement rows, state_->database->connection().prepare(
                          "SELECT kind, key, text FROM group_papers WHERE group_id=?1 ORDER BY kind, key"));
  rows.bind(1, group);
  std::vector<GroupPaper> papers;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return papers;
    papers.push_back({std::string(rows.text(0)), std::string(rows.text(1)), std::string(rows.text(2))});
  }
}

Status Vault::set_group_material(std::string_view group, std::span<const MaterialRule> rules) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(auto transaction, detail::Transaction::begin(connection));
  TRY(Statement clear, connection.prepare("DELETE FROM group_material WHERE group_id=?1"));
  TRY_STATUS(clear.bind(1, group).run());
  TRY(Statement put, connection.prepare("INSERT INTO group_material(group_id, number, types, label, source, tlp_max) "
                                        "VALUES(?1, ?2, ?3, ?4, ?5, ?6)"));
  std::int64_t number = 0;
  for (const MaterialRule& rule : rules) {
    const Bytes types = bytes_of(rule.types);
    std::optional<std::int64_t> tlp_max;
    if (rule.tlp_max) tlp_max = static_cast<std::int64_t>(*rule.tlp_max);
    put.bind(1, group).bind(2, number++).bind(3, ByteView(types)).bind(4, std::string_view(rule.label));
    TRY_STATUS(put.bind(5, std::string_view(rule.source)).bind(6, tlp_max).run());
  }
  return transaction.commit();
}

Result<std::vector<MaterialRule>> Vault::group_material(std::string_view group) {
  TRY(const auto hold, state_->database->gate().enter());
  return detail::read_material_rules(state_->database->connection(), group);
}

Status Vault::put_invitation(const InvitationRow& invitation) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement put, state_->database->connection().prepare(
                         "INSERT OR REPLACE INTO invitations(id, group_id, invited, expires, failures, open) "
                         "VALUES(?1, ?2, ?3, ?4, ?5, ?6)"));
  put.bind(1, std::string_view(invitation.id)).bind(2, std::string_view(invitation.group));
  put.bind(3, std::string_view(invitation.invited)).bind(4, invitation.expires).bind(5, invitation.failures);
  return put.bind(6, invitation.open ? 1 : 0).run();
}

Result<std::vector<InvitationRow>> Vault::invitations() {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement rows, state_->database->connection().prepare(
                          "SELECT id, group_id, invited, expires, failures, open FROM invitations ORDER BY id"));
  std::vector<InvitationRow> invitations;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return invitations;
    invitations.push_back({std::string(rows.text(0)), std::string(rows.text(1)), std::string(rows.text(2)),
                           rows.integer(3), rows.integer(4), rows.integer(5) != 0});
  }
}

}  // namespace parley::vault
