#include "admission/owner.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "base/random.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "log/entry_type.h"

namespace parley::admission {
namespace {

using psi::admission::kMostInBatch;

constexpr auto kAnswerLimit = std::chrono::seconds(30);  // a helper takes seconds for the largest batch

psi::Elements elements_of(const vault::AdmissionInput& input) {
  psi::Elements elements;
  for (const auto& [id, indicator] : input.items) elements.push_back(indicator.typed());
  return elements;
}

bool has_answered(const vault::AdmissionBatch& batch, std::string_view nick) {
  return std::ranges::find(batch.answered, nick) != batch.answered.end();
}

/// How many of all types have been admitted or are on their way, by whoever counts most: ourselves, or a helper whose
/// counts we do not remember. A helper holds all of them against the cap of the type that a batch names.
Result<std::int64_t> used(const Party& us, const Epoch& epoch) {
  vault::Vault& vault = us.desk.vault;
  const std::string& group = us.membership.charter().group;
  TRY(const auto tags, vault.count_tags(group, epoch.id));
  TRY(const auto batches, vault.admission_batches(group, epoch.id));
  TRY(const auto totals, vault.admission_totals(group, epoch.id));
  std::int64_t most = 0;
  for (const auto& [type, count] : tags) most += static_cast<std::int64_t>(count);
  std::map<std::string_view, std::int64_t> by_helper;
  for (const vault::AdmissionTotal& total : totals)
    if (total.owner == us.desk.card.nick) by_helper[total.helper] += total.count;
  for (const vault::AdmissionBatch& batch : batches) {
    most += static_cast<std::int64_t>(batch.count);
    for (auto& [helper, count] : by_helper)
      if (!has_answered(batch, helper)) count += static_cast<std::int64_t>(batch.count);
  }
  for (const auto& [helper, count] : by_helper) most = std::max(most, count);
  return most;
}

/// @return how many indicators are in it; 0 when there is nothing to put into one
Result<std::uint64_t> make_batch(const Party& us, const Epoch& epoch, indicator::Type type, std::uint64_t most) {
  vault::Vault& vault = us.desk.vault;
  TRY(const auto items, vault.not_admitted(us.membership.admitted(), epoch.id, type, most));
  if (items.empty()) return 0;
  vault::AdmissionInput input{.seed = random_secret<32>(), .blinded = {}, .items = {}};
  for (const vault::Item& item : items) input.items.emplace_back(item.id, item.indicator);
  TRY(input.blinded, psi::admission::blind(epoch.id, elements_of(input), input.seed, us.pool, us.progress));
  const auto added = vault.add_admission_batch(us.membership.charter().group, epoch.id, type, input);
  if (!added && added.error().code == Errc::exists) return 0;  // another thread has put them into one
  if (!added) return std::unexpected(added.error());
  return items.size();
}

class Owner {
 public:
  Owner(const Party& us, const Epoch& epoch, group::LogLink& link) : us_(us), epoch_(epoch), link_(link) {}

  /// @return nothing when it was answered and kept
  Result<std::optional<Refusal>> ask(const vault::AdmissionBatch& batch) {
    TRY(const vault::AdmissionInput input, us_.desk.vault.admission_input(batch.number));
    TRY_STATUS(send(Request{.epoch = epoch_.id, .type = batch.type, .blinded = input.blinded}));
    TRY(const wire::FrameType next, link_.next_type(deadline_in(kAnswerLimit)));
    const Digest hash = batch_hash(epoch_.id, us_.desk.card.nick, batch.type, input.blinded);
    if (next == wire::FrameType::admission) return hear_refusal(hash);
    TRY(const CountRecord count, hear_count(hash, input.blinded));
    TRY(const Bytes evaluated, hear_answer(hash, count));
    TRY_STATUS(check_sample(hash, input.blinded, evaluated));
    TRY_STATUS(us_.desk.vault.put_admission_answer(batch.number, helper(), evaluated));
    return std::nullopt;
  }

 private:
  Status send(const Message& message) {
    return link_.send_until(wire::FrameType::admission, write_message(message), deadline_in(kAnswerLimit));
  }

  template <typename Kind>
  Result<Kind> hear(const Digest& batch) {
    TRY(const wire::Frame frame, link_.receive(deadline_in(kAnswerLimit)));
    if (frame.type != wire::FrameType::admission) return broken("something came that is not about admission");
    TRY(Message message, read_message(frame.payload));
    auto* said = std::get_if<Kind>(&message);
    if (said == nullptr || said->batch != batch) return broken("something came that was not due");
    return std::move(*said);
  }

