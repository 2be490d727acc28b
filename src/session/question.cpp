// Names, checks and words of a question.
#include "session/question.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"
#include "group/canary.h"

namespace parley::session {
namespace {

constexpr std::size_t kMaxLabelBytes = 256;

}  // namespace

std::string_view name_of(Direction direction) {
  switch (direction) {
    case Direction::mine:
      return "mine";
    case Direction::theirs:
      return "theirs";
    case Direction::both:
      return "both";
  }
  return "";
}

std::optional<Direction> direction_named(std::string_view name) {
  for (const Direction direction : {Direction::mine, Direction::theirs, Direction::both})
    if (name_of(direction) == name) return direction;
  return std::nullopt;
}

vault::Selection asker_selection(const Question& question, vault::Selection admitted) {
  admitted.label = question.label;
  return responder_selection(question, std::move(admitted));
}

vault::Selection responder_selection(const Question& question, vault::Selection admitted) {
  admitted.types = question.types;
  admitted.since = question.since;
  return admitted;
}

std::uint64_t canary_places(const Question& question) {
  return question.direction == Direction::both && question.function == Function::intersection ? group::kCanaryLeaves
                                                                                              : 0;
}

log::Json to_json(const Question& question) {
  log::Json::Array types;
  for (const indicator::Type type : question.types) types.emplace_back(indicator::name_of(type));
  return log::Json::Object{{"direction", name_of(question.direction)},
                           {"function", name_of(question.function)},
                           {"label", question.label},
                           {"since", question.since ? to_rfc3339(*question.since) : std::string()},
                           {"types", std::move(types)}};
}

Result<Question> question_from_json(const log::Json& json) {
  log::ObjectReader reader(json, "the question");
  Question question;
  const auto function = function_named(reader.text("function", 32));
  const auto direction = direction_named(reader.text("direction", 32));
  question.label = reader.text("label", kMaxLabelBytes);
  const std::string since = reader.text("since", 32);
  for (const std::string& name : reader.texts("types", indicator::kAllTypes.size(), 32)) {
    const auto type = indicator::type_named(name);
    if (!type)
      reader.refuse("it asks for indicators of the type \"" + visible(name) + "\", which this program does not know");
    else if (!question.types.empty() && question.types.back() >= *type)
      reader.refuse("its types are not in ascending order");
    else
      question.types.push_back(*type);
  }
  if (!function) reader.refuse("its function is neither intersection nor count");
  if (!direction) reader.refuse("its direction is none of mine, theirs and both");
  if (question.types.empty()) reader.refuse("it names no type of indicator");
  if (!since.empty()) {
    question.since = parse_time(since);
    if (!question.since || to_rfc3339(*question.since) != since)
      reader.refuse("its \"since\" is not an RFC 3339 time in UTC");
  }
  TRY_STATUS(reader.finish());
  question.function = *function;
  question.direction = *direction;
  return question;
}

std::string in_words(const Question& question) {
  std::vector<std::string_view> types;
  for (const indicator::Type type : question.types) types.push_back(indicator::name_of(type));
  std::string words =
      question.function == Function::count ? "how many indicators both hold" : "which indicators both hold";
  words += types.size() == indicator::kAllTypes.size() ? ", of every type"
                                                       : fmt::format(" among {}", fmt::join(types, ", "));
  if (!question.label.empty()) words += fmt::format("; the asker asks about \"{}\"", visible(question.label));
  if (question.since) words += "; seen since " + to_rfc3339(*question.since).substr(0, 10);
  return words;
}

std::string who_learns(const Question& question, bool we_ask) {
  const bool we_learn = we_ask ? question.asker_learns() : question.responder_learns();
  const bool they_learn = we_ask ? question.responder_learns() : question.asker_learns();
  const std::string_view answer = question.function == Function::count
                                      ? "how many indicators both hold"
                                      : "which of its own indicators the other holds too";
  if (we_learn && they_learn) return fmt::format("each side learns {}", answer);
  return fmt::format("{} learns {}; {} learns nothing of it", we_learn ? "this side" : "the other side", answer,
                     we_learn ? "the other side" : "this side");
}

}  // namespace parley::session
