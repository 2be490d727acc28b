// parley canary add, remove, commit, status: decoys that stand ready in every two-sided session.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "admission/epoch.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/canary_command.h"
#include "session/element.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMaxListBytes = 1 << 20;
/// Guessers of whom the status says how likely they are noticed.
constexpr std::array kCovered{0.001, 0.01, 0.1, 0.5};

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

/// Those of `values` that we hold ourselves.
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

/// What we hold ourselves is no canary: an honest member may hold it as we do.
Status refuse_own_material(vault::Vault& vault, std::span<const indicator::Canonical> values) {
  TRY(const auto held, in_own_material(vault, {values.begin(), values.end()}));
  if (held.empty()) return {};
  return fail(Errc::exists,
              fmt::format("{} stands in your own material: others may have seen it as you did, so it is no canary. "
                          "Nothing was added.",
                          visible(held.begin()->value())));
}

std::string in_words_of(std::size_t canaries) {
  return canaries == 1 ? std::string("1 canary") : fmt::format("{} canaries", canaries);
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
  return {};
}

// --- status ---------------------------------------------------------------------------------------------------------

struct GroupStatus {
  vault::GroupRow row;
  group::CanaryBook book;
  const group::CanaryBook::Committed* in_use = nullptr;
  struct Set {
    std::vector<session::Voter> voters;
    std::vector<std::string> against;  // members against whom it is in use
  };
  std::vector<Set> sets = {};                             // as the book has them
  std::int64_t skew_seconds = 0;                          // by which clocks may differ
  std::set<indicator::Canonical> without_tag;             // of those that enter by tags; until then they enter nothing
  std::set<indicator::Canonical> held;                    // what our own material has as well by now
  std::vector<std::pair<std::string, std::string>> hits;  // session, peer

  const Set& of(const group::CanaryBook::Committed& set) const {
    return sets[static_cast<std::size_t>(&set - book.sets().data())];
  }
  Set& of(const group::CanaryBook::Committed& set) { return sets[static_cast<std::size_t>(&set - book.sets().data())]; }
};

Result<std::set<indicator::Canonical>> without_tag(vault::Vault& vault, const group::Membership& membership,
                                                   const group::CanaryBook& book) {
  std::set<indicator::Canonical> lacking;
  vault::Selection selection = membership.admitted();
  TRY(selection.admission, admission::tagged_only(vault, membership, indicator::kAllTypes, wall_clock_now()));
  TRY(const auto maker, session::ElementMaker::make(vault, selection));
  for (const group::CanaryBook::Committed& set : book.sets())
    for (const group::CanarySet::Leaf& leaf : set.set.canaries())
      if (!maker.element_of(leaf.canary.indicator)) lacking.insert(leaf.canary.indicator);
  return lacking;
}

Result<GroupStatus> status_of(Workplace& at, const vault::GroupRow& row) {
  GroupStatus status{.row = row, .book = {}, .in_use = nullptr, .without_tag = {}, .held = {}, .hits = {}};
  TRY(status.book, group::CanaryBook::load(at.vault, row.id));
  TRY(const group::Membership membership, at.groups.membership(row.id));
  TRY(status.in_use, session::canary_set_in_use(status.book, at.vault, membership, wall_clock_now(), {}));
  TRY(const session::AlarmSources sources, session::sources_of(at.vault, membership));
  status.skew_seconds = membership.charter().clock_skew_seconds;
  for (const group::CanaryBook::Committed& set : status.book.sets()) {
    TRY(status.sets.emplace_back().voters, session::voters_on(sources, membership, set.seq));
  }
  for (const group::CharterMember* member : membership.current_members()) {
    const std::string& nick = member->keys.nick;
    if (member == membership.ourselves()) continue;
    TRY(const auto* set, session::canary_set_in_use(status.book, at.vault, membership, wall_clock_now(), nick));
    if (set != nullptr) status.of(*set).against.push_back(nick);
  }
  TRY(status.without_tag, without_tag(at.vault, membership, status.book));
  TRY(status.held, in_own_material(at.vault, status.book.usable()));
  TRY(const auto sessions, at.vault.sessions({.group = row.id}));
  for (const vault::SessionRow& session : sessions) {
    TRY(const auto hits, session::hits_of(at.vault, session.id));
    if (!hits.empty()) status.hits.emplace_back(session.id, session.peer);
  }
  return status;
}

std::string usable_from(const group::CanaryBook::Committed& set) {
  return to_rfc3339(set.time + group::kCanaryAge);
}

