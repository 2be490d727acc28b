#include "finding/record.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/text.h"

namespace parley::finding {
namespace {

using log::Json;
using log::ObjectReader;

constexpr std::size_t kMaxNickBytes = 32;
constexpr std::size_t kMaxOpenings = kMaxEvidence + kMaxAssumptions + kMaxOrigins;

Json::Array array_of(const std::vector<std::string>& texts) {
  Json::Array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

template <typename Element>
bool ascends(const std::vector<Element>& elements) {
  return std::ranges::adjacent_find(elements, std::ranges::greater_equal()) == elements.end();
}

}  // namespace

Json DraftBody::to_json() const {
  return Json::Object{{"checkpoints", array_of(checkpoints)},
                      {"hash", to_hex(finding_hash(text))},
                      {"openings", finding::to_json(openings)},
                      {"text", text},
                      {"v", 1}};
}

Result<DraftBody> DraftBody::from_json(const Json& body) {
  ObjectReader reader(body, "the draft of a finding");
  DraftBody draft;
  draft.checkpoints = reader.texts("checkpoints", log::kMaxGroupMembers, log::kMaxCheckpointBytes);
  const Digest hash = reader.digest("hash");
  const Json::Array& openings = reader.array("openings", kMaxOpenings);
  draft.text = reader.text("text", kMaxFindingBytes);
  reader.integer("v", 1, 1);
  if (finding_hash(draft.text) != hash) reader.refuse("\"hash\" is not that of the text");
  TRY_STATUS(reader.finish());
  TRY(draft.openings, read_openings(openings));
  return draft;
}

Json NoteBody::to_json() const {
  return Json::Object{{"hash", to_hex(finding)}, {"note", note}, {"v", 1}};
}

Result<NoteBody> NoteBody::from_json(const Json& body) {
  ObjectReader reader(body, "a signature, dissent or withdrawal");
  NoteBody read;
  read.finding = reader.digest("hash");
  read.note = reader.text("note", log::kMaxNoteBytes);
  reader.integer("v", 1, 1);
  TRY_STATUS(reader.finish());
  return read;
}

Json PublishBody::to_json() const {
  return Json::Object{{"dissents", log::hex_of(dissents)},
                      {"hash", to_hex(finding)},
                      {"signers", array_of(signers)},
                      {"v", 1},
                      {"withdrawals", log::hex_of(withdrawals)}};
}

Result<PublishBody> PublishBody::from_json(const Json& body) {
  ObjectReader reader(body, "the publication of a finding");
  PublishBody read;
  read.dissents = reader.digests("dissents", log::kMaxGroupMembers * kMaxDissentsOfOne);
  read.finding = reader.digest("hash");
  read.signers = reader.texts("signers", log::kMaxGroupMembers, kMaxNickBytes);
  reader.integer("v", 1, 1);
  read.withdrawals = reader.digests("withdrawals", log::kMaxGroupMembers);
  if (!ascends(read.withdrawals)) reader.refuse("\"withdrawals\" do not ascend");
  if (!ascends(read.dissents)) reader.refuse("\"dissents\" do not ascend");
  if (!ascends(read.signers)) reader.refuse("\"signers\" do not ascend");
  TRY_STATUS(reader.finish());
  return read;
}

Status check_within(const group::Charter& charter, const log::Entry& entry, std::string_view nick) {
  if (charter.member(nick) == nullptr)
    return fail(Errc::signature,
                fmt::format("{} is no member by the version of the charter that its entry names.", visible(nick)));
  const UnixSeconds skew = charter.clock_skew_seconds;
  if (entry.time < charter.not_before - skew || entry.time > charter.grace_ends() + skew)
    return fail(Errc::signature, "An entry is from outside the time of the charter.");
  return {};
}

Status check_frozen_when_made(const Finding& finding, UnixSeconds frozen, const group::Charter& charter) {
  const UnixSeconds apart = charter.clock_skew_seconds + kMostToFreezeSeconds;
  if (finding.created >= frozen - apart && finding.created <= frozen + apart) return {};
  return fail(Errc::policy,
              fmt::format("The finding states that it was made at {}, and the entry that freezes it is of {}; by the "
                          "charter clocks are at most {} s apart, and freezing takes at most {} s. Ask its drafter to "
                          "freeze it anew: parley finding draft states the time of its entry.",
                          to_rfc3339(finding.created), to_rfc3339(std::min(frozen, kLatestTime)),
                          charter.clock_skew_seconds, kMostToFreezeSeconds));
}

Status check_was_there(const log::Entry& entry, std::string_view nick, const Finding& finding,
                       const group::Charter& charter) {
  const UnixSeconds skew = charter.clock_skew_seconds;
  if (entry.time <= finding.created + skew) return {};
  return fail(Errc::policy,
              fmt::format("The evidence names entry {} of {}, which is of {}, and the finding states that it was made "
                          "at {}; by the charter clocks are at most {} s apart, so the entry was not there to be "
                          "judged. Freeze the finding anew after that time, or leave the entry out.",
                          entry.seq, visible(nick), to_rfc3339(std::min(entry.time, kLatestTime)),
                          to_rfc3339(finding.created), skew));
}

}  // namespace parley::finding
