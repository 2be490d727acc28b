// A dossier: one file with which an outsider checks a finding, offline and without a vault (log.md 6.3). One PJ1 object
// and a newline; whatever stands in it is needed, and every bit of it is covered by some check.
#pragma once

#include "finding/casebook.h"

namespace parley::dossier {

inline constexpr std::string_view kFormat = "parley/dossier/v1";
inline constexpr std::string_view kStixProfile = "parley-stix/1";
inline constexpr std::size_t kMaxDossierBytes = std::size_t{32} << 20;  ///< of the file, with its newline
/// The evidence's, and of each signer a publication and a withdrawal.
inline constexpr std::size_t kMaxEntries = finding::kMaxRefs + 2 * log::kMaxGroupMembers;
inline constexpr std::size_t kMaxShownRotations = log::kMaxGroupMembers * log::kMaxRotations;
inline constexpr std::size_t kMaxDissents = log::kMaxGroupMembers * finding::kMaxDissentsOfOne;
inline constexpr std::size_t kMaxStixBytes = std::size_t{12} << 20;
// What members say against a finding always fits, whatever they write and however large the finding is. The STIX part
// has a dissent once, with twice the bytes of its note where every character ends a line, since each line is quoted,
// and up to 1 KiB of an object's own; half of it is left for a finding: 256 summaries of 4,000 line ends have 4 MB
// there. Characters that JSON escapes take two bytes of a note: the file has them as four in the note and four in the
// STIX part, a line end as three and five; another three eighths have room for all versions of the largest charter, and
// the rest is left for evidence.
inline constexpr std::size_t kMaxStixObjectBytes = 1024;
inline constexpr std::size_t kStixBytesOfNoteByte = 2;
static_assert(kMaxDissents * kMaxStixObjectBytes +
                  kStixBytesOfNoteByte * log::kMaxGroupMembers *
                      (finding::kMaxDissentBytesOfOne + finding::kMaxWithdrawalBytes) <=
              kMaxStixBytes / 2);
static_assert(4 * log::kMaxGroupMembers * finding::kMaxDissentBytesOfOne <= kMaxDossierBytes / 4);
inline constexpr std::size_t kMaxOpenings = finding::kMaxEvidence + finding::kMaxAssumptions + finding::kMaxOrigins;
/// JSON values in the largest dossier, of which an entry has 8, a rotation 6 and an opening 4. Most of a dossier is
/// long texts: a file of 32 MiB that is nothing but small values would fill more than a GiB of memory.
inline constexpr std::size_t kMaxDossierValues = 12 + 3 * log::kMaxGroupMembers + group::kMostVersions + kMaxDissents +
                                                 8 * kMaxEntries + 6 * kMaxShownRotations + 4 * kMaxOpenings + 3;

/// An entry of a member's log: evidence that the finding refers to, or a publication.
struct ShownEntry {
  std::string nick;               ///< whose log
  std::string note;               ///< the leaf
  std::string proof;              ///< c2sp.org/tlog-proof
  std::optional<log::Body> body;  ///< where it is shown
};

/// An entry by which a member replaced a key that signed something here.
struct ShownRotation {
  std::string nick;  ///< whose log
  std::string note;  ///< the leaf
  log::Body body;    ///< with the statement of the member's id key
};

struct Dossier {
  std::vector<std::string> charters;          ///< notes, from version 1 on
  std::vector<std::string> leaves;            ///< notes of members who withdrew
  std::vector<std::string> cards;             ///< notes of members, as far as the maker has them
  std::string finding;                        ///< note
  std::vector<std::string> checkpoints;       ///< notes of the finding's cut, in its order
  std::vector<ShownEntry> entries;            ///< ascending by nick and number
  std::vector<std::string> dissents;          ///< notes, ascending by hash
  std::vector<ShownRotation> rotations = {};  ///< ascending by nick and number
  std::vector<finding::Opening> openings;
  std::string stix;  ///< derived from all the rest by kStixProfile
};

std::string write_dossier(const Dossier& dossier);
/// Takes what write_dossier() gives and nothing else. Nothing is verified yet. @error Errc::format, Errc::limit,
/// Errc::unsupported for another profile of STIX
Result<Dossier> parse_dossier(std::string_view text);

}  // namespace parley::dossier