  Result<std::optional<Refusal>> hear_refusal(const Digest& batch) {
    TRY(const Refusal refusal, hear<Refusal>(batch));
    return std::optional(refusal);
  }

  /// The entry in which the helper counts the batch, checked and durable here.
  Result<CountRecord> hear_count(const Digest& batch, ByteView blinded) {
    TRY(const mirror::EntryView step, link_.receive_step(deadline_in(kAnswerLimit)));
    if (step.entry.type != log::kAdmissionCount) return broken("its log has another entry where its count is due");
    TRY(CountRecord count, count_record_from_json(*step.body));
    if (count.batch != batch || count.owner != us_.desk.card.nick || count.epoch != epoch_.id ||
        count.count != static_cast<std::int64_t>(blinded.size() / crypto::kElementBytes))
      return broken("its log counts another batch than the one that it was asked about");
    return count;
  }

  Result<Bytes> hear_answer(const Digest& batch, const CountRecord& count) {
    TRY(Answer answer, hear<Answer>(batch));
    if (crypto::sha256(answer.evaluated) != count.answers)
      return broken("its answers are others than those that its log fixes");
    return std::move(answer.evaluated);
  }

  /// The sample is drawn now that the answers are fixed.
  Status check_sample(const Digest& batch, ByteView blinded, ByteView evaluated) {
    if (evaluated.size() != blinded.size()) return broken("it answered another number than it was asked");
    const auto sample = psi::admission::draw_sample(blinded.size() / crypto::kElementBytes);
    TRY_STATUS(send(Challenge{.batch = batch, .sample = sample}));
    TRY(const Proof proof, hear<Proof>(batch));
    const auto key = std::ranges::find(epoch_.keys, helper(), &MemberKey::nick);
    if (key == epoch_.keys.end() || !psi::admission::verify_sample(key->key, blinded, evaluated, sample, proof.proof))
      return broken("its answers are not by the key that its log says, and their hash stands in its log");
    return {};
  }

  std::unexpected<Error> broken(std::string_view what) const {
    return fail(Errc::protocol, fmt::format("Nothing of this help is used: {}.", what), link_.peer().name);
  }

  const std::string& helper() const { return link_.peer().nick; }

