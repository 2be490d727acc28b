// parley inbox, accept, decline: what waits for this member's decision.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/admission_help.h"
#include "cli/group_command.h"
#include "cli/json.h"
#include "cli/ledger_view.h"
#include "cli/session_view.h"
#include "session/padding.h"
#include "session/reveal.h"
#include "session/states.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMaxWhyBytes = 2000;

Result<group::Membership> membership_of(Workplace& at, const session::Offer& offer) {
  TRY(const vault::GroupRow group, at.vault.group(offer.group));
  return at.groups.membership(group.id);
}

// What the session would do to the ledger.
Result<std::vector<std::string>> effect_of(Workplace& at, const group::Membership& membership,
                                           const session::Offer& offer) {
  return cli::effect_of(at, membership, offer.peer, offer.question, session::Side::responder, offer.ours.padded,
                        offer.their_padded);
}

// All that a decision rests on.
Status print_offer(Workplace& at, const session::Offer& offer) {
  Console& console = at.console;
  console.print(fmt::format("{}\t{} asks {}, in the group {}\n", offer.session.substr(0, 8), offer.peer,
                            session::in_words(offer.question), offer.group));
  console.print(fmt::format("  its set has at most {} indicators{}\n", offer.their_padded,
                            offer.their_tests > offer.their_padded
                                ? fmt::format("; a changed program could test up to {} on yours", offer.their_tests)
                                : std::string()));
  console.print(fmt::format("  of yours would enter: {} ({}); it sees that you enter at most {}\n", offer.ours.count,
                            in_words(offer.ours.by_type), offer.ours.padded));
  if (const auto kept_out = without_tag_in_words(offer.ours)) console.print(fmt::format("  {}\n", *kept_out));
  TRY(const group::Membership membership, membership_of(at, offer));
  TRY(const auto admitted, admitted_of(at, membership, offer.peer, offer.question.types));
  for (const std::string& line : admitted.lines) console.print(fmt::format("  {}\n", line));
  console.print(fmt::format("  in the end {}\n", session::who_learns(offer.question, false)));
  TRY(const auto effect, effect_of(at, membership, offer));
  for (const std::string& line : effect) console.print(fmt::format("  {}\n", line));
  console.print(fmt::format("  {}\n", how_one_notices(membership.charter(), offer.question, offer.peer, false)));
  return {};
}

struct WaitingReveal {
  vault::SessionRow row;
  std::string by;  ///< who on the other side consented
};

Result<std::vector<WaitingReveal>> waiting_reveals(vault::Vault& vault) {
  std::vector<WaitingReveal> waiting;
  TRY(const auto rows, vault.sessions());
  for (const vault::SessionRow& row : rows) {
    TRY(const auto by, session::reveal_waiting(vault, row.id));
    // Where nothing but canaries is common, there is nothing to agree to.
    if (by && session::revealable(vault, row.id)) waiting.push_back({row, *by});
  }
  return waiting;
}

void print_reveal(Console& console, const WaitingReveal& reveal) {
  console.print(fmt::format(
      "{}\t{} ({}) would open context of matches to you, if you open yours; neither sees what the other offers before "
      "both are bound to their own\n",
      reveal.row.id.substr(0, 8), reveal.row.peer, visible(reveal.by)));
  console.print(fmt::format("  agree: parley reveal {} --fields first_seen,malware\n", reveal.row.id.substr(0, 8)));
}

Status print_inbox(Workplace& at, bool as_json) {
  const auto offers = at.inbox != nullptr ? at.inbox->waiting() : std::vector<session::Offer>();
  TRY(const auto reveals, waiting_reveals(at.vault));
  if (as_json) {
    OrderedJson questions = OrderedJson::array(), offered = OrderedJson::array();
    for (const session::Offer& offer : offers)
      questions.push_back({{"session", offer.session},
                           {"peer", offer.peer},
                           {"group", offer.group},
                           {"question", session::name_of(offer.question.function)},
                           {"direction", session::name_of(offer.question.direction)},
                           {"label", offer.question.label},
                           {"their_size_at_most", offer.their_padded},
                           {"their_tests_at_most", offer.their_tests},
                           {"ours", by_type(offer.ours.by_type)},
                           {"without_tag", by_type(offer.ours.without_tag)}});
    for (const WaitingReveal& reveal : reveals)
      offered.push_back({{"session", reveal.row.id}, {"peer", reveal.row.peer}, {"by", reveal.by}});
    at.console.print(to_line({{"questions", questions}, {"reveals", offered}}));
    return {};
  }
  for (const session::Offer& offer : offers) {
    TRY_STATUS(print_offer(at, offer));
    at.console.print(
        fmt::format("  decide: parley accept {0}   or   parley decline {0} --why TEXT\n", offer.session.substr(0, 8)));
  }
  for (const WaitingReveal& reveal : reveals) print_reveal(at.console, reveal);
  if (at.inbox == nullptr)
    at.console.say("No node of this member is running, so no question can wait. parley serve starts one.");
  else if (offers.empty() && reveals.empty())
    at.console.say("Nothing waits for you.");
  return {};
}

