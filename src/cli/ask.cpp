// parley ask: puts a question to a peer and shows the answer.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/admission_help.h"
#include "cli/group_command.h"
#include "cli/ledger_view.h"
#include "cli/party.h"
#include "cli/session_view.h"
#include "node/replication.h"
#include "session/padding.h"
#include "session/session.h"

namespace parley::cli {
namespace {

constexpr int kMaxWaitSeconds = 7 * 24 * 3600;
constexpr auto kHeadsWait = std::chrono::seconds(30);

struct AskArguments {
  std::string peer;
  std::string group;
  std::string question = "intersection";
  std::vector<std::string> types;
  std::string label;
  std::string since;
  std::string direction = "both";
  int wait_seconds = 24 * 3600;
  std::uint64_t max_theirs = 0;
  std::vector<std::string> protocols;
  std::size_t threads = 0;
  bool yes = false;
  bool as_json = false;
};

/// Every type that the charter allows the question for.
std::vector<indicator::Type> allowed_types(const group::Charter& charter, session::Function function) {
  std::vector<indicator::Type> types;
  for (const indicator::Type type : indicator::kAllTypes)
    if (charter.question(type, function) != nullptr) types.push_back(type);
  std::ranges::sort(types);
  return types;
}

Result<std::optional<UnixSeconds>> since_from(const AskArguments& arguments) {
  if (arguments.since.empty()) return std::nullopt;
  const auto since = parse_time(arguments.since);
  if (!since) return fail(Errc::usage, "--since takes a date like 2018-01-01, or an RFC 3339 time.");
  return since;
}

Result<session::Question> question_from(const AskArguments& arguments, const group::Charter& charter) {
  session::Question question;
  question.function = *session::function_named(arguments.question);
  question.direction = *session::direction_named(arguments.direction);
  TRY(question.types, types_from(arguments.types));
  if (arguments.types.empty()) question.types = allowed_types(charter, question.function);
  question.label = arguments.label;
  return question;
}

// What leaves and what it tells, before anything does.
Status show_before(Workplace& at, const AskArguments& arguments, const group::Membership& membership,
                   const session::Question& question, const session::Enters& ours) {
  Console& console = at.console;
  console.say(fmt::format("Asking {} in the group {}: {}.", arguments.peer, membership.group().name,
                          session::in_words(question)));
  console.say(
      fmt::format("  Of yours would enter: {} ({}). {} sees that you enter at most {}, and nothing about those that it "
                  "does not hold itself.",
                  ours.count, in_words(ours.by_type), arguments.peer, ours.padded));
  if (const auto kept_out = without_tag_in_words(ours)) console.say("  " + *kept_out);
  TRY(const auto admitted, admitted_of(at, membership, arguments.peer, question.types));
  for (const std::string& line : admitted.lines) console.say("  " + line);
  if (!admitted.may_match)
    return fail(Errc::policy, fmt::format("Nothing was sent, and no question of the day was used up: ask again once {} "
                                          "has had some admitted. Its node sees to that while all members are there.",
                                          arguments.peer));
  console.say(fmt::format("  In the end {}.", session::who_learns(question, true)));
  if (question.function == session::Function::count)
    console.say(
        "  A count between two members is a count by good faith: the node of a side that learns could see which ones "
        "match, if its operator changed it.");
  TRY(const auto effect, effect_of(at, membership, arguments.peer, question, session::Side::asker, ours.padded, 0));
  for (const std::string& line : effect) console.say("  " + line);
  console.say("  " + how_one_notices(membership.charter(), question, arguments.peer, true));
  if (ours.count == 0)
    console.say("  Nothing of yours fits this question, so nothing can match. Padding hides that from the other side.");
  TRY_STATUS(ask_yes(at, arguments.yes, "Send the question?"));
  console.say(fmt::format("  It goes to {} now. This command waits for the decision until {}; --wait sets how long.",
                          arguments.peer, to_rfc3339(wall_clock_now() + arguments.wait_seconds)));
  return {};
}

/// The group that the question is put in.
Result<group::Membership> group_for(Workplace& at, const AskArguments& arguments, const group::Card& card) {
  TRY(const log::VerifierKey own, group::own_id_key(at.member.card));
  TRY(const log::VerifierKey theirs, log::parse_vkey(card.id_vkey));
  TRY(auto standing, group::standing_of_pair(at.vault, own, theirs, wall_clock_now()));
  TRY(auto membership, group::group_for_question(std::move(standing), arguments.peer, arguments.group));
  if (!membership)
    return fail(Errc::policy,
                fmt::format("You and {} are in no group together, so nothing says what may be asked, and no log would "
                            "keep it. parley group draft begins one; docs/groups.md shows how.",
                            arguments.peer));
  return *std::move(membership);
}

Result<std::string> ask(Workplace& at, const AskArguments& arguments) {
  TRY(const auto since, since_from(arguments));
  TRY(const vault::Peer peer, at.vault.peer(arguments.peer));
  TRY(const group::Card card, group::read_card(peer.card));
  TRY(const group::Membership membership, group_for(at, arguments, card));
  TRY(session::Question question, question_from(arguments, membership.charter()));
  question.since = since;
  TRY_STATUS(admit_before(at, membership, question.types));
  TRY(const auto log, at.groups.log(membership.group().id));
  TRY(const wire::PinnedPeer pin, group::pinned_now(at.vault, peer, *log));
  TRY(const wire::LocalIdentity identity, group::identity_towards(at.vault, at.member, *log, pin.nick));
  at.progress.phase("calling " + peer.name, 0);
  auto link = wire::connect(peer.address, identity, pin);
  if (!link) return std::unexpected(std::move(link).error().at(peer.name));
  group::LogLink log_link(**link, *log);
  if (const auto ahead = log->clocks().ahead(card.nick, wall_clock_now()))
    if (const std::string warning = group::clock_warning(peer.name, *ahead, log->clocks().skew()); !warning.empty())
      at.console.say(warning);
  TRY_STATUS(log_link.exchange_heads(deadline_in(kHeadsWait)));
  TRY_STATUS(node::hear_enough(at.groups.desk(), at.member, membership, *log, at.progress));
  ThreadPool pool(arguments.threads == 0 ? at.threads : arguments.threads);
  const session::Party us = party_at(at, membership, pool);
  session::Limits limits;
  limits.decision = std::chrono::seconds(arguments.wait_seconds);
  limits.their_tests = arguments.max_theirs;
  limits.suites = suites_from(arguments.protocols);
  return session::ask(us, log_link, question, limits, [&](const session::Enters& ours) {
    return show_before(at, arguments, membership, question, ours);
  });
}

int ask_and_show(Workplace& at, const AskArguments& arguments) {
  const auto id = ask(at, arguments);
  if (auto* bar = dynamic_cast<ProgressBar*>(&at.progress)) bar->clear();
  if (!id) return at.console.refuse(id.error());
  const auto shown = [&]() -> Status {
    if (!arguments.as_json) return print_session(at, *id);
    TRY(const OrderedJson json, session_json(at, *id));
    at.console.print(to_line(json));
    return {};
  }();
  if (!shown) return at.console.refuse(shown.error());
  if (arguments.question == "intersection" && arguments.direction == "both")
    at.console.say(
        fmt::format("To exchange context on the matches, both sides run: parley reveal {} --fields first_seen,malware",
                    id->substr(0, 8)));
  return 0;
}

}  // namespace

void add_ask(Command& program, Chosen& chosen) {
  Command* command = program.add_subcommand("ask", "Ask a peer what you have in common");
  const auto arguments = std::make_shared<AskArguments>();
  command->add_option("PEER", arguments->peer, "Its name, as peer list prints it")->required();
  command->add_option("--group", arguments->group, "In which group, where you share more than one");
  command->add_option("--question", arguments->question, "intersection (which) or count (how many)")
      ->check(is_member({"intersection", "count"}))
      ->capture_default_str();
  command
      ->add_option("--types", arguments->types,
                   "Only these types, separated by commas (default: all that the charter allows)")
      ->delimiter(',')
      ->check(type_name_validator());
  command->add_option("--label", arguments->label, "Only those of yours that carry this label")
      ->check(label_validator());
  command->add_option("--since", arguments->since, "Only what was seen on or after this date; binds both sides");
  command->add_option("--direction", arguments->direction, "Who learns: mine, theirs or both")
      ->check(is_member({"mine", "theirs", "both"}))
      ->capture_default_str();
  command->add_option("--wait", arguments->wait_seconds, "Seconds to wait for the other side's decision")
      ->check(in_range(1, kMaxWaitSeconds))
      ->capture_default_str();
  command
      ->add_option("--max-theirs", arguments->max_theirs,
                   "Stop if the other side could test more (default: 16 times yours, at least 65536)")
      ->check(in_range(session::kSmallestPadded, session::kMostTests));
  add_protocols_option(*command, arguments->protocols);
  command->add_option("--threads", arguments->threads, "Threads to compute with (default: all of the machine)")
      ->check(in_range(1, 256));
  command->add_flag("--yes", arguments->yes, "Do not ask before sending");
  command->add_flag("--json", arguments->as_json, "Print one JSON object");
  command->callback(
      [&chosen, arguments] { chosen.at_work = [arguments](Workplace& at) { return ask_and_show(at, *arguments); }; });
}

}  // namespace parley::cli
