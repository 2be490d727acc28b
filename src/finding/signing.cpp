#include "finding/signing.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/hidden.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace parley::finding {
namespace {

using log::Json;

constexpr std::size_t kMaxNickBytes = 32;
constexpr std::size_t kMaxWordBytes = 32;
constexpr std::string_view kJudgement = "judgement";
constexpr std::string_view kConfidence = "confidence";

Json json_of(const DissentPoint& point) {
  return Json::Object{{"about", point.about},
                      {"likelihood", point.likelihood ? word_of(*point.likelihood).name : std::string_view()},
                      {"text", point.text}};
}

Result<DissentPoint> read_point(const Json& json) {
  log::ObjectReader reader(json, "a point of the dissent");
  DissentPoint point;
  point.about = reader.text("about", kMaxWordBytes);
  const std::string likelihood = reader.text("likelihood", kMaxWordBytes);
  point.text = reader.text("text", kMaxTextBytes);
  point.likelihood = likelihood_named(likelihood);
  const bool is_name = point.likelihood && word_of(*point.likelihood).name == likelihood;
  if (!likelihood.empty() && !is_name) reader.refuse("\"likelihood\" is none of the seven terms of ICD 203");
  if (point.about.empty()) reader.refuse("it is about nothing");
  if (point.text.empty()) reader.refuse("it says nothing");
  if (const std::string hidden = hidden_in(point.text, true); !hidden.empty()) reader.refuse(hidden.substr(1));
  if (point.likelihood && point.about != kJudgement) reader.refuse("only of the judgement one says how likely it is");
  TRY_STATUS(reader.finish());
  return point;
}

Result<Dissent> read_dissent_text(const log::Note& note) {
  TRY(const Json json, log::read_object_unverified(note, kDissentKind, kMaxDissentBytes));
  log::ObjectReader reader(json, "the dissent");
  Dissent dissent;
  dissent.finding = reader.digest("finding");
  dissent.group = reader.text("group", group::kGroupIdDigits);
  dissent.nick = reader.text("nick", kMaxNickBytes);
  const Json::Array& points = reader.array("points", kMaxDissentPoints);
  dissent.time = reader.integer("time", 0, kLatestTime);
  reader.integer("v", 1, 1);
  if (points.empty()) reader.refuse("it has no point");
  TRY_STATUS(reader.finish());
  for (const Json& point : points) {
    TRY(dissent.points.emplace_back(), read_point(point));
  }
  return dissent;
}

Result<Withdrawal> read_withdrawal_text(const log::Note& note) {
  TRY(const Json json, log::read_object_unverified(note, kWithdrawalKind, kMaxWithdrawalBytes));
  log::ObjectReader reader(json, "the withdrawal");
  Withdrawal withdrawal;
  withdrawal.finding = reader.digest("finding");
  withdrawal.group = reader.text("group", group::kGroupIdDigits);
  withdrawal.nick = reader.text("nick", kMaxNickBytes);
  withdrawal.reason = reader.text("reason", kMaxTextBytes);
  withdrawal.time = reader.integer("time", 0, kLatestTime);
  reader.integer("v", 1, 1);
  if (withdrawal.reason.empty()) reader.refuse("it gives no reason");
  if (const std::string hidden = hidden_in(withdrawal.reason, true); !hidden.empty()) reader.refuse(hidden.substr(1));
  TRY_STATUS(reader.finish());
  return withdrawal;
}

bool is_in(const Finding& finding, std::string_view about) {
  return about == kJudgement || about == kConfidence || finding.evidence_of(about) != nullptr ||
         finding.hypothesis(about) != nullptr || finding.origin(about) != nullptr ||
         std::ranges::find(finding.assumptions, about, &Assumption::id) != finding.assumptions.end();
}

std::size_t still_there(std::span<const std::string> nicks, const Left& left) {
  return static_cast<std::size_t>(
      std::ranges::count_if(nicks, [&](const std::string& nick) { return !left.contains(nick); }));
}

std::size_t rest_of(const group::Charter& charter, const Left& left) {
  return static_cast<std::size_t>(std::ranges::count_if(
      charter.members, [&](const group::CharterMember& member) { return !left.contains(member.keys.nick); }));
}

}  // namespace

std::size_t finding_quorum(const group::Charter& charter, const Left& left) {
  return std::max(group::kFewestMembers, group::finding_quorum_after(charter.finding_quorum, rest_of(charter, left)));
}

bool are_enough(const group::Charter& charter, const Left& left, std::span<const std::string> nicks) {
  return nicks.size() >= charter.finding_quorum || still_there(nicks, left) >= finding_quorum(charter, left);
}

Result<std::string> sign_finding(std::string_view text, const log::VerifierKey& id, const Secret<32>& id_seed) {
  TRY_STATUS(read_finding_text(text));
  return log::sign_note(text, id.name, id_seed);
}

