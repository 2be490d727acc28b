#include "finding/finding.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace parley::finding {
namespace {

using log::Json;

constexpr std::size_t kMaxPathBytes = 64;

template <typename Element>
const Element* by_id(const std::vector<Element>& elements, std::string_view id) {
  const auto found = std::ranges::find(elements, id, &Element::id);
  return found == elements.end() ? nullptr : &*found;
}

}  // namespace

const Origin* Finding::origin(std::string_view id) const {
  return by_id(origins, id);
}
const Evidence* Finding::evidence_of(std::string_view id) const {
  return by_id(evidence, id);
}
const Hypothesis* Finding::hypothesis(std::string_view id) const {
  return by_id(hypotheses, id);
}
const Row* Finding::row(std::string_view id) const {
  const auto found = std::ranges::find(matrix, id, &Row::evidence);
  return found == matrix.end() ? nullptr : &*found;
}

std::optional<Consistency> Finding::cell(std::string_view evidence_id, std::string_view hypothesis_id) const {
  const Row* of = row(evidence_id);
  if (of == nullptr) return std::nullopt;
  const auto found = std::ranges::find(of->cells, hypothesis_id, &Cell::hypothesis);
  return found == of->cells.end() ? std::nullopt : std::optional(found->value);
}

std::vector<Placed> redactable_texts(Finding& finding) {
  std::vector<Placed> texts;
  for (std::size_t i = 0; i < finding.evidence.size(); ++i)
    texts.push_back({fmt::format("/evidence/{}/summary", i), &finding.evidence[i].summary});
  for (std::size_t i = 0; i < finding.assumptions.size(); ++i)
    texts.push_back({fmt::format("/key_assumptions/{}/text", i), &finding.assumptions[i].text});
  for (std::size_t i = 0; i < finding.origins.size(); ++i)
    texts.push_back({fmt::format("/origins/{}/text", i), &finding.origins[i].text});
  return texts;
}

Digest finding_hash(std::string_view text) {
  return crypto::sha256(as_bytes(text));
}

Digest Opening::commitment() const {
  return log::field_commitment(salt, path, log::write_pjson(Json(text)));
}

Json to_json(std::span<const Opening> openings) {
  Json::Array array;
  for (const Opening& opening : openings)
    array.push_back(Json::Object{{"path", opening.path}, {"salt", to_base64(opening.salt)}, {"text", opening.text}});
  return array;
}

Result<std::vector<Opening>> read_openings(const Json::Array& array) {
  std::vector<Opening> openings;
  for (const Json& json : array) {
    log::ObjectReader reader(json, "an opening");
    Opening opening;
    opening.path = reader.text("path", kMaxPathBytes);
    const Bytes salt = reader.bytes("salt", opening.salt.size());
    opening.text = reader.text("text", kMaxTextBytes);
    if (!openings.empty() && openings.back().path >= opening.path)
      reader.refuse("the openings do not ascend by their paths");
    TRY_STATUS(reader.finish());
    std::ranges::copy(salt, opening.salt.begin());
    openings.push_back(std::move(opening));
  }
  return openings;
}

std::vector<Opening> freeze(Finding& finding) {
  std::vector<Opening> openings;
  for (const Placed& placed : redactable_texts(finding)) {
    if (!placed.text->redactable) continue;
    const Opening& opening = openings.emplace_back(placed.path, random_bytes<32>(), placed.text->text);
    placed.text->commitment = opening.commitment();
  }
  std::ranges::sort(openings, {}, &Opening::path);
  return openings;
}

Status open(Finding& finding, std::span<const Opening> openings) {
  std::vector<Placed> texts = redactable_texts(finding);
  for (const Opening& opening : openings) {
    const auto placed = std::ranges::find(texts, opening.path, &Placed::path);
    if (placed == texts.end() || !placed->text->redactable)
      return fail(Errc::format, fmt::format("An opening is of {}, where nothing was withheld.", visible(opening.path)));
    if (opening.commitment() != placed->text->commitment)
      return fail(Errc::signature,
                  fmt::format("The text that is shown for {} is not the one that was signed.", opening.path));
    placed->text->text = opening.text;
    placed->text->shown = true;
  }
  return {};
}

std::string in_words(const Hypothesis& hypothesis) {
  return fmt::format("{} ({}{}{}): {}", hypothesis.id, hypothesis.kind, hypothesis.actor.empty() ? "" : ", ",
                     hypothesis.actor, hypothesis.text);
}

std::string judged_in_words(const Finding& finding) {
  const Hypothesis* const judged = finding.hypothesis(finding.judgement.hypothesis);
  return judged == nullptr ? finding.judgement.hypothesis : in_words(*judged);
}

}  // namespace parley::finding
