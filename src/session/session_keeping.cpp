// What the vault and the log are told of each step of a session, and of one that fails.
#include "base/text.h"
#include "session/detail/session.h"
#include "session/secrets.h"

namespace parley::session::detail {
namespace {

constexpr std::size_t kShownIdDigits = 8;  // of a session's id, in the node's log and in commands

}  // namespace

Result<mirror::EntryView> Session::write(std::string_view type, log::Json body, std::vector<Digest> refs,
                                         std::string_view state) {
  return steps_.write(type, std::move(body), std::move(refs), [&](const mirror::EntryView& step) {
    row_.id = session_of(step);
    return save(state, {stored_step(step)});
  });
}

Status Session::save(std::string_view state, std::vector<vault::SessionStep> steps) {
  row_.state = state;
  row_.updated = wall_clock_now();
  row_.terms = write_terms(terms_);
  row_.outcome = write_outcome(outcome_);
  return us_.vault.save_session(row_, steps);
}

Status Session::save_received(std::string_view state, const ReceivedStep& step) {
  return save(state, {stored_step(steps_.peer().nick, step)});
}

// People decide by the first digits of an id. Two proposals that share them take an asker seconds to make: one to be
// looked at, and one to be accepted in its place.
Status Session::save_proposal(const ReceivedStep& step) {
  return us_.vault.together([&]() -> Status {
    if (us_.vault.session(row_.id.substr(0, kShownIdDigits)))
      return fail(Errc::protocol, "A proposal that was made before was sent again, or one whose id begins like its id.",
                  steps_.peer().name);
    return save_received(kProposed, step);
  });
}

std::unexpected<Error> Session::failed(Error error) {
  if (us_.progress.cancelled()) error = {Errc::cancelled, "The session was stopped on this side.", {}};
  const bool disclosed = charged_;
  outcome_.failed_phase = phase_;
  outcome_.failure = error.text();
  outcome_.may_have_disclosed = disclosed;
  outcome_.bytes_sent = static_cast<std::int64_t>(steps_.link().bytes_sent());
  outcome_.bytes_received = static_cast<std::int64_t>(steps_.link().bytes_received());
  const bool refused = error.code == Errc::refused && phase_ == "propose";
  if (!row_.id.empty()) {
    const std::string_view state = refused ? kRefused : expired_ ? kExpired : kAborted;
    const Abort abort{.phase = phase_, .code = std::string(name_of(error.code)), .may_have_disclosed = disclosed};
    // Who refuses has said so. Whose question is refused says that it came to nothing here: a session of which its log
    // has no end counts as one whose run it may have lost.
    const auto said = refused && side_ == Side::responder ? Result<mirror::EntryView>(fail(Errc::refused, {}))
                                                          : write(kAbort, abort.to_json(), {}, state);
    const bool nobody_waits = refused || error.code == Errc::peer_gone;
    if (said && !nobody_waits) (void)steps_.send(*said);  // best effort: the link may be what failed
    if (said && disclosed) (void)settle_ledger();
    // Where our log may not be written any more, the vault still says how the session ended.
    if (!said)
      if (auto saved = save(state); !saved)
        error.message += " And the vault could not record it: " + saved.error().text();
    forget_secrets();
    (void)us_.vault.put_secret(commitments_name(row_.id), {});  // nothing of this session will be revealed
  }
  return std::unexpected(std::move(error));
}

// --- secrets --------------------------------------------------------------------------------------------------------

/// Only while the group is at work: at its end all secrets of its sessions are destroyed, and none may come after.
/// @error Errc::policy
Status Session::keep_secret(const std::string& name, ByteView secret) const {
  return us_.vault.together([&]() -> Status {
    TRY(const vault::GroupRow group, us_.vault.group(row_.group));
    if (group.state != group::kActive)
      return fail(Errc::policy, "The group " + visible(group.name) + " ended while this session was under way.");
    return us_.vault.put_secret(name, secret);
  });
}

void Session::forget_secrets() {
  // Failing to forget is not worth failing the session for: the secrets lie sealed, and close_interrupted() tries
  // again.
  (void)us_.vault.together([&]() -> Status {
    TRY_STATUS(us_.vault.put_secret(salts_name(row_.id), {}));
    return us_.vault.put_secret(seed_name(row_.id), {});
  });
}

void Session::keep_record() {
  recorder_->finish([this](const auto& name, ByteView secret) { return keep_secret(name, secret); });
  recorder_.reset();
}

}  // namespace parley::session::detail
