// parley canary add, remove, commit: decoys that stand ready in every two-sided session.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "cli/canary_command.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMaxListBytes = 1 << 20;

struct AddArguments {
  std::string group, kind, why, type, file;
  std::vector<std::string> values;
  std::int64_t eps_ppm = 0;
};

// --- add, remove ----------------------------------------------------------------------------------------------------

Result<std::vector<std::string>> values_from(Workplace& at, const AddArguments& arguments) {
  std::vector<std::string> values = arguments.values;
  if (!arguments.file.empty()) {
    Bytes content;
    if (arguments.file == "-") {
      TRY(content, at.console.read_input(kMaxListBytes));
    } else {
      TRY(content, read_file(at.console.resolve(arguments.file), kMaxListBytes));
    }
    std::string_view rest = as_text(content);
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      if (end > 0) values.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  if (values.empty()) return fail(Errc::usage, "No value is given: name some, or a file with one a line.");
  return values;
}

// A value as the first of the kind's types that it is.
Result<indicator::Canonical> value_of_kind(const group::CanaryKind& kind, const std::string& wanted,
                                           const std::string& text) {
  for (const indicator::Type type : kind.types) {
    if (!wanted.empty() && indicator::name_of(type) != wanted) continue;
    auto value = indicator::canonicalise(type, text);
    if (value && value->type() == type) return *std::move(value);
  }
  return fail(Errc::format,
              fmt::format("\"{}\" is no value of which a {} can be made: {}.", visible(text), kind.name, kind.what));
}

/// What we hold ourselves is no canary: an honest member may hold it as we do.
Status refuse_own_material(vault::Vault& vault, std::span<const indicator::Canonical> values) {
  TRY(const auto held, in_own_material(vault, {values.begin(), values.end()}));
  if (held.empty()) return {};
  return fail(Errc::exists,
              fmt::format("{} stands in your own material: others may have seen it as you did, so it is no canary. "
                          "Nothing was added.",
                          visible(held.begin()->value())));
}

Status add(Workplace& at, const AddArguments& arguments) {
  TRY(const vault::GroupRow row, at.vault.group(arguments.group));
  const group::CanaryKind* kind = group::canary_kind(arguments.kind);
  if (kind == nullptr) return fail(Errc::usage, "--kind names no kind of canary.");
  TRY(const std::vector<std::string> texts, values_from(at, arguments));
  std::vector<indicator::Canonical> values;
  for (const std::string& text : texts) {
    TRY(indicator::Canonical value, value_of_kind(*kind, arguments.type, text));
    values.push_back(std::move(value));
  }
  TRY_STATUS(refuse_own_material(at.vault, values));
  std::size_t waiting = 0;
  const Status done = at.vault.together([&]() -> Status {
    TRY(group::CanaryBook book, group::CanaryBook::load(at.vault, row.id));
    for (const indicator::Canonical& value : values) {
      const group::Canary canary{.indicator = value,
                                 .kind = arguments.kind,
                                 .why_nobody_holds = visible(arguments.why),
                                 .eps_ppm = arguments.eps_ppm,
                                 .created = wall_clock_now()};
      TRY(const group::Canary checked, group::make_canary(value.type(), value.value(), canary.reason()));
      TRY_STATUS(book.add(checked));
    }
    waiting = book.waiting().size();
    return book.save(at.vault, row.id);
  });
  TRY_STATUS(done);
  at.console.say(
      fmt::format("Added {}; {} wait for the next set of {}. They lie sealed, apart from your material; "
                  "parley canary commit {} puts the set into your log, and 24 hours later it is in use.",
                  values.size(), in_words_of(waiting), row.name, row.name));
  return {};
}

Status remove(Workplace& at, const std::string& group, const std::string& text) {
  TRY(const vault::GroupRow row, at.vault.group(group));
  const Status done = at.vault.together([&]() -> Status {
    TRY(group::CanaryBook book, group::CanaryBook::load(at.vault, row.id));
    Status removed = fail(Errc::not_found, "This value is no canary of this group.");
    for (const indicator::Type type : indicator::kAllTypes) {
      const auto value = indicator::canonicalise(type, text);
      if (value && value->type() == type && book.remove(*value)) removed = {};
    }
    TRY_STATUS(removed);
    return book.save(at.vault, row.id);
  });
  TRY_STATUS(done);
  at.console.say("It enters no session any more.");
  return {};
}

// --- commit ---------------------------------------------------------------------------------------------------------

Status commit(Workplace& at, const std::string& group) {
  TRY(const vault::GroupRow row, at.vault.group(group));
  TRY(const group::CanaryBook book, group::CanaryBook::load(at.vault, row.id));
  if (!book.has_news(wall_clock_now())) {
    const UnixSeconds newest = book.sets().back().time;
    return fail(
        Errc::exists,
        fmt::format("The newest set, of {}, has the same canaries, and another would begin to age anew. Nothing "
                    "was done: put more aside (parley canary add), or come again from {} on, before this set "
                    "is too old.",
                    to_rfc3339(newest), to_rfc3339(newest + group::kCanaryRenewal)));
  }
  TRY(const group::CanaryBook::Committed committed, commit_canaries(at, row.id));
  at.console.say(fmt::format(
      "A set with {} canaries stands in your log as entry {}. The others see a root over 64 leaves: neither the values "
      "nor how many they are. It is in use once enough members have held it for 24 hours.",
      committed.set.canaries().size(), committed.seq));
  at.console.say(accident_in_words(book, committed.set));
  return {};
}

std::string kinds_in_words() {
  std::string words;
  for (const group::CanaryKind& kind : group::canary_kinds())
    words += fmt::format("{}{}: {}", words.empty() ? "" : "; ", kind.name, kind.what);
  return words;
}

}  // namespace

