// Rules from TOML.
#include "node/rules.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/text.h"

namespace parley::node {
namespace {

constexpr std::size_t kMaxRulesBytes = 1 << 20;
constexpr std::string_view kForm =
    "A rule file has [[rule]] tables with the keys peer, question, direction, types, max_padded, label, and verdict "
    "(accept, decline or ask).";

std::string place(const toml::node& node) {
  return fmt::format("line {}", node.source().begin.line);
}

std::optional<Verdict> verdict_named(std::string_view name) {
  if (name == "accept") return Verdict::accept;
  if (name == "decline") return Verdict::decline;
  if (name == "ask") return Verdict::ask;
  return std::nullopt;
}

Result<std::vector<indicator::Type>> read_types(const toml::node& node) {
  const toml::array* array = node.as_array();
  if (array == nullptr) return fail(Errc::format, "types must be a list of type names.", place(node));
  std::vector<indicator::Type> types;
  for (const toml::node& entry : *array) {
    const auto name = entry.value<std::string_view>();
    const auto type = name ? indicator::type_named(*name) : std::nullopt;
    if (!type)
      return fail(Errc::format,
                  "types names something that is no type of indicator; see parley ask --help for the names.",
                  place(entry));
    types.push_back(*type);
  }
  return types;
}

Status read_key(std::string_view key, const toml::node& value, Rule& rule) {
  const auto text = value.value<std::string>();
  if (key == "peer" && text) {
    rule.peer = *text;
  } else if (key == "label" && text) {
    rule.label = *text;
  } else if (key == "question" && text && session::function_named(*text)) {
    rule.question = session::function_named(*text);
  } else if (key == "direction" && text && session::direction_named(*text)) {
    rule.direction = session::direction_named(*text);
  } else if (key == "verdict" && text && verdict_named(*text)) {
    rule.verdict = *verdict_named(*text);
  } else if (key == "max_padded" && value.is_integer() && *value.value<std::int64_t>() > 0) {
    rule.max_padded = static_cast<std::uint64_t>(*value.value<std::int64_t>());
  } else if (key == "types") {
    TRY(rule.types, read_types(value));
  } else {
    return fail(
        Errc::format,
        fmt::format("\"{}\" is not a key of a rule, or its value is not one that it can have. {}", visible(key), kForm),
        place(value));
  }
  return {};
}

Result<std::vector<Rule>> read_rules(std::string_view content) {
  toml::table table;
  try {
    table = toml::parse(content);
  } catch (const toml::parse_error& error) {
    return fail(Errc::format, "This is not TOML: " + visible(error.description()) + ".",
                fmt::format("line {}", error.source().begin.line));
  }
  std::vector<Rule> rules;
  for (const auto& [name, node] : table) {
    const toml::array* list = node.as_array();
    if (name != "rule" || list == nullptr) return fail(Errc::format, std::string(kForm), place(node));
    for (const toml::node& entry : *list) {
      const toml::table* keys = entry.as_table();
      if (keys == nullptr) return fail(Errc::format, std::string(kForm), place(entry));
      Rule rule;
      if (!keys->contains("verdict"))
        return fail(Errc::format, "This rule has no verdict: say accept, decline or ask.", place(entry));
      for (const auto& [key, value] : *keys) TRY_STATUS(read_key(key.str(), value, rule));
      rules.push_back(std::move(rule));
    }
  }
  return rules;
}

}  // namespace

bool Rule::fits(const session::Offer& offer) const {
  if (!peer.empty() && peer != offer.peer) return false;
  if (question && *question != offer.question.function) return false;
  if (direction && *direction != offer.question.direction) return false;
  if (max_padded && offer.their_padded > *max_padded) return false;
  return types.empty() || std::ranges::all_of(offer.question.types, [&](indicator::Type asked) {
           return std::ranges::find(types, asked) != types.end();
         });
}

Result<AcceptRules> AcceptRules::load(const std::string& text) {
  AcceptRules rules;
  rules.source_ = text;
  if (text == "ask") return rules;
  if (text == "all") {
    Rule everything;
    everything.verdict = Verdict::accept;
    rules.rules_.push_back(everything);
    return rules;
  }
  auto content = read_file(text, kMaxRulesBytes);
  if (!content)
    return fail(content.error().code, "--accept takes all, ask, or a rule file. " + content.error().message, text);
  auto read = read_rules(as_text(*content));
  if (!read) return std::unexpected(std::move(read).error().at(text));
  rules.rules_ = *std::move(read);
  return rules;
}

AcceptRules::Judgement AcceptRules::judge(const session::Offer& offer) const {
  for (std::size_t i = 0; i < rules_.size(); ++i)
    if (rules_[i].fits(offer))
      return {rules_[i].verdict, rules_[i].label,
              source_ == "all" ? "--accept all" : fmt::format("rule {} of {}", i + 1, source_), rules_[i].max_padded};
  return {.verdict = Verdict::ask, .label = {}, .by = "no rule"};
}

}  // namespace parley::node
