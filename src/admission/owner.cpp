#include "admission/owner.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "admission/counts.h"
#include "base/random.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "group/canary_book.h"
#include "log/entry_type.h"
#include "vault/number_setting.h"

namespace parley::admission {
namespace {

using psi::admission::kMostInBatch;

/// A day: pauses are over by then.
constexpr UnixSeconds kRefusedForGood = group::kSecondsPerDay;
constexpr auto kAnswerLimit = std::chrono::seconds(30);  // a helper takes seconds for the largest batch

psi::Elements elements_of(const vault::AdmissionInput& input) {
  psi::Elements elements;
  for (const auto& [id, indicator] : input.items) elements.push_back(indicator.typed());
  return elements;
}

std::string refused_setting(const Party& us, std::string_view nick) {
  return fmt::format("admission-refused {}/{}", us.membership.charter().group, nick);
}

/// Since when it is known that `nick` may refuse what the others grant; nothing if it never did.
Result<std::optional<UnixSeconds>> refused_since(const Party& us, std::string_view nick) {
  TRY(const auto since,
      vault::number_setting(us.desk.vault, refused_setting(us, nick), "when a member refused to help"));
  return since ? std::optional(static_cast<UnixSeconds>(*since)) : std::nullopt;
}

Status note_refused(const Party& us, std::string_view nick, UnixSeconds now) {
  return us.desk.vault.put_setting(refused_setting(us, nick), fmt::format("{}", now));
}

/// Whose answers may be lacking in the end, so that each batch goes to them first, one after the other: who gave bad
/// answers before, by nick, then who refused some, the last one first.
Result<std::vector<std::string>> asked_first(const Party& us, const Epoch& epoch) {
  TRY(const auto helpers, us.desk.vault.admission_helpers(us.membership.charter().group));
  std::vector<std::string> first;
  std::multimap<UnixSeconds, std::string, std::greater<>> refusers;
  for (const vault::AdmissionHelper& helper : helpers) {
    if (!epoch.has(helper.nick)) continue;
    TRY(const auto since, refused_since(us, helper.nick));
    if (helper.bad_answers > 0)
      first.push_back(helper.nick);
    else if (since)
      refusers.emplace(*since, helper.nick);
  }
  for (auto& [since, nick] : refusers) first.push_back(std::move(nick));
  return first;
}

/// Whether it is the turn of `nick` to be asked for a batch.
bool is_due(const vault::AdmissionBatch& batch, std::string_view nick, std::span<const std::string> first) {
  for (const std::string& before : first) {
    if (before == nick) return true;
    if (!has_answered(batch, before)) return false;
  }
  return true;
}

/// Whether all others have answered it.
bool is_whole(const vault::AdmissionBatch& batch, const Epoch& epoch, std::string_view our_nick) {
  return std::ranges::all_of(epoch.members,
                             [&](const std::string& nick) { return nick == our_nick || has_answered(batch, nick); });
}

/// Whether `nick` has answered as much, before this batch and of its type, as may still come to nothing by one of the
/// others: what it answers is counted, and is lost with a batch that somebody spoils. The first batch that is not whole
/// is never held back.
bool runs_ahead(std::span<const vault::AdmissionBatch> batches, const vault::AdmissionBatch& batch,
                std::string_view nick, const Epoch& epoch, std::string_view our_nick, std::int64_t most_of_type) {
  std::uint64_t ahead = 0;
  for (const vault::AdmissionBatch& before : batches)
    if (before.number < batch.number && before.type == batch.type && has_answered(before, nick) &&
        !is_whole(before, epoch, our_nick))
      ahead += before.count;
  return ahead > 0 && ahead + batch.count > most_in_batch(most_of_type);
}

/// @return how many indicators are in it; 0 where another thread has put them into one
Result<std::uint64_t> make_batch(const Party& us, const Epoch& epoch, indicator::Type type,
                                 std::span<const std::pair<vault::ItemId, indicator::Canonical>> items) {
  vault::AdmissionInput input{.seed = random_secret<32>(), .blinded = {}, .items = {items.begin(), items.end()}};
  TRY(input.blinded, psi::admission::blind(epoch.id, elements_of(input), input.seed, us.pool, us.progress));
  const auto added = us.desk.vault.add_admission_batch(us.membership.charter().group, epoch.id, type, input);
  if (!added && added.error().code == Errc::exists) return 0;
  if (!added) return std::unexpected(added.error());
  return items.size();
}

/// In the place of a batch that `nick` does not help with, one of half its indicators: a cap or a rule of its own may
/// have room for fewer. What else of the type nobody has answered waits until that is answered. What others have
/// answered is counted with them, and what it is refused for may be a pause: it is given up after a day.
Status make_smaller(const Party& us, const Epoch& epoch, const vault::AdmissionBatch& refused, std::string_view nick) {
  vault::Vault& vault = us.desk.vault;
  const UnixSeconds now = wall_clock_now();
  std::optional<vault::AdmissionInput> input;
  const auto give_up = [&]() -> Status {
    TRY(const auto since, refused_since(us, nick));
    if (!since) TRY_STATUS(note_refused(us, nick, now));
    TRY(const auto batches, vault.admission_batches(us.membership.charter().group, epoch.id));
    const auto found = std::ranges::find(batches, refused.number, &vault::AdmissionBatch::number);
    if (found == batches.end() || found->count <= kFewestInFullBatch) return {};
    if (!found->answered.empty()) {
      if (!since || now - *since < kRefusedForGood) return {};
      TRY_STATUS(note_refused(us, nick, now));
    }
    TRY(input, vault.admission_input(refused.number));
    for (const vault::AdmissionBatch& batch : batches)
      if (batch.type == refused.type && (batch.number == refused.number || batch.answered.empty()))
        TRY_STATUS(vault.drop_admission_batch(batch.number));
    return {};
  };
  TRY_STATUS(vault.together(give_up));
  if (!input) return {};
  TRY([[maybe_unused]] const std::uint64_t made,
      make_batch(us, epoch, refused.type, std::span(input->items).first(input->items.size() / 2)));
  return {};
}

/// Canaries are admitted like indicators, of each type as many places as a set has leaves: how many they are, and of
/// which types, does not show in what is asked.
Status admit_canaries(const Party& us, const Epoch& epoch) {
  const group::Charter& charter = us.membership.charter();
  TRY(const group::CanaryBook book, group::CanaryBook::load(us.desk.vault, charter.group));
  for (const group::CanaryBook::Committed& set : book.sets()) {
    if (wall_clock_now() >= set.time + group::kCanaryAge + group::kCanaryLife) continue;
    std::vector<vault::AdmissionDecoys> decoys;
    for (const group::AdmissionCap& cap : charter.admission.types) {
      if (cap.most < kLeastCapForCanaries) continue;
      vault::AdmissionDecoys& of_type =
          decoys.emplace_back(vault::AdmissionDecoys{.type = cap.type, .canaries = {}, .count = group::kCanaryLeaves});
      for (const group::CanarySet::Leaf& leaf : set.set.canaries())
        if (leaf.canary.indicator.type() == cap.type && !book.is_published(leaf.canary.indicator))
          of_type.canaries.push_back(leaf.canary.indicator);
    }
    TRY_STATUS(us.desk.vault.admit_canaries(charter.group, epoch.id, set.entry, decoys));
  }
  return {};
}

Result<vault::AdmissionHelper> known_helper(const Party& us, std::string_view nick) {
  TRY(const auto helpers, us.desk.vault.admission_helpers(us.membership.charter().group));
  const auto known = std::ranges::find(helpers, nick, &vault::AdmissionHelper::nick);
  return known != helpers.end() ? *known : vault::AdmissionHelper{.nick = std::string(nick)};
}

/// As make_batches(), of one type.
Result<std::uint64_t> make_batches_of(const Party& us, const Epoch& epoch, const group::AdmissionCap& cap) {
  vault::Vault& vault = us.desk.vault;
  const std::string& our_nick = us.desk.card.nick;
  TRY(const auto under_way, vault.admission_batches(us.membership.charter().group, epoch.id));
  TRY(const std::int64_t used, admission::used(vault, us.membership, epoch, our_nick, cap.type));
  if (under_way.size() >= kMostUnderWay || used >= cap.most) return 0;
  const std::size_t full = most_in_batch(cap.most);
  // One that is not full, and that nobody helps with yet, may have to become smaller.
  const bool one_is_tried = std::ranges::any_of(under_way, [&](const vault::AdmissionBatch& batch) {
    return batch.type == cap.type && batch.answered.empty() && batch.count < full;
  });
  if (one_is_tried) return 0;
  const auto room =
      std::min(static_cast<std::uint64_t>(cap.most - used), std::uint64_t{(kMostUnderWay - under_way.size()) * full});
  TRY(const auto waiting, vault.not_admitted(us.membership.admitted(), epoch.id, cap.type, room));
  std::uint64_t made = 0;
  for (std::size_t begin = 0; begin < waiting.size(); begin += full) {
    const auto items = std::span(waiting).subspan(begin, std::min(full, waiting.size() - begin));
    if (items.size() < full) {
      TRY(const bool waits, small_ones_wait(vault, us.membership, epoch, our_nick, wall_clock_now()));
      if (waits) break;
    }
    TRY(const std::uint64_t count, make_batch(us, epoch, cap.type, items));
    made += count;
  }
  return made;
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
    TRY(const CountRecord count, hear_count(batch, hash, input.blinded));
    TRY(const Bytes evaluated, hear_answer(hash, count));
    if (evaluated.size() != input.blinded.size()) return spoilt(batch, "it answered another number than it was asked");
    TRY_STATUS(check_elements(batch, evaluated));
    TRY(const std::vector<std::uint32_t> sample, sample_of(batch, count));
    TRY_STATUS(check_sample(batch, hash, sample, input.blinded, evaluated));
    TRY_STATUS(us_.desk.vault.put_admission_answer(batch.number, helper(), evaluated));
    return std::nullopt;
  }

