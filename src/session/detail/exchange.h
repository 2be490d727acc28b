// A reveal while it goes on (reveal.h).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "session/canary_hits.h"
#include "session/detail/opening_seal.h"
#include "session/detail/turnstile.h"
#include "session/opening.h"
#include "session/received_list.h"
#include "session/reveal.h"

namespace parley::session::detail {

inline constexpr auto kRevealStepWait = std::chrono::minutes(10);

/// One exchange, seen from either side: reveal.cpp has how it begins, reveal_received.cpp how each says what it has
/// already, reveal_matches.cpp how both show that what matched is their own, reveal_openings.cpp how it is carried out.
class Exchange {
 public:
  /// @param before  of who calls; may be empty
  /// @param called  of who answers; may be empty
  Exchange(const Party& us, group::LogLink& link, bool we_call, BeforeOpening before, BeforeAnswer called)
      : us_(us), steps_(link), we_call_(we_call), before_(std::move(before)), called_(std::move(called)) {}

  Result<RevealOutcome> begin(const std::string& session);
  Result<RevealOutcome> answer(const ReceivedStep& consent);

 private:
  // --- before anything is opened ---
  Result<std::vector<Consent>> our_consents() const;
  // Precondition: our consents are read.
  Status prepare();
  // Our offer, of what consents and marks let out and the other side does not have. Precondition: its list is here.
  Status prepare_openings();
  void set_sides();
  // What the other side signed before the session and after it.
  Status read_their_part();
  Result<mirror::EntryView> their_step(std::string_view type) const;
  // Whether group and own rules let context be opened now. @error Errc::policy
  Status check_group(const group::Membership& membership) const;
  // Likewise what is known of this peer. @error Errc::policy
  Status check_peer(const group::Membership& membership) const;
  // Who opens first: whoever owes by the ledger, that is, has been opened more than it opened; else by a coin that
  // neither could choose.
  Result<std::string> first_to_open() const;
  // @error Errc::refused when an exchange of the session is under way
  Status enter(const std::string& session);
  bool is_with_this_peer(const vault::SessionRow& row, const std::string& session) const;
  // Of who answers. @return whether anything of it can be opened; else nothing is common in it but canaries of ours,
  // of which the other side is to see no difference. @error Errc::policy, Errc::usage where neither is so
  Result<bool> read_session(const std::string& session);
  Result<bool> only_canaries_are_common(const vault::SessionRow& row) const;
  Result<RevealOutcome> answer_by_consents(const ReceivedStep& step);
  Result<std::optional<RevealOutcome>> take_refusal(const ReceivedStep& step) const;
  Status send_consent(std::vector<Digest> refs);
  Status exchange_offers(const ReceivedStep& their_consent);
  Status send_offer(const Digest& answered);
  Status check_offers();
  Status refuse(std::string_view code, const ReceivedStep& answered);
  // Whose list is on its way yet would meet a closed link, and not read why.
  Status refuse_before_list(std::string_view code, const ReceivedStep& answered);

  // --- what each side has received already ---
  // Matches and canaries of ours that are common, and what of the other side's is here.
  Status find_common();
  Status send_list();
  // Precondition: find_common(). @error Errc::protocol for a list that is not the signed one, or of another size
  Status receive_list(const Digest& signed_hash);
  Status leave_out_what_they_have(RevealPlan& made);
  // @param offers  goes as far as both offers
  Result<RevealOutcome> carry_out(const std::function<Status()>& offers);

  // --- matches ---
  // Both open, without context, every indicator that matched: what its owner cannot show counts as no match, and
  // nothing is opened on it. @error Errc::protocol when the other side does not show one that was not known as such
  Status show_matches();
  Status send_matches(std::size_t begin, std::size_t end);
  Status receive_matches(std::size_t begin, std::size_t end);
  Result<Opening> our_match(std::size_t match) const;
  Result<bool> shows_match(ByteView payload, std::size_t place) const;
  const indicator::Canonical& indicator_of(std::size_t match) const;  // or of the canary behind the matches
  Status note_unshown();
  // Where a step comes in the place of what is due: whether it says that nothing is to be opened after all.
  Status stopped_by_step();

