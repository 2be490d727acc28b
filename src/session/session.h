// One session between two members, from the question to the stored result (log.md 3.2):
// propose -> accept -> commit -> run -> result -> close. Either side's story is one function; both share the middle.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "group/member.h"
#include "group/membership.h"
#include "psi/intersect/choice.h"
#include "session/accounting.h"
#include "session/input.h"
#include "session/question.h"
#include "session/step.h"
#include "session/under_way.h"
#include "vault/vault.h"

namespace parley::session {

/// This side: what a session needs of its node.
struct Party {
  vault::Vault& vault;
  const group::Member& member;
  const group::Membership& membership;  ///< of the group whose log the link carries, as the session began
  /// The same as it is now: a pause, a leave or an amendment meanwhile counts.
  std::function<Result<group::Membership>()> membership_now;
  UnderWay& under_way;
  Ledgers& ledgers;
  ThreadPool& pool;
  Progress& progress;
};

/// Time limits of log.md 3.2.
struct Limits {
  std::chrono::milliseconds decision = std::chrono::hours(24);  ///< how long a proposal stands
  std::chrono::milliseconds step = std::chrono::minutes(10);
  std::chrono::milliseconds run = std::chrono::minutes(30);
  /// How many indicators an answering side may be able to test: each is a question about ours, and costs time. 0: the
  /// larger of 65,536 and 16 times what we enter.
  std::uint64_t their_tests = 0;
  /// The suites that this side runs; others are neither proposed nor accepted.
  std::vector<std::uint16_t> suites = psi::known_suites();
};

/// What the asking side sees before the proposal leaves; an error from it stops everything.
using BeforeProposal = std::function<Status(const Enters& ours)>;

/// Asks `link.peer()` and waits for its decision, runs the session and stores the result. @return the session's id.
/// @error Errc::refused when the other side declines; the session is stored with how it ended, whatever happens.
Result<std::string> ask(const Party& us, group::LogLink& link, const Question& question, const Limits& limits,
                        const BeforeProposal& before);

/// What an operator of the answering side sees before deciding. A standing rule sees the same without `ours`.
struct Offer {
  std::string session;
  std::string peer;
  std::string group;  ///< our name for it
  Question question;
  std::uint64_t their_padded = 0;  ///< their set is at most this large; at least four fifths of it unless it is 256
  std::uint64_t their_tests = 0;   ///< how many a changed program could test by any protocol that both sides allow
  vault::Selection admitted;       ///< what of our vault may enter, by the rules of the group
  Enters ours;                     ///< what of it would
};

struct Decision {
  bool accept = false;
  std::string why;    ///< told to the other side with a refusal; may be empty
  std::string label;  ///< narrows our side to indicators with this label; empty: all that the question covers
  /// How many indicators the asker may be able to test: a protocol that lets it test more does not run.
  std::optional<std::uint64_t> most_tests = {};
};

/// Waits until `deadline` for a decision about `offer`; nothing when there is none yet.
using Decide = std::function<std::optional<Decision>(const Offer& offer, Deadline deadline)>;

/// What a standing rule says about `offer`; nothing when the operator is to decide.
using JudgeByRule = std::function<std::optional<Decision>(const Offer& offer)>;

/// Answers the proposal that opened `link`: a rule decides before our material is looked at, so that how long its
/// refusal takes tells nothing; else `decide` does. @return the session's id.
Result<std::string> answer(const Party& us, group::LogLink& link, const ReceivedStep& proposal, const Limits& limits,
                           const Decide& decide, const JudgeByRule& judge = {});

/// After a crash or a stop: closes every session that was left in the middle. A session that had begun to run is
/// aborted as one that may have disclosed, and is never resumed (log.md D7). @return how many.
Result<std::size_t> close_interrupted(vault::Vault& vault);

/// Sessions of `log`'s group that ended here without a word of ours in the log get their session.abort, as soon as the
/// log may be written. Each session once: a second, different abort would be a proven fault.
Status log_aborts(vault::Vault& vault, group::JointLog& log);

}  // namespace parley::session
