// What arrives for a member's sessions: steps of the other side, each taken in the order in which it was named, once
// its entry and body are here.
#include <algorithm>

#include "sim/node.h"
#include "sim/sessions.h"
#include "sim/world.h"

namespace parley::sim {

using mirror::EntryView;

namespace {

constexpr std::size_t kMostArrived = 16;

}  // namespace

void Sessions::take_step(std::size_t peer, const Digest& step) {
  named_[peer].push_back({.step = step});
}

void Sessions::take_disclosure(std::size_t peer, const std::string& session) {
  Talk* talk = find(session);
  if (talk != nullptr && talk->peer == peer) talk->they_disclosed = true;
}

void Sessions::link_lost(std::size_t peer) {
  named_.erase(peer);
  reveals_.link_lost(peer);
  for (Talk& talk : talks_)
    if (talk.peer == peer && talk.phase != Phase::over && talk.phase != Phase::greeting) failed(talk, Errc::peer_gone);
}

/// As group::LogLink::find_step(): the entry may be on the way by another link, or have come from a third member
/// without its body.
bool Sessions::take_named(std::size_t peer, Named& named) {
  const std::string& nick = node_.world().nick(peer);
  auto step = node_.replica().entry(nick, named.step);
  if (step && step->body) dispatch(peer, *step);
  if (step && (step->body || !is_for_us(*step))) return true;
  bool& asked = step ? named.asked_for_body : named.asked_for_entry;
  if (std::exchange(asked, true)) return false;
  const mirror::Get get =
      step ? mirror::Get{mirror::Get::What::body, nick, step->entry.seq, 1}
           : mirror::Get{mirror::Get::What::entries, nick, node_.replica().size(nick), mirror::kMaxPushLeaves};
  auto question = mirror::write_message(kGroup, get);
  node_.send(peer, {.type = FrameType::log, .message = std::move(*question), .step = {}, .session = {}});
  return false;
}

bool Sessions::is_for_us(const EntryView& step) const {
  const auto& audience = step.entry.audience;
  return std::ranges::find(audience, node_.world().nick(node_.self())) != audience.end();
}

void Sessions::dispatch(std::size_t peer, const EntryView& step) {
  if (!is_for_us(step)) return;
  if (step.entry.type == session::kPropose) return begin_answer(peer, step);
  if (reveals_.take_step(peer, step)) return;
  Talk* talk = find(step.entry.session);
  if (talk == nullptr || talk->peer != peer) return;
  if (talk->arrived.size() >= kMostArrived) return failed(*talk, Errc::protocol);
  talk->arrived.push_back(step);
}

/// As session::StepLink::receive(): the step that is due, once it has come. Whatever comes in its place ends the
/// session.
std::optional<EntryView> Sessions::due(Talk& talk, std::string_view type) {
  if (talk.arrived.empty()) return std::nullopt;
  auto next = talk.arrived.begin();
  if (flawed(Flaw::takes_steps_in_any_order)) {
    const auto is_it = [&](const EntryView& step) { return step.entry.type == type; };
    const auto found = std::ranges::find_if(talk.arrived, is_it);
    if (found != talk.arrived.end()) next = found;
  }
  if (next->entry.type != type) {
    ended_by_peer(talk);
    return std::nullopt;
  }
  EntryView step = std::move(*next);
  talk.arrived.erase(next);
  return step;
}

void Sessions::ended_by_peer(Talk& talk) {
  const std::string& type = talk.arrived.front().entry.type;
  failed(talk, type == session::kRefuse || type == session::kAbort ? Errc::refused : Errc::protocol);
}

}  // namespace parley::sim