/// Whose word on a set is missing or late, and whose clock is ahead: what may keep it out of use.
void print_voters(Console& console, const GroupStatus& status, const group::CanaryBook::Committed& set) {
  for (const session::Voter& voter : status.of(set).voters) {
    const std::string nick = visible(voter.nick);
    if (!voter.holding)
      console.print(fmt::format("    {} has not signed yet that it holds it\n", nick));
    else if (voter.is_ahead(status.skew_seconds))
      console.print(
          fmt::format("    {} states {} for what came here {}: its clock is ahead, and the time when it came "
                      "counts\n",
                      nick, to_rfc3339(voter.holding->stated), to_rfc3339(voter.holding->since)));
    else if (voter.holding->since > set.time + status.skew_seconds)
      console.print(fmt::format("    {} has held it since {}\n", nick, to_rfc3339(voter.holding->since)));
  }
}

OrderedJson voters_json(const GroupStatus& status, const group::CanaryBook::Committed& set) {
  OrderedJson voters = OrderedJson::array();
  for (const session::Voter& voter : status.of(set).voters)
    voters.push_back({{"member", voter.nick},
                      {"since", voter.holding ? OrderedJson(to_rfc3339(voter.holding->since)) : OrderedJson()},
                      {"clock_ahead", voter.is_ahead(status.skew_seconds)}});
  return voters;
}

void print_set(Console& console, const GroupStatus& status, const group::CanaryBook::Committed& set) {
  const UnixSeconds now = wall_clock_now();
  const UnixSeconds ends = set.time + group::kCanaryLastUse;
  const std::vector<std::string>& against = status.of(set).against;
  const std::string only_against =
      visible(fmt::format("in use against {} only, whose word on it is not needed", fmt::join(against, ", ")));
  const std::string_view state = &set == status.in_use ? "in use"
                                 : !against.empty()    ? only_against
                                 : now >= ends         ? "too old: parley canary commit makes the next one"
                                 : now < set.time + group::kCanaryAge
                                     ? "waits for its age"
                                     : "not in use: another is, or not enough members hold it since 24 hours";
  console.print(fmt::format("  set of {} (entry {} of your log): {}, from {} until {}\n", to_rfc3339(set.time), set.seq,
                            state, usable_from(set), to_rfc3339(ends)));
  if (!set.retired.empty())
    console.print(
        fmt::format("    not used any more against {}\n", visible(fmt::format("{}", fmt::join(set.retired, ", ")))));
  print_voters(console, status, set);
  for (const group::CanarySet::Leaf& leaf : set.set.canaries())
    console.print(fmt::format("    {}\t{}\t{}\theld by an honest member: {} in 1,000,000{}\n",
                              indicator::name_of(leaf.canary.indicator.type()), visible(leaf.canary.indicator.value()),
                              leaf.canary.kind, leaf.canary.eps_ppm,
                              status.book.is_published(leaf.canary.indicator) ? "\tseen by all: not used any more"
                              : status.without_tag.contains(leaf.canary.indicator)
                                  ? "\twaits for its tag (parley admit status)"
                                  : ""));
}

void print_chances(Console& console, const group::CanaryBook& book, const group::CanaryBook::Committed& set) {
  std::map<indicator::Type, std::pair<std::size_t, std::int64_t>> by_type;  // how many, and the largest chance
  for (const group::CanarySet::Leaf& leaf : set.set.canaries()) {
    if (book.is_published(leaf.canary.indicator)) continue;
    auto& [count, eps] = by_type[leaf.canary.indicator.type()];
    ++count;
    eps = std::max(eps, leaf.canary.eps_ppm);
  }
  for (const auto& [type, of] : by_type) {
    std::string line =
        fmt::format("  {} of {}: a guesser is noticed in one session", of.first, indicator::name_of(type));
    for (const double covered : kCovered)
      line += fmt::format(", with {:g} % of all at {:.1f} %", 100 * covered,
                          100 * group::chance_of_alarm(covered, of.first, of.second));
    console.print(line + "\n");
  }
}

void print_status(Console& console, const GroupStatus& status) {
  if (status.book.waiting().empty() && status.book.sets().empty())
    console.print(fmt::format("{}: no canaries yet; parley canary add puts some aside\n", status.row.name));
  else
    console.print(
        fmt::format("{}: for the next set: {}\n", status.row.name, in_words_of(status.book.waiting().size())));
  for (const indicator::Canonical& value : status.held)
    console.print(fmt::format(
        "  IN YOUR OWN MATERIAL: {}. An honest member may hold it as you do, and a match on it is no alarm: "
        "parley canary remove {} {}\n",
        visible(value.value()), status.row.name, visible(value.value())));
  for (const group::CanaryBook::Committed& set : status.book.sets()) print_set(console, status, set);
  if (status.in_use != nullptr) print_chances(console, status.book, *status.in_use);
  for (const auto& [session, peer] : status.hits)
    console.print(fmt::format("  HIT in session {} with {}: parley canary alarm {}\n", session.substr(0, 8), peer,
                              session.substr(0, 8)));
}

