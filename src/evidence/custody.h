// The chain of custody of a case (log.md 7.3): who did what to which piece of evidence, when and with what. A list to
// which entries are only added, each naming the one before it, under the root of an RFC 6962 tree.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "log/frontier.h"

namespace parley::evidence {

/// The first four are those of ISO/IEC 27037.
enum class Stage : std::uint8_t {
  identification,
  collection,
  acquisition,
  preservation,
  examination,
  transfer,
  disposal
};
inline constexpr std::array kAllStages = {Stage::identification, Stage::collection,  Stage::acquisition,
                                          Stage::preservation,   Stage::examination, Stage::transfer,
                                          Stage::disposal};
std::string_view name_of(Stage stage);
std::optional<Stage> stage_named(std::string_view name);

inline constexpr std::size_t kMaxCustodyTextBytes = 2000;  ///< of each text
/// More than nine texts of that size take where each byte is a control character, which JSON writes as six, and all the
/// rest of a step: what can be written can be read.
inline constexpr std::size_t kMaxCustodyEntryBytes = 9 * 6 * kMaxCustodyTextBytes + 4096;
inline constexpr std::size_t kMaxCustodyEntries = 1 << 20;  ///< of one case

/// What somebody says that was done. Texts may be empty but for the actor's.
struct CustodyStep {
  Stage stage = Stage::examination;
  std::uint64_t file = 0;  ///< number of the piece of evidence; 0: the case as a whole
  std::string actor;       ///< who: the operator's name
  std::string role;        ///< of the actor
  std::string tool, tool_version;
  std::string tool_sha256;  ///< hex, or empty
  std::string command;
  std::string source_device;
  std::string location;
  std::string note;
  std::optional<Digest> hash_before, hash_after;  ///< SHA-256 of the piece of evidence
  bool operator==(const CustodyStep&) const = default;
};

struct CustodyEntry {
  std::uint64_t seq = 0;
  Digest prev{};         ///< leaf hash of the entry before; zeros in entry 0
  UnixSeconds time = 0;  ///< by this machine's clock: a claim
  CustodyStep step;
  bool operator==(const CustodyEntry&) const = default;
};

/// One PJ1 object. @error Errc::usage for a text that is too long or not UTF-8, or no actor
Result<std::string> write_custody(const CustodyEntry& entry);
/// Takes what write_custody() gives and nothing else. @error Errc::format, Errc::limit
Result<CustodyEntry> read_custody(std::string_view text);

/// A whole chain of custody, checked.
struct Chain {
  std::vector<CustodyEntry> entries;
  log::Frontier tree;  ///< over the entries' texts

  Digest root() const { return tree.root(); }
  /// The next entry. Its time is never before that of the entry before, whatever the clock says.
  CustodyEntry next(CustodyStep step, UnixSeconds now) const;
  /// Adds what next() gave. @param text  write_custody() of it
  void add(CustodyEntry entry, std::string_view text);

 private:
  friend Result<Chain> read_chain(std::span<const std::string> texts);
  Digest last_{};
};

/// @error Errc::vault_damaged naming the first entry that does not follow the one before it
Result<Chain> read_chain(std::span<const std::string> texts);

}  // namespace parley::evidence
