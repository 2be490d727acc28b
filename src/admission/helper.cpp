#include "admission/helper.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "crypto/hash.h"
#include "log/entry_type.h"

namespace parley::admission {
namespace {

constexpr auto kNextRequest = std::chrono::minutes(2);  // an owner combines and stores between two of its requests
constexpr UnixSeconds kDaySeconds = 86'400;

/// A refusal on its way out of checks that otherwise fail.
using Checked = std::expected<void, Refusal>;

/// What was answered last on this link: the only thing that can be asked to be proven, and once.
struct Answered {
  Digest batch{};
  Bytes blinded, evaluated;
  psi::oprf::KeyPair key;
};

class Helper {
 public:
  Helper(const Party& us, const std::function<Result<group::Membership>()>& membership_now, group::LogLink& link)
      : us_(us), membership_now_(membership_now), link_(link) {}

  Result<std::uint64_t> run() {
    for (;;) {
      TRY(const wire::Frame frame, link_.receive(deadline_in(kNextRequest)));
      if (frame.type == wire::FrameType::bye) return helped_;
      if (frame.type != wire::FrameType::admission)
        return fail(Errc::protocol, "Something came that is not about admission.", link_.peer().name);
      TRY(const Message message, read_message(frame.payload));
      if (const auto* request = std::get_if<Request>(&message))
        TRY_STATUS(answer(*request));
      else if (const auto* challenge = std::get_if<Challenge>(&message))
        TRY_STATUS(prove(*challenge));
      else
        return fail(Errc::protocol, "A helper's message came from the one who is to be helped.", link_.peer().name);
    }
  }

 private:
  Status send(const Message& message) {
    return link_.send_until(wire::FrameType::admission, write_message(message), deadline_in(kNextRequest));
  }

  /// What does not depend on how much was counted before.
  Result<Checked> check(const group::Membership& membership, const Request& request, const Standing& standing,
                        Refusal refusal) const {
    const auto refuse = [&](Reason reason) -> Result<Checked> {
      refusal.reason = reason;
      return Checked(std::unexpect, refusal);
    };
    if (!membership.check(group::Act::question, wall_clock_now())) return refuse(Reason::policy);
    if (!link_.log().with([&](mirror::Replica& replica) { return replica.trusted(owner()); }))
      return refuse(Reason::policy);
    if (membership.charter().admission.cap(request.type) == nullptr) return refuse(Reason::type);
    if (!standing.epoch || standing.epoch->id != request.epoch) return refuse(Reason::epoch);
    const auto is_owner = [&](const MemberKey& member) { return member.nick == owner(); };
    if (std::ranges::none_of(standing.epoch->keys, is_owner)) return refuse(Reason::epoch);
    return Checked();
  }

  Result<vault::LogHead> own_log(const std::string& group) const {
    TRY(const std::vector<vault::LogHead> heads, us_.desk.vault.logs());
    for (const vault::LogHead& head : heads)
      if (head.own && head.group == group) return head;
    return fail(Errc::internal, "A member without a log was asked for help.");
  }

  /// After a disk was put back, bodies of our own entries may be missing: what was counted before would count anew.
  /// @param before  our log before it was read for what it says of admission
  Status knows_its_own_counts(const vault::LogHead& before) const {
    TRY(const std::uint64_t read_to, us_.desk.vault.admission_read_to(before.origin));
    if (read_to >= before.size) return {};
    return fail(
        Errc::policy,
        fmt::format("What entry {} of our own log says is not here, so that what was admitted before is not known. "
                    "Nobody is helped until another member has brought it.",
                    read_to));
  }

