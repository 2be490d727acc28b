// The rules of a charter, and whose signatures it bears (log.md 1.5).
#include "group/charter.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/hidden.h"
#include "base/text.h"
#include "group/card_rules.h"
#include "log/note.h"
#include "log/quorum.h"

namespace parley::group {
namespace {

constexpr std::array<std::string_view, 2> kProtocols = {"classic", "fast"};
constexpr std::size_t kMaxDomainBytes = 64;

std::unexpected<Error> broken(std::string rule) {
  return fail(Errc::format, "The charter breaks a rule: " + std::move(rule));
}

bool is_domain(std::string_view text) {
  return !text.empty() && text.size() <= kMaxDomainBytes && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
}

Status check_words(const Charter& charter) {
  if (!is_group_id(charter.group)) return broken("its group must be 32 hexadecimal digits in lower case.");
  if (!is_domain(charter.domain)) return broken("its domain must be 1 to 64 of a-z, 0-9, \".\" and \"-\".");
  if (!check_name(charter.name))
    return broken("its name must be 1 to 64 bytes of readable text." + hidden_in(charter.name));
  const std::string hidden = hidden_in(charter.purpose);
  if (charter.purpose.empty() || charter.purpose.size() > kMaxPurposeBytes || !hidden.empty())
    return broken("its purpose must be 1 to 1000 bytes of readable text on one line." + hidden);
  return {};
}

Status check_times(const Charter& charter) {
  if (charter.not_before < 0 || charter.not_after <= charter.not_before)
    return broken("it must end after it begins (not_before, not_after).");
  if (charter.not_after - charter.not_before > kLongestWindowSeconds)
    return broken("it may last 400 days at most; a longer one is renewed by an amendment (not_before, not_after).");
  if (charter.grace_days < 0 || charter.grace_days > kMostGraceDays)
    return broken("the days of grace after its end are 0 to 90 (grace_days).");
  if (charter.clock_skew_seconds < 0 || charter.clock_skew_seconds > kLargestClockSkewSeconds)
    return broken("the skew of clocks is 0 to 3600 seconds (clock_skew_s).");
  return {};
}

Status check_quorums(const Charter& charter) {
  const std::size_t count = charter.members.size();
  if (count < kFewestMembers || count > kMostMembers)
    return broken(fmt::format("it has {} members, and a group has 2 to 16.", count));
  if (charter.finding_quorum < kFewestMembers || charter.finding_quorum > count)
    return broken(fmt::format("a finding of {} members needs 2 to {} signatures, not {} (finding_quorum).", count,
                              count, charter.finding_quorum));
  if (charter.log_quorum < log::log_quorum(count) || charter.log_quorum > count)
    return broken(
        fmt::format("the logs of {} members need {} to {} holders, not {} (log_quorum): fewer could be shown "
                    "two histories.",
                    count, log::log_quorum(count), count, charter.log_quorum));
  return {};
}

Status check_chain(const Charter& charter) {
  if (charter.seq < 1 || charter.seq > kMostVersions)
    return broken(
        fmt::format("it is version {}, and a dossier, which carries all of them, has room for {}; found the "
                    "group anew (seq).",
                    charter.seq, kMostVersions));
  if (charter.seq == 1 && charter.prev != Digest{}) return broken("the first version has none before it (prev).");
  return {};
}

auto order_of(const AllowedQuestion& question) {
  return std::pair(indicator::name_of(question.type), name_of(question.function));
}

Status check_questions(const Charter& charter) {
  if (charter.questions.empty()) return broken("it allows no question, so nothing could ever be asked (questions).");
  for (std::size_t i = 0; i < charter.questions.size(); ++i) {
    const AllowedQuestion& question = charter.questions[i];
    if (i > 0 && order_of(charter.questions[i - 1]) >= order_of(question))
      return broken("its questions must stand once each, ascending by type and function (questions).");
    for (const NamedCap& cap : kNamedCaps) {
      const std::int64_t value = question.caps.*cap.value;
      if (value < cap.least || value > kLargestCap)
        return broken(fmt::format("{} of {} {} is {} to {}.", cap.name, indicator::name_of(question.type),
                                  name_of(question.function), cap.least, kLargestCap));
    }
    if (question.caps.probe_items_group_30d < question.caps.probe_items_30d)
      return broken(
          fmt::format("what all members together may enter of {} is less than what one may "
                      "(max_probe_items_group_30d).",
                      indicator::name_of(question.type)));
  }
  return {};
}

Status check_admission(const Charter& charter) {
  const auto& [epoch_days, types] = charter.admission;
  if (epoch_days < 1 || epoch_days > kLongestEpochDays)
    return broken(fmt::format("an epoch of admission has 1 to {} days (epoch_days).", kLongestEpochDays));
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (i > 0 && indicator::name_of(types[i - 1].type) >= indicator::name_of(types[i].type))
      return broken("its types for admission must stand once each, ascending (admission).");
    if (types[i].most < 1 || types[i].most > kLargestCap)
      return broken(
          fmt::format("{} of {} is 1 to {}.", kAdmissionCapName, indicator::name_of(types[i].type), kLargestCap));
  }
  return {};
}

Status check_protocols(const Charter& charter) {
  const auto& protocols = charter.protocols;
  if (protocols.empty()) return broken("it allows no protocol (protocols).");
  for (std::size_t i = 0; i < protocols.size(); ++i) {
    if (std::ranges::find(kProtocols, protocols[i]) == kProtocols.end() || (i > 0 && protocols[i - 1] >= protocols[i]))
      return broken("its protocols are \"classic\" and \"fast\", ascending, once each (protocols).");
  }
  return {};
}

Status check_member_names(const Charter& charter, const CharterMember& member) {
  const std::string origin = log_key_name(charter.domain, charter.group, member.keys.nick);
  if (member.keys.log.name != origin || member.keys.node.name != origin + "/node" ||
      member.keys.cosign.name != origin + "/mirror")
    return broken(fmt::format("the keys of {} do not bear the names that belong to this group.", member.keys.nick));
  if (member.id.type != log::KeyType::ed25519 || !member.id.name.ends_with(fmt::format("/m/{}/id", member.keys.nick)))
    return broken(fmt::format("the id key of {} does not bear its nick.", member.keys.nick));
  return {};
}

/// Every key of every member, each once: who could use one for two roles could say one thing in another's name.
Status check_members(const Charter& charter) {
  std::vector<log::MemberKeys> members;
  for (const CharterMember& member : charter.members) members.push_back(member.keys);
  TRY_STATUS(log::admit_members(members));
  std::set<ByteArray<32>> keys;
  for (std::size_t i = 0; i < charter.members.size(); ++i) {
    const CharterMember& member = charter.members[i];
    if (i > 0 && charter.members[i - 1].keys.nick >= member.keys.nick)
      return broken("its members must stand ascending by nick (members).");
    TRY_STATUS(check_member_names(charter, member));
    TRY_STATUS(log::admit_public_key(member.id.key));
    TRY_STATUS(log::admit_public_key(member.tls_key));
    for (const ByteArray<32>& key :
         {member.id.key, member.tls_key, member.keys.node.key, member.keys.log.key, member.keys.cosign.key}) {
      if (!keys.insert(key).second)
        return broken(fmt::format("a key of {} stands in it a second time; each role of each member has its own.",
                                  member.keys.nick));
    }
  }
  return {};
}

}  // namespace

