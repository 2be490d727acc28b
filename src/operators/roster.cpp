#include "operators/roster.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/hidden.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace parley::operators {
namespace {

using log::Json;

constexpr std::array<std::string_view, kAllRules.size()> kRuleNames = {"reveal", "standing-rule", "audit-export"};

std::unexpected<Error> no_such_request() {
  return fail(
      Errc::not_found,
      "There is no such request, or it is over, refused or used; parley operator requests lists those that wait.");
}

Status check_name(std::string_view name) {
  if (!name.empty() && name.size() <= kMaxNameBytes && name != kNodeName && is_valid_utf8(name) &&
      visible(name) == name)
    return {};
  return fail(Errc::usage, fmt::format("An operator's name has 1 to {} bytes of visible text, and is not \"{}\".{}",
                                       kMaxNameBytes, kNodeName, hidden_in(name)));
}

Json to_json(const Operator& one) {
  return Json::Object{{"added", one.added}, {"added_by", one.added_by}, {"key", one.key.line()}, {"name", one.name}};
}

Json to_json(const Request& one) {
  return Json::Object{{"by", one.by},
                      {"confirmed_by", one.confirmed_by},
                      {"rule", one.rule},
                      {"seq", static_cast<std::int64_t>(one.seq)},
                      {"subject", to_hex(one.subject)},
                      {"time", one.time}};
}

Result<Operator> operator_from(const Json& json) {
  log::ObjectReader reader(json, "an operator of the vault");
  Operator one;
  one.added = reader.integer("added", 0, log::kMaxInteger);
  one.added_by = reader.text("added_by", kMaxNameBytes);
  const std::string key = reader.text("key", kMaxKeyLineBytes);
  one.name = reader.text("name", kMaxNameBytes);
  TRY_STATUS(reader.finish());
  TRY(one.key, OperatorKey::parse(key));
  return one;
}

Result<Request> request_from(const Json& json) {
  log::ObjectReader reader(json, "a request of an operator");
  Request one;
  one.by = reader.text("by", kMaxNameBytes);
  one.confirmed_by = reader.text("confirmed_by", kMaxNameBytes);
  one.rule = reader.text("rule", kMaxNameBytes);
  one.seq = static_cast<std::uint64_t>(reader.integer("seq", 0, log::kMaxInteger));
  one.subject = reader.digest("subject");
  one.time = reader.integer("time", 0, log::kMaxInteger);
  TRY_STATUS(reader.finish());
  return one;
}

}  // namespace

Digest SubjectKey::of(std::string_view kind, std::string_view value) const {
  Bytes message = to_bytes(kind);
  message.push_back(std::byte{0});
  const Bytes text = to_bytes(value);
  message.insert(message.end(), text.begin(), text.end());
  return crypto::hmac_sha256(key_.expose(), message);
}

std::string_view name_of(Rule rule) {
  return kRuleNames[static_cast<std::size_t>(rule)];
}

std::optional<Rule> rule_named(std::string_view name) {
  const auto found = std::ranges::find(kRuleNames, name);
  if (found == kRuleNames.end()) return std::nullopt;
  return kAllRules[static_cast<std::size_t>(found - kRuleNames.begin())];
}

std::string words_of_add(std::string_view name, std::string_view key_line) {
  return fmt::format("Add the operator {} with the key {}", name, key_line);
}

std::string words_of_remove(std::string_view name) {
  return fmt::format("Remove the operator {}", name);
}

std::string words_of_rule_off(Rule rule) {
  return fmt::format("Let one person alone do this again: {}", name_of(rule));
}

bool Roster::needs_two(Rule rule) const {
  return rules_.contains(rule) || (rule == Rule::standing_rule && rules_.contains(Rule::reveal));
}

const Request* Roster::request(std::string_view rule, std::string_view name, const Digest& subject,
                               UnixSeconds now) const {
  for (const auto& [seq, one] : requests_)
    if (one.rule == rule && one.by == name && one.subject == subject && now < one.time + kRequestLifeSeconds)
      return &one;
  return nullptr;
}