  /// Whether one more batch fits. Asked again in the moment at which it is counted.
  Result<Checked> check_cap(const group::Membership& membership, const Request& request, Refusal refusal) const {
    vault::Vault& vault = us_.desk.vault;
    const std::string& group = membership.charter().group;
    TRY(const std::int64_t used, used_of_all_types(group, request));
    const auto count = static_cast<std::int64_t>(request.blinded.size() / crypto::kElementBytes);
    const std::int64_t most = membership.charter().admission.cap(request.type)->most;
    refusal.used = static_cast<std::uint64_t>(used);
    refusal.most = static_cast<std::uint64_t>(most);
    if (used + count > most) {
      refusal.reason = Reason::cap;
      return Checked(std::unexpect, refusal);
    }
    // How strict our own rules are is not told.
    refusal.used = refusal.most = 0;
    refusal.reason = Reason::policy;
    if (used + count > membership.policy().most_admissions(request.type)) return Checked(std::unexpect, refusal);
    TRY(const std::int64_t today,
        vault.admission_batches_since(group, us_.desk.card.nick, owner(), wall_clock_now() - kDaySeconds));
    refusal.reason = Reason::busy;
    if (today >= kMostBatchesPerDay) return Checked(std::unexpect, refusal);
    return Checked();
  }

  /// Of all types: which one a blinded element is of nobody sees, and an owner may say what it likes.
  Result<std::int64_t> used_of_all_types(const std::string& group, const Request& request) const {
    TRY(const auto totals, us_.desk.vault.admission_totals(group, request.epoch));
    std::int64_t used = 0;
    for (const vault::AdmissionTotal& total : totals)
      if (total.helper == us_.desk.card.nick && total.owner == owner()) used += total.count;
    return used;
  }

  Result<std::int64_t> used_by_owner(const std::string& group, const Request& request) const {
    return us_.desk.vault.admission_total(group, request.epoch, us_.desk.card.nick, owner(), request.type);
  }

  Status answer(const Request& request) {
    answered_.reset();
    TRY(const group::Membership membership, membership_now_());
    TRY(const vault::LogHead own, own_log(membership.charter().group));
    TRY(const Standing standing, admission::standing(us_.desk.vault, membership, wall_clock_now()));
    TRY_STATUS(knows_its_own_counts(own));
    const Refusal refusal{.batch = batch_hash(request.epoch, owner(), request.type, request.blinded)};
    TRY(const Checked fits, check(membership, request, standing, refusal));
    if (!fits) return send(fits.error());
    TRY(const auto counted,
        us_.desk.vault.admission_count(membership.charter().group, us_.desk.card.nick, refusal.batch));
    if (!counted) {
      TRY(const Checked has_room, check_cap(membership, request, refusal));
      if (!has_room) return send(has_room.error());
    } else {
      TRY(const std::int64_t repeats,
          us_.desk.vault.repeat_admission(membership.charter().group, us_.desk.card.nick, refusal.batch));
      if (repeats > kMostRepeats) return send(Refusal{.batch = refusal.batch, .reason = Reason::busy});
    }
    TRY(psi::oprf::KeyPair key, key_of(membership, *standing.epoch));
    TRY(Bytes evaluated, psi::admission::evaluate(key.secret_key, request.blinded, us_.pool, us_.progress));
    TRY(const bool sent,
        counted ? answer_again(*counted, evaluated) : count_and_answer(membership, request, refusal, evaluated));
    if (sent) answered_.emplace(refusal.batch, request.blinded, std::move(evaluated), std::move(key));
    return {};
  }

  Result<psi::oprf::KeyPair> key_of(const group::Membership& membership, const Epoch& epoch) const {
    TRY(psi::oprf::KeyPair key, own_key(us_.desk, membership, epoch.name));
    const auto ours = std::ranges::find(epoch.keys, us_.desk.card.nick, &MemberKey::nick);
    if (ours == epoch.keys.end() || !ours->key.equals(key.public_key))
      return fail(
          Errc::internal,
          "Our key for admission in this epoch is another than the one that our log says. It stays so until the "
          "next epoch.");
    return key;
  }

  /// The same batch again is not charged again, and gets the same answer.
  Result<bool> answer_again(const vault::AdmissionCount& counted, const Bytes& evaluated) {
    if (crypto::sha256(evaluated) != counted.answers)
      return fail(Errc::internal, "The answers to a batch are others than those that our log fixes.");
    TRY(const mirror::EntryView entry,
        link_.log().with([&](mirror::Replica& replica) { return replica.entry(us_.desk.card.nick, counted.entry); }));
    return send_answer(entry, counted.batch, evaluated);
  }