std::string_view name_of(Function function) {
  return function == Function::count ? "count" : "intersection";
}

std::optional<Function> function_named(std::string_view name) {
  for (const Function function : kAllFunctions)
    if (name_of(function) == name) return function;
  return std::nullopt;
}

const AdmissionCap* AdmissionClause::cap(indicator::Type type) const {
  const auto found = std::ranges::find(types, type, &AdmissionCap::type);
  return found == types.end() ? nullptr : &*found;
}

const CharterMember* Charter::member(std::string_view nick) const {
  const auto found = std::ranges::find_if(members, [&](const auto& member) { return member.keys.nick == nick; });
  return found == members.end() ? nullptr : &*found;
}

const CharterMember* Charter::member_by_id(const log::VerifierKey& id) const {
  const auto found = std::ranges::find_if(members, [&](const auto& member) { return member.id == id; });
  return found == members.end() ? nullptr : &*found;
}

const AllowedQuestion* Charter::question(indicator::Type type, Function function) const {
  const auto found = std::ranges::find_if(questions, [&](const AllowedQuestion& question) {
    return question.type == type && question.function == function;
  });
  return found == questions.end() ? nullptr : &*found;
}

std::string short_id(std::string_view group) {
  return std::string(group.substr(0, kShortGroupIdDigits));
}

