#include "audit/logged_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "group/charter.h"
#include "log/quorum.h"
#include "log/tlog_proof.h"

namespace parley::audit {
namespace {

using session::Side;

std::unexpected<Error> refuse(std::string why) {
  return fail(Errc::protocol, std::move(why) + " This file shows no session that could be audited.");
}

/// An entry, its signature, its body and its place in its log verified.
struct Verified {
  std::size_t author = 0;  ///< in the members
  log::Entry entry;
  Digest leaf{};
  log::Json body = log::Json::Object{};
  log::Standing standing;
};

Result<Verified> verify(const ProvenEntry& proven, std::span<const log::MemberKeys> members) {
  const auto author = std::ranges::find(members, proven.log, &log::MemberKeys::nick);
  if (author == members.end())
    return refuse(fmt::format("\"{}\" is none of the members whose keys were given.", visible(proven.log)));
  Verified verified;
  verified.author = static_cast<std::size_t>(author - members.begin());
  auto entry = log::read_entry(proven.note, *author);
  if (!entry && entry.error().code == Errc::signature && author->rotated.empty())
    return fail(
        Errc::signature,
        fmt::format("{} If {} has replaced its node key since, the keys that were given do not say so: a charter "
                    "names the first ones only. Give those of a member's vault, with what took their place: "
                    "parley group show NAME --members.",
                    entry.error().text(), author->nick));
  TRY(verified.entry, std::move(entry));
  verified.leaf = log::leaf_hash(as_bytes(proven.note));
  TRY(verified.body, log::open_body(verified.entry, proven.body));
  TRY(const log::TlogProof proof, log::parse_tlog_proof(proven.proof));
  TRY(verified.standing,
      log::read_standing(proof.checkpoint, members, verified.author, log::log_quorum(members.size())));
  if (proof.index != verified.entry.seq ||
      !log::verify_inclusion(verified.leaf, proof.index, verified.standing.checkpoint.size, proof.path,
                             verified.standing.checkpoint.root))
    return refuse(fmt::format("An entry of {} is not in its log where the proof says.", author->nick));
  return verified;
}

class Reader {
 public:
  Reader(const Opened& opened, std::span<const log::MemberKeys> members) : opened_(opened), members_(members) {}

  Result<LoggedSession> read() {
    for (const ProvenEntry& proven : opened_.entries) {
      TRY(Verified verified, verify(proven, members_));
      const auto key = std::pair(members_[verified.author].nick, verified.entry.type);
      if (!entries_.emplace(key, std::move(verified)).second)
        return refuse(fmt::format("It has two entries {} of {}.", key.second, key.first));
    }
    TRY_STATUS(find_sides());
    TRY_STATUS(read_settlement());
    TRY_STATUS(read_commitments());
    TRY_STATUS(read_results());
    TRY_STATUS(read_charter());
    say_who_holds();
    return std::move(session_);
  }

 private:
  const Verified* find(const std::string& nick, std::string_view type) const {
    const auto found = entries_.find(std::pair(nick, std::string(type)));
    return found == entries_.end() ? nullptr : &found->second;
  }
  Result<const Verified*> need(const std::string& nick, std::string_view type) const {
    const Verified* found = find(nick, type);
    if (found == nullptr) return refuse(fmt::format("The entry {} of {} is missing.", type, visible(nick)));
    if (type != session::kPropose && found->entry.session != opened_.session)
      return refuse(fmt::format("The entry {} of {} is of another session.", type, nick));
    return found;
  }
  static Status refers(const Verified& entry, const Digest& to, std::string_view what) {
    if (std::ranges::find(entry.entry.refs, to) != entry.entry.refs.end()) return {};
    return refuse(fmt::format("The entry {} does not answer {}.", entry.entry.type, what));
  }

  Status find_sides() {
    for (const auto& [key, verified] : entries_) {
      if (key.second == session::kPropose) session_.nicks[0] = key.first;
      if (key.second == session::kAccept) session_.nicks[1] = key.first;
    }
    if (session_.nicks[0] == session_.nicks[1]) return refuse("One member would have asked itself.");
    const auto audited = std::ranges::find(session_.nicks, opened_.audited);
    if (audited == std::end(session_.nicks))
      return refuse(fmt::format("\"{}\" took no part in the session.", visible(opened_.audited)));
    session_.audited = static_cast<Side>(audited - std::begin(session_.nicks));
    return {};
  }

