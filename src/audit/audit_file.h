// The file that a member gives to an auditor (docs/audit.md, "The file"): sealed to the auditor's `id` key, it holds
// what both sides logged of one session and the record of the audited side's run. As bytes
//
//   "PRLYAUD1" || libsodium sealed box of a fresh 32-byte key to the auditor || a sealed stream (crypto/stream.h)
//
// and in the stream u32be length || Opened as PJ1, then the record as session/audit_record.h has it.
#pragma once

#include <filesystem>

#include "crypto/ed25519.h"
#include "log/entry.h"
#include "session/audit_record.h"
#include "vault/sealed_stream.h"

namespace parley::audit {

/// An entry of a member's log, whoever wrote it, with its body and the proof that it is there.
struct ProvenEntry {
  std::string log;  ///< nick of the member whose log it is
  std::string note;
  std::string proof;  ///< log::write_tlog_proof()
  log::Body body;
  bool operator==(const ProvenEntry&) const = default;
};

/// What is opened to the auditor beside the record.
struct Opened {
  std::string audited;  ///< nick of the member whose run is recorded
  std::string group;    ///< id
  std::string session;
  std::vector<ProvenEntry> entries;
  /// The note of the charter that the proposal names, where the session compared tags: it says of which types. Empty
  /// elsewhere, and in files of before.
  std::string charter = {};
  bool operator==(const Opened&) const = default;

  log::Json to_json() const;
  /// @error Errc::format, Errc::limit
  static Result<Opened> from_json(const log::Json& json);
};

/// Two sides' proposal, acceptance, commitments, runs, results and closing, and room.
inline constexpr std::size_t kMaxEntries = 16;
inline constexpr std::size_t kMaxOpenedBytes = 8 << 20;

/// The beginning of the stream: everything before the record. Precondition: at most kMaxOpenedBytes.
Bytes write_opened(const Opened& opened);

struct Audited {
  Opened opened;
  session::AuditRecord record;
};
/// Takes what stands in the stream. @error Errc::format, Errc::limit; what the source says
Result<Audited> read_audited(const session::RecordSource& source);

/// An audit file with its record, in all: what is kept of all sessions together unless that is set otherwise. Whoever
/// audits reads it into memory.
inline constexpr std::uint64_t kMaxAuditFileBytes = std::uint64_t{4} << 30;

/// Writes a new file of mode 0600. @error Errc::exists, Errc::io; what `record` says
Status write_audit_file(const std::filesystem::path& path, const crypto::PublicKey& auditor, const Opened& opened,
                        vault::StreamReader record);

/// Opens a file that was sealed to the holder of `id_seed`.
/// @error Errc::not_found, Errc::format; Errc::limit for one beyond kMaxAuditFileBytes, of which nothing is read;
/// Errc::passphrase if it is for somebody else; Errc::vault_damaged if it was altered
Result<Audited> open_audit_file(const std::filesystem::path& path, const Secret<32>& id_seed);

}  // namespace parley::audit
