// How a deviating member changes the steps of a session before they leave it.
#pragma once

#include "support/session_parties.h"

namespace parley::session {

/// Changes the body of a step that `us` sends, and signs it again: what an operator with another program can do.
inline Deviation changing(const Opened& us, const wire::PinnedPeer& to, std::string_view type,
                          std::function<void(log::Json::Object&)> change) {
  return [&us, to, type = std::string(type),
          change = std::move(change)](const wire::Frame& frame) -> std::vector<wire::Frame> {
    if (frame.type != wire::FrameType::step) return {frame};
    const auto step = check_step(as_text(frame.payload), us.pin(), to.nick);
    if (!step || step->type != type) return {frame};
    log::Json::Object body = *step->body.object();
    change(body);
    const std::string note = make_step(us.member, to.nick, step->session, type, log::Json(std::move(body)));
    return {{wire::FrameType::step, to_bytes(note)}};
  };
}

/// Replaces a step of `type` by what `replace` makes of it and of its note.
inline Deviation replacing(const Opened& us, const wire::PinnedPeer& to, std::string_view type,
                           std::function<std::vector<std::string>(const ReceivedStep&)> replace) {
  return [&us, to, type = std::string(type),
          replace = std::move(replace)](const wire::Frame& frame) -> std::vector<wire::Frame> {
    if (frame.type != wire::FrameType::step) return {frame};
    const auto step = check_step(as_text(frame.payload), us.pin(), to.nick);
    if (!step || step->type != type) return {frame};
    std::vector<wire::Frame> frames;
    for (const std::string& note : replace(*step)) frames.push_back({wire::FrameType::step, to_bytes(note)});
    return frames;
  };
}

/// Changes the `which`th BODY frame: result key shares, openings, salts.
inline Deviation changing_body(std::size_t which, std::function<std::vector<Bytes>(Bytes)> change) {
  return [which, seen = std::make_shared<std::size_t>(0),
          change = std::move(change)](const wire::Frame& frame) -> std::vector<wire::Frame> {
    if (frame.type != wire::FrameType::body || (*seen)++ != which) return {frame};
    std::vector<wire::Frame> frames;
    for (Bytes& payload : change(frame.payload)) frames.push_back({wire::FrameType::body, std::move(payload)});
    return frames;
  };
}

/// Two members in the middle of the group; either of them may be the one that deviates.
class DeviatingPeer : public testing::Test {
 protected:
  TestMember bravo_home_{"Bravo CERT", material("Sednit")}, alpha_home_{"Alpha CERT", material("XAgent")};
  Opened asker_{bravo_home_}, answerer_{alpha_home_};
};

/// The honest side has ended with this error, and keeps no result.
template <typename Outcome>
void expect_refused(Opened& honest, const Result<Outcome>& outcome, Errc code, std::string_view text) {
  ASSERT_FALSE(outcome.has_value()) << "it was not refused";
  EXPECT_EQ(outcome.error().code, code) << name_of(outcome.error().code) << ": " << outcome.error().text();
  EXPECT_THAT(outcome.error().text(), testing::HasSubstr(std::string(text)));
  const std::string id = newest_session(*honest.vault);
  if (id.empty()) return;
  EXPECT_TRUE(matched(*honest.vault, id).empty());
  EXPECT_THAT(state_of(*honest.vault, id), testing::AnyOf("aborted", "refused"));
}

/// Afterwards both hold a session as if nothing had been.
inline void expect_next_session_succeeds(Opened& asker, Opened& answerer) {
  const auto next = hold_session(asker, answerer, which_addresses_and_names());
  ASSERT_OK(next.began);
  ASSERT_OK(next.answered);
  EXPECT_EQ(matched(*asker.vault, *next.began), kShared);
  EXPECT_EQ(matched(*answerer.vault, *next.answered), kShared);
}

}  // namespace parley::session
