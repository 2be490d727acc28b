// Steps of a session: a frame of any bytes, any object that the peer's node signed, and any object as the body of each
// type. What is taken is what this program writes.
#include "check.h"
#include "session/step.h"
#include "wire/fixed_members.h"
#include "wire/scripted_link.h"

namespace {

using namespace parley;

template <typename Body>
void check_body(const log::Json& json) {
  const auto body = Body::from_json(json);
  if (!body) {
    check(body.error().code == Errc::format);
    return;
  }
  check(body->to_json() == json);
}

void check_bodies(const log::Json& json) {
  check_body<session::Proposal>(json);
  check_body<session::Acceptance>(json);
  check_body<session::Refusal>(json);
  check_body<session::Commitment>(json);
  check_body<session::ResultStep>(json);
  check_body<session::Abort>(json);
  check_body<session::RevealOffer>(json);
}

group::Member fixed_bravo() {
  const wire::LocalIdentity identity = wire::fixed_member("bravo", 3);
  group::Member member;
  member.card.nick = identity.nick;
  member.card.node_vkey = wire::pinned(identity).node_vkey;
  member.node_seed = identity.node_seed.clone();
  return member;
}

/// Bravo waits for an acceptance; `note` is the frame that arrives from alpha.
void check_receive(const wire::PinnedPeer& alpha, const group::Member& bravo, std::string_view note) {
  if (note.size() > wire::kMaxPayloadBytes) return;
  Bytes stream;
  append(stream, wire::frame_head(wire::FrameType::step, note.size()));
  append(stream, as_bytes(note));
  wire::ScriptedLink link(alpha, stream);
  session::StepLink steps(link, bravo);
  steps.set_session("0123456789abcdef0123456789abcdef");
  const auto step = steps.receive(session::kAccept, Deadline::max());
  if (step) check(step->type == session::kAccept && step->note == note);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz_text(data, size);
  const wire::LocalIdentity alpha = wire::fixed_member("alpha", 1);
  static const group::Member bravo = fixed_bravo();
  const wire::PinnedPeer peer = wire::pinned(alpha);
  if (const auto body = log::parse_pjson(text, 1 << 14)) check_bodies(*body);

  const std::string signed_note =
      log::sign_note("parley/step/v1\n" + std::string(text) + "\n", alpha.node_key_name, alpha.node_seed);
  for (const std::string_view note : {text, std::string_view(signed_note)}) {
    const auto step = session::check_step(note, peer, "bravo");
    if (!step) continue;
    check(step->note == note && step->body.object() != nullptr);
    check_bodies(step->body);
    check_receive(peer, bravo, note);
  }
  return 0;
}
