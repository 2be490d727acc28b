// Pinned peers (vault.h).
// One row each, by name.
#include <fmt/format.h>

#include "vault/detail/database.h"

namespace parley::vault {
namespace {

Peer read_peer(const detail::Statement& row) {
  return {std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2)), row.integer(3), row.integer(4)};
}

std::unexpected<Error> no_peer(std::string_view name) {
  return fail(Errc::not_found, fmt::format("There is no peer called {}; parley peer list shows them.", name));
}

}  // namespace

Result<PeerChange> Vault::add_peer(const Peer& peer) {
  TRY(const auto hold, state_->database->gate().enter());
  detail::Connection& connection = state_->database->connection();
  TRY(auto transaction, detail::Transaction::begin(connection));
  TRY(auto known, connection.prepare("SELECT name, card FROM peers WHERE name=?1 OR card=?2"));
  known.bind(1, std::string_view(peer.name)).bind(2, std::string_view(peer.card));
  PeerChange change = PeerChange::added;
  for (;;) {
    TRY(const bool row, known.step());
    if (!row) break;
    if (known.text(0) != peer.name)
      return fail(Errc::exists, fmt::format("This card is pinned already, under the name {}.", known.text(0)));
    if (known.text(1) != peer.card)
      return fail(Errc::exists, fmt::format("There is a peer called {0} already, with other keys. If its keys have "
                                            "changed and you have checked why: parley peer remove {0}, then add it.",
                                            peer.name));
    change = PeerChange::moved;
  }
  TRY(auto put, connection.prepare("INSERT INTO peers(name, card, address, added) VALUES(?1, ?2, ?3, ?4) "
                                   "ON CONFLICT(name) DO UPDATE SET address=excluded.address"));
  put.bind(1, std::string_view(peer.name)).bind(2, std::string_view(peer.card));
  put.bind(3, std::string_view(peer.address)).bind(4, peer.added);
  TRY_STATUS(put.run());
  TRY_STATUS(transaction.commit());
  return change;
}

Status Vault::remove_peer(std::string_view name) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto remove, state_->database->connection().prepare("DELETE FROM peers WHERE name=?1"));
  TRY(const std::int64_t removed, remove.bind(1, name).run_counting());
  if (removed == 0) return no_peer(name);
  return {};
}

Result<std::vector<Peer>> Vault::peers() {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto rows,
      state_->database->connection().prepare("SELECT name, card, address, added, confirmed FROM peers ORDER BY name"));
  std::vector<Peer> peers;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return peers;
    peers.push_back(read_peer(rows));
  }
}

Result<Peer> Vault::peer(std::string_view name) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto rows,
      state_->database->connection().prepare("SELECT name, card, address, added, confirmed FROM peers WHERE name=?1"));
  TRY(const bool row, rows.bind(1, name).step());
  if (!row) return no_peer(name);
  return read_peer(rows);
}

Status Vault::confirm_peer(std::string_view name, UnixSeconds when) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto put, state_->database->connection().prepare("UPDATE peers SET confirmed=?2 WHERE name=?1"));
  TRY(const std::int64_t changed, put.bind(1, name).bind(2, when).run_counting());
  if (changed == 0) return no_peer(name);
  return {};
}

}  // namespace parley::vault
