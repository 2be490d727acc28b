#include "admission/helper.h"

#include <fmt/format.h>

#include <algorithm>

#include "admission/counts.h"
#include "base/random.h"
#include "crypto/hash.h"
#include "log/entry_type.h"

namespace parley::admission {
namespace {

constexpr auto kNextRequest = std::chrono::minutes(2);  // an owner combines and stores between two of its requests

/// A refusal on its way out of checks that otherwise fail.
using Checked = std::expected<void, Refusal>;
using Written = std::expected<mirror::EntryView, Refusal>;

Digest sample_hash(std::span<const std::uint32_t> sample) {
  Bytes bytes;
  for (const std::uint32_t index : sample) append_be(bytes, index);
  return crypto::sha256(bytes);
}

/// What was answered last on this link: the only thing that can be asked to be proven, and once.
struct Answered {
  std::string group;
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
    return standing.epoch->has(owner()) ? Checked() : refuse(Reason::epoch);
  }

  Result<vault::LogHead> own_log(const std::string& group) const {
    TRY(const std::vector<vault::LogHead> heads, us_.desk.vault.logs());
    for (const vault::LogHead& head : heads)
      if (head.own && head.group == group) return head;
    return fail(Errc::internal, "A member without a log was asked for help.");
  }

  /// After a disk was put back, bodies of our own entries may be missing: what was counted before would count anew. The
  /// replica asks for them on every link.
  /// @param before  our log before it was read for what it says of admission
  Status knows_its_own_counts(const vault::LogHead& before) const {
    TRY(const std::uint64_t read_to, us_.desk.vault.admission_read_to(before.origin));
    if (read_to >= before.size) return {};
    return fail(
        Errc::policy,
        fmt::format("What entry {} of our own log says is not here, so that what was admitted before is not known. "
                    "Nobody is helped until another member has brought it; all are asked for it.",
                    read_to));
  }

  /// Whether a batch fits, by what is charged already and, if it is not among that, what it adds.
  Result<Checked> check_caps(const group::Membership& membership, const Request& request, std::int64_t adds,
                             Refusal refusal) const {
    const group::AdmissionCap* cap = membership.charter().admission.cap(request.type);
    if (cap == nullptr) {
      refusal.reason = Reason::type;
      return Checked(std::unexpect, refusal);
    }
    TRY(const std::int64_t used, counted(us_.desk.vault, membership, request.epoch, us_.desk.card.nick, owner(),
                                         request.type, wall_clock_now()));
    refusal.used = static_cast<std::uint64_t>(used);
    refusal.most = static_cast<std::uint64_t>(cap->most);
    if (used + adds > cap->most) {
      refusal.reason = Reason::cap;
      return Checked(std::unexpect, refusal);
    }
    // How strict our own rules are is not told.
    refusal.used = refusal.most = 0;
    refusal.reason = Reason::policy;
    if (used + adds > membership.policy().most_admissions(request.type)) return Checked(std::unexpect, refusal);
    return Checked();
  }

  /// Charter and membership as they are in the moment of a commit: they may have changed since the request was read.
  Result<Checked> check_as_of_now(const group::Membership& membership, const Request& request, const Epoch& epoch,
                                  std::int64_t adds, Refusal refusal) const {
    const UnixSeconds now = wall_clock_now();
    refusal.reason = Reason::policy;
    if (!membership.check(group::Act::question, now)) return Checked(std::unexpect, refusal);
    refusal.reason = Reason::epoch;
    const bool is_member = membership.charter().member(owner()) != nullptr && !membership.has_left(owner());
    if (!is_member || epoch_name(membership, now) != epoch.name) return Checked(std::unexpect, refusal);
    return check_caps(membership, request, adds, refusal);
  }

  Result<std::optional<vault::AdmissionCount>> charged(const std::string& group, const Digest& batch) const {
    return us_.desk.vault.admission_count(group, us_.desk.card.nick, batch);
  }

  Status answer(const Request& request) {
    answered_.reset();
    TRY(const group::Membership membership, membership_now_());
    const std::string& group = membership.charter().group;
    TRY(const vault::LogHead own, own_log(group));
    TRY(const Standing standing, admission::standing(us_.desk.vault, membership, wall_clock_now()));
    TRY_STATUS(knows_its_own_counts(own));
    const Refusal refusal{.batch = batch_hash(request.epoch, owner(), request.type, request.blinded)};
    TRY(const Checked fits, check(membership, request, standing, refusal));
    if (!fits) return send(fits.error());
    TRY(const Checked is_charged, charge(group, request, *standing.epoch, refusal));
    if (!is_charged) return send(is_charged.error());
    TRY(psi::oprf::KeyPair key, key_of(membership, *standing.epoch, request.type));
    TRY(Bytes evaluated, psi::admission::evaluate(key.secret_key, request.blinded, us_.pool, us_.progress));
    TRY(const auto entry, write_down(group, request, *standing.epoch, refusal, crypto::sha256(evaluated)));
    if (!entry) return send(entry.error());
    TRY_STATUS(send_answer(*entry, refusal.batch, evaluated));
    answered_.emplace(group, refusal.batch, request.blinded, std::move(evaluated), std::move(key));
    return {};
  }

  Result<psi::oprf::KeyPair> key_of(const group::Membership& membership, const Epoch& epoch,
                                    indicator::Type type) const {
    TRY(psi::oprf::KeyPair key, own_key(us_.desk, membership, epoch.name, type));
    const crypto::Element* said = epoch.key(us_.desk.card.nick, type);
    if (said == nullptr || !said->equals(key.public_key))
      return fail(
          Errc::internal,
          "Our key for admission in this epoch is another than the one that our log says. It stays so until the "
          "next epoch.");
    return key;
  }