Result<SignedFinding> read_signed_finding(std::string_view text, const group::Charter& charter) {
  TRY(const log::Note note, log::parse_note(text));
  std::vector<log::VerifierKey> keys;
  for (const group::CharterMember& member : charter.members) keys.push_back(member.id);
  TRY(const auto signers, group::signers_without_strangers(note, keys));
  TRY_STATUS(read_finding_text(note.text));
  SignedFinding read{.text = note.text, .note = std::string(text), .hash = finding_hash(note.text), .signers = {}};
  for (const std::size_t signer : signers) read.signers.push_back(charter.members[signer].keys.nick);
  std::ranges::sort(read.signers);
  return read;
}

std::string Dissent::text() const {
  Json::Array array;
  for (const DissentPoint& point : points) array.push_back(json_of(point));
  const Json object = Json::Object{{"finding", to_hex(finding)}, {"group", group}, {"nick", nick},
                                   {"points", std::move(array)}, {"time", time},   {"v", 1}};
  return fmt::format("{}\n{}\n", kDissentKind, log::write_pjson(object));
}

Result<SignedDissent> sign_dissent(const Dissent& dissent, const log::VerifierKey& id, const Secret<32>& id_seed) {
  const std::string text = dissent.text();
  TRY_STATUS(read_dissent_text({text, {}}));
  SignedDissent made{dissent, log::sign_note(text, id.name, id_seed), crypto::sha256(as_bytes(text))};
  if (made.note.size() > kMaxDissentBytes)
    return fail(Errc::limit, fmt::format("The dissent has {} bytes with its signature; {} is the limit. Shorten its "
                                         "points.",
                                         made.note.size(), kMaxDissentBytes));
  return made;
}

Result<SignedDissent> read_dissent(std::string_view text, const group::Charter& charter) {
  if (text.size() > kMaxDissentBytes)
    return fail(Errc::limit, fmt::format("A dissent is longer than {} bytes.", kMaxDissentBytes));
  TRY(const log::Note note, log::parse_note(text));
  TRY(Dissent dissent, read_dissent_text(note));
  const group::CharterMember* author = charter.member(dissent.nick);
  if (author == nullptr)
    return fail(Errc::signature, fmt::format("A dissent is by {}, who is no member.", visible(dissent.nick)));
  TRY_STATUS(group::signers_without_strangers(note, std::span(&author->id, 1)));
  return SignedDissent{std::move(dissent), std::string(text), crypto::sha256(as_bytes(note.text))};
}

std::string Withdrawal::text() const {
  const Json object = Json::Object{{"finding", to_hex(finding)}, {"group", group}, {"nick", nick},
                                   {"reason", reason},           {"time", time},   {"v", 1}};
  return fmt::format("{}\n{}\n", kWithdrawalKind, log::write_pjson(object));
}

Result<SignedWithdrawal> sign_withdrawal(const Withdrawal& withdrawal, const log::VerifierKey& id,
                                         const Secret<32>& id_seed) {
  const std::string text = withdrawal.text();
  TRY_STATUS(read_withdrawal_text({text, {}}));
  return SignedWithdrawal{withdrawal, log::sign_note(text, id.name, id_seed), crypto::sha256(as_bytes(text))};
}

Result<SignedWithdrawal> read_withdrawal(std::string_view text, const group::Charter& charter) {
  if (text.size() > kMaxWithdrawalBytes)
    return fail(Errc::limit, fmt::format("A withdrawal is longer than {} bytes.", kMaxWithdrawalBytes));
  TRY(const log::Note note, log::parse_note(text));
  TRY(Withdrawal withdrawal, read_withdrawal_text(note));
  const group::CharterMember* author = charter.member(withdrawal.nick);
  if (author == nullptr)
    return fail(Errc::signature, fmt::format("A withdrawal is by {}, who is no member.", visible(withdrawal.nick)));
  TRY_STATUS(group::signers_without_strangers(note, std::span(&author->id, 1)));
  return SignedWithdrawal{std::move(withdrawal), std::string(text), crypto::sha256(as_bytes(note.text))};
}

Status DissentShares::take(const SignedDissent& more) {
  Share& share = of_[more.dissent.nick];
  if (share.count + 1 > shares_ * kMaxDissentsOfOne || share.bytes + more.note.size() > shares_ * kMaxDissentBytesOfOne)
    return fail(
        Errc::limit,
        fmt::format("Of one member's dissents about a finding the first {} count, as far as they have {} bytes.",
                    shares_ * kMaxDissentsOfOne, shares_ * kMaxDissentBytesOfOne));
  ++share.count;
  share.bytes += more.note.size();
  return {};
}

Status check_dissent(const Dissent& dissent, const Finding& finding) {
  if (dissent.group != finding.group) return fail(Errc::format, "The dissent is about a finding of another group.");
  for (const DissentPoint& point : dissent.points)
    if (!is_in(finding, point.about))
      return fail(Errc::format, fmt::format("The dissent of {} is about {}, which is not in the finding.",
                                            visible(dissent.nick), visible(point.about)));
  return {};
}

}  // namespace parley::finding
