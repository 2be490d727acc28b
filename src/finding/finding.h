// A joint finding (log.md 6.1): what a group is ready to say in public, and all that it rests on, as one PJ1 object.
// A working copy is edited on one member's machine; frozen, it is the text that members sign.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "finding/words.h"
#include "indicator/context.h"
#include "log/commitment.h"
#include "log/pjson.h"

namespace parley::finding {

inline constexpr std::string_view kFindingKind = "parley/finding/v1";
inline constexpr std::string_view kWorkingKind = "parley/finding-working-copy/v1";
/// Of the text. With openings and checkpoints it has to fit into one entry of a log (mirror::kMaxCarriedBodyBytes).
inline constexpr std::size_t kMaxFindingBytes = 384 * 1024;
inline constexpr std::size_t kMaxTitleBytes = 200;
inline constexpr std::size_t kMaxTextBytes = 4000;
inline constexpr std::size_t kMaxNameBytes = 200;
inline constexpr std::size_t kMaxIdBytes = 8;
inline constexpr std::size_t kMaxEvidence = 256;
inline constexpr std::size_t kMaxHypotheses = 16;
inline constexpr std::size_t kMaxOrigins = 256;
inline constexpr std::size_t kMaxAssumptions = 64;
inline constexpr std::size_t kMaxEquivalences = 64;
inline constexpr std::size_t kMaxRefsOfEvidence = 64;
/// Of all its evidence, each entry once: a dossier shows every one of them with its proof, some 5 KiB.
inline constexpr std::size_t kMaxRefs = 2048;
inline constexpr std::size_t kMaxSightings = 64;
inline constexpr std::int64_t kMaxRevision = 1000;

/// A text that its signers may show to some readers and not to others. In a frozen finding it is a salted commitment
/// (6.2), and `text` is there only for whoever has the opening.
struct RedactableText {
  std::string text;
  bool redactable = false;
  bool shown = true;    ///< `text` is known here
  Digest commitment{};  ///< log::field_commitment() of salt, path and text; of a frozen, redactable text
  bool operator==(const RedactableText&) const = default;
};

/// Where information ultimately comes from: one sensor, one feed, one report. Two members who both read one feed are
/// one origin.
struct Origin {
  std::string id;    ///< o1, o2, …
  std::string kind;  ///< one of kOriginKinds
  RedactableText text;
  bool operator==(const Origin&) const = default;
};
inline constexpr std::array<std::string_view, 6> kOriginKinds = {"own-sensor",    "incident", "vendor-feed",
                                                                 "public-report", "partner",  "human"};

/// One member has it from one origin.
struct Sighting {
  std::string by;              ///< nick
  std::string origin;          ///< id
  UnixSeconds first_seen = 0;  ///< 0: not said
  std::string rule;            ///< SHA-256 of the detection rule that fired, in hexadecimal; may be empty
  bool operator==(const Sighting&) const = default;
};

struct Evidence {
  std::string id;    ///< e1, e2, …
  std::string kind;  ///< one of kEvidenceKinds
  RedactableText summary;
  Grade grade;
  std::vector<Sighting> seen;
  std::vector<Digest> refs;  ///< leaf hashes of entries in members' logs, within the cut
  /// What `refs` or a file stand for: the item or field commitment of a match or opening, the SHA-256 of a report.
  /// Zeros if there is none.
  Digest commitment{};
  bool operator==(const Evidence&) const = default;
};
inline constexpr std::array<std::string_view, 4> kEvidenceKinds = {"match", "opening", "entry", "report"};

struct Hypothesis {
  std::string id;     ///< h1, h2, …
  std::string kind;   ///< one of kHypothesisKinds
  std::string actor;  ///< as one source names it; only of an attribution
  std::string text;
  bool operator==(const Hypothesis&) const = default;
};
inline constexpr std::array<std::string_view, 3> kHypothesisKinds = {"attribution", "deception", "other"};

/// Somebody says that two names mean one actor. It is a claim of that origin: nothing is merged by it.
struct Equivalence {
  std::string name, other;
  std::string origin;  ///< id
  bool operator==(const Equivalence&) const = default;
};

struct Cell {
  std::string hypothesis;
  Consistency value = Consistency::neutral;
  bool operator==(const Cell&) const = default;
};
struct Row {
  std::string evidence;
  std::vector<Cell> cells;
  bool operator==(const Row&) const = default;
};

struct Assumption {
  std::string id;  ///< k1, k2, …
  RedactableText text;
  bool operator==(const Assumption&) const = default;
};

struct Judgement {
  std::string hypothesis;
  std::optional<Likelihood> likelihood;
  std::string text;
  std::string despite;  ///< why this one, though it is the most inconsistent; else empty
  bool operator==(const Judgement&) const = default;
};

/// How far a member's log went, as a quorum holds it, when the finding was frozen.
struct Cut {
  std::string nick;
  std::uint64_t size = 0;
  Digest root{};
  bool operator==(const Cut&) const = default;
};

struct Finding {
  std::string group;     ///< 32 hexadecimal digits
  Digest charter{};      ///< hash of the version in force when it was frozen
  std::vector<Cut> cut;  ///< ascending by nick
  std::string title, question;
  UnixSeconds period_from = 0, period_to = 0;  ///< that the evidence is about
  UnixSeconds created = 0;                     ///< by the drafter's clock, as the entry that freezes it
  std::int64_t revision = 1;
  Digest supersedes{};  ///< hash of the finding that this one replaces; zeros for none
  indicator::Tlp tlp = indicator::Tlp::green;
  indicator::Pap pap = indicator::Pap::green;
  std::vector<Origin> origins;
  std::vector<Evidence> evidence;
  std::vector<Hypothesis> hypotheses;
  std::vector<Equivalence> equivalences;
  std::vector<Row> matrix;
  std::vector<Assumption> assumptions;
  Judgement judgement;
  std::optional<Confidence> confidence;
  std::string confidence_why;
  bool operator==(const Finding&) const = default;