  // --- openings ---
  Result<RevealOutcome> exchange();
  Status agree_to_numbers();
  Status open_in_turn();
  std::uint64_t matches_received() const;
  // The same each time, from what was committed to: all of them together can be larger than memory.
  Result<Opening> our_opening(const PlannedValue& value) const;
  // Whether what lets the `i`th of our openings out still does: all of it is read again. @error Errc::policy
  Status check_still(std::size_t i);
  // Whose doing it is that the exchange ended so: theirs, unless somebody or something here ended it.
  bool is_theirs_to_answer_for(const Error& error) const;
  // As it ended, trying again would give the other side more. Then nothing of this session is let out until an operator
  // says so anew, whoever ended it: what the other side had a hand in can look like ours.
  bool would_give_more(bool by_them) const;
  Status send_turn(std::uint64_t turn);
  Status receive_turn(std::uint64_t turn);
  // Checks one opening and puts it beside the match it is of, or beside the canary of ours that the other side takes
  // for one. @return which match; beyond the matches, which canary
  Result<std::size_t> take(const log::OfferedOpening& offered);
  Status check_opened(const Opening& opening) const;
  // Under what the other side committed to. @error Errc::protocol; evidence of it is kept where there is any
  Status check_committed(const log::OfferedOpening& offered, const Opening& opening);
  Result<bool> keep_evidence(const log::OfferedOpening& offered);
  // The note of an entry of the other side, and its body. @error Errc::not_found
  struct Signed {
    std::string note;
    log::Body body;
  };
  Result<Signed> signed_by_them(const std::string& origin, const Digest& leaf_hash) const;
  Result<mirror::EntryView> close(std::string_view stopped);
  // @error Errc::protocol where it says that what went to its end here did not
  Status receive_closing();

  // Writes a step of ours, or keeps one of theirs, with the state that it leads to.
  Result<mirror::EntryView> write(std::string_view state, std::string_view type, log::Json body,
                                  std::vector<Digest> refs);
  Status keep(std::string_view state, const ReceivedStep& step);
  Status save(std::string_view state, const vault::SessionStep& step);

  // One field of either side in each, as long as there is one: nobody is ahead by more than a field while both have
  // some left. What one side opens beyond that, by its operator's leave, comes last.
  std::uint64_t turns() const { return std::max(numbers_.we_open, numbers_.they_open); }
  // Of the next frame: whoever is slow with each does not hold us for ever.
  Deadline next_due() const { return std::min(deadline_in(kRevealStepWait), exchange_end_); }
  std::string& theirs_of(std::size_t match) {
    return match < session_.matches.size() ? session_.matches[match].theirs
                                           : hits_[match - session_.matches.size()].theirs;
  }

  const Party& us_;
  StepLink steps_;
  bool we_call_;  // who calls sends its offer first, and shows its matches first
  BeforeOpening before_;
  BeforeAnswer called_;

  Revealable session_;
  std::vector<CanaryHit> hits_;
  std::vector<PlannedValue> ours_;  // what we offer, one field each, in the order in which it will leave
  std::optional<Commitments> commitments_;
  std::optional<log::OfferTree> our_tree_;
  std::optional<ReceivedList> received_before_;  // by us
  std::optional<ReceivedList> they_have_;        // by their word
  bool claims_more_ = false;                     // than by our record was opened to it
  bool all_is_there_ = false;                    // the other side has all that we could open
  bool only_again_ = false;                      // we offer what by our record was opened before, and nothing else
  std::vector<Consent> consents_;                // that this exchange goes by
  RevealOffer our_offer_, their_offer_;
  RevealConsent their_consent_;
  Digest our_consent_step_{};
  mirror::EntryView our_offer_step_;
  Digest their_offer_step_{};
  RevealNumbers numbers_;
  bool declined_ = false;  // before anything was opened
  bool peer_out_ = false;  // it may not be opened anything any more, by what it did or by what it is in the group now
  bool stopped_here_ = false;  // by what our consents, marks, rules or group say now
  bool we_begin_ = false;      // who opens the first field
  Side our_side_ = Side::asker, their_side_ = Side::responder;
  Digest our_label_{}, their_label_{};
  std::optional<OpeningSeal> seal_;
  Commitment their_commitment_;
  Digest their_commit_step_{};
  std::uint64_t our_size_ = 0, their_size_ = 0;
  std::map<indicator::Canonical, std::size_t> match_by_indicator_;  // the canaries behind the matches
  std::set<std::pair<std::size_t, std::size_t>> opened_to_us_;      // match and field
  std::size_t last_rank_ = 0;                                       // of the field that was opened to us last
  std::vector<std::size_t> common_;                                 // matches and canaries, by ascending indicator
  std::vector<std::size_t> place_of_;                               // of a match or canary, in common_
  std::set<std::size_t> unshown_;                                   // of those, what the other side did not show
  std::uint64_t newly_unshown_ = 0;                                 // of which that was not known before
  std::uint64_t sent_fields_ = 0;
  bool ahead_ = false;  // that more has gone out than came back is on record (note_ahead())
  std::set<std::size_t> matches_opened_;
  Deadline exchange_end_{};
  std::optional<Turnstile> turnstile_;
};

}  // namespace parley::session::detail