  static std::int64_t count_of(const Request& request) {
    return static_cast<std::int64_t>(request.blinded.size() / crypto::kElementBytes);
  }

  /// The batch is charged, durably, when this returns: what is computed for it is paid for, and links of this owner
  /// beside this one cannot get past a cap together. The same batch again is not charged again.
  Result<Checked> charge(const std::string& group, const Request& request, const Epoch& epoch,
                         const Refusal& refusal) const {
    vault::Vault& vault = us_.desk.vault;
    Checked fits;
    TRY_STATUS(vault.together([&]() -> Status {
      TRY(const auto before, charged(group, refusal.batch));
      if (before) {
        TRY(const std::int64_t repeats, vault.repeat_admission(group, us_.desk.card.nick, refusal.batch));
        const std::int64_t days = std::max<std::int64_t>(0, wall_clock_now() - before->time) / group::kSecondsPerDay;
        if (repeats > kMostRepeats * (1 + days)) fits = Checked(std::unexpect, busy(refusal));
        return {};
      }
      TRY(const group::Membership now, membership_now_());
      TRY(fits, check_as_of_now(now, request, epoch, count_of(request), refusal));
      if (!fits) return {};
      TRY(const std::int64_t today,
          vault.admission_batches_since(group, us_.desk.card.nick, owner(), wall_clock_now() - group::kSecondsPerDay));
      if (today >= kMostBatchesPerDay) {
        fits = Checked(std::unexpect, busy(refusal));
        return {};
      }
      return vault.put_admission_count(group, {.helper = us_.desk.card.nick,
                                               .owner = owner(),
                                               .type = request.type,
                                               .epoch = request.epoch,
                                               .batch = refusal.batch,
                                               .count = count_of(request),
                                               .time = wall_clock_now()});
    }));
    return fits;
  }

  static Refusal busy(const Refusal& refusal) { return Refusal{.batch = refusal.batch, .reason = Reason::busy}; }

  /// The entry that counts the batch and fixes its answers: written now, or when the same batch was answered before.
  Result<Written> write_down(const std::string& group, const Request& request, const Epoch& epoch,
                             const Refusal& refusal, const Digest& answers) {
    TRY(const auto before, charged(group, refusal.batch));
    if (!before) return fail(Errc::internal, "A batch that was charged is not in the vault any more.");
    if (before->is_logged()) {
      if (before->answers != answers)
        return fail(Errc::internal, "The answers to a batch are others than those that our log fixes.");
      TRY(const mirror::EntryView entry,
          link_.log().with([&](mirror::Replica& replica) { return replica.entry(us_.desk.card.nick, before->entry); }));
      return Written(entry);
    }
    TRY(const std::int64_t total,
        us_.desk.vault.admission_total(group, request.epoch, us_.desk.card.nick, owner(), request.type));
    const CountRecord record{.owner = owner(),
                             .type = request.type,
                             .epoch = request.epoch,
                             .batch = refusal.batch,
                             .answers = answers,
                             .count = before->count,
                             .total = total};
    Checked fits;
    // Nothing has left when this returns, and nothing leaves where it fails.
    auto entry = link_.log().append(
        mirror::draft_for_everyone(log::kAdmissionCount, to_json(record)),
        [&](const mirror::EntryView& view) { return note_count(group, request, epoch, record, view, refusal, fits); });
    if (!fits) return Written(std::unexpect, fits.error());
    if (!entry) return std::unexpected(entry.error());
    return Written(*std::move(entry));
  }

  /// In one commit with the entry. What has changed while the answers were computed counts.
  Status note_count(const std::string& group, const Request& request, const Epoch& epoch, const CountRecord& record,
                    const mirror::EntryView& entry, const Refusal& refusal, Checked& fits) {
    TRY(const group::Membership now, membership_now_());
    TRY(fits, check_as_of_now(now, request, epoch, 0, refusal));
    if (!fits) return fail(Errc::policy, "The batch is not helped with any more.");
    TRY(const auto before, charged(group, refusal.batch));
    if (!before || before->is_logged()) {
      fits = Checked(std::unexpect, busy(refusal));
      return fail(Errc::limit, "The same batch was counted by another link meanwhile.");
    }
    vault::AdmissionCount row = *before;
    row.answers = record.answers;
    row.entry = entry.leaf_hash;
    row.time = entry.entry.time;
    return us_.desk.vault.put_admission_count(group, row);
  }

  Status send_answer(const mirror::EntryView& entry, const Digest& batch, const Bytes& evaluated) {
    TRY_STATUS(link_.send_step(entry));
    TRY_STATUS(send(Answer{.batch = batch, .evaluated = evaluated}));
    helped_ += evaluated.size() / crypto::kElementBytes;
    return {};
  }

  Status prove(const Challenge& challenge) {
    if (!answered_ || answered_->batch != challenge.batch)
      return fail(Errc::protocol, "A proof was asked for of a batch that was not answered last, or a second time.",
                  link_.peer().name);
    if (!psi::admission::is_sample(challenge.sample, answered_->blinded.size() / crypto::kElementBytes))
      return fail(Errc::protocol, "A proof was asked for of a sample that nobody draws.", link_.peer().name);
    const Answered answered = *std::move(answered_);
    answered_.reset();
    // Durable before the proof is made: of a batch one sample is proven, however often the link breaks.
    TRY(const bool is_the_same, us_.desk.vault.keep_admission_sample(answered.group, us_.desk.card.nick, answered.batch,
                                                                     sample_hash(challenge.sample)));
    if (!is_the_same) return send(Refusal{.batch = answered.batch, .reason = Reason::sample});
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
