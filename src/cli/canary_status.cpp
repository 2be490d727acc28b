// parley canary status: the sets, who holds them, against whom they are in use, and what they would notice.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "admission/epoch.h"
#include "base/encoding.h"
#include "base/text.h"
#include "cli/canary_command.h"
#include "session/canary_hits.h"
#include "session/element.h"

namespace parley::cli {
namespace {

/// Guessers of whom the status says how likely they are noticed.
constexpr std::array kCovered{0.001, 0.01, 0.1, 0.5};

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
  TRY(const session::AlarmSources sources, session::sources_of(at.vault, membership));
  TRY(status.in_use, session::canary_set_in_use(status.book, sources, membership, wall_clock_now(), {}));
  status.skew_seconds = membership.charter().clock_skew_seconds;
  for (const group::CanaryBook::Committed& set : status.book.sets()) {
    TRY(status.sets.emplace_back().voters, session::voters_on(sources, membership, set.seq));
  }
  for (const group::CharterMember* member : membership.current_members()) {
    const std::string& nick = member->keys.nick;
    if (member == membership.ourselves()) continue;
    TRY(const auto* set, session::canary_set_in_use(status.book, sources, membership, wall_clock_now(), nick));
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
  const std::string state = &set == status.in_use ? "in use"
                            : !against.empty()    ? only_against
                            : now >= ends         ? "too old: parley canary commit makes the next one"
                            : now < set.time + group::kCanaryAge
                                ? "waits for its age"
                                : "not in use: another is, or not enough members hold it since 24 hours";
  console.print(fmt::format("  set of {} (entry {} of your log): {}, from {} until {}\n", to_rfc3339(set.time), set.seq,
                            state, usable_from(set), to_rfc3339(ends)));
  if (const std::set<std::string> told = status.book.told_of(set); !told.empty())
    console.print(fmt::format("    says nothing any more against {}, who may have learned of it by an audit\n",
                              visible(fmt::format("{}", fmt::join(told, ", ")))));
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
  console.print(fmt::format("  {}\n", accident_in_words(book, set.set)));
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
                    {"told_to", status.book.told_of(set)},
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

}  // namespace

void add_canary_status(Command& family, Chosen& chosen) {
  const auto showing = std::make_shared<std::pair<std::string, bool>>();
  Command* status_command = family.add_subcommand("status", "Print sets, what they would notice, and hits");
  status_command->add_option("GROUP", showing->first, "Only this group, as group list prints it");
  status_command->add_flag("--json", showing->second, "Print a JSON array");
  status_command->callback(
      at_work(chosen, [showing](Workplace& at) { return show_status(at, showing->first, showing->second); }));
}

}  // namespace parley::cli