 private:
  Status send(const Message& message) {
    return link_.send_until(wire::FrameType::admission, write_message(message), deadline_in(kAnswerLimit));
  }

  Result<Message> hear_any() {
    TRY(const wire::Frame frame, link_.receive(deadline_in(kAnswerLimit)));
    if (frame.type != wire::FrameType::admission) return broken("something came that is not about admission");
    return read_message(frame.payload);
  }

  template <typename Kind>
  Result<Kind> hear(const Digest& batch) {
    TRY(Message message, hear_any());
    auto* said = std::get_if<Kind>(&message);
    if (said == nullptr || said->batch != batch) return broken("something came that was not due");
    return std::move(*said);
  }

  Result<std::optional<Refusal>> hear_refusal(const Digest& batch) {
    TRY(const Refusal refusal, hear<Refusal>(batch));
    return std::optional(refusal);
  }

  /// The entry in which the helper counts the batch, checked and durable here.
  Result<CountRecord> hear_count(const vault::AdmissionBatch& due, const Digest& batch, ByteView blinded) {
    TRY(const mirror::EntryView step, link_.receive_step(deadline_in(kAnswerLimit)));
    if (step.entry.type != log::kAdmissionCount) return broken("its log has another entry where its count is due");
    TRY(CountRecord count, count_record_from_json(*step.body));
    if (count.batch != batch || count.owner != us_.desk.card.nick || count.epoch != epoch_.id ||
        count.type != due.type || count.count != static_cast<std::int64_t>(blinded.size() / crypto::kElementBytes))
      return broken("its log counts another batch than the one that it was asked about");
    return count;
  }

