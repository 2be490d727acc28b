// What the records of the operator log add up to: who is an operator, which acts need two persons, and what waits for
// the second one. A pure fold: the rules for what may be recorded are the rules by which a log is verified.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "base/secret.h"
#include "log/pjson.h"
#include "operators/credential.h"
#include "operators/record.h"

namespace parley::operators {

inline constexpr std::size_t kMaxOperators = 64;
inline constexpr std::size_t kMaxRequests = 64;  ///< that wait at once
inline constexpr UnixSeconds kRequestLifeSeconds = 7 * 24 * 3600;

/// The keyed hash that stands for a value in records.
class SubjectKey {
 public:
  explicit SubjectKey(Secret<32> key) : key_(std::move(key)) {}
  /// HMAC-SHA-256 of `kind`, a zero byte, `value`.
  Digest of(std::string_view kind, std::string_view value) const;

 private:
  Secret<32> key_;
};

/// What can be made to need two persons.
enum class Rule : std::uint8_t { reveal, standing_rule, audit_export };
inline constexpr std::array kAllRules = {Rule::reveal, Rule::standing_rule, Rule::audit_export};
std::string_view name_of(Rule rule);
std::optional<Rule> rule_named(std::string_view name);

struct Operator {
  std::string name;
  OperatorKey key;
  UnixSeconds added = 0;
  std::string added_by;  ///< empty: nobody was registered yet
};

/// What one operator wants and another has to agree to.
struct Request {
  std::uint64_t seq = 0;  ///< its number in the log
  std::string rule;       ///< a Rule's name, or one of the kinds below
  std::string by;
  Digest subject{};  ///< of the words that the second person is shown
  UnixSeconds time = 0;
  std::string confirmed_by;  ///< empty: waits
};
// As long as a rule is on, these need two persons too: else one could bring another self, or end the rule.
inline constexpr std::string_view kOperatorAdd = "operator-add";
inline constexpr std::string_view kOperatorRemove = "operator-remove";
inline constexpr std::string_view kRuleOff = "rule-off";

/// The kind of subject that a request's words are.
inline constexpr std::string_view kRequestSubject = "request";

// The words of such requests.
std::string words_of_add(std::string_view name, std::string_view key_line);
std::string words_of_remove(std::string_view name);
std::string words_of_rule_off(Rule rule);

class Roster {
 public:
  const std::map<std::string, Operator, std::less<>>& operators() const { return operators_; }
  const std::set<Rule>& rules() const { return rules_; }
  const std::map<std::uint64_t, Request>& requests() const { return requests_; }

  bool is_known(std::string_view name) const { return operators_.contains(name); }
  /// Revealing in advance is revealing.
  bool needs_two(Rule rule) const;
  /// The request that `name` made for exactly this and that nobody has used, refused or let expire by `now`.
  const Request* request(std::string_view rule, std::string_view name, const Digest& subject, UnixSeconds now) const;

  /// Whether an operator of this name and key can be added, or this one removed, confirmed or not.
  /// @error Errc::usage, Errc::exists, Errc::limit, Errc::not_found, Errc::policy
  Status check_add(std::string_view name, const OperatorKey& key) const;
  Status check_remove(std::string_view name) const;

  /// Takes the next record, or says in a sentence why it may not stand there. Signatures, numbers and times are the
  /// log's. @error Errc::policy, Errc::not_found, Errc::exists, Errc::limit
  Status apply(const Record& record, const SubjectKey& subjects);

  log::Json to_json() const;
  /// @error Errc::format
  static Result<Roster> from_json(const log::Json& json);

 private:
  Status check_author(const Record& record) const;
  Status add(const Record& record, const SubjectKey& subjects);
  Status remove(const Record& record, const SubjectKey& subjects);
  Status set_rule(const Record& record, const SubjectKey& subjects);
  Status request(const Record& record);
  Status decide(const Record& record);
  Status use(const Record& record);
  /// Takes the confirmed request that `record` names, where a rule is on.
  Status second_person(const Record& record, std::string_view rule, const Digest& subject);

  std::map<std::string, Operator, std::less<>> operators_;
  std::set<Rule> rules_;
  std::map<std::uint64_t, Request> requests_;
};

}  // namespace parley::operators
