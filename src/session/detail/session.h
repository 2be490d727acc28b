// A session while it goes on, from either side (session.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "psi/intersect/choice.h"
#include "session/audit_keeping.h"
#include "session/canary_hits.h"
#include "session/session.h"
#include "session/states.h"

namespace parley::session::detail {

/// How long a word that ends a session waits for the other side.
inline constexpr auto kClosingWait = std::chrono::seconds(10);

/// Everything the two sides' stories share.
class Session {
 public:
  Session(const Party& us, group::LogLink& link, Side side, const Limits& limits)
      : us_(us), steps_(link), side_(side), limits_(limits) {
    row_.peer = link.peer().name;
    std::erase_if(limits_.suites, [&](std::uint16_t suite) { return !charter_allows(suite); });
    row_.group = link.log().group();
    row_.asked_by_us = side == Side::asker;
    row_.created = row_.updated = wall_clock_now();
  }

  Result<std::string> ask(const Question& question, const BeforeProposal& before);
  Result<std::string> answer(const ReceivedStep& proposal, const Decide& decide, const JudgeByRule& judge);

 private:
  // --- the main path: session.cpp ---
  Status propose();
  Status await_acceptance();
  Status accept();
  Status conduct();
  Status commit();
  Result<psi::Outcome> run();
  Status compare(const ResultStep& ours);
  // Whether our clock is one to judge by. @error Errc::skew
  Status check_own_clock() const;
  // @param earliest  when the step can have been written, by our clock: after the one of ours that it answers
  Status check_time(const ReceivedStep& step, UnixSeconds earliest) const;
  // Whether a step of the session answers the one that is due, when it says, and under the charter that both agreed on:
  // what is held against its author later goes by all three.
  Status check_step(const ReceivedStep& step, const Digest& answered, UnixSeconds earliest) const;

  // --- how a question is weighed, and which protocol answers it: session_decision.cpp ---
  Result<bool> decide_on(const Proposal& proposal, const Decide& decide, const JudgeByRule& judge);
  Result<Decision> await_decision(const Offer& offer, const Decide& decide);
  /// @param text  is sent. @param why  stays here, where an operator reads it
  Status refuse(std::string_view code, const std::string& text, const std::string& why = {});
  Status settle(std::optional<std::uint64_t> most_tests);
  Status keep_suites(const std::function<bool(const psi::Protocol&)>& fit);
  bool charter_allows(std::uint16_t suite) const;
  bool suits_sizes(const psi::Protocol& protocol) const;
  psi::Role our_role() const;
  psi::Choice choose() const;
  std::uint64_t most_tests_allowed() const;
  std::uint64_t our_tests(const psi::Protocol& protocol) const;
  Result<std::uint64_t> most_that_they_could_test() const;

  // --- what charter and ledger say: session_permission.cpp ---
  // Whether charter and own policy permit the question, as far as it is known. @error Errc::policy naming the clause
  Status check_permitted(const Digest& their_charter);
  // @param now  where the windows of the caps end
  Status check_permitted_by(const group::Membership& membership, const Digest& their_charter, UnixSeconds now) const;
  // Brings the ledger up to what both logs have here.
  Status read_logs();
  // The session has a name, and may end without having run.
  Status note_not_run_yet();
  // Checks all of it once more as things are now, and charges the session with the run that is being written.
  Status charge(const mirror::EntryView& run);
  Result<std::optional<mirror::EntryView>> settle_ledger();
  // Puts into the terms what of ours enters, what does not for want of a tag, and of what the other side has none.
  Status note_what_enters(const Enters& ours);
  vault::Selection selection() const;
  vault::Selection admitted() const;
  std::optional<Digest> admission_epoch() const;

  // --- what is made of the protocol's outcome: session_result.cpp ---
  Result<ResultStep> record(const psi::Outcome& result);
  // Exchanges the shares of the result key and puts the root of the matches into `ours`.
  Status share_result_key(ResultStep& ours, const std::vector<vault::SessionMatch>& matches);
  Digest sign_for(const Secret<32>& key, const std::vector<vault::SessionMatch>& matches);
  Status store_result(const ResultStep& ours, const std::vector<vault::SessionMatch>& matches);

  // --- what the vault and the log are told: session_keeping.cpp ---
  // Writes a step of ours and, in the same commit, that the session is in `state`.
  Result<mirror::EntryView> write(std::string_view type, log::Json body, std::vector<Digest> refs,
                                  std::string_view state);
  Status save(std::string_view state, std::vector<vault::SessionStep> steps = {});
  Status save_received(std::string_view state, const ReceivedStep& step);
  Status save_proposal(const ReceivedStep& step);
  // Stores how the session failed and tells the other side, if it can still be told. Gives the error back.
  std::unexpected<Error> failed(Error error);
  Status keep_secret(const std::string& name, ByteView secret) const;
  void forget_secrets();
  // For an audit, once there is a transcript in the log that a second run can be compared with.
  void keep_record();

  const Party& us_;
  StepLink steps_;
  Side side_;
  Limits limits_;
  std::string phase_ = "propose";
  bool charged_ = false;               // our log says, or may say, that the run has begun
  bool expired_ = false;               // nobody decided in time
  std::vector<std::uint16_t> suites_;  // the responder's: those that may still run
  std::uint64_t their_limit_ = 0;      // the responder's: how many the asker lets it test
  std::uint16_t suite_ = 0;            // of the protocol that runs

  vault::SessionRow row_;
  Terms terms_;
  Outcome outcome_;
  Digest proposal_{}, acceptance_{};                                  // leaf hashes of the steps that name this session
  Digest commits_[2]{};                                               // likewise, by Side
  UnixSeconds proposed_at_ = 0, accepted_at_ = 0, committed_at_ = 0;  // when we wrote ours, by our clock
  ByteArray<32> nonces_[2]{};                                         // by Side
  std::shared_ptr<Accounting> accounting_;            // of the group, since check_permitted() was first asked
  std::optional<Accounting::NotRunYet> not_run_yet_;  // from when it has a name until its run is charged
  bool in_ledger_ = false;
  std::optional<vault::TaggedOnly> tagged_;  // of which types only indicators with a tag enter, as the session began
  std::optional<Input> input_;
  std::vector<group::CommittedCanary> canaries_;  // that may be in it
  std::vector<CanaryHit> hits_;                   // those of them that the other side entered too
  Secret<32> seed_, result_key_share_;
  std::optional<AuditRecorder> recorder_;  // since the run began
  Status keys_shared_;
  std::optional<mirror::EntryView> result_step_;
  std::optional<UnderWay::Entry> entry_;  // while it can be stopped
  Commitment our_commitment_, their_commitment_;
  vault::SessionStep their_commit_step_;
  std::uint64_t their_commit_seq_ = 0;  ///< in its log
  vault::SessionStep their_run_step_;
  Deadline run_began_{};
};

}  // namespace parley::session::detail
