// A member that binds itself, in a reveal, to other openings than its program would make: what it says in its consent,
// its offer and its openings goes together, so that only what it had committed to before the session gives it away.
#pragma once

#include "log/opening.h"
#include "session/opening.h"
#include "session/secrets.h"
#include "support/deviations.h"
#include "support/offered.h"

namespace parley::session {

/// The openings that `side` would make for the consent that it has given, in their order.
inline std::vector<Opening> honest_openings(Opened& side, const std::string& session) {
  const auto found = revealable(*side.vault, session);
  const auto consent = consent_given(*side.vault, session);
  const auto stored = side.vault->secret(commitments_name(session));
  EXPECT_OK(found);
  EXPECT_TRUE(consent && *consent);
  EXPECT_TRUE(stored && *stored);
  const auto commitments = Commitments::restore((*stored)->expose());
  EXPECT_OK(commitments);
  const std::vector<MatchNow> now(found->matches.size());
  const auto made = plan(found->matches, now, std::span(&**consent, 1), LetOut{.tlp_max = indicator::Tlp::amber});
  EXPECT_OK(made);
  std::vector<Opening> openings;
  for (const PlannedValue& value : made->values) {
    const vault::SessionMatch& match = found->matches[value.match];
    const auto place = CommittedPlace::from_bytes(match.commitment);
    const auto fields = committed_fields(match);
    EXPECT_OK(place);
    EXPECT_OK(fields);
    std::vector<std::size_t> opened{value.field, *field_index("tlp")};
    std::ranges::sort(opened);
    openings.push_back(make_opening(match.indicator, commitments->opening(place->position, place->index, *fields),
                                    found->row.asked_by_us ? Side::asker : Side::responder, commitments->size(),
                                    opened));
  }
  return openings;
}

/// The offer that `beginner` would make: both exchange theirs, and it then opens nothing.
inline RevealOffer honest_offer(Opened& beginner, Opened& answerer, const std::string& session, const Opened& of) {
  RevealOffer offer;
  const Deviation look{.rewrite = [&offer](mirror::Draft& draft) {
    if (draft.type != kRevealOffer) return;
    const auto read = RevealOffer::from_json(draft.body);
    EXPECT_OK(read);
    offer = *read;
  }};
  const bool begins = &of == &beginner;
  const auto consent = consent_given(*answerer.vault, session);
  const auto held = meet<RevealOutcome>(
      beginner, answerer, begins ? look : Deviation{}, begins ? Deviation{} : look,
      [&](Party us, group::LogLink& link) {
        return reveal(us, link, session,
                      [](const RevealNumbers&) -> Status { return fail(Errc::cancelled, "Not on these terms."); });
      },
      [&](Party us, group::LogLink& link) -> Result<RevealOutcome> {
        TRY(const ReceivedStep step, first_step(link));
        return answer_reveal(us, link, step);
      });
  EXPECT_FAILS(held.began, Errc::cancelled);
  // Who was declined has to consent anew.
  if (consent && *consent) {
    EXPECT_OK(give_consent(*answerer.vault, session, **consent));
  }
  return offer;
}

/// @param offer  honest_offer() of the deviating member. @param texts  what it opens in their place
inline Deviation opening_instead(const RevealOffer& offer, const std::string& session, Side side,
                                 std::vector<std::string> texts) {
  struct Lie {
    std::vector<std::string> texts;
    log::OfferTree tree;
    RevealOffer offer;
    std::uint64_t sent = 0;
  };
  const auto lie = std::make_shared<Lie>(Lie{texts, log::offer_of(texts), offer});
  lie->offer.openings_commitment = lie->tree.root();
  lie->offer.values = texts.size();
  return {.rewrite =
              [lie, label = input_label(session, side)](mirror::Draft& draft) {
                if (draft.type == kRevealOffer) draft.body = lie->offer.to_json();
                if (draft.type != kRevealConsent) return;
                log::Json::Object body = *draft.body.object();
                body.insert_or_assign("offer", to_hex(offer_commitment(label, lie->offer)));
                draft.body = log::Json(std::move(body));
              },
          .resend =
              [lie](const wire::Frame& frame) {
                if (!is_opening(frame) || lie->sent == lie->texts.size()) return std::vector{frame};
                const std::uint64_t i = lie->sent++;
                return std::vector{wire::Frame{
                    frame.type, write_offered({.index = i, .path = lie->tree.path(i), .text = lie->texts[i]})}};
              }};
}

inline std::vector<std::string> texts_of(const std::vector<Opening>& openings) {
  std::vector<std::string> texts;
  for (const Opening& opening : openings) texts.push_back(write_opening(opening));
  return texts;
}

}  // namespace parley::session