  Result<Bytes> hear_answer(const Digest& batch, const CountRecord& count) {
    TRY(Answer answer, hear<Answer>(batch));
    if (crypto::sha256(answer.evaluated) != count.answers)
      return bad("its answers are others than those that its log fixes");
    return std::move(answer.evaluated);
  }

  /// All of them are looked at: one that is no element would be found only when all members have answered.
  Status check_elements(const vault::AdmissionBatch& batch, ByteView evaluated) {
    TRY(const auto invalid, psi::admission::first_invalid(evaluated, us_.pool, us_.progress));
    if (!invalid) return {};
    return spoilt(batch,
                  fmt::format("number {} of the answers that its log fixes is no element of the group", *invalid));
  }

  /// Drawn now that the answers are fixed, and kept before anybody hears of it; or what was drawn before.
  Result<std::vector<std::uint32_t>> sample_of(const vault::AdmissionBatch& batch, const CountRecord& count) {
    vault::AdmissionFixed fixed{.answers = count.answers, .sample = psi::admission::draw_sample(batch.count)};
    TRY_STATUS(us_.desk.vault.together([&]() -> Status {
      TRY(auto before, us_.desk.vault.admission_fixed(batch.number, helper()));
      if (!before) return us_.desk.vault.fix_admission(batch.number, helper(), fixed);
      fixed = *std::move(before);
      return {};
    }));
    if (fixed.answers != count.answers)
      return spoilt(batch, "its log fixes a batch twice, with other answers once it had been asked to prove some");
    return std::move(fixed.sample);
  }

