// A finding as PJ1, both ways.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "finding/finding.h"

namespace parley::finding {
namespace {

using log::Json;
using log::ObjectReader;

constexpr std::size_t kMaxWordBytes = 32;
constexpr std::size_t kGroupDigits = 32;
constexpr std::size_t kHexDigest = 2 * sizeof(Digest);
constexpr std::size_t kMaxCuts = 16;

/// How redactable texts are written: as commitments in what is signed, as texts in a working copy.
enum class Form : std::uint8_t { frozen, working };

std::string hex_or_nothing(const Digest& digest) {
  return digest == Digest{} ? std::string() : to_hex(digest);
}

Json json_of(const RedactableText& text, Form form) {
  if (!text.redactable) return text.text;
  if (form == Form::working) return Json::Object{{"keep", text.text}};
  return Json::Object{{"sd", to_hex(text.commitment)}};
}

template <typename Element, typename Write>
Json::Array array_of(const std::vector<Element>& elements, Write&& write) {
  Json::Array array;
  for (const Element& element : elements) array.push_back(write(element));
  return array;
}

Json json_of(const Evidence& evidence, Form form) {
  const auto sighting = [](const Sighting& one) {
    return Json::Object{{"by", one.by}, {"first_seen", one.first_seen}, {"origin", one.origin}, {"rule", one.rule}};
  };
  const std::string source = evidence.grade.source == 0 ? std::string() : std::string(1, evidence.grade.source);
  return Json::Object{{"commit", hex_or_nothing(evidence.commitment)},
                      {"grade", Json::Object{{"info", evidence.grade.information}, {"source", source}}},
                      {"id", evidence.id},
                      {"kind", evidence.kind},
                      {"refs", log::hex_of(evidence.refs)},
                      {"seen", array_of(evidence.seen, sighting)},
                      {"summary", json_of(evidence.summary, form)}};
}

Json json_of(const Row& row) {
  const auto cell = [](const Cell& one) { return Json::Object{{"h", one.hypothesis}, {"v", name_of(one.value)}}; };
  return Json::Object{{"cells", array_of(row.cells, cell)}, {"e", row.evidence}};
}

Json json_of(const Finding& finding, Form form) {
  const auto cut = [](const Cut& one) {
    return Json::Object{{"nick", one.nick}, {"root", to_hex(one.root)}, {"size", static_cast<std::int64_t>(one.size)}};
  };
  const auto origin = [&](const Origin& one) {
    return Json::Object{{"id", one.id}, {"kind", one.kind}, {"text", json_of(one.text, form)}};
  };
  const auto hypothesis = [](const Hypothesis& one) {
    return Json::Object{{"actor", one.actor}, {"id", one.id}, {"kind", one.kind}, {"text", one.text}};
  };
  const auto equivalence = [](const Equivalence& one) {
    return Json::Object{{"name", one.name}, {"origin", one.origin}, {"other", one.other}};
  };
  const auto assumption = [&](const Assumption& one) {
    return Json::Object{{"id", one.id}, {"text", json_of(one.text, form)}};
  };
  const Judgement& judgement = finding.judgement;
  return Json::Object{
      {"basis", Json::Object{{"charter", to_hex(finding.charter)}, {"cut", array_of(finding.cut, cut)}}},
      {"confidence", Json::Object{{"level", finding.confidence ? name_of(*finding.confidence) : std::string_view()},
                                  {"why", finding.confidence_why}}},
      {"created", finding.created},
      {"equivalences", array_of(finding.equivalences, equivalence)},
      {"evidence", array_of(finding.evidence, [&](const Evidence& one) { return json_of(one, form); })},
      {"group", finding.group},
      {"hypotheses", array_of(finding.hypotheses, hypothesis)},
      {"judgement",
       Json::Object{{"despite", judgement.despite},
                    {"hypothesis", judgement.hypothesis},
                    {"likelihood", judgement.likelihood ? word_of(*judgement.likelihood).name : std::string_view()},
                    {"text", judgement.text}}},
      {"key_assumptions", array_of(finding.assumptions, assumption)},
      {"marks", Json::Object{{"pap", indicator::name_of(finding.pap)}, {"tlp", indicator::name_of(finding.tlp)}}},
      {"matrix", array_of(finding.matrix, [](const Row& one) { return json_of(one); })},
      {"origins", array_of(finding.origins, origin)},
      {"period", Json::Array{Json(finding.period_from), Json(finding.period_to)}},
      {"question", finding.question},
      {"seq", finding.revision},
      {"supersedes", hex_or_nothing(finding.supersedes)},
      {"title", finding.title},
      {"v", 1}};
}

// --- reading -------------------------------------------------------------------------------------------------------

Digest digest_or_nothing(ObjectReader& reader, std::string_view key) {
  const std::string text = reader.text(key, kHexDigest);
  Digest digest{};
  if (text.empty()) return digest;
  if (!read_hex(text, digest)) {
    reader.refuse(fmt::format("\"{}\" must be empty or 64 hexadecimal digits", key));
    return {};
  }
  if (digest == Digest{}) reader.refuse(fmt::format("\"{}\" is written as empty where there is none", key));
  return digest;
}

Result<RedactableText> read_text(const Json& json, Form form) {
  RedactableText text;
  if (const std::string* plain = json.text()) {
    if (plain->size() > kMaxTextBytes)
      return fail(Errc::limit, fmt::format("A text of the finding is longer than {} bytes.", kMaxTextBytes));
    text.text = *plain;
    return text;
  }
  ObjectReader reader(json, "a text of the finding");
  text.redactable = true;
  if (form == Form::working) {
    text.text = reader.text("keep", kMaxTextBytes);
  } else {
    text.commitment = reader.digest("sd");
    text.shown = false;
  }
  TRY_STATUS(reader.finish());
  return text;
}

/// Takes a redactable text out of an object whose reader takes the rest.
Result<RedactableText> take_text(ObjectReader& reader, const Json& object, std::string_view key, Form form) {
  const auto found = object.object() == nullptr ? Json::Object::const_iterator() : object.object()->find(key);
  if (object.object() != nullptr && found != object.object()->end() && found->second.object() != nullptr) {
    (void)reader.object(key);
    return read_text(found->second, form);
  }
  return RedactableText{.text = reader.text(key, kMaxTextBytes)};
}

template <typename Element, typename Read>
Status read_all(const Json::Array& array, std::vector<Element>& out, Read&& read) {
  for (const Json& json : array) {
    auto element = read(json);
    if (!element) return std::unexpected(std::move(element).error());
    out.push_back(std::move(*element));
  }
  return {};
}

Result<Cut> read_cut(const Json& json) {
  ObjectReader reader(json, "the cut");
  Cut cut;
  cut.nick = reader.text("nick", kMaxWordBytes);
  cut.root = reader.digest("root");
  cut.size = static_cast<std::uint64_t>(reader.integer("size", 0, log::kMaxInteger));
  TRY_STATUS(reader.finish());
  return cut;
}

Result<Origin> read_origin(const Json& json, Form form) {
  ObjectReader reader(json, "an origin");
  Origin origin;
  origin.id = reader.text("id", kMaxIdBytes);
  origin.kind = reader.text("kind", kMaxWordBytes);
  TRY(origin.text, take_text(reader, json, "text", form));
  if (std::ranges::find(kOriginKinds, origin.kind) == kOriginKinds.end())
    reader.refuse("\"kind\" is no kind of origin");
  TRY_STATUS(reader.finish());
  return origin;
}

Result<Sighting> read_sighting(const Json& json) {
  ObjectReader reader(json, "who has seen the evidence");
  Sighting sighting;
  sighting.by = reader.text("by", kMaxWordBytes);
  sighting.first_seen = reader.integer("first_seen", 0, kLatestTime);
  sighting.origin = reader.text("origin", kMaxIdBytes);
  sighting.rule = hex_or_nothing(digest_or_nothing(reader, "rule"));
  TRY_STATUS(reader.finish());
  return sighting;
}

Result<Grade> read_grade(const Json& json) {
  ObjectReader reader(json, "a grade");
  Grade grade;
  grade.information = static_cast<int>(reader.integer("info", 0, 6));
  const std::string source = reader.text("source", 1);
  if (!source.empty()) grade.source = source.front();
  if (!source.empty() && (grade.source < 'A' || grade.source > 'F'))
    reader.refuse("\"source\" must be a letter from A to F, or empty");
  TRY_STATUS(reader.finish());
  return grade;
}

Result<Evidence> read_evidence(const Json& json, Form form) {
  ObjectReader reader(json, "the evidence");
  Evidence evidence;
  evidence.commitment = digest_or_nothing(reader, "commit");
  const Json& grade = reader.object("grade");
  evidence.id = reader.text("id", kMaxIdBytes);
  evidence.kind = reader.text("kind", kMaxWordBytes);
  evidence.refs = reader.digests("refs", kMaxRefsOfEvidence);
  const Json::Array& seen = reader.array("seen", kMaxSightings);
  TRY(evidence.summary, take_text(reader, json, "summary", form));
  if (std::ranges::find(kEvidenceKinds, evidence.kind) == kEvidenceKinds.end())
    reader.refuse("\"kind\" is no kind of evidence");
  TRY_STATUS(reader.finish());
  TRY(evidence.grade, read_grade(grade));
  TRY_STATUS(read_all(seen, evidence.seen, read_sighting));
  return evidence;
}

Result<Hypothesis> read_hypothesis(const Json& json) {
  ObjectReader reader(json, "a hypothesis");
  Hypothesis hypothesis;
  hypothesis.actor = reader.text("actor", kMaxNameBytes);
  hypothesis.id = reader.text("id", kMaxIdBytes);
  hypothesis.kind = reader.text("kind", kMaxWordBytes);
  hypothesis.text = reader.text("text", kMaxTextBytes);
  if (std::ranges::find(kHypothesisKinds, hypothesis.kind) == kHypothesisKinds.end())
    reader.refuse("\"kind\" is no kind of hypothesis");
  TRY_STATUS(reader.finish());
  return hypothesis;
}

Result<Equivalence> read_equivalence(const Json& json) {
  ObjectReader reader(json, "two names of one actor");
  Equivalence equivalence;
  equivalence.name = reader.text("name", kMaxNameBytes);
  equivalence.origin = reader.text("origin", kMaxIdBytes);
  equivalence.other = reader.text("other", kMaxNameBytes);
  TRY_STATUS(reader.finish());
  return equivalence;
}

Result<Cell> read_cell(const Json& json) {
  ObjectReader reader(json, "a cell of the matrix");
  Cell cell;
  cell.hypothesis = reader.text("h", kMaxIdBytes);
  const auto value = consistency_named(reader.text("v", kMaxWordBytes));
  if (!value) reader.refuse("\"v\" must be CC, C, N, I, II or NA");
  TRY_STATUS(reader.finish());
  cell.value = *value;
  return cell;
}

Result<Row> read_row(const Json& json) {
  ObjectReader reader(json, "a row of the matrix");
  Row row;
  const Json::Array& cells = reader.array("cells", kMaxHypotheses);
  row.evidence = reader.text("e", kMaxIdBytes);
  TRY_STATUS(reader.finish());
  TRY_STATUS(read_all(cells, row.cells, read_cell));
  return row;
}

Result<Assumption> read_assumption(const Json& json, Form form) {
  ObjectReader reader(json, "a key assumption");
  Assumption assumption;
  assumption.id = reader.text("id", kMaxIdBytes);
  TRY(assumption.text, take_text(reader, json, "text", form));
  TRY_STATUS(reader.finish());
  return assumption;
}

Status read_basis(const Json& json, Finding& finding) {
  ObjectReader reader(json, "the finding's basis");
  finding.charter = reader.digest("charter");
  const Json::Array& cut = reader.array("cut", kMaxCuts);
  TRY_STATUS(reader.finish());
  return read_all(cut, finding.cut, read_cut);
}

Status read_confidence(const Json& json, Finding& finding) {
  ObjectReader reader(json, "the confidence");
  const std::string level = reader.text("level", kMaxWordBytes);
  finding.confidence_why = reader.text("why", kMaxTextBytes);
  finding.confidence = confidence_named(level);
  if (!level.empty() && !finding.confidence) reader.refuse("\"level\" must be low, moderate or high");
  return reader.finish();
}

Status read_judgement(const Json& json, Judgement& judgement) {
  ObjectReader reader(json, "the judgement");
  judgement.despite = reader.text("despite", kMaxTextBytes);
  judgement.hypothesis = reader.text("hypothesis", kMaxIdBytes);
  const std::string likelihood = reader.text("likelihood", kMaxWordBytes);
  judgement.text = reader.text("text", kMaxTextBytes);
  judgement.likelihood = likelihood_named(likelihood);
  const bool is_name = judgement.likelihood && word_of(*judgement.likelihood).name == likelihood;
  if (!likelihood.empty() && !is_name) reader.refuse("\"likelihood\" is none of the seven terms of ICD 203");
  return reader.finish();
}

Status read_marks(const Json& json, Finding& finding) {
  ObjectReader reader(json, "the marks");
  const std::string pap = reader.text("pap", kMaxWordBytes);
  const std::string tlp = reader.text("tlp", kMaxWordBytes);
  const auto read_pap = indicator::pap_named(pap);
  const auto read_tlp = indicator::tlp_named(tlp);
  // Marks have several spellings; a finding has one.
  if (!read_pap || indicator::name_of(*read_pap) != pap) reader.refuse("\"pap\" must be clear, green, amber or red");
  if (!read_tlp || indicator::name_of(*read_tlp) != tlp)
    reader.refuse("\"tlp\" must be clear, green, amber, amber+strict or red");
  TRY_STATUS(reader.finish());
  finding.pap = *read_pap;
  finding.tlp = *read_tlp;
  return {};
}

Result<UnixSeconds> read_time(const Json& json) {
  const std::int64_t* time = json.integer();
  if (time == nullptr || *time < 0 || *time > kLatestTime)
    return fail(Errc::format, "In the finding: \"period\" must be two Unix times.");
  return *time;
}

Result<Finding> finding_of(const Json& json, Form form) {
  ObjectReader reader(json, "the finding");
  Finding finding;
  const Json& basis = reader.object("basis");
  const Json& confidence = reader.object("confidence");
  finding.created = reader.integer("created", 0, kLatestTime);
  const Json::Array& equivalences = reader.array("equivalences", kMaxEquivalences);
  const Json::Array& evidence = reader.array("evidence", kMaxEvidence);
  finding.group = reader.text("group", kGroupDigits);
  const Json::Array& hypotheses = reader.array("hypotheses", kMaxHypotheses);
  const Json& judgement = reader.object("judgement");
  const Json::Array& assumptions = reader.array("key_assumptions", kMaxAssumptions);
  const Json& marks = reader.object("marks");
  const Json::Array& matrix = reader.array("matrix", kMaxEvidence);
  const Json::Array& origins = reader.array("origins", kMaxOrigins);
  const Json::Array& period = reader.array("period", 2);
  finding.question = reader.text("question", kMaxTextBytes);
  finding.revision = reader.integer("seq", 1, kMaxRevision);
  finding.supersedes = digest_or_nothing(reader, "supersedes");
  finding.title = reader.text("title", kMaxTitleBytes);
  reader.integer("v", 1, 1);
  if (period.size() != 2) reader.refuse("\"period\" must be two Unix times");
  TRY_STATUS(reader.finish());
  TRY(finding.period_from, read_time(period[0]));
  TRY(finding.period_to, read_time(period[1]));
  TRY_STATUS(read_basis(basis, finding));
  TRY_STATUS(read_confidence(confidence, finding));
  TRY_STATUS(read_judgement(judgement, finding.judgement));
  TRY_STATUS(read_marks(marks, finding));
  TRY_STATUS(read_all(equivalences, finding.equivalences, read_equivalence));
  TRY_STATUS(read_all(evidence, finding.evidence, [&](const Json& one) { return read_evidence(one, form); }));
  TRY_STATUS(read_all(hypotheses, finding.hypotheses, read_hypothesis));
  TRY_STATUS(read_all(matrix, finding.matrix, read_row));
  TRY_STATUS(read_all(origins, finding.origins, [&](const Json& one) { return read_origin(one, form); }));
  TRY_STATUS(read_all(assumptions, finding.assumptions, [&](const Json& one) { return read_assumption(one, form); }));
  return finding;
}

std::string text_of(const Finding& finding, std::string_view kind, Form form) {
  return fmt::format("{}\n{}\n", kind, log::write_pjson(json_of(finding, form)));
}

Result<Finding> read(std::string_view text, std::string_view kind, Form form) {
  if (text.size() > kMaxFindingBytes)
    return fail(Errc::limit,
                fmt::format("A finding of {} bytes is longer than the limit of {}.", text.size(), kMaxFindingBytes));
  if (!text.starts_with(kind) || text.substr(kind.size(), 1) != "\n" || text.back() != '\n')
    return fail(Errc::format, fmt::format("Not a finding: its first line must be {}, its second one object.", kind));
  text.remove_prefix(kind.size() + 1);
  if (text.empty()) return fail(Errc::format, "Not a finding: its second line is missing.");
  text.remove_suffix(1);
  TRY(const Json json, log::parse_pjson(text, kMaxFindingBytes));
  return finding_of(json, form);
}

}  // namespace

std::string finding_text(const Finding& finding) {
  return text_of(finding, kFindingKind, Form::frozen);
}
Result<Finding> read_finding_text(std::string_view text) {
  return read(text, kFindingKind, Form::frozen);
}
std::string working_text(const Finding& finding) {
  return text_of(finding, kWorkingKind, Form::working);
}
Result<Finding> read_working_text(std::string_view text) {
  return read(text, kWorkingKind, Form::working);
}

}  // namespace parley::finding
