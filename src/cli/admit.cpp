// parley admit, admit status: tags for guessable indicators, by the help of every member of a group.
#include <fmt/format.h>

#include "admission/counts.h"
#include "base/text.h"
#include "cli/admission_help.h"
#include "cli/json.h"

namespace parley::cli {
namespace {

constexpr auto kNextTry = std::chrono::seconds(5);

struct AdmitArguments {
  std::string group;
  bool wait = false, as_json = false;
};

/// The named group, or all that have a charter with a clause for admission.
Result<std::vector<group::Membership>> memberships(Workplace& at, const std::string& name) {
  std::vector<group::Membership> found;
  TRY(const auto rows, at.vault.groups());
  std::string chosen;
  if (!name.empty()) {
    TRY(const vault::GroupRow row, at.vault.group(name));
    chosen = row.id;
  }
  for (const vault::GroupRow& row : rows) {
    if (row.state != group::kActive || (!chosen.empty() && row.id != chosen)) continue;
    TRY(group::Membership membership, at.groups.membership(row.id));
    if (!membership.charter().admission.types.empty()) found.push_back(std::move(membership));
  }
  if (found.empty())
    return fail(Errc::not_found,
                name.empty() ? std::string("No group of yours asks for admission: all indicators enter as they are.")
                             : fmt::format("The charter of {} asks for no admission: all indicators enter as they are. "
                                           "parley group amend {} --admission TYPE=NUMBER proposes it.",
                                           visible(name), visible(name)));
  return found;
}

std::string counts_in_words(const std::map<indicator::Type, std::int64_t>& counts) {
  std::string words;
  for (const auto& [type, count] : counts)
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", count, indicator::name_of(type));
  return words.empty() ? "nothing" : words;
}

std::string standing_in_words(const admission::HelperStatus& helper) {
  if (helper.away_since != 0) return fmt::format("AWAY since {}", to_rfc3339(helper.away_since));
  if (helper.reached != 0) return fmt::format("reached at {}", to_rfc3339(helper.reached));
  return "not called on yet";
}

void print_overview(Console& console, const group::Membership& membership, const admission::Overview& overview) {
  console.print(fmt::format("{}\tepoch {}\n", visible(membership.group().name), overview.epoch));
  if (!overview.missing.empty())
    console.print(fmt::format(
        "  nothing can be admitted: no key for this epoch in the log of {}. Their nodes write one when they run\n",
        group::in_words(overview.missing)));
  for (const admission::TypeStatus& type : overview.types) {
    console.print(fmt::format("  {}: {} admitted, {} under way, {} waiting; at most {} in an epoch\n",
                              indicator::name_of(type.type), type.admitted, type.under_way, type.waiting, type.cap));
    if (type.rests)
      console.print(
          fmt::format("    {} batches or more went out within a day; the next one that is not full goes within "
                      "some {} minutes, one type after the other\n",
                      admission::kSmallBatchesAtOnce, admission::kNextSmallBatch / 60));
    if (type.waiting > 0 && type.used >= type.cap)
      console.print(
          fmt::format("    the rest waits for the next epoch, by the charter's clause \"admission: {}: {}\"\n",
                      indicator::name_of(type.type), group::kAdmissionCapName));
  }
  for (const admission::HelperStatus& helper : overview.helpers) {
    console.print(fmt::format("  {}: {}; its log counts for you: {}{}\n", helper.nick, standing_in_words(helper),
                              counts_in_words(helper.counts),
                              helper.unanswered > 0 ? fmt::format("; {} wait for its help", helper.unanswered) : ""));
    if (!helper.beyond.empty())
      console.print(
          fmt::format("    {} MORE THAN THIS VAULT ASKED FOR: batches that were spoilt, or lost with an older vault; "
                      "or it counts what "
                      "nobody asked it for. They use up your cap. If the others do not count them, ask its operators\n",
                      counts_in_words(helper.beyond)));
    if (helper.bad_answers > 0)
      console.print(fmt::format(
          "    BAD ANSWERS, {} times, the last at {}: {}. Nothing of them is used, and it is asked before all others\n",
          helper.bad_answers, to_rfc3339(helper.bad_answers_at), visible(helper.bad_answers_why)));
    if (!helper.trouble.empty()) console.print(fmt::format("    {}\n", visible(helper.trouble)));
  }
  for (const admission::OwnerStatus& owner : overview.others)
    console.print(fmt::format("  {} has had admitted: {}\n", owner.nick, counts_in_words(owner.counts)));
}

OrderedJson json_of(const std::map<indicator::Type, std::int64_t>& counts) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [type, count] : counts) json[std::string(indicator::name_of(type))] = count;
  return json;
}

