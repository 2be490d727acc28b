// How a question is weighed by whom it is put to, and which protocol answers it.
#include <algorithm>
#include <limits>

#include "session/detail/session.h"
#include "session/run_terms.h"

namespace parley::session::detail {
namespace {

constexpr auto kPingEvery =
    std::chrono::seconds(10);  // well under the 30 s after which an idle link is cut (log.md 3.1)
constexpr auto kLookEvery = std::chrono::milliseconds(200);
constexpr std::uint64_t kLeastTheirPadded = 65'536;  // Limits::their_tests, when it is left to us
constexpr std::uint64_t kTheirPaddedRatio = 16;

}  // namespace

Result<bool> Session::decide_on(const Proposal& proposal, const Decide& decide, const JudgeByRule& judge) {
  TRY(const std::uint64_t most_tests, most_that_they_could_test());
  Offer offer{.session = row_.id,
              .peer = steps_.peer().name,
              .group = us_.membership.group().name,
              .question = proposal.question,
              .their_padded = proposal.padded,
              .their_tests = most_tests,
              .admitted = admitted(),
              .ours = {}};
  std::optional<Decision> decision;
  if (judge) decision = judge(offer);
  if (!decision) {
    TRY(offer.ours, enters(us_.vault, selection(), canary_places(terms_.question)));
    TRY_STATUS(note_what_enters(offer.ours));
    TRY(decision, await_decision(offer, decide));
  }
  if (!decision->accept) {
    TRY_STATUS(refuse(kRefusedByPolicy, decision->why));
    return false;
  }
  terms_.our_label = decision->label;
  if (auto settled = settle(decision->most_tests); !settled) {
    TRY_STATUS(refuse(kRefusedByPolicy, "", settled.error().message));
    return std::unexpected(settled.error());
  }
  TRY_STATUS(accept());
  return true;
}

// The asker may leave while the operator thinks; a ping now and then tells it that we are still here.
Result<Decision> Session::await_decision(const Offer& offer, const Decide& decide) {
  const Deadline expires = deadline_in(limits_.decision);
  Deadline next_ping = deadline_in(kPingEvery);
  while (Monotonic::now() < expires) {
    if (us_.progress.cancelled())
      return fail(Errc::cancelled, "It was stopped here before the question was decided on.");
    if (auto decision = decide(offer, deadline_in(kLookEvery))) return *std::move(decision);
    TRY(const bool said_something, steps_.link().wait_readable(Monotonic::now()));
    if (said_something) {
      // Nothing is due from the asker but its leaving.
      TRY(const ReceivedStep step, steps_.receive(kAbort, deadline_in(kLookEvery)));
      return fail(Errc::peer_gone, offer.peer + " withdrew its question.");
    }
    if (Monotonic::now() >= next_ping) {
      TRY_STATUS(steps_.link().send(wire::FrameType::ping, {}));
      next_ping = deadline_in(kPingEvery);
    }
  }
  expired_ = true;
  return fail(Errc::peer_gone, "The question expired undecided.");
}

Status Session::refuse(std::string_view code, const std::string& text, const std::string& why) {
  outcome_.failed_phase = phase_;
  outcome_.failure = code == kRefusedForSkew ? "refused: other canonical-form rules or protocol"
                     : why.empty()           ? "declined here"
                                             : "refused here: " + why;
  const Refusal refusal{.code = std::string(code), .text = text};
  TRY(const mirror::EntryView step, write(kRefuse, refusal.to_json(), {proposal_}, kRefused));
  return steps_.send(step);
}

// --- which protocol -------------------------------------------------------------------------------------------------

// What of ours enters, and the protocol: the one that serves best among those that let the asker test no more than
// `most_tests`.
Status Session::settle(std::optional<std::uint64_t> most_tests) {
  const bool we_receive = our_role() == psi::Role::receiver;
  // Before our material is looked at: how long this refusal takes tells nothing of it.
  TRY_STATUS(keep_suites([&](const psi::Protocol& protocol) {
    return (we_receive || suits_sizes(protocol)) &&
           (!most_tests || their_tests(protocol, our_role(), terms_.their_padded) <= *most_tests);
  }));
  TRY(const Enters ours, enters(us_.vault, selection(), canary_places(terms_.question)));
  TRY_STATUS(note_what_enters(ours));
  terms_.our_padded = ours.padded;
  TRY_STATUS(keep_suites([&](const psi::Protocol& protocol) { return suits_sizes(protocol); }));

  // The asker stops where we could test more than it allows: a protocol that it would not stop goes first, or the one
  // that exceeds its limit by least.
  std::uint64_t fewest = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint16_t suite : suites_) {
    TRY(const auto protocol, psi::protocol_of_suite(suite));
    fewest = std::min(fewest, our_tests(*protocol));
  }
  const std::uint64_t most = std::max(fewest, their_limit_);
  TRY_STATUS(keep_suites([&](const psi::Protocol& protocol) { return our_tests(protocol) <= most; }));
  const std::uint16_t best = choose().protocol->suite();
  suite_ = std::ranges::find(suites_, best) != suites_.end() ? best : suites_.front();
  return check_permitted(us_.membership.signed_charter().hash);
}