  Status read_settlement() {
    TRY(const Verified* proposal, need(session_.nicks[0], session::kPropose));
    TRY(const Verified* acceptance, need(session_.nicks[1], session::kAccept));
    if (log::session_of_proposal(proposal->leaf) != opened_.session)
      return refuse("Its proposal is that of another session.");
    TRY_STATUS(refers(*acceptance, proposal->leaf, "the proposal"));
    TRY(session_.proposal, session::Proposal::from_json(proposal->body));
    TRY(session_.acceptance, session::Acceptance::from_json(acceptance->body));
    session_.naming.proposal = proposal->leaf;
    session_.naming.acceptance = acceptance->leaf;
    // Each side held its own charter against the other's name for it, so what both name is what they agreed under.
    session_.charter = proposal->entry.charter;
    if (acceptance->entry.charter != session_.charter) return refuse("Its two sides name different charters.");
    return {};
  }

  // Both committed before either ran: each side's run answers the other's commitment.
  Status read_commitments() {
    const Verified* commits[2] = {};
    for (std::size_t side = 0; side < 2; ++side) {
      TRY(commits[side], need(session_.nicks[side], session::kCommit));
      TRY(session_.commitments[side], session::Commitment::from_json(commits[side]->body));
      TRY_STATUS(refers(*commits[side], side == 0 ? session_.naming.acceptance : session_.naming.proposal,
                        "what was agreed on"));
    }
    for (std::size_t side = 0; side < 2; ++side) {
      TRY(const Verified* run, need(session_.nicks[side], session::kRun));
      TRY_STATUS(refers(*run, commits[1 - side]->leaf, "the other side's commitment"));
      if (run->entry.seq < commits[side]->entry.seq) return refuse("A side ran before it had committed to its set.");
    }
    session_.naming.asker_commit = commits[0]->leaf;
    session_.naming.responder_commit = commits[1]->leaf;
    return {};
  }

  // What the other side wrote as its result is in its own hands: a senseless one must not keep the audited side from
  // being audited, and vouches for nothing.
  Status read_results() {
    const auto us = static_cast<std::size_t>(session_.audited);
    TRY(const Verified* ours, need(session_.audited_nick(), session::kResult));
    TRY(session_.results[us], session::ResultStep::from_json(ours->body));
    if (find(session_.peer_nick(), session::kResult) == nullptr) {
      session_.no_peer_result = "no result of it is in the file";
      return {};
    }
    TRY(const Verified* theirs, need(session_.peer_nick(), session::kResult));
    if (auto read = session::ResultStep::from_json(theirs->body))
      session_.results[1 - us] = *std::move(read);
    else
      session_.no_peer_result = "what it signed as its result cannot be read";
    return {};
  }

  Status read_charter() {
    if (opened_.charter.empty()) return {};
    TRY(session_.tagged, tagged_by(opened_.charter, session_));
    if (!session_.tagged) return refuse("Its charter is not the one that both sides name.");
    return {};
  }

  // Of each log the weakest of the trees counts.
  void say_who_holds() {
    for (const std::string& nick : session_.nicks) {
      const Verified* weakest = nullptr;
      for (const auto& [key, verified] : entries_)
        if (key.first == nick &&
            (weakest == nullptr || verified.standing.holders.size() < weakest->standing.holders.size()))
          weakest = &verified;
      std::string holders;
      for (const std::size_t holder : weakest->standing.holders)
        holders += (holders.empty() ? "" : ", ") + members_[holder].nick;
      session_.held.push_back(
          fmt::format("The entries of {} are in its log, in trees that these members signed for: {}{}.", nick, holders,
                      weakest->standing.is_final() ? "" : " (not yet as many as make it final)"));
    }
  }

  const Opened& opened_;
  std::span<const log::MemberKeys> members_;
  std::map<std::pair<std::string, std::string>, Verified> entries_;  // by author and type
  LoggedSession session_;
};

}  // namespace

Result<std::optional<std::vector<indicator::Type>>> tagged_by(std::string_view text, const LoggedSession& session) {
  TRY(const log::Note note, log::parse_note(text));
  if (group::charter_hash(note.text) != session.charter) return std::nullopt;
  // Both nodes held it against the rules of their time.
  TRY(const group::Charter charter, group::read_terms_unverified(note, group::kCharterKind));
  const std::vector<indicator::Type>& asked = session.proposal.question.types;
  std::vector<indicator::Type> tagged;
  for (const group::AdmissionCap& cap : charter.admission.types)
    if (std::ranges::find(asked, cap.type) != asked.end()) tagged.push_back(cap.type);
  return tagged;
}

Result<LoggedSession> read_logged_session(const Opened& opened, std::span<const log::MemberKeys> members) {
  return Reader(opened, members).read();
}

}  // namespace parley::audit