OrderedJson json_of(const group::Membership& membership, const admission::Overview& overview) {
  OrderedJson types = OrderedJson::object(), helpers = OrderedJson::object(), others = OrderedJson::object();
  for (const admission::TypeStatus& type : overview.types)
    types[std::string(indicator::name_of(type.type))] = {{"admitted", type.admitted}, {"under_way", type.under_way},
                                                         {"waiting", type.waiting},   {"rests", type.rests},
                                                         {"used", type.used},         {"max_admissions", type.cap}};
  for (const admission::HelperStatus& helper : overview.helpers)
    helpers[helper.nick] = {{"has_key", helper.has_key},
                            {"reached", helper.reached == 0 ? "" : to_rfc3339(helper.reached)},
                            {"away_since", helper.away_since == 0 ? "" : to_rfc3339(helper.away_since)},
                            {"unanswered", helper.unanswered},
                            {"trouble", helper.trouble},
                            {"bad_answers",
                             {{"times", helper.bad_answers},
                              {"last", helper.bad_answers_at == 0 ? "" : to_rfc3339(helper.bad_answers_at)},
                              {"why", helper.bad_answers_why}}},
                            {"counts", json_of(helper.counts)},
                            {"counts_beyond_ours", json_of(helper.beyond)}};
  for (const admission::OwnerStatus& owner : overview.others) others[owner.nick] = json_of(owner.counts);
  return {{"group", membership.group().name}, {"epoch", overview.epoch},
          {"missing_keys", overview.missing}, {"types", std::move(types)},
          {"helpers", std::move(helpers)},    {"admitted_by_others", std::move(others)}};
}

Status show(Workplace& at, const AdmitArguments& arguments) {
  TRY(const auto groups, memberships(at, arguments.group));
  for (const group::Membership& membership : groups) {
    TRY(const admission::Overview overview, overview_of(at, membership));
    if (arguments.as_json)
      at.console.print(to_line(json_of(membership, overview)));
    else
      print_overview(at.console, membership, overview);
  }
  return {};
}

Status admit(Workplace& at, const AdmitArguments& arguments) {
  std::map<std::string, std::string> said;
  for (bool done = false; !done;) {
    TRY(const auto groups, memberships(at, arguments.group));
    done = true;
    for (const group::Membership& membership : groups) {
      TRY(const admission::Overview overview, admit_once(at, membership, said[membership.group().id]));
      done = done && is_done(overview);
    }
    if (!arguments.wait) break;
    if (!done && !wait_a_little(at.progress, kNextTry))
      return fail(Errc::cancelled, "Stopped. What was admitted so far is kept.");
  }
  if (auto* bar = dynamic_cast<ProgressBar*>(&at.progress)) bar->clear();
  return show(at, arguments);
}

}  // namespace

void add_admit(Command& program, Chosen& chosen) {
  Command* command = program.add_subcommand(
      "admit", "Have guessable indicators admitted to a group: every member helps, counts, and sees none of them");
  const auto arguments = std::make_shared<AdmitArguments>();
  const auto at_work = [&chosen, arguments](Status (*body)(Workplace&, const AdmitArguments&)) {
    chosen.at_work = [arguments, body](Workplace& at) {
      const Status done = body(at, *arguments);
      return done ? 0 : at.console.refuse(done.error());
    };
  };
  command->add_option("--group", arguments->group, "Only this group (default: all that ask for it)");
  command->add_flag("--wait", arguments->wait, "Go on until everything that the charter allows is admitted");
  command->add_flag("--json", arguments->as_json, "Print one JSON object a group");
  command->require_subcommand(0, 1);
  Command* status = command->add_subcommand("status", "Print what is admitted, what waits, and for whom");
  status->add_option("--group", arguments->group, "Only this group (default: all that ask for it)");
  status->add_flag("--json", arguments->as_json, "Print one JSON object a group");
  status->callback([at_work] { at_work(show); });
  command->callback([command, at_work] {
    if (command->chosen() == nullptr) at_work(admit);
  });
}

}  // namespace parley::cli