  Status check_sample(const vault::AdmissionBatch& batch, const Digest& hash, std::span<const std::uint32_t> sample,
                      ByteView blinded, ByteView evaluated) {
    TRY_STATUS(send(Challenge{.batch = hash, .sample = {sample.begin(), sample.end()}}));
    TRY(const auto proof, hear_proof(hash));
    if (!proof)
      return spoilt(batch,
                    "it says that it proved another sample of a batch before, which is so only if this vault was put "
                    "back from an older copy");
    const crypto::Element* key = epoch_.key(helper(), batch.type);
    if (key == nullptr || !psi::admission::verify_sample(*key, blinded, evaluated, sample, proof->proof))
      return spoilt(batch, "its answers are not by the key that its log says, and their hash stands in its log");
    return {};
  }

  /// @return nothing where it refuses this sample
  Result<std::optional<Proof>> hear_proof(const Digest& batch) {
    TRY(const Message message, hear_any());
    if (const auto* refusal = std::get_if<Refusal>(&message))
      if (refusal->batch == batch && refusal->reason == Reason::sample) return std::nullopt;
    const auto* proof = std::get_if<Proof>(&message);
    if (proof == nullptr || proof->batch != batch) return broken("something came that was not due");
    return std::optional(*proof);
  }

  /// The log of the helper fixes answers that are of no use: this batch could never be finished. Its indicators wait
  /// for another one, and who spoilt it is remembered.
  std::unexpected<Error> spoilt(const vault::AdmissionBatch& batch, const std::string& why) {
    if (const Status dropped = us_.desk.vault.drop_admission_batch(batch.number); !dropped)
      return std::unexpected(dropped.error());
    return bad(why);
  }

  /// Remembers that the helper gave bad answers.
  std::unexpected<Error> bad(const std::string& why) {
    const Status noted = us_.desk.vault.together([&]() -> Status {
      TRY(vault::AdmissionHelper known, known_helper(us_, helper()));
      ++known.bad_answers;
      known.bad_answers_at = wall_clock_now();
      known.bad_answers_why = why;
      return us_.desk.vault.put_admission_helper(us_.membership.charter().group, known);
    });
    return noted ? broken(why) : std::unexpected(noted.error());
  }

  std::unexpected<Error> broken(std::string_view what) const {
    return fail(Errc::protocol, fmt::format("Nothing of this help is used: {}.", what), link_.peer().name);
  }

  const std::string& helper() const { return link_.peer().nick; }

  const Party& us_;
  const Epoch& epoch_;
  group::LogLink& link_;
};

Status finish(const Party& us, const Epoch& epoch, const vault::AdmissionBatch& batch) {
  TRY(const psi::oprf::KeyPair key, own_key(us.desk, us.membership, epoch.name, batch.type));
  TRY(const vault::AdmissionInput input, us.desk.vault.admission_input(batch.number));
  TRY(auto answers, us.desk.vault.admission_answers(batch.number));
  std::vector<Bytes> shares;
  TRY(shares.emplace_back(), psi::admission::evaluate(key.secret_key, input.blinded, us.pool, us.progress));
  for (const std::string& nick : epoch.members) {
    if (nick == us.desk.card.nick) continue;
    auto share = answers.find(nick);
    if (share == answers.end()) return {};  // finished by another thread meanwhile
    shares.push_back(std::move(share->second));
  }
  TRY(const SecretBytes tags,
      psi::admission::combine(epoch.id, elements_of(input), input.seed, shares, us.pool, us.progress));
  return us.desk.vault.finish_admission_batch(batch.number, tags.expose());
}

}  // namespace