Status Roster::check_author(const Record& record) const {
  const bool by_node = record.by == kNodeName;
  switch (record.kind) {
    case Kind::outcome:
      if (!by_node) return fail(Errc::policy, "How an act ended is for the node to record.");
      return {};
    case Kind::act:
      if (by_node) return {};
      break;
    default:
      if (by_node) return fail(Errc::policy, "The node decides nothing about operators.");
  }
  if (operators_.empty() && record.by.empty()) return {};
  if (record.by.empty())
    return fail(Errc::policy,
                "This vault tells its operators apart. Say who you are: set PARLEY_OPERATOR to your name, as parley "
                "operator list prints it.");
  if (!is_known(record.by))
    return fail(Errc::policy,
                fmt::format("{} is no operator of this vault; parley operator list names all.", visible(record.by)));
  return {};
}

Status Roster::apply(const Record& record, const SubjectKey& subjects) {
  TRY_STATUS(check_author(record));
  std::erase_if(requests_, [&](const auto& one) { return record.time >= one.second.time + kRequestLifeSeconds; });
  switch (record.kind) {
    case Kind::act:
      return record.act ? Status{} : fail(Errc::policy, "An act says which it is.");
    case Kind::outcome:
      return record.of ? Status{} : fail(Errc::policy, "An outcome says of which act it is.");
    case Kind::add:
      return add(record, subjects);
    case Kind::remove:
      return remove(record, subjects);
    case Kind::rule:
      return set_rule(record, subjects);
    case Kind::request:
      return request(record);
    case Kind::confirm:
    case Kind::refuse:
      return decide(record);
    case Kind::use:
      return use(record);
  }
  return fail(Errc::internal, "A record of a kind that there is not.");
}

Status Roster::second_person(const Record& record, std::string_view rule, const Digest& subject) {
  if (rules_.empty()) return {};
  const auto found = record.of ? requests_.find(*record.of) : requests_.end();
  if (found == requests_.end() || found->second.rule != rule || found->second.by != record.by ||
      found->second.subject != subject || found->second.confirmed_by.empty())
    return fail(Errc::policy, "As long as acts need two persons, this needs the confirmation of a second one.");
  requests_.erase(found);
  return {};
}

Status Roster::check_add(std::string_view name, const OperatorKey& key) const {
  TRY_STATUS(check_name(name));
  if (is_known(name)) return fail(Errc::exists, fmt::format("There is an operator {} already.", visible(name)));
  for (const auto& [other, one] : operators_)
    if (one.key.key == key.key)
      return fail(Errc::exists, fmt::format("That is the key of {}: each person has one of its own.", visible(other)));
  if (operators_.size() == kMaxOperators)
    return fail(Errc::limit, fmt::format("A vault has at most {} operators.", kMaxOperators));
  return {};
}

Status Roster::check_remove(std::string_view name) const {
  if (!is_known(name))
    return fail(Errc::not_found,
                fmt::format("There is no operator {}; parley operator list names all.", visible(name)));
  if (operators_.size() == 1)
    return fail(Errc::policy, "The last operator stays: without one, nobody could be told from anybody again.");
  if (!rules_.empty() && operators_.size() == 2)
    return fail(Errc::policy,
                "As long as acts need two persons, two operators stay. Add another one first, or turn the rules off.");
  return {};
}

Status Roster::add(const Record& record, const SubjectKey& subjects) {
  TRY(const OperatorKey key, OperatorKey::parse(record.detail));
  TRY_STATUS(check_add(record.name, key));
  TRY_STATUS(
      second_person(record, kOperatorAdd, subjects.of(kRequestSubject, words_of_add(record.name, record.detail))));
  operators_[record.name] = {.name = record.name, .key = key, .added = record.time, .added_by = record.by};
  return {};
}

Status Roster::remove(const Record& record, const SubjectKey& subjects) {
  TRY_STATUS(check_remove(record.name));
  TRY_STATUS(second_person(record, kOperatorRemove, subjects.of(kRequestSubject, words_of_remove(record.name))));
  operators_.erase(record.name);
  std::erase_if(requests_, [&](const auto& one) {
    return one.second.by == record.name || one.second.confirmed_by == record.name;
  });
  return {};
}

