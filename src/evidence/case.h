// A case: pieces of evidence (samples, disk images, mails) that lie sealed in the vault, and the chain of custody of
// all of them (log.md 7.3; docs/cases.md). Files of any size go in and out in constant memory. No byte leaves without
// an entry in the chain, which is durable first, and no file gets its name before its hash is checked.
#pragma once

#include <filesystem>

#include "base/progress.h"
#include "evidence/chunk_tree.h"
#include "evidence/custody.h"
#include "vault/vault.h"

namespace parley::evidence {

inline constexpr std::size_t kMaxCaseNameBytes = 128;

/// Who works, and by which program: what every entry says of itself.
struct Operator {
  std::string actor, role;
  std::string location;
};

/// A case as it is now, its chain checked.
struct CaseView {
  vault::CaseRow row;
  std::vector<vault::CaseFileRow> files;
  Chain chain;
};

/// What a check found of one piece of evidence.
struct Checked {
  vault::CaseFileRow file;
  std::optional<Error> failure;  ///< nothing if it is as it was when it was taken in
};

class Cases {
 public:
  /// @param vault  outlives this
  Cases(vault::Vault& vault, Operator who) : vault_(vault), who_(std::move(who)) {}

  /// @error Errc::usage for a name that is none, Errc::exists
  Result<vault::CaseRow> begin(std::string_view name, std::string_view note);
  /// @error Errc::not_found; Errc::vault_damaged if its chain does not hold together or is not the whole chain
  Result<CaseView> open(std::string_view name_or_id);

  /// Takes the file into the case: sealed copy, hashes and entry are there together or not at all. The original is
  /// only read, and its time of access stays.
  /// @param source  where it came from: device, location and note are taken from it
  /// @error Errc::usage for what is no ordinary file; Errc::format if it changed meanwhile; Errc::cancelled; Errc::io
  Result<vault::CaseFileRow> add(std::string_view case_name, const std::filesystem::path& path,
                                 const CustodyStep& source, Progress& progress);

  /// Adds an entry of the operator's own. @error Errc::not_found for a piece of evidence that is not there;
  /// Errc::usage, also for a step that claims to be this program's
  Status record(std::string_view case_name, CustodyStep step);

  /// Hashes each piece of evidence anew, and writes into the chain what was found of each. @error as open()
  Result<std::vector<Checked>> check(std::string_view case_name, Progress& progress);

  /// Writes a piece of evidence to `to`, which must not exist, and checks its hash on the way: a file that is not what
  /// was taken in is not written. The chain has an entry before the first byte, and one of how it ended.
  /// @error Errc::not_found, Errc::exists; Errc::vault_damaged naming the file and the step whose hash it misses;
  /// Errc::io; Errc::cancelled
  Status extract(std::string_view case_name, std::uint64_t number, const std::filesystem::path& to,
                 std::string_view note, Progress& progress);

 private:
  Result<CaseView> view_of(const vault::CaseRow& row);
  // Adds it to the vault and to `view`, which is read anew where others have written since.
  Status append(CaseView& view, CustodyStep step);
  CustodyStep own_step(Stage stage, std::uint64_t file) const;
  // Reads the whole file and hands its pieces on. @error Errc::vault_damaged naming file and step
  Result<FileHashes> read_through(const CaseView& view, const vault::CaseFileRow& file, Progress& progress,
                                  const std::function<Status(ByteView)>& take);

  vault::Vault& vault_;
  Operator who_;
};

}  // namespace parley::evidence
