// A charter as PJ1, both ways (log.md 1.5; docs/wire-format.md, "Charters").
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "group/card_rules.h"
#include "group/charter.h"
#include "log/pjson.h"

namespace parley::group {
namespace {

using log::Json;
using log::ObjectReader;

constexpr std::size_t kMaxVkeyBytes = 300;
constexpr std::size_t kMaxNickBytes = 32;
constexpr std::size_t kMaxWordBytes = 32;
constexpr std::size_t kMaxDomainBytes = 64;
constexpr std::size_t kMaxQuestions = indicator::kAllTypes.size() * kAllFunctions.size();
constexpr std::size_t kMaxProtocols = 8;
constexpr std::int64_t kVersionWithAdmission = 2;

Json to_json(const AllowedQuestion& question) {
  Json::Object object{{"fn", name_of(question.function)}, {"type", indicator::name_of(question.type)}};
  for (const NamedCap& cap : kNamedCaps) object.emplace(cap.name, question.caps.*cap.value);
  return object;
}

Json to_json(const AdmissionCap& cap) {
  return Json::Object{{std::string(kAdmissionCapName), cap.most}, {"type", indicator::name_of(cap.type)}};
}

Json to_json(const CharterMember& member) {
  return Json::Object{{"card", to_hex(member.card)},     {"cosign", member.keys.cosign.text()},
                      {"id", member.id.text()},          {"log", member.keys.log.text()},
                      {"nick", member.keys.nick},        {"node", member.keys.node.text()},
                      {"tls", to_base64(member.tls_key)}};
}

template <typename Element>
Json::Array array_of(const std::vector<Element>& elements) {
  Json::Array array;
  for (const Element& element : elements) array.push_back(to_json(element));
  return array;
}

Result<AllowedQuestion> read_question(const Json& json) {
  ObjectReader reader(json, "a question of the charter");
  AllowedQuestion question;
  const auto function = function_named(reader.text("fn", kMaxWordBytes));
  if (!function) reader.refuse("\"fn\" is no function that is known here");
  const auto type = indicator::type_named(reader.text("type", kMaxWordBytes));
  if (!type) reader.refuse("\"type\" is no type of indicator that is known here");
  for (const NamedCap& cap : kNamedCaps) question.caps.*cap.value = reader.integer(cap.name, cap.least, kLargestCap);
  TRY_STATUS(reader.finish());
  question.function = *function;
  question.type = *type;
  return question;
}

Result<AdmissionCap> read_admission_cap(const Json& json) {
  ObjectReader reader(json, "a type of the charter's admission");
  AdmissionCap cap;
  cap.most = reader.integer(kAdmissionCapName, 1, kLargestCap);
  const auto type = indicator::type_named(reader.text("type", kMaxWordBytes));
  if (!type) reader.refuse("\"type\" is no type of indicator that is known here");
  TRY_STATUS(reader.finish());
  cap.type = *type;
  return cap;
}

Result<AdmissionClause> read_admission(const Json& json) {
  ObjectReader reader(json, "the charter's admission");
  AdmissionClause clause;
  clause.epoch_days = reader.integer("epoch_days", 1, kLongestEpochDays);
  const Json::Array& types = reader.array("types", indicator::kAllTypes.size());
  if (types.empty()) reader.refuse("\"types\" must name a type");
  TRY_STATUS(reader.finish());
  for (const Json& type : types) {
    TRY(clause.types.emplace_back(), read_admission_cap(type));
  }
  return clause;
}

Result<CharterMember> read_member(const Json& json) {
  ObjectReader reader(json, "a member of the charter");
  CharterMember member;
  member.card = reader.digest("card");
  const std::string cosign = reader.text("cosign", kMaxVkeyBytes);
  const std::string id = reader.text("id", kMaxVkeyBytes);
  const std::string log = reader.text("log", kMaxVkeyBytes);
  member.keys.nick = reader.text("nick", kMaxNickBytes);
  const std::string node = reader.text("node", kMaxVkeyBytes);
  const Bytes tls = reader.bytes("tls", member.tls_key.size());
  TRY_STATUS(reader.finish());
  std::ranges::copy(tls, member.tls_key.begin());
  TRY(member.keys.cosign, log::parse_vkey(cosign));
  TRY(member.id, log::parse_vkey(id));
  TRY(member.keys.log, log::parse_vkey(log));
  TRY(member.keys.node, log::parse_vkey(node));
  return member;
}

}  // namespace

std::string charter_text(const Charter& charter, std::string_view kind) {
  Json::Array protocols;
  for (const std::string& protocol : charter.protocols) protocols.emplace_back(protocol);
  // One without the clause is written as it was before there was one, so that its hash stays.
  const bool has_admission = !charter.admission.types.empty();
  Json::Object object{
      {"clock_skew_s", charter.clock_skew_seconds},
      {"dom", charter.domain},
      {"finding_quorum", static_cast<std::int64_t>(charter.finding_quorum)},
      {"grace_days", charter.grace_days},
      {"group", charter.group},
      {"log_quorum", static_cast<std::int64_t>(charter.log_quorum)},
      {"max_tlp", indicator::name_of(charter.max_tlp)},
      {"members", array_of(charter.members)},
      {"name", charter.name},
      {"not_after", charter.not_after},
      {"not_before", charter.not_before},
      {"prev", charter.prev == Digest{} ? std::string() : to_hex(charter.prev)},
      {"protocols", std::move(protocols)},
      {"purpose", charter.purpose},
      {"questions", array_of(charter.questions)},
      {"seq", charter.seq},
      {"v", has_admission ? kVersionWithAdmission : 1},
  };
  if (has_admission)
    object.emplace("admission", Json::Object{{"epoch_days", charter.admission.epoch_days},
                                             {"types", array_of(charter.admission.types)}});
  return fmt::format("{}\n{}\n", kind, log::write_pjson(std::move(object)));
}

Digest charter_hash(std::string_view text) {
  return crypto::sha256(as_bytes(text));
}

Result<Charter> read_charter_unverified(const log::Note& note) {
  TRY(Charter charter, read_terms_unverified(note, kCharterKind));
  TRY_STATUS(check_charter(charter));
  return charter;
}

Result<Charter> read_terms_unverified(const log::Note& note, std::string_view kind) {
  TRY(const Json json, log::read_object_unverified(note, kind, kMaxCharterBytes));
  ObjectReader reader(json, "the charter");
  Charter charter;
  charter.clock_skew_seconds = reader.integer("clock_skew_s", 0, kLargestClockSkewSeconds);
  charter.domain = reader.text("dom", kMaxDomainBytes);
  charter.finding_quorum = static_cast<std::size_t>(reader.integer("finding_quorum", 0, kMostMembers));
  charter.grace_days = reader.integer("grace_days", 0, kMostGraceDays);
  charter.group = reader.text("group", kGroupIdDigits);
  charter.log_quorum = static_cast<std::size_t>(reader.integer("log_quorum", 0, kMostMembers));
  const auto tlp = indicator::tlp_named(reader.text("max_tlp", kMaxWordBytes));
  const Json::Array& members = reader.array("members", kMostMembers);
  charter.name = reader.text("name", kMaxNameBytes);
  charter.not_after = reader.integer("not_after", 0, kLatestTime);
  charter.not_before = reader.integer("not_before", 0, kLatestTime);
  const std::string prev = reader.text("prev", 2 * sizeof(Digest));
  charter.protocols = reader.texts("protocols", kMaxProtocols, kMaxWordBytes);
  charter.purpose = reader.text("purpose", kMaxPurposeBytes);
  const Json::Array& questions = reader.array("questions", kMaxQuestions);
  charter.seq = reader.integer("seq", 1, log::kMaxInteger);
  const bool has_admission = reader.integer("v", 1, kVersionWithAdmission) == kVersionWithAdmission;
  const Json* admission = has_admission ? &reader.object("admission") : nullptr;
  if (charter.seq == 1 && !prev.empty()) reader.refuse("\"prev\" must be empty in the first version");
  if (charter.seq > 1 && !read_hex(prev, charter.prev))
    reader.refuse("\"prev\" must be the hash of the version before, in hexadecimal");
  if (!tlp) reader.refuse("\"max_tlp\" is no TLP mark");
  TRY_STATUS(reader.finish());
  charter.max_tlp = *tlp;
  if (admission != nullptr) {
    TRY(charter.admission, read_admission(*admission));
  }
  for (const Json& question : questions) {
    TRY(charter.questions.emplace_back(), read_question(question));
  }
  for (const Json& member : members) {
    TRY(charter.members.emplace_back(), read_member(member));
  }
  // Marks have several spellings; a charter has one.
  if (charter_text(charter, kind) != note.text)
    return fail(Errc::format, "The charter is not written in the one form that charters have.");
  return charter;
}

}  // namespace parley::group