Status Roster::set_rule(const Record& record, const SubjectKey& subjects) {
  const auto rule = rule_named(record.name);
  if (!rule || (record.detail != "on" && record.detail != "off"))
    return fail(Errc::policy, "A two-person rule is for reveal, standing-rule or audit-export, and on or off.");
  if (record.detail == "on") {
    if (operators_.size() < 2)
      return fail(Errc::policy, "A two-person rule needs two operators; parley operator add registers them.");
    if (!rules_.insert(*rule).second) return fail(Errc::exists, "That needs two persons already.");
    return {};
  }
  if (!rules_.contains(*rule)) return fail(Errc::not_found, "That needs no second person now.");
  TRY_STATUS(second_person(record, kRuleOff, subjects.of(kRequestSubject, words_of_rule_off(*rule))));
  rules_.erase(*rule);
  return {};
}

Status Roster::request(const Record& record) {
  if (record.by.empty()) return fail(Errc::policy, "A request is an operator's.");
  if (requests_.size() == kMaxRequests)
    return fail(Errc::limit,
                fmt::format("{} requests wait already. Have some confirmed or refused first.", kMaxRequests));
  requests_[record.seq] = {.seq = record.seq,
                           .rule = record.name,
                           .by = record.by,
                           .subject = record.subject,
                           .time = record.time,
                           .confirmed_by = {}};
  return {};
}

Status Roster::decide(const Record& record) {
  const auto found = record.of ? requests_.find(*record.of) : requests_.end();
  if (found == requests_.end()) return no_such_request();
  if (record.kind == Kind::refuse) {
    requests_.erase(found);
    return {};
  }
  if (found->second.by == record.by)
    return fail(Errc::policy, "Nobody confirms what they asked for themselves: another operator has to.");
  if (!found->second.confirmed_by.empty())
    return fail(Errc::exists, fmt::format("{} has confirmed that already.", visible(found->second.confirmed_by)));
  if (found->second.subject != record.subject)
    return fail(Errc::policy, "What was confirmed is not what was asked for.");
  found->second.confirmed_by = record.by;
  return {};
}

Status Roster::use(const Record& record) {
  const auto found = record.of ? requests_.find(*record.of) : requests_.end();
  if (found == requests_.end()) return no_such_request();
  const Request& one = found->second;
  if (one.by != record.by || one.confirmed_by.empty() || one.rule != record.name || one.subject != record.subject)
    return fail(Errc::policy, "Nobody else has confirmed that.");
  requests_.erase(found);
  return {};
}

Json Roster::to_json() const {
  Json::Array people, rules, requests;
  for (const auto& [name, one] : operators_) people.push_back(operators::to_json(one));
  for (const Rule rule : rules_) rules.emplace_back(name_of(rule));
  for (const auto& [seq, one] : requests_) requests.push_back(operators::to_json(one));
  return Json::Object{{"operators", std::move(people)}, {"requests", std::move(requests)}, {"rules", std::move(rules)}};
}

Result<Roster> Roster::from_json(const Json& json) {
  log::ObjectReader reader(json, "the vault's list of operators");
  const Json::Array& people = reader.array("operators", kMaxOperators);
  const Json::Array& requests = reader.array("requests", kMaxRequests);
  const std::vector<std::string> rules = reader.texts("rules", kAllRules.size(), kMaxNameBytes);
  TRY_STATUS(reader.finish());
  Roster roster;
  for (const Json& one : people) {
    TRY(Operator read, operator_from(one));
    const std::string name = read.name;
    roster.operators_.emplace(name, std::move(read));
  }
  for (const Json& one : requests) {
    TRY(Request read, request_from(one));
    roster.requests_.emplace(read.seq, std::move(read));
  }
  for (const std::string& name : rules) {
    const auto rule = rule_named(name);
    if (!rule) return fail(Errc::format, "The vault's list of operators names a rule that there is not.");
    roster.rules_.insert(*rule);
  }
  return roster;
}

}  // namespace parley::operators