Result<std::set<indicator::Canonical>> in_own_material(vault::Vault& vault,
                                                       const std::set<indicator::Canonical>& values) {
  std::set<indicator::Canonical> held;
  std::set<indicator::Type> types;
  for (const indicator::Canonical& value : values) types.insert(value.type());
  if (values.empty()) return held;
  TRY_STATUS(vault.for_each({.types = {types.begin(), types.end()}, .label = {}, .since = {}, .tlp_max = {}},
                            [&](const vault::Item& item) -> Status {
                              if (values.contains(item.indicator)) held.insert(item.indicator);
                              return {};
                            }));
  return held;
}

std::string in_words_of(std::size_t canaries) {
  return canaries == 1 ? std::string("1 canary") : fmt::format("{} canaries", canaries);
}

Result<group::CanaryBook::Committed> commit_canaries(Workplace& at, const std::string& group) {
  TRY(const auto log, at.groups.log(group));
  TRY(group::CanaryBook book, group::CanaryBook::load(at.vault, group));
  TRY(const group::CanarySet set, book.draw());
  TRY([[maybe_unused]] const mirror::EntryView entry,
      log->append(mirror::draft_for_everyone(log::kCanarySet, group::canary_set_body(set.root())),
                  [&](const mirror::EntryView& written) -> Status {
                    // Read again: a session may have shown a canary to somebody meanwhile.
                    TRY(book, group::CanaryBook::load(at.vault, group));
                    book.committed(set, written.leaf_hash, written.entry.seq, written.entry.time);
                    return book.save(at.vault, group);
                  }));
  return book.sets().back();
}

std::string rounded(double ratio) {
  if (ratio < 1) return fmt::format("{:.2g}", ratio);
  if (ratio >= 1e9) return "more than a thousand million";
  double scale = 1;
  while (ratio / scale >= 100) scale *= 10;
  const auto digits = static_cast<std::int64_t>(ratio / scale);
  std::string text = std::to_string(digits * static_cast<std::int64_t>(scale));
  for (std::size_t place = text.size(); place > 3; place -= 3) text.insert(place - 3, ",");
  return text;
}

std::string accident_in_words(const group::CanaryBook& book, const group::CanarySet& set) {
  std::vector<std::int64_t> chances;
  for (const group::CanarySet::Leaf& leaf : set.canaries())
    if (!book.is_published(leaf.canary.indicator)) chances.push_back(leaf.canary.eps_ppm);
  const double chance = group::chance_of_accident(chances);
  if (chance <= 0)
    return "By your own estimates no honest member meets enough of these canaries for an alarm by accident: one hit "
           "alone is none.";
  std::string words = fmt::format(
      "By your own estimates at most one in {} honest members meets enough of these canaries for an alarm by accident, "
      "in a session about all of their types.",
      rounded(1 / chance));
  if (chance > group::kRareAccident)
    words +=
        " That is more than one in 100,000: fewer canaries, or such that are held more seldom, accuse fewer who did "
        "nothing.";
  return words;
}

void add_canary(Command& program, Chosen& chosen) {
  Command* family = program.add_subcommand(
      "canary", "Decoys that nobody honest holds: how a guesser among the members is noticed, and what it proves");
  family->require_subcommand(1);

  const auto adding = std::make_shared<AddArguments>();
  Command* add_command = family->add_subcommand("add", "Put values aside for the next set");
  add_command->add_option("GROUP", adding->group, "The group, as group list prints it")->required();
  add_command->add_option("VALUE", adding->values, "Values that a guesser would try and that nobody holds");
  add_command->add_option("--file", adding->file, "A file with one value a line; - is the input");
  std::vector<std::string> kinds;
  for (const group::CanaryKind& kind : group::canary_kinds()) kinds.emplace_back(kind.name);
  add_command->add_option("--kind", adding->kind, "How they were made. " + kinds_in_words())
      ->required()
      ->check(is_member(kinds));
  add_command->add_option("--why", adding->why, "Why nobody holds them: what an alarm will tell all members")
      ->required()
      ->check(Check(
          [](const std::string& text) {
            return text.empty() || visible(text).size() > group::kMaxCanaryReasonBytes
                       ? std::string("a sentence of at most 512 bytes is expected")
                       : std::string();
          },
          "SENTENCE"));
  add_command
      ->add_option("--eps-ppm", adding->eps_ppm,
                   "In how many of 1,000,000 honest members one of them would be all the same. Up to 100, one hit is "
                   "enough for an alarm; above, two are needed")
      ->required()
      ->check(in_range(std::int64_t{1}, group::kMostEpsilonPpm));
  add_command->add_option("--type", adding->type, "Their type, where the kind has several")
      ->check(type_name_validator());
  add_command->callback(at_work(chosen, [adding](Workplace& at) { return add(at, *adding); }));

  const auto removing = std::make_shared<std::pair<std::string, std::string>>();
  Command* remove_command = family->add_subcommand("remove", "Take a canary out of use");
  remove_command->add_option("GROUP", removing->first, "The group, as group list prints it")->required();
  remove_command->add_option("VALUE", removing->second, "The canary")->required();
  remove_command->callback(
      at_work(chosen, [removing](Workplace& at) { return remove(at, removing->first, removing->second); }));

  const auto committing = std::make_shared<std::string>();
  Command* commit_command =
      family->add_subcommand("commit", "Put the next set, with what nobody has seen of the last one, into your log");
  commit_command->add_option("GROUP", *committing, "The group, as group list prints it")->required();
  commit_command->callback(at_work(chosen, [committing](Workplace& at) { return commit(at, *committing); }));

  add_canary_status(*family, chosen);
  add_canary_alarm(*family, chosen);
}

}  // namespace parley::cli
