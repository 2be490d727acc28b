#include "dossier/stix.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/encoding.h"
#include "dossier/detail/marks.h"
#include "dossier/verify.h"
#include "finding/matrix.h"

namespace parley::dossier {
namespace {

using nlohmann::json;  // members ascending by name

/// Namespace of the ids below: UUID version 5 of "parley-stix/1" under the URL namespace of RFC 9562.
constexpr std::array<std::uint8_t, 16> kUrlNamespace = {0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1,
                                                        0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};

using Uuid = std::array<std::uint8_t, 16>;

/// RFC 9562, 5.5.
Uuid uuid5(const Uuid& name_space, std::string_view name) {
  std::string input(reinterpret_cast<const char*>(name_space.data()), name_space.size());
  input += name;
  std::array<std::uint8_t, SHA_DIGEST_LENGTH> digest{};
  SHA1(as_uchar(as_bytes(input)), input.size(), digest.data());
  Uuid uuid{};
  std::copy_n(digest.begin(), uuid.size(), uuid.begin());
  uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0f) | 0x50);
  uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3f) | 0x80);
  return uuid;
}

std::string id_of(std::string_view type, std::string_view name) {
  static const Uuid name_space = uuid5(kUrlNamespace, kStixProfile);
  const Uuid uuid = uuid5(name_space, fmt::format("{}|{}", type, name));
  const std::string hex = to_hex(std::as_bytes(std::span(uuid)));
  return fmt::format("{}--{}-{}-{}-{}-{}", type, hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                     hex.substr(16, 4), hex.substr(20));
}

/// Ids of the TLP 2.0 marking definitions that OASIS publishes for STIX 2.1.
std::string_view tlp_id(indicator::Tlp tlp) {
  constexpr std::array<std::string_view, 5> kIds = {
      "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",  // clear
      "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",  // green
      "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",  // amber
      "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",  // amber+strict
      "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",  // red
  };
  return kIds[static_cast<std::size_t>(tlp)];
}

/// "2018-11-20T00:00:00.000Z", as STIX writes times.
std::string stix_time(UnixSeconds time) {
  std::string text = to_rfc3339(time);
  text.pop_back();
  return text + ".000Z";
}

class Exporter {
 public:
  explicit Exporter(const Contents& contents)
      : contents_(contents),
        finding_(contents.finding),
        hash_(to_hex(contents.signed_finding.hash)),
        time_(stix_time(finding_.created)) {}

  std::string bundle() {
    objects_.push_back(marking_of_pap());
    group_ = add(object("identity", "group " + finding_.group,
                        {{"name", contents_.charter->name}, {"identity_class", "group"}}));
    for (const group::CharterMember& member : contents_.charter->members) add_member(member.keys.nick);
    report_ = id_of("report", hash_);
    add_actor();
    for (const finding::Evidence& evidence : finding_.evidence) add_evidence(evidence);
    add_matrix();
    for (const finding::Evidence& evidence : finding_.evidence) add_sighting(evidence);
    add_grouping();
    for (const finding::SignedDissent& dissent : contents_.dissents) add_dissent(dissent);
    for (const finding::Withdrawn& one : contents_.withdrawals) add_withdrawal(one.signed_withdrawal);
    add_report();
    const json whole = {{"type", "bundle"}, {"id", id_of("bundle", hash_)}, {"objects", objects_}};
    return whole.dump();
  }

 private:
  json object(std::string_view type, const std::string& name, json properties) {
    json made = {{"type", type},
                 {"spec_version", "2.1"},
                 {"id", id_of(type, name)},
                 {"created", time_},
                 {"modified", time_},
                 {"object_marking_refs", json::array({tlp_id(finding_.tlp), pap_id()})}};
    if (!group_.empty()) made["created_by_ref"] = group_;
    made.update(properties);
    return made;
  }
  std::string add(json made) {
    const std::string id = made["id"];
    refs_.push_back(id);
    objects_.push_back(std::move(made));
    return id;
  }

  /// STIX has no marking of its own for the Permissible Actions Protocol: a statement says it.
  std::string pap_id() const { return id_of("marking-definition", pap()); }
  std::string pap() const { return fmt::format("PAP:{}", detail::in_capitals(indicator::name_of(finding_.pap))); }
  json marking_of_pap() const {
    return {{"type", "marking-definition"},
            {"spec_version", "2.1"},
            {"id", pap_id()},
            {"created", time_},
            {"definition_type", "statement"},
            {"definition", {{"statement", pap()}}}};
  }