// Of ours, narrowed to a label, those that would enter.
Result<session::Enters> enters_of(Workplace& at, const session::Offer& offer, const std::string& label) {
  vault::Selection selection = session::responder_selection(offer.question, offer.admitted);
  selection.label = label;
  return session::enters(at.vault, selection, session::canary_places(offer.question));
}

// What the decision rests on, and the decision of the person at the terminal.
Status ask_about(Workplace& at, const std::string& session, const session::Decision& decision, bool yes) {
  for (const session::Offer& offer : at.inbox->waiting()) {
    if (!offer.session.starts_with(session)) continue;
    TRY_STATUS(print_offer(at, offer));
    TRY(const session::Enters ours, enters_of(at, offer, decision.label));
    if (!decision.label.empty())
      at.console.print(fmt::format("  of these only what is labelled \"{}\" enters: {} ({})\n", visible(decision.label),
                                   ours.count, in_words(ours.by_type)));
    if (ours.count == 0)
      at.console.print("  nothing of yours fits, so nothing can match; padding hides that from the other side\n");
    return ask_yes(at, yes, "Accept it?");
  }
  return {};  // that none waits, the inbox says
}

Status decide(Workplace& at, const std::string& session, session::Decision decision, bool yes) {
  if (at.inbox == nullptr)
    return fail(Errc::not_found, "No node of this member is running, so no question waits. parley serve starts one.");
  const bool accept = decision.accept;
  const std::string label = decision.label;
  const bool explained = !decision.why.empty();
  if (accept) TRY_STATUS(ask_about(at, session, decision, yes));
  TRY(const session::Offer offer, at.inbox->decide(session, std::move(decision)));
  if (accept) {
    TRY(const session::Enters ours, enters_of(at, offer, label));
    at.console.say(fmt::format("Accepted. {} of yours enter. parley show {} has the result when it is there.",
                               ours.count, offer.session.substr(0, 8)));
  } else
    at.console.say(fmt::format("Declined. {} learns that you declined{}, and nothing about your material.", offer.peer,
                               explained ? " and what you wrote" : ""));
  return {};
}

}  // namespace

void add_inbox(Command& program, Chosen& chosen) {
  struct Arguments {
    std::string session;
    session::Decision decision;
    bool yes = false;
    bool as_json = false;
  };
  const auto arguments = std::make_shared<Arguments>();
  Command* inbox =
      program.add_subcommand("inbox", "Print what waits for your decision, and what each decision would tell");
  inbox->add_flag("--json", arguments->as_json, "Print one JSON object");
  inbox->callback([&chosen, arguments] {
    chosen.at_work = [arguments](Workplace& at) {
      const Status done = print_inbox(at, arguments->as_json);
      return done ? 0 : at.console.refuse(done.error());
    };
  });
  const auto deciding = [&chosen, arguments](bool accept) {
    return [&chosen, arguments, accept] {
      chosen.at_work = [arguments, accept](Workplace& at) {
        arguments->decision.accept = accept;
        const Status done = decide(at, arguments->session, arguments->decision, arguments->yes);
        return done ? 0 : at.console.refuse(done.error());
      };
    };
  };
  Command* accept = program.add_subcommand("accept", "Show what a question that waits would tell, and accept it");
  accept->add_option("SESSION", arguments->session, "Its id or the first digits of it")->required();
  accept->add_option("--label", arguments->decision.label, "Enter only those of yours that carry this label")
      ->check(label_validator());
  accept
      ->add_option("--max-theirs", arguments->decision.most_tests,
                   "Run no protocol by which the asker could test more than this many indicators (default: any)")
      ->check(in_range(session::kSmallestPadded, session::kMostTests));
  accept->add_flag("--yes", arguments->yes, "Do not ask before accepting");
  accept->callback(deciding(true));
  Command* decline = program.add_subcommand("decline", "Decline a question that waits");
  decline->add_option("SESSION", arguments->session, "Its id or the first digits of it")->required();
  decline->add_option("--why", arguments->decision.why, "What to tell the other side; it sees this text as it is")
      ->check(Check(
          [](const std::string& text) { return text.size() <= kMaxWhyBytes ? std::string() : "at most 2000 bytes"; }));
  decline->callback(deciding(false));
}

}  // namespace parley::cli