/// Strikes the suites that do not `fit`. @error Errc::refused when none is left
Status Session::keep_suites(const std::function<bool(const psi::Protocol&)>& fit) {
  std::vector<std::uint16_t> kept;
  for (const std::uint16_t suite : suites_) {
    TRY(const auto protocol, psi::protocol_of_suite(suite));
    if (fit(*protocol)) kept.push_back(suite);
  }
  suites_ = std::move(kept);
  if (suites_.empty())
    return fail(Errc::refused,
                "No protocol that both sides allow suits these sets and the most that this side lets the asker test; "
                "the question was declined. The fast protocol needs 1,024 elements or more on the side that learns "
                "first.");
  return {};
}

bool Session::charter_allows(std::uint16_t suite) const {
  const auto protocol = psi::protocol_of_suite(suite);
  const std::vector<std::string>& allowed = us_.membership.charter().protocols;
  return protocol && std::ranges::find(allowed, (*protocol)->name()) != allowed.end();
}

bool Session::suits_sizes(const psi::Protocol& protocol) const {
  return (our_role() == psi::Role::receiver ? terms_.our_padded : terms_.their_padded) >= protocol.fewest_received();
}

psi::Role Session::our_role() const {
  return role_of(side_, terms_.question.direction);
}

/// What would serve best, as this side sees it.
psi::Choice Session::choose() const {
  const bool we_receive = our_role() == psi::Role::receiver;
  const std::uint64_t receivers = we_receive ? terms_.our_padded : terms_.their_padded;
  const std::uint64_t senders = we_receive ? terms_.their_padded : terms_.our_padded;
  const std::chrono::duration<double> round_trip = steps_.link().round_trip();
  return psi::choose_protocol(receivers, senders, psi::line_with(round_trip.count()), us_.pool.size());
}

/// Of the asker: how many indicators the other side may be able to test.
std::uint64_t Session::most_tests_allowed() const {
  if (limits_.their_tests != 0) return limits_.their_tests;
  return std::clamp(kTheirPaddedRatio * terms_.our_padded, kLeastTheirPadded, kMostTests);
}

std::uint64_t Session::our_tests(const psi::Protocol& protocol) const {
  const psi::Role theirs = our_role() == psi::Role::receiver ? psi::Role::sender : psi::Role::receiver;
  return their_tests(protocol, theirs, terms_.our_padded);
}

/// What the asker could test at most by those of the protocols that may still run.
Result<std::uint64_t> Session::most_that_they_could_test() const {
  std::uint64_t most = terms_.their_padded;
  for (const std::uint16_t suite : suites_) {
    TRY(const auto protocol, psi::protocol_of_suite(suite));
    if (our_role() == psi::Role::sender && suits_sizes(*protocol))
      most = std::max(most, their_tests(*protocol, our_role(), terms_.their_padded));
  }
  return most;
}

}  // namespace parley::session::detail