  std::string member_name(const std::string& nick) const { return "member " + finding_.group + " " + nick; }
  void add_member(const std::string& nick) {
    const auto name = contents_.names.find(nick);
    // The name is the member's own choice, the nick is what the charter says, and what authors are called by.
    add(object("identity", member_name(nick),
               {{"name", name == contents_.names.end() ? nick : name->second},
                {"description", "Nick in the group: " + nick},
                {"identity_class", "organization"}}));
  }

  /// What people wrote, each of its lines behind a mark: whatever it says, it looks like no line of the bundle's own.
  static std::string quoted(std::string_view text) {
    // What else a program may begin a new line at (UAX #14) is in no text: hidden_in().
    std::string lines = "> ";
    for (const char c : text) {
      lines += c;
      if (c == '\n') lines += "> ";
    }
    return lines + "\n";
  }

  /// Of an attribution that is judged likely or more. Names that somebody says are the same stay apart.
  void add_actor() {
    const finding::Hypothesis* judged = finding_.hypothesis(finding_.judgement.hypothesis);
    const bool is_likely =
        finding_.judgement.likelihood && *finding_.judgement.likelihood >= finding::Likelihood::likely;
    if (judged == nullptr || judged->kind != "attribution" || !is_likely) return;
    actor_ = add(object("intrusion-set", hash_ + " " + judged->actor,
                        {{"name", judged->actor}, {"description", quoted(judged->text)}}));
  }

  /// Where an actor is named: of each item that two independent origins or more bear out and that fits the judgement,
  /// by what signers have seen: nobody else says so. How often is said by origins, never by events.
  void add_sighting(finding::Evidence evidence) {
    const auto& signers = contents_.signed_finding.signers;
    std::erase_if(evidence.seen,
                  [&](const finding::Sighting& seen) { return std::ranges::find(signers, seen.by) == signers.end(); });
    const auto cell = finding_.cell(evidence.id, finding_.judgement.hypothesis);
    const bool fits =
        cell && (*cell == finding::Consistency::consistent || *cell == finding::Consistency::very_consistent);
    if (actor_.empty() || !fits || finding::corroboration_of(evidence) < 2) return;
    std::set<std::string> members;
    std::optional<UnixSeconds> first;
    for (const finding::Sighting& seen : evidence.seen) {
      members.insert(seen.by);
      if (seen.first_seen == 0) continue;
      first = std::min(first.value_or(seen.first_seen), seen.first_seen);
    }
    json where = json::array();
    for (const std::string& nick : members) where.push_back(id_of("identity", member_name(nick)));
    json sighting =
        object("sighting", hash_ + " " + evidence.id,
               {{"sighting_of_ref", actor_},
                {"where_sighted_refs", where},
                {"count", finding::corroboration_of(evidence)},
                {"description", fmt::format("Evidence {}, by independent origins of signers", evidence.id)}});
    if (first) sighting["first_seen"] = stix_time(*first);
    if (const auto confidence = finding::stix_confidence_of_information(evidence.grade.information))
      sighting["confidence"] = *confidence;
    working_set_.push_back(add(std::move(sighting)));
  }

  /// The working set: what the judgement was made from, without the judgement.
  void add_grouping() {
    add(object(
        "grouping", hash_,
        {{"name", "Evidence: " + finding_.title}, {"context", "suspicious-activity"}, {"object_refs", working_set_}}));
  }

  void add_withdrawal(const finding::SignedWithdrawal& one) {
    add(object("opinion", to_hex(one.hash),
               {{"opinion", "strongly-disagree"},
                {"explanation", "Withdrew its signature:\n" + quoted(one.withdrawal.reason)},
                {"authors", json::array({one.withdrawal.nick})},
                {"object_refs", json::array({report_})}}));
  }

  static std::string shown(const finding::RedactableText& text) {
    return text.shown ? quoted(text.text) : "The summary is withheld.\n";
  }

  void add_evidence(const finding::Evidence& evidence) {
    json note =
        object("note", hash_ + " " + evidence.id,
               {{"abstract", "Evidence " + evidence.id},
                {"content", fmt::format("{}Admiralty {}{}: source {}, information {}. Independent origins: {}.",
                                        shown(evidence.summary), evidence.grade.source, evidence.grade.information,
                                        finding::words_of_source(evidence.grade.source),
                                        finding::words_of_information(evidence.grade.information),
                                        finding::corroboration_of(evidence))},
                {"object_refs", json::array({report_})}});
    if (const auto confidence = finding::stix_confidence_of_information(evidence.grade.information))
      note["confidence"] = *confidence;
    working_set_.push_back(add(std::move(note)));
  }

