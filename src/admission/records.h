// What stands in the joint log of admission (psi.md 6.6; docs/wire-format.md, "Admission"): a member's key for an
// epoch, and each batch that a helper has counted, for all members to read.
#pragma once

#include "crypto/ristretto.h"
#include "log/pjson.h"
#include "psi/admission/admission.h"
#include "vault/vault.h"

namespace parley::admission {

/// A member's keys for an epoch, one for each type, so that an element that was blinded under one type gives no tag of
/// another. The first one that a log says for an epoch and a type counts.
struct KeyRecord {
  struct OfType {
    indicator::Type type = indicator::Type::ipv4;
    ByteArray<crypto::kElementBytes> key{};
    psi::admission::Possession proof{};
  };
  std::string epoch;                 ///< by its name
  std::vector<std::string> members;  ///< nicks, ascending
  std::vector<OfType> keys;          ///< ascending by the types' names, at least one
};
log::Json to_json(const KeyRecord& record);
/// @error Errc::format, Errc::limit
Result<KeyRecord> key_record_from_json(const log::Json& body);

/// What a key's proof of possession is for: this group, author, epoch, members and type, and no other.
Digest claim_of(std::string_view group, std::string_view author, const KeyRecord& record, indicator::Type type);

/// "alpha,bravo,charlie": how the vault keeps whom a key is for.
std::string joined(std::span<const std::string> nicks);

/// A batch that was counted. The answers are fixed by their hash before anybody knows which of them are proven.
struct CountRecord {
  std::string owner;  ///< nick
  indicator::Type type = indicator::Type::ipv4;
  Digest epoch{};
  Digest batch{};    ///< batch_hash()
  Digest answers{};  ///< SHA-256 of the answers
  std::int64_t count = 0;
  std::int64_t total = 0;  ///< for this owner, type and epoch, this batch included
};
log::Json to_json(const CountRecord& record);
/// @error Errc::format, Errc::limit
Result<CountRecord> count_record_from_json(const log::Json& body);

/// Names a batch of an owner: the same one is counted once, however often it is asked about.
Digest batch_hash(const Digest& epoch, std::string_view owner, indicator::Type type, ByteView blinded);

/// So many records of keys of one log count, the first ones: a member has one for each epoch, and those end with the
/// versions of a charter, with leaves, and by the calendar, at the most once a day for as long as a charter may last.
inline constexpr std::uint64_t kMostKeyRecords = 1024;

/// Takes into the vault's tables what the logs of the group have got since the last call. A log is read up to the first
/// record whose body is not here yet. Keys without a valid proof are none.
/// @return how many proofs were verified for it @error the vault's; Errc::vault_damaged
Result<std::uint64_t> read_logs(vault::Vault& vault, const std::string& group);

}  // namespace parley::admission
