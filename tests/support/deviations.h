// How a deviating member changes the steps of a session before they leave it.
#pragma once

#include "support/session_parties.h"

namespace parley::session {

/// Another body in a step of `type`: what an operator with another program can write.
inline Deviation changing(std::string_view type, std::function<void(log::Json::Object&)> change) {
  return {.rewrite = [type = std::string(type), change = std::move(change)](mirror::Draft& draft) {
    if (draft.type != type) return;
    log::Json::Object body = *draft.body.object();
    change(body);
    draft.body = log::Json(std::move(body));
  }};
}

/// Another entry in the place of a step of `type`.
inline Deviation writing(std::string_view type, std::function<void(mirror::Draft&)> change) {
  return {.rewrite = [type = std::string(type), change = std::move(change)](mirror::Draft& draft) {
    if (draft.type == type) change(draft);
  }};
}

/// Names other entries than the step of `type` that it has written.
inline Deviation naming(RewritingLog& log, std::string_view type,
                        std::function<std::vector<Digest>(const mirror::EntryView&)> instead) {
  return {.resend = [&log, type = std::string(type),
                     instead = std::move(instead)](const wire::Frame& frame) -> std::vector<wire::Frame> {
    Digest named{};
    if (frame.type != wire::FrameType::step || frame.payload.size() != named.size()) return {frame};
    std::ranges::copy(frame.payload, named.begin());
    const auto step = log.with([&](mirror::Replica& replica) { return replica.entry(log.nick(), named); });
    if (!step || step->entry.type != type) return {frame};
    std::vector<wire::Frame> frames;
    for (const Digest& other : instead(*step)) frames.push_back({wire::FrameType::step, to_bytes(other)});
    return frames;
  }};
}

/// Whether it shows a match, before anything of its context is opened. Of the line without a key of the pair.
inline bool shows_match(const wire::Frame& frame) {
  return frame.type == wire::FrameType::opening && frame.payload.size() > Secret<32>::kSize &&
         frame.payload.front() == std::byte{'{'};
}
/// Whether it is what the sender of a reveal says to have received. Of fewer than 26 matches.
inline bool is_list(const wire::Frame& frame) {
  return frame.type == wire::FrameType::opening && !frame.payload.empty() && frame.payload.size() < Secret<32>::kSize;
}
inline bool is_opening(const wire::Frame& frame) {
  return frame.type == wire::FrameType::opening && !shows_match(frame) && !is_list(frame);
}

/// Does something else in the place of the `which`th match that is to be shown.
inline Deviation showing(std::size_t which, std::function<Bytes(Bytes)> change) {
  return {.resend = [which, change = std::move(change),
                     shown = std::make_shared<std::size_t>(0)](const wire::Frame& frame) -> std::vector<wire::Frame> {
    if (!shows_match(frame) || (*shown)++ != which) return {frame};
    return {{frame.type, change(frame.payload)}};
  }};
}
inline Bytes nothing(const Bytes&) {
  return {};
}

/// Changes the `which`th opening: result key shares, openings of fields.
inline Deviation changing_opening(std::size_t which, std::function<std::vector<Bytes>(Bytes)> change) {
  return {.resend = [which, seen = std::make_shared<std::size_t>(0),
                     change = std::move(change)](const wire::Frame& frame) -> std::vector<wire::Frame> {
    if (!is_opening(frame) || (*seen)++ != which) return {frame};
    std::vector<wire::Frame> frames;
    for (Bytes& payload : change(frame.payload)) frames.push_back({wire::FrameType::opening, std::move(payload)});
    return frames;
  }};
}

/// Two members in the middle of the group; either of them may be the one that deviates.
class DeviatingPeer : public testing::Test {
 protected:
  TestMember bravo_home_{"Bravo CERT", material("Sednit")}, alpha_home_{"Alpha CERT", material("XAgent")};
  Opened asker_{bravo_home_}, answerer_{alpha_home_};

  RewritingLog& log_of(Opened& side) { return side.log(charter_of(asker_, answerer_)); }
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