  static std::string told(const finding::Hypothesis& one) {
    const std::string actor = one.actor.empty() ? "" : fmt::format("Actor of {}:\n{}", one.id, quoted(one.actor));
    return fmt::format("{} ({}):\n{}{}", one.id, one.kind, quoted(one.text), actor);
  }

  void add_matrix() {
    std::string content;
    for (const finding::Hypothesis& hypothesis : finding_.hypotheses) content += told(hypothesis);
    for (const finding::Row& row : finding_.matrix) {
      content += row.evidence + ":";
      for (const finding::Cell& cell : row.cells)
        content += fmt::format(" {}={}", cell.hypothesis, finding::name_of(cell.value));
      content += "\n";
    }
    for (const finding::Score& score : finding::scores_of(finding_))
      content += fmt::format("against {}: {}\n", score.hypothesis, finding::quarters(score.inconsistency));
    for (const finding::CriticalRow& row : finding::critical_rows(finding_))
      content += fmt::format("without {} the order would be another\n", row.evidence);
    for (const finding::Equivalence& claim : finding_.equivalences)
      content +=
          fmt::format("{} says that\n{}and\n{}are one actor.\n", claim.origin, quoted(claim.name), quoted(claim.other));
    working_set_.push_back(add(object("note", hash_ + " matrix",
                                      {{"abstract", "Analysis of competing hypotheses"},
                                       {"content", content},
                                       {"authors", contents_.signed_finding.signers},
                                       {"object_refs", json::array({report_})}})));
  }

  void add_dissent(const finding::SignedDissent& dissent) {
    using finding::Likelihood;
    std::string explanation;
    bool other_side = false;
    for (const finding::DissentPoint& point : dissent.dissent.points) {
      explanation += point.about;
      if (point.likelihood) {
        explanation += fmt::format(", {}", finding::word_of(*point.likelihood).phrase);
        const auto side = [](Likelihood likelihood) {
          return (likelihood > Likelihood::roughly_even_chance) - (likelihood < Likelihood::roughly_even_chance);
        };
        other_side |= side(*point.likelihood) * side(*finding_.judgement.likelihood) < 0;
      }
      explanation += ":\n" + quoted(point.text);
    }
    add(object("opinion", to_hex(dissent.hash),
               {{"opinion", other_side ? "strongly-disagree" : "disagree"},
                {"explanation", explanation},
                {"authors", json::array({dissent.dissent.nick})},
                {"object_refs", json::array({report_})}}));
  }

  void add_report() {
    const finding::Judgement& judgement = finding_.judgement;
    // What the rules were held against: the text may sound as if it were about another one.
    const finding::Hypothesis* judged = finding_.hypothesis(judgement.hypothesis);
    const std::string description =
        fmt::format("Question:\n{}Judgement, about {}:\n{}{}Likelihood: {}.\nConfidence: {}.\n{}",
                    quoted(finding_.question), judgement.hypothesis, quoted(judgement.text),
                    judged == nullptr ? "" : told(*judged), finding::word_of(*judgement.likelihood).phrase,
                    finding::name_of(*finding_.confidence), quoted(finding_.confidence_why));
    json report = object("report", hash_,
                         {{"name", finding_.title},
                          {"description", description},
                          {"published", time_},
                          {"report_types", json::array({"threat-report"})},
                          {"confidence", finding::stix_confidence(*finding_.confidence)},
                          {"object_refs", refs_},
                          {"external_references",
                           json::array({{{"source_name", "parley"},
                                         {"description", "SHA-256 of the text of the finding that members signed"},
                                         {"external_id", hash_}}})}});
    // What its signers do not stand behind any more is not to be acted on.
    if (!contents_.stands()) report["revoked"] = true;
    objects_.push_back(std::move(report));
  }

  const Contents& contents_;
  const finding::Finding& finding_;
  const std::string hash_, time_;
  std::string group_, report_, actor_;
  json objects_ = json::array();
  std::vector<std::string> refs_, working_set_;
};

}  // namespace

std::string stix_bundle(const Contents& contents) {
  return Exporter(contents).bundle();
}

}  // namespace parley::dossier