bool is_group_id(std::string_view text) {
  return text.size() == kGroupIdDigits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string log_key_name(std::string_view domain, std::string_view group, std::string_view nick) {
  return fmt::format("{}/g/{}/m/{}", domain, short_id(group), nick);
}

Status check_terms(const Charter& charter) {
  TRY_STATUS(check_words(charter));
  TRY_STATUS(check_chain(charter));
  TRY_STATUS(check_times(charter));
  TRY_STATUS(check_protocols(charter));
  TRY_STATUS(check_admission(charter));
  return check_questions(charter);
}

Status check_charter(const Charter& charter) {
  TRY_STATUS(check_terms(charter));
  TRY_STATUS(check_quorums(charter));
  return check_members(charter);
}

Result<std::vector<std::size_t>> signers_without_strangers(const log::Note& note,
                                                           std::span<const log::VerifierKey> keys) {
  for (const log::NoteSignature& signature : note.signatures) {
    const bool known = std::ranges::any_of(
        keys, [&](const log::VerifierKey& key) { return key.name == signature.name && key.id() == signature.key_id; });
    if (!known)
      return fail(Errc::signature, fmt::format("{} signed, and has no part in it.",
                                               visible(std::string_view(signature.name).substr(0, 80))));
  }
  TRY(auto signers, log::verified_signers(note, keys));
  if (signers.size() != note.signatures.size())
    return fail(Errc::signature, "A member's signature stands in it more than once.");
  return signers;
}

bool SignedCharter::signed_by(std::string_view nick) const {
  return std::ranges::find(signers, nick) != signers.end();
}

std::vector<std::string> SignedCharter::unsigned_members() const {
  std::vector<std::string> missing;
  for (const CharterMember& member : charter.members)
    if (!signed_by(member.keys.nick)) missing.push_back(member.keys.nick);
  return missing;
}

Result<SignedCharter> read_founding(std::string_view text) {
  TRY(const log::Note note, log::parse_note(text));
  SignedCharter read;
  TRY(read.charter, read_charter_unverified(note));
  if (read.charter.seq != 1)
    return fail(Errc::format, fmt::format("This is version {} of a charter; the first one is due.", read.charter.seq));
  std::vector<log::VerifierKey> keys;
  for (const CharterMember& member : read.charter.members) keys.push_back(member.id);
  TRY(const auto signers, signers_without_strangers(note, keys));
  for (const std::size_t signer : signers) read.signers.push_back(read.charter.members[signer].keys.nick);
  read.note = text;
  read.hash = charter_hash(note.text);
  return read;
}

Result<SignedCharter> read_founded(std::string_view note) {
  TRY(SignedCharter read, read_founding(note));
  const std::vector<std::string> missing = read.unsigned_members();
  if (!missing.empty())
    return fail(Errc::signature,
                fmt::format("The charter of {} is not in force: {} {} not signed it.", visible(read.charter.name),
                            in_words(missing), missing.size() == 1 ? "has" : "have"));
  return read;
}

std::string in_words(std::span<const std::string> nicks) {
  std::string words;
  for (std::size_t i = 0; i < nicks.size(); ++i) {
    if (i > 0) words += i + 1 == nicks.size() ? " and " : ", ";
    words += nicks[i];
  }
  return words;
}

}  // namespace parley::group