  const Party& us_;
  const Epoch& epoch_;
  group::LogLink& link_;
};

Status finish(const Party& us, const Epoch& epoch, const psi::oprf::KeyPair& key, const vault::AdmissionBatch& batch) {
  TRY(const vault::AdmissionInput input, us.desk.vault.admission_input(batch.number));
  TRY(auto answers, us.desk.vault.admission_answers(batch.number));
  TRY(answers[us.desk.card.nick], psi::admission::evaluate(key.secret_key, input.blinded, us.pool, us.progress));
  std::vector<Bytes> shares;
  for (const MemberKey& member : epoch.keys) {
    auto share = answers.find(member.nick);
    if (share == answers.end()) return {};  // finished by another thread meanwhile
    shares.push_back(std::move(share->second));
  }
  TRY(const SecretBytes tags,
      psi::admission::combine(epoch.id, elements_of(input), input.seed, shares, us.pool, us.progress));
  return us.desk.vault.finish_admission_batch(batch.number, tags.expose());
}

}  // namespace

Result<std::uint64_t> make_batches(const Party& us, const Epoch& epoch) {
  vault::Vault& vault = us.desk.vault;
  const group::Charter& charter = us.membership.charter();
  TRY_STATUS(vault.forget_admissions(charter.group, epoch.id));
  std::uint64_t made = 0;
  for (const group::AdmissionCap& cap : charter.admission.types) {
    for (;;) {
      TRY(const auto under_way, vault.admission_batches(charter.group, epoch.id));
      TRY(const std::int64_t used, admission::used(us, epoch));
      if (under_way.size() >= kMostUnderWay || used >= cap.most) break;
      const auto room = static_cast<std::uint64_t>(cap.most - used);
      TRY(const std::uint64_t count, make_batch(us, epoch, cap.type, std::min<std::uint64_t>(room, kMostInBatch)));
      if (count == 0) break;
      made += count;
    }
  }
  return made;
}

Result<Helped> ask_for_help(const Party& us, const Epoch& epoch, group::LogLink& link, Deadline deadline) {
  TRY(const auto batches, us.desk.vault.admission_batches(us.membership.charter().group, epoch.id));
  std::uint64_t waiting = 0;
  for (const vault::AdmissionBatch& batch : batches)
    if (!has_answered(batch, link.peer().nick)) waiting += batch.count;
  Helped helped;
  if (waiting > 0) us.progress.phase("admitting with the help of " + link.peer().name, waiting);
  Owner owner(us, epoch, link);
  for (const vault::AdmissionBatch& batch : batches) {
    if (has_answered(batch, link.peer().nick)) continue;
    if (Monotonic::now() >= deadline) break;
    TRY(helped.refusal, owner.ask(batch));
    if (helped.refusal) {
      TRY_STATUS(note_helper(us, link.peer().nick, true, in_words(*helped.refusal, link.peer().nick, batch.type)));
      return helped;
    }
    helped.indicators += batch.count;
    us.progress.advance(helped.indicators);
  }
  TRY_STATUS(note_helper(us, link.peer().nick, true, {}));
  return helped;
}

Result<std::uint64_t> finish_batches(const Party& us, const Epoch& epoch) {
  TRY(const auto batches, us.desk.vault.admission_batches(us.membership.charter().group, epoch.id));
  std::optional<psi::oprf::KeyPair> key;
  std::uint64_t finished = 0;
  for (const vault::AdmissionBatch& batch : batches) {
    const bool whole = std::ranges::all_of(epoch.keys, [&](const MemberKey& member) {
      return member.nick == us.desk.card.nick || has_answered(batch, member.nick);
    });
    if (!whole) continue;
    if (!key) {
      TRY(key, own_key(us.desk, us.membership, epoch.name));
    }
    TRY_STATUS(finish(us, epoch, *key, batch));
    finished += batch.count;
  }
  return finished;
}

Status prepare(const Party& us) {
  const UnixSeconds now = wall_clock_now();
  if (us.membership.charter().admission.types.empty()) return {};
  TRY([[maybe_unused]] const bool written, publish_key(us, now));
  TRY(const Standing standing, admission::standing(us.desk.vault, us.membership, now));
  if (!standing.epoch) return {};
  TRY([[maybe_unused]] const std::uint64_t made, make_batches(us, *standing.epoch));
  TRY([[maybe_unused]] const std::uint64_t finished, finish_batches(us, *standing.epoch));
  return {};
}

Result<std::optional<Helped>> work_with(const Party& us, group::LogLink& link, Deadline deadline) {
  if (us.membership.charter().admission.types.empty()) return std::nullopt;
  TRY(const Standing standing, admission::standing(us.desk.vault, us.membership, wall_clock_now()));
  TRY_STATUS(note_helper(us, link.peer().nick, true, {}));
  if (!standing.epoch) return std::nullopt;
  TRY([[maybe_unused]] const std::uint64_t made, make_batches(us, *standing.epoch));
  auto helped = ask_for_help(us, *standing.epoch, link, deadline);
  if (!helped) {
    const bool gone = helped.error().code == Errc::peer_gone || helped.error().code == Errc::cancelled;
    TRY_STATUS(note_helper(us, link.peer().nick, true, gone ? std::string() : helped.error().text()));
  }
  TRY([[maybe_unused]] const std::uint64_t finished, finish_batches(us, *standing.epoch));
  if (!helped) return std::unexpected(helped.error());
  return std::optional(*helped);
}

Status note_helper(const Party& us, std::string_view nick, bool reached, std::string trouble) {
  const std::string& group = us.membership.charter().group;
  TRY(const auto helpers, us.desk.vault.admission_helpers(group));
  const auto known = std::ranges::find(helpers, nick, &vault::AdmissionHelper::nick);
  vault::AdmissionHelper helper = known != helpers.end() ? *known : vault::AdmissionHelper{.nick = std::string(nick)};
  const UnixSeconds now = wall_clock_now();
  if (reached) {
    helper.reached = now;
    helper.away_since = 0;
  } else if (helper.away_since == 0) {
    helper.away_since = now;
  }
  helper.trouble = std::move(trouble);
  return us.desk.vault.put_admission_helper(group, helper);
}

std::string in_words(const Refusal& refusal, std::string_view helper, indicator::Type type) {
  const std::string_view name = indicator::name_of(type);
  switch (refusal.reason) {
    case Reason::cap:
      return fmt::format(
          "{} has helped with {} of {} in this epoch, and more than {} it must not by the charter's clause "
          "\"admission: {}: {}\".",
          helper, refusal.used, name, refusal.most, name, group::kAdmissionCapName);
    case Reason::policy:
      return fmt::format("{} does not help with {} now by rules of its own, which it does not tell.", helper, name);
    case Reason::epoch:
      return fmt::format("{} is in another epoch: its charter, its clock or what it holds of the logs differs.",
                         helper);
    case Reason::type:
      return fmt::format("By the charter of {} {} needs no admission.", helper, name);
    case Reason::busy:
      return fmt::format("{} has helped with as many batches as it does within a day, or with this one too often.",
                         helper);
  }
  std::unreachable();
}

}  // namespace parley::admission
