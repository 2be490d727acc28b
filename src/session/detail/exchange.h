// A reveal while it goes on (reveal.h).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "session/canary_hits.h"
#include "session/detail/offer_hash.h"
#include "session/detail/opening_seal.h"
#include "session/detail/turnstile.h"
#include "session/opening.h"
#include "session/reveal.h"

namespace parley::session::detail {

inline constexpr auto kRevealStepWait = std::chrono::minutes(10);

/// One exchange, seen from either side: reveal.cpp has how it begins, reveal_openings.cpp how it is carried out.
class Exchange {
 public:
  Exchange(const Party& us, group::LogLink& link, bool we_call) : us_(us), steps_(link), we_call_(we_call) {}

  Result<RevealOutcome> begin(const std::string& session);
  Result<RevealOutcome> answer(const ReceivedStep& consent);

 private:
  // --- before anything is opened ---
  Result<std::vector<Consent>> our_consents() const;
  Status prepare(std::span<const Consent> consents);
  Status prepare_openings(std::span<const Consent> consents, const group::Membership& membership);
  Status check_fields_cap(const group::Membership& membership, const RevealPlan& made) const;
  // What the other side signed before the session and after it.
  Status read_their_part();
  Result<mirror::EntryView> their_step(std::string_view type) const;
  // Whether group and own rules let context be opened to this peer now. @error Errc::policy
  Status check_permitted(const group::Membership& membership) const;
  // Who opens first: whoever owes by the ledger, that is, has been opened more than it opened; else by a coin that
  // neither could choose.
  Result<std::string> first_to_open() const;
  // Whether this session with this peer has no common indicators but canaries of ours.
  Result<bool> only_canaries_are_common(const std::string& session) const;
  Result<std::optional<RevealOutcome>> take_refusal(const ReceivedStep& step) const;
  Status write_and_send(std::string_view state, std::string_view type, log::Json body, std::vector<Digest> refs);
  Status exchange_offers(const ReceivedStep& their_consent);
  Status check_offers();
  Status refuse(std::string_view code, const ReceivedStep& answered);

  // --- openings ---
  Result<RevealOutcome> exchange();
  Status open_in_turn();
  Status send_turn(std::uint64_t turn);
  Status receive_turn(std::uint64_t turn);
  // Checks one opening and puts it beside the match it is of, or beside the canary of ours that the other side takes
  // for one. @return which match; beyond the matches, which canary
  Result<std::size_t> take(std::string_view text);
  Status check_opened(const Opening& opening) const;
  Status check_salts();
  Result<mirror::EntryView> close(std::string_view stopped);

  // Writes a step of ours, or keeps one of theirs, with the state that it leads to.
  Result<mirror::EntryView> write(std::string_view state, std::string_view type, log::Json body,
                                  std::vector<Digest> refs);
  Status keep(std::string_view state, const ReceivedStep& step);
  Status save(std::string_view state, const vault::SessionStep& step);

  std::uint64_t turns() const { return std::max<std::uint64_t>(ours_.size(), their_offer_.values); }
  // Rounded up: who has few to open opens them first, not when the other side has opened all of its own. No turn has
  // more than one field of either side.
  std::uint64_t turn_begins(std::uint64_t turn, std::uint64_t count) const {
    return (turn * count + turns() - 1) / turns();
  }
  std::string& theirs_of(std::size_t match) {
    return match < session_.matches.size() ? session_.matches[match].theirs
                                           : hits_[match - session_.matches.size()].theirs;
  }

  const Party& us_;
  StepLink steps_;
  bool we_call_;  // who calls sends its offer first

  Revealable session_;
  std::vector<CanaryHit> hits_;
  std::vector<std::string> ours_;       // openings as they will leave, one field each
  std::vector<std::size_t> our_match_;  // which match each of them is of
  std::string given_by_;
  ByteArray<32> our_salt_{};
  RevealOffer our_offer_, their_offer_;
  RevealConsent their_consent_;
  bool we_begin_ = false;  // who opens the first field
  Digest our_label_{}, their_label_{};
  std::optional<OpeningSeal> seal_;
  Commitment their_commitment_;
  std::uint64_t their_size_ = 0;
  std::map<indicator::Canonical, std::size_t> match_by_indicator_;  // the canaries behind the matches
  std::set<std::pair<std::size_t, std::size_t>> opened_to_us_;      // match and field
  std::size_t last_rank_ = 0;                                       // of the field that was opened to us last
  OfferHash received_;
  std::uint64_t sent_fields_ = 0;
  Deadline openings_end_{};
  std::optional<Turnstile> turnstile_;
};

}  // namespace parley::session::detail