OrderedJson status_json(const GroupStatus& status) {
  OrderedJson sets = OrderedJson::array(), hits = OrderedJson::array(), held = OrderedJson::array();
  for (const indicator::Canonical& value : status.held) held.push_back(value.value());
  for (const group::CanaryBook::Committed& set : status.book.sets())
    sets.push_back({{"entry", to_hex(set.entry)},
                    {"canaries", set.set.canaries().size()},
                    {"committed", to_rfc3339(set.time)},
                    {"usable_from", usable_from(set)},
                    {"retired_against", set.retired},
                    {"held_by", voters_json(status, set)},
                    {"in_use_against", status.of(set).against},
                    {"in_use", &set == status.in_use}});
  for (const auto& [session, peer] : status.hits) hits.push_back({{"session", session}, {"peer", peer}});
  return {{"group", status.row.name},
          {"waiting", status.book.waiting().size()},
          {"sets", sets},
          {"hits", hits},
          {"in_own_material", held}};
}

Status show_status(Workplace& at, const std::string& group, bool as_json) {
  std::vector<vault::GroupRow> rows;
  if (group.empty()) {
    TRY(rows, at.vault.groups());
  } else {
    TRY(vault::GroupRow row, at.vault.group(group));
    rows.push_back(std::move(row));
  }
  OrderedJson array = OrderedJson::array();
  for (const vault::GroupRow& row : rows) {
    TRY(const auto charters, at.vault.charters(row.id));
    if (charters.empty()) continue;
    TRY(const GroupStatus status, status_of(at, row));
    if (as_json)
      array.push_back(status_json(status));
    else
      print_status(at.console, status);
  }
  if (as_json) at.console.print(to_line(array));
  if (!as_json && rows.empty()) at.console.say("You are in no group yet; canaries are put aside for one group each.");
  if (!as_json) at.console.say(kWhomCanariesPolice);
  return {};
}

std::string kinds_in_words() {
  std::string words;
  for (const group::CanaryKind& kind : group::canary_kinds())
    words += fmt::format("{}{}: {}", words.empty() ? "" : "; ", kind.name, kind.what);
  return words;
}

}  // namespace

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

void add_canary(CLI::App& app, Chosen& chosen) {
  CLI::App* family = app.add_subcommand(
      "canary", "Decoys that nobody honest holds: how a guesser among the members is noticed, and what it proves");
  family->require_subcommand(1);

  const auto adding = std::make_shared<AddArguments>();
  CLI::App* add_command = family->add_subcommand("add", "Put values aside for the next set");
  add_command->add_option("GROUP", adding->group, "The group, as group list prints it")->required();
  add_command->add_option("VALUE", adding->values, "Values that a guesser would try and that nobody holds");
  add_command->add_option("--file", adding->file, "A file with one value a line; - is the input");
  std::vector<std::string> kinds;
  for (const group::CanaryKind& kind : group::canary_kinds()) kinds.emplace_back(kind.name);
  add_command->add_option("--kind", adding->kind, "How they were made. " + kinds_in_words())
      ->required()
      ->check(CLI::IsMember(kinds));
  add_command->add_option("--why", adding->why, "Why nobody holds them: what an alarm will tell all members")
      ->required()
      ->check(CLI::Validator(
          [](std::string& text) {
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
      ->check(CLI::Range(std::int64_t{1}, group::kMostEpsilonPpm));
  add_command->add_option("--type", adding->type, "Their type, where the kind has several")
      ->check(type_name_validator());
  add_command->callback(at_work(chosen, [adding](Workplace& at) { return add(at, *adding); }));

  const auto removing = std::make_shared<std::pair<std::string, std::string>>();
  CLI::App* remove_command = family->add_subcommand("remove", "Take a canary out of use");
  remove_command->add_option("GROUP", removing->first, "The group, as group list prints it")->required();
  remove_command->add_option("VALUE", removing->second, "The canary")->required();
  remove_command->callback(
      at_work(chosen, [removing](Workplace& at) { return remove(at, removing->first, removing->second); }));

  const auto committing = std::make_shared<std::string>();
  CLI::App* commit_command =
      family->add_subcommand("commit", "Put the next set, with what nobody has seen of the last one, into your log");
  commit_command->add_option("GROUP", *committing, "The group, as group list prints it")->required();
  commit_command->callback(at_work(chosen, [committing](Workplace& at) { return commit(at, *committing); }));

  const auto showing = std::make_shared<std::pair<std::string, bool>>();
  CLI::App* status_command = family->add_subcommand("status", "Print sets, what they would notice, and hits");
  status_command->add_option("GROUP", showing->first, "Only this group, as group list prints it");
  status_command->add_flag("--json", showing->second, "Print a JSON array");
  status_command->callback(
      at_work(chosen, [showing](Workplace& at) { return show_status(at, showing->first, showing->second); }));

  add_canary_alarm(*family, chosen);
}

}  // namespace parley::cli