  /// @return whether it was answered, and not refused
  Result<bool> count_and_answer(const group::Membership& membership, const Request& request, Refusal refusal,
                                const Bytes& evaluated) {
    const auto count = static_cast<std::int64_t>(request.blinded.size() / crypto::kElementBytes);
    TRY(const std::int64_t used, used_by_owner(membership.charter().group, request));
    const CountRecord record{.owner = owner(),
                             .type = request.type,
                             .epoch = request.epoch,
                             .batch = refusal.batch,
                             .answers = crypto::sha256(evaluated),
                             .count = count,
                             .total = used + count};
    Checked fits;
    // Nothing has left when this returns, and nothing leaves where it fails.
    const auto entry = link_.log().append(mirror::draft_for_everyone(log::kAdmissionCount, to_json(record)),
                                          [&](const mirror::EntryView& view) -> Status {
                                            return charge(membership, request, record, view, refusal, fits);
                                          });
    if (!fits) {
      TRY_STATUS(send(fits.error()));
      return false;
    }
    if (!entry) return std::unexpected(entry.error());
    return send_answer(*entry, record.batch, evaluated);
  }

  /// In one commit with the entry: links of this owner beside this one cannot get past a cap together.
  Status charge(const group::Membership& membership, const Request& request, const CountRecord& record,
                const mirror::EntryView& entry, const Refusal& refusal, Checked& fits) {
    const std::string& group = membership.charter().group;
    TRY(const std::int64_t used, used_by_owner(group, request));
    TRY(fits, check_cap(membership, request, refusal));
    if (!fits) return fail(Errc::limit, "The batch does not fit under the cap any more.");
    if (used + record.count != record.total) {
      fits = Checked(std::unexpect, Refusal{.batch = record.batch, .reason = Reason::busy});
      return fail(Errc::limit, "Another batch of the same owner was counted meanwhile.");
    }
    const vault::AdmissionCount row{.helper = us_.desk.card.nick,
                                    .owner = record.owner,
                                    .type = record.type,
                                    .epoch = record.epoch,
                                    .batch = record.batch,
                                    .answers = record.answers,
                                    .count = record.count,
                                    .entry = entry.leaf_hash,
                                    .time = entry.entry.time};
    return us_.desk.vault.add_admission_count(group, row);
  }

  Result<bool> send_answer(const mirror::EntryView& entry, const Digest& batch, const Bytes& evaluated) {
    TRY_STATUS(link_.send_step(entry));
    TRY_STATUS(send(Answer{.batch = batch, .evaluated = evaluated}));
    helped_ += evaluated.size() / crypto::kElementBytes;
    return true;
  }

  Status prove(const Challenge& challenge) {
    if (!answered_ || answered_->batch != challenge.batch)
      return fail(Errc::protocol, "A proof was asked for of a batch that was not answered last, or a second time.",
                  link_.peer().name);
    if (!psi::admission::is_sample(challenge.sample, answered_->blinded.size() / crypto::kElementBytes))
      return fail(Errc::protocol, "A proof was asked for of a sample that nobody draws.", link_.peer().name);
    const Answered answered = *std::move(answered_);
    answered_.reset();
    const auto nonce = crypto::Scalar::from_uniform(random_secret<crypto::kUniformBytes>().expose());
    TRY(const psi::oprf::Proof proof,
        psi::admission::prove_sample(answered.key, answered.blinded, answered.evaluated, challenge.sample, nonce));
    return send(Proof{.batch = challenge.batch, .proof = proof});
  }

  const std::string& owner() const { return link_.peer().nick; }

  const Party& us_;
  const std::function<Result<group::Membership>()>& membership_now_;
  group::LogLink& link_;
  std::optional<Answered> answered_;
  std::uint64_t helped_ = 0;
};

}  // namespace

Result<std::uint64_t> help(const Party& us, const std::function<Result<group::Membership>()>& membership_now,
                           group::LogLink& link) {
  return Helper(us, membership_now, link).run();
}

}  // namespace parley::admission