std::size_t most_in_batch(std::int64_t most_of_type) {
  return std::clamp(static_cast<std::size_t>(most_of_type) / kBatchesInCap, kFewestInFullBatch, kMostInBatch);
}

Result<std::uint64_t> make_batches(const Party& us, const Epoch& epoch) {
  vault::Vault& vault = us.desk.vault;
  const group::Charter& charter = us.membership.charter();
  TRY_STATUS(vault.forget_admissions(charter.group, epoch.id));
  TRY_STATUS(admit_canaries(us, epoch));
  std::uint64_t made = 0;
  const std::vector<group::AdmissionCap>& types = charter.admission.types;
  // Where one small batch of all types goes at a time, each type comes first in its turn.
  const auto turn = static_cast<std::size_t>(wall_clock_now() / kNextSmallBatch);
  for (std::size_t i = 0; i < types.size(); ++i) {
    TRY(const std::uint64_t of_type, make_batches_of(us, epoch, types[(turn + i) % types.size()]));
    made += of_type;
  }
  return made;
}

Result<Helped> ask_for_help(const Party& us, const Epoch& epoch, group::LogLink& link, Deadline deadline) {
  const group::Charter& charter = us.membership.charter();
  const std::string& nick = link.peer().nick;
  TRY(auto batches, us.desk.vault.admission_batches(charter.group, epoch.id));
  TRY(const std::vector<std::string> first, asked_first(us, epoch));
  const auto is_to_answer = [&](const vault::AdmissionBatch& batch) {
    const group::AdmissionCap* cap = charter.admission.cap(batch.type);
    return cap != nullptr && !has_answered(batch, nick) && is_due(batch, nick, first) &&
           !runs_ahead(batches, batch, nick, epoch, us.desk.card.nick, cap->most);
  };
  std::uint64_t waiting = 0;
  for (const vault::AdmissionBatch& batch : batches)
    if (!has_answered(batch, nick)) waiting += batch.count;
  Helped helped;
  if (waiting > 0) us.progress.phase("admitting with the help of " + link.peer().name, waiting);
  Owner owner(us, epoch, link);
  std::set<indicator::Type> refused;
  std::string trouble;
  for (vault::AdmissionBatch& batch : batches) {
    if (refused.contains(batch.type) || !is_to_answer(batch)) continue;
    if (Monotonic::now() >= deadline) break;
    TRY(const auto refusal, owner.ask(batch));
    if (refusal) {
      helped.refusal = refusal;
      trouble = in_words(*refusal, nick, batch.type);
      if (refusal->reason != Reason::cap && refusal->reason != Reason::policy) break;
      refused.insert(batch.type);
      TRY_STATUS(make_smaller(us, epoch, batch, nick));
      continue;
    }
    batch.answered.push_back(nick);
    helped.indicators += batch.count;
    us.progress.advance(helped.indicators);
  }
  TRY_STATUS(note_helper(us, nick, true, std::move(trouble)));
  return helped;
}

Result<std::uint64_t> finish_batches(const Party& us, const Epoch& epoch) {
  TRY(const auto batches, us.desk.vault.admission_batches(us.membership.charter().group, epoch.id));
  std::uint64_t finished = 0;
  for (const vault::AdmissionBatch& batch : batches) {
    if (!is_whole(batch, epoch, us.desk.card.nick)) continue;
    TRY_STATUS(finish(us, epoch, batch));
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
  TRY(vault::AdmissionHelper helper, known_helper(us, nick));
  const UnixSeconds now = wall_clock_now();
  if (reached) {
    helper.reached = now;
    helper.away_since = 0;
  } else if (helper.away_since == 0) {
    helper.away_since = now;
  }
  helper.trouble = std::move(trouble);
  return us.desk.vault.put_admission_helper(us.membership.charter().group, helper);
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
    case Reason::sample:
      return fmt::format("{} was asked to prove another sample of this batch before.", helper);
    case Reason::busy:
      return fmt::format("{} has helped with as many batches as it does within a day, or with this one too often.",
                         helper);
  }
  std::unreachable();
}

}  // namespace parley::admission
