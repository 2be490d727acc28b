#include "sim/session_liar.h"

#include "base/encoding.h"
#include "base/random.h"
#include "sim/node.h"
#include "sim/world.h"

namespace parley::sim {
namespace {

constexpr std::size_t kMostReplayed = 64;
constexpr int kAtOnce = 4;  ///< questions of an enumerator
constexpr Time kPatience = 40'000;
constexpr std::uint64_t kLargest = 1280;  ///< that a tight charter may let through

}  // namespace

SessionLiar::SessionLiar(Node& node, const Fault& fault)
    : Sessions(node), fault_(fault), dice_(node.world().plan().seed, "session liar") {}

bool SessionLiar::plays(FaultKind role) {
  const World& world = node().world();
  return fault_.kind == role && world.now() >= fault_.at && !world.is_calm();
}

void SessionLiar::misdeed() {
  node().world().misdeed(fault_.kind);
}

// --- what is asked, and how much -----------------------------------------------------------------------------------

Status SessionLiar::check_permitted(const Talk& talk, const Digest& their_charter) {
  if (!plays(FaultKind::enumerator)) return Sessions::check_permitted(talk, their_charter);
  return {};  // the caps are the others' business
}

std::uint64_t SessionLiar::padded_for(const Talk& talk) {
  return plays(FaultKind::enumerator) ? kLargest : Sessions::padded_for(talk);
}

std::uint64_t SessionLiar::probe_items_of(const Talk& talk) {
  if (!plays(FaultKind::size_changer)) return Sessions::probe_items_of(talk);
  misdeed();
  return dice_.one_in(2) ? talk.terms.our_padded * 2 : talk.terms.our_padded - 1;
}

void SessionLiar::tick() {
  World& world = node().world();
  if (plays(FaultKind::enumerator)) {
    const std::size_t peer = (node().self() + 1 + dice_.below(world.count() - 1)) % world.count();
    for (int i = 0; i < kAtOnce; ++i) {
      misdeed();
      ask(peer);
    }
  }
  if (plays(FaultKind::step_replayer) && !named_before_.empty()) {
    // To the one that it was for, or to anybody.
    auto [peer, step] = named_before_[dice_.below(named_before_.size())];
    if (dice_.one_in(3)) peer = (node().self() + 1 + dice_.below(world.count() - 1)) % world.count();
    misdeed();
    node().send(peer, {.type = FrameType::step, .message = {}, .step = step, .session = {}});
  }
}

// --- steps ---------------------------------------------------------------------------------------------------------

void SessionLiar::name(const Talk& talk, const mirror::EntryView& step) {
  if (plays(FaultKind::staller) && dice_.one_in(3)) return misdeed();
  Sessions::name(talk, step);
  if (fault_.kind != FaultKind::step_replayer) return;
  if (named_before_.size() < kMostReplayed) named_before_.emplace_back(talk.peer, step.leaf_hash);
  if (!plays(FaultKind::step_replayer) || !dice_.one_in(3)) return;
  misdeed();
  const Digest again = dice_.one_in(2) ? step.leaf_hash : named_before_[dice_.below(named_before_.size())].second;
  node().send(talk.peer, {.type = FrameType::step, .message = {}, .step = again, .session = {}});
}

/// A step whose turn has not come. What ought to come later cannot be written again, and the session ends of it here.
void SessionLiar::take_early(Talk& talk, std::string_view type) {
  misdeed();
  log::Json body = result_of(talk).to_json();
  if (type == session::kRun)
    body = log::Json::Object{{"probe_items", static_cast<std::int64_t>(talk.terms.our_padded)},
                             {"v", session::kSessionVersion}};
  if (type == session::kClose)
    body = log::Json::Object{{"agree", true}, {"peer_result", to_hex(talk.proposal)}, {"v", session::kSessionVersion}};
  const auto step = write(talk, type, std::move(body), {}, talk.row.state);
  if (step) name(talk, *step);
}

void SessionLiar::commit(Talk& talk) {
  if (plays(FaultKind::step_shuffler) && dice_.one_in(2))
    take_early(talk, dice_.one_in(2) ? session::kRun : session::kResult);
  Sessions::commit(talk);
}

void SessionLiar::run(Talk& talk) {
  if (plays(FaultKind::step_shuffler) && dice_.one_in(3)) {
    misdeed();
    Sessions::disclose(talk);
  } else if (plays(FaultKind::step_shuffler) && dice_.one_in(2)) {
    take_early(talk, dice_.one_in(2) ? session::kResult : session::kClose);
  }
  Sessions::run(talk);
}

/// Lets the other side disclose, and leaves with what it has learned.
void SessionLiar::disclose(Talk& talk) {
  if (!plays(FaultKind::aborter)) return Sessions::disclose(talk);
  talk.disclosed = true;
  talk.phase = Phase::disclosing;
  wait(talk, kPatience);
}

void SessionLiar::record(Talk& talk) {
  if (plays(FaultKind::aborter)) {
    misdeed();
    return failed(talk, Errc::cancelled);
  }
  if (plays(FaultKind::step_shuffler) && dice_.one_in(3)) take_early(talk, session::kClose);
  Sessions::record(talk);
}

/// Signs another result than the session had, and then that both agree.
session::ResultStep SessionLiar::result_of(const Talk& talk) {
  session::ResultStep result = Sessions::result_of(talk);
  if (!plays(FaultKind::result_forger)) return result;
  misdeed();
  if (result.count > 0 && dice_.one_in(2))
    result.count -= 1;
  else
    result.transcript = random_bytes<32>();
  return result;
}

void SessionLiar::compare(Talk& talk) {
  if (plays(FaultKind::close_withholder)) {
    misdeed();
    return failed(talk, Errc::peer_gone);  // keeps the result
  }
  if (!plays(FaultKind::result_forger)) return Sessions::compare(talk);
  const auto step = write(
      talk, session::kClose,
      log::Json::Object{
          {"agree", true}, {"peer_result", to_hex(talk.their_result->leaf_hash)}, {"v", session::kSessionVersion}},
      {talk.their_result->leaf_hash}, session::kHasResult);
  if (!step) return failed(talk, Errc::policy);
  talk.phase = Phase::closing;
  name(talk, *step);
  wait(talk, kPatience);
}

}  // namespace parley::sim