  const Origin* origin(std::string_view id) const;
  const Evidence* evidence_of(std::string_view id) const;
  const Hypothesis* hypothesis(std::string_view id) const;
  const Row* row(std::string_view evidence) const;
  /// Of a row that says nothing of the hypothesis: nothing.
  std::optional<Consistency> cell(std::string_view evidence, std::string_view hypothesis) const;
};

/// A redactable text with the path that its commitment is bound to: a JSON pointer into the note.
struct Placed {
  std::string path;
  RedactableText* text = nullptr;
};
/// All texts of `finding` that can be made redactable, in the order of their paths' writing.
std::vector<Placed> redactable_texts(Finding& finding);

/// What is signed: kFindingKind, one PJ1 object, newline. Precondition: frozen, that is, each redactable text has its
/// commitment.
std::string finding_text(const Finding& finding);
/// SHA-256 of that text: the finding's name everywhere.
Digest finding_hash(std::string_view text);
/// Takes what finding_text() gives and nothing else; redactable texts come back without their text. Whether the finding
/// makes sense is lint.h's to say. @error Errc::format, Errc::limit
Result<Finding> read_finding_text(std::string_view text);

/// A working copy, with the texts. @error as read_finding_text()
std::string working_text(const Finding& finding);
Result<Finding> read_working_text(std::string_view text);

/// Shows one redactable text (6.2).
struct Opening {
  std::string path;
  log::Salt salt{};
  std::string text;
  bool operator==(const Opening&) const = default;

  /// What the note holds in the text's place.
  Digest commitment() const;
};
/// An array of openings as entries and dossiers carry it, ascending by path.
log::Json to_json(std::span<const Opening> openings);
/// @error Errc::format for another order, a path twice, or anything but what to_json() gives
Result<std::vector<Opening>> read_openings(const log::Json::Array& array);

/// Puts a commitment with a fresh salt in the place of each redactable text. @return their openings, ascending by path
std::vector<Opening> freeze(Finding& finding);
/// Puts the texts back. @error Errc::signature for an opening that is not of what the note commits to; Errc::format for
/// a path that is not redactable
Status open(Finding& finding, std::span<const Opening> openings);

/// "h1 (attribution, Sednit): It was Sednit.", as it was written.
std::string in_words(const Hypothesis& hypothesis);
/// The same of the hypothesis that the judgement is about; its id alone where it is not in the finding.
std::string judged_in_words(const Finding& finding);

}  // namespace parley::finding
