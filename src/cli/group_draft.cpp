// parley group draft: the terms of a new group.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "cli/group_command.h"

namespace parley::cli {
namespace {

/// Where the drafter says nothing: enough for daily work of two teams, far too little to enumerate anything.
constexpr group::Caps kDefaultCaps{.items_per_session = 262'144,
                                   .sessions_per_day = 8,
                                   .probe_items_30d = 1'048'576,
                                   .probe_items_group_30d = 4'194'304,
                                   .matches_revealed_30d = 5'000,
                                   .fields_per_item = 12};

/// Of each guessable type, where the drafter says nothing. psi.md 6.4: of 10^8 plausible addresses one in a thousand.
constexpr std::int64_t kDefaultAdmissions = 100'000;

struct DraftArguments {
  std::string name, title, purpose, until, from, caps, admission, max_tlp = "amber+strict", out;
  std::int64_t epoch_days = group::AdmissionClause{}.epoch_days;
  std::string domain = "parley.local";
  std::vector<std::string> allow, protocols = {"classic", "fast"};
  std::size_t finding_quorum = 0;
  std::int64_t grace_days = 30, clock_skew_seconds = 600;
};

Status add_questions(group::Charter& terms, const DraftArguments& arguments) {
  group::Caps caps = kDefaultCaps;
  if (!arguments.caps.empty()) {
    TRY(const auto named, caps_option(arguments.caps));
    for (const auto& [cap, value] : named) caps.*cap.value = value;
  }
  for (const std::string& text : arguments.allow) {
    TRY(const QuestionOption option, question_option(text));
    group::Caps own = caps;
    for (const auto& [cap, value] : option.caps) own.*cap.value = value;
    for (const indicator::Type type : option.types) terms.questions.push_back({type, option.function, own});
  }
  sort_questions(terms);
  return {};
}

/// What is guessable of what may be asked about enters by tags, unless the drafter says otherwise.
Status add_admission(group::Charter& terms, const DraftArguments& arguments) {
  terms.admission.epoch_days = arguments.epoch_days;
  if (!arguments.admission.empty()) {
    TRY(terms.admission.types, admission_option(arguments.admission));
  } else {
    for (const indicator::Type type : group::kGuessableTypes)
      if (std::ranges::find(terms.questions, type, &group::AllowedQuestion::type) != terms.questions.end())
        terms.admission.types.push_back({.type = type, .most = kDefaultAdmissions});
  }
  if (terms.admission.types.empty()) terms.admission = {};
  return {};
}

Result<group::Charter> terms_from(const DraftArguments& arguments, UnixSeconds now) {
  group::Charter terms;
  terms.domain = arguments.domain;
  terms.name = arguments.title.empty() ? arguments.name : arguments.title;
  terms.purpose = arguments.purpose;
  TRY(terms.not_after, time_option("--until", arguments.until));
  terms.not_before = now;
  if (!arguments.from.empty()) {
    TRY(terms.not_before, time_option("--from", arguments.from));
  }
  if (terms.not_after <= now) return fail(Errc::usage, "--until lies in the past.");
  terms.grace_days = arguments.grace_days;
  terms.clock_skew_seconds = arguments.clock_skew_seconds;
  TRY_STATUS(check_leaves_time(terms, std::max(now, terms.not_before)));
  terms.finding_quorum = arguments.finding_quorum;
  TRY(terms.max_tlp, tlp_option(arguments.max_tlp));
  terms.protocols = arguments.protocols;
  std::ranges::sort(terms.protocols);
  TRY_STATUS(add_questions(terms, arguments));
  TRY_STATUS(add_admission(terms, arguments));
  return terms;
}

Status draft(Workplace& at, const DraftArguments& arguments) {
  const UnixSeconds now = wall_clock_now();
  TRY(group::Charter terms, terms_from(arguments, now));
  TRY(const Secret<32> id_seed, id_seed_of(at));
  TRY(const group::Draft draft, group::begin_group(desk_of(at), arguments.name, std::move(terms), id_seed, now));
  for (const std::string& line : in_words(draft.terms)) at.console.say(line);
  at.console.say(fmt::format("  hash of this draft: {}", to_hex(draft.hash)));
  at.console.say(
      fmt::format("Drafted the group {}; keys of its own were made for it. Nobody is bound yet.", arguments.name));
  say_what_others_learn(at.console, draft.terms);
  at.console.say(
      fmt::format("Next: parley invite {} --to NAME --endpoint HOST:PORT for each member; send the invitation "
                  "and this draft. They read it and run parley group join.",
                  arguments.name));
  return write_paper(at, arguments.out, arguments.name + ".draft", draft.note);
}

}  // namespace

void add_group_draft(Command& family, Chosen& chosen) {
  Command* command = family.add_subcommand("draft", "Draft the charter of a new group, to be joined and signed by all");
  const auto arguments = std::make_shared<DraftArguments>();
  command->add_option("NAME", arguments->name, "Your own short name for the group: a-z, 0-9 and -")->required();
  command->add_option("--title", arguments->title, "Its name for everybody (default: NAME)");
  command->add_option("--purpose", arguments->purpose, "What the group is for")->required();
  command->add_option("--until", arguments->until, "When it ends, a date or time; at most 400 days after it begins")
      ->required();
  command->add_option("--from", arguments->from, "When it begins (default: now)");
  command
      ->add_option("--allow", arguments->allow,
                   "A question that is allowed, TYPE,TYPE:count or :intersection, with caps after another colon")
      ->required();
  command->add_option("--caps", arguments->caps, "Caps of all allowed questions, NAME=NUMBER,...");
  command->add_option("--admission", arguments->admission,
                      "Types that enter by tags, with how many a member has admitted in an epoch, TYPE=NUMBER,...; or "
                      "none (default: asn, cidr, cve, filename, ipv4, ipv6, as far as they may be asked about)");
  command->add_option("--epoch-days", arguments->epoch_days, "After so many days tags are made anew")
      ->check(in_range(std::int64_t{1}, group::kLongestEpochDays))
      ->capture_default_str();
  command->add_option("--max-tlp", arguments->max_tlp, "Stricter marked material does not enter")
      ->capture_default_str();
  command->add_option("--protocols", arguments->protocols, "That sessions may use, separated by commas")
      ->delimiter(',')
      ->check(is_member({"classic", "fast"}))
      ->capture_default_str();
  command->add_option("--finding-quorum", arguments->finding_quorum, "Signatures that a finding needs (default: all)")
      ->check(in_range(group::kFewestMembers, group::kMostMembers));
  command->add_option("--grace", arguments->grace_days, "Days after the end for findings and dissent")
      ->check(in_range(std::int64_t{0}, group::kMostGraceDays))
      ->capture_default_str();
  command->add_option("--clock-skew", arguments->clock_skew_seconds, "Seconds that the members' clocks may be apart")
      ->check(in_range(std::int64_t{0}, group::kLargestClockSkewSeconds))
      ->capture_default_str();
  command->add_option("--domain", arguments->domain, "Beginning of all key names; need not resolve")
      ->capture_default_str();
  command->add_option("--out", arguments->out, "Where the draft is written (default: NAME.draft)");
  command->callback(at_work(chosen, [arguments](Workplace& at) { return draft(at, *arguments); }));
}

}  // namespace parley::cli
