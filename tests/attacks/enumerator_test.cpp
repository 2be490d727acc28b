// A member that follows every protocol to the letter and fills its set with guesses of addresses. What stands against
// it are admission tags: it tests no more guesses than it was admitted, in however many sessions with whomever, and
// with whomever it pools what it has.
#include "support/admission_circle.h"

namespace parley::session {
namespace {

using admission::addresses, admission::at_most, admission::Circle;
using testing::HasSubstr;

constexpr unsigned kGuesses = 200;
constexpr std::int64_t kCap = 50;

/// alpha enumerates; bravo and charlie hold as many of the addresses that it guesses as they can have admitted.
class Enumerator : public testing::Test {
 protected:
  Enumerator() {
    circle.begin_epoch();
    EXPECT_EQ(circle.admit(1), static_cast<std::uint64_t>(kCap));
    EXPECT_EQ(circle.admit(2), static_cast<std::uint64_t>(kCap));
  }
  /// What alpha has learned of all others' in all sessions so far.
  std::set<std::string> learned_by(std::size_t member) {
    std::set<std::string> learned;
    const auto rows = circle[member].vault->sessions();
    EXPECT_OK(rows);
    for (const vault::SessionRow& row : *rows) learned.merge(matched(*circle[member].vault, row.id));
    return learned;
  }
  std::uint64_t entered(std::size_t member, const std::string& session) {
    const auto row = circle[member].vault->session(session);
    EXPECT_OK(row);
    const auto terms = read_terms(row->terms);
    EXPECT_OK(terms);
    std::uint64_t sum = 0;
    for (const auto& [type, count] : terms->ours_by_type) sum += count;
    return sum;
  }

  Circle circle{{addresses(0, kGuesses), addresses(0, kCap), addresses(kCap, kCap)}, at_most(kCap)};
};

TEST_F(Enumerator, TestsNoMoreThanItWasAdmittedInAnyNumberOfSessionsWithAnyPeers) {
  for (int round = 0; round < 3; ++round) {
    circle.admit(0);
    for (const std::size_t peer : {1u, 2u}) {
      const auto both = circle.hold_session(0, peer, which_addresses());
      ASSERT_OK(both.began);
      EXPECT_LE(entered(0, *both.began), static_cast<std::uint64_t>(kCap));
    }
  }
  EXPECT_EQ(circle.admitted(0), static_cast<std::uint64_t>(kCap));
  EXPECT_LE(learned_by(0).size(), static_cast<std::size_t>(kCap));
  EXPECT_FALSE(learned_by(0).empty()) << "what it was admitted it may well test";
}

TEST_F(Enumerator, LearnsNothingByGuessesThatItEntersAsTheyAre) {
  // It takes the clause out of its own program: what enters then are addresses, which no tag equals.
  const group::Membership without_clause = [&] {
    group::SignedCharter charter = circle.charter();
    charter.charter.admission = {};
    return group::Membership({.id = charter.charter.group, .name = "circle", .state = std::string(group::kActive)},
                             {charter}, {}, {}, circle.membership(0).own_id());
  }();
  const Digest epoch = circle.epoch(1).id;
  circle[0].log(circle.charter()).rewrite = [&](mirror::Draft& draft) {
    if (draft.type != kPropose) return;
    Proposal proposal = *Proposal::from_json(draft.body);
    proposal.admission = epoch;
    draft.body = proposal.to_json();
  };
  const group::Membership answerer = circle.membership(1);
  const auto both = circle.connect<std::string, std::string>(
      0, 1,
      [&](group::LogLink& link) {
        return ask(circle[0].party(without_clause), link, which_addresses(), test_limits(), {});
      },
      [&](group::LogLink& link) -> Result<std::string> {
        TRY(const ReceivedStep step, first_step(link));
        return session::answer(circle[1].party(answerer), link, step, test_limits(), accept_everything);
      });
  (void)both;  // however it ends
  EXPECT_TRUE(learned_by(0).empty());
}

TEST_F(Enumerator, IsToldItsCapWhenItWantsMore) {
  circle.admit(0);
  // Its program makes a batch beyond the cap, and sends it as it would any other.
  const Digest epoch = circle.epoch(0).id;
  Bytes points;
  for (int i = 0; i < 10; ++i)
    append(points, crypto::multiply_base(crypto::Scalar::from_uniform(random_secret<64>().expose()))->encoding());
  for (const std::size_t helper : {1u, 2u}) {
    std::optional<admission::Refusal> refusal;
    const auto both = circle.connect<bool, std::uint64_t>(
        0, helper,
        [&](group::LogLink& link) -> Result<bool> {
          TRY_STATUS(link.synchronise(deadline_in(kPatience)));
          const admission::Message request =
              admission::Request{.epoch = epoch, .type = indicator::Type::ipv4, .blinded = points};
          TRY_STATUS(link.send(wire::FrameType::admission, admission::write_message(request)));
          TRY(const wire::Frame frame, link.receive(deadline_in(kPatience)));
          TRY(const admission::Message message, admission::read_message(frame.payload));
          if (const auto* said = std::get_if<admission::Refusal>(&message)) refusal = *said;
          TRY_STATUS(link.send(wire::FrameType::bye, {}));
          return true;
        },
        [&](group::LogLink& link) { return circle.help_on(helper, link); });
    ASSERT_OK(both.first);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->reason, admission::Reason::cap);
    EXPECT_EQ(refusal->used, static_cast<std::uint64_t>(kCap));
    EXPECT_EQ(refusal->most, static_cast<std::uint64_t>(kCap));
    EXPECT_THAT(admission::in_words(*refusal, circle.nick(helper), indicator::Type::ipv4),
                HasSubstr("\"admission: ipv4: max_admissions\""));
  }
}

/// alpha and bravo collude against charlie: each helps the other beyond every cap. charlie's help is needed for each.
TEST(TwoEnumerators, TestNoMoreThanTheOneHonestMemberAdmittedThemBoth) {
  std::vector<vault::TestRecord> others = addresses(kGuesses, kGuesses);
  Circle circle{{addresses(0, kGuesses), others, addresses(0, 2 * kGuesses)}, at_most(kCap)};
  circle.begin_epoch();
  // Between the two there is no cap: what they charge each other is their own affair.
  EXPECT_LE(circle.admit(0), static_cast<std::uint64_t>(kCap));
  EXPECT_LE(circle.admit(1), static_cast<std::uint64_t>(kCap));
  circle.admit(2);
  circle.synchronise();
  EXPECT_EQ(circle.counted(2, 2, 0), kCap);
  EXPECT_EQ(circle.counted(2, 2, 1), kCap);
  std::set<std::string> learned;
  for (const std::size_t colluding : {0u, 1u}) {
    for (int round = 0; round < 2; ++round) {
      const auto both = circle.hold_session(colluding, 2, which_addresses());
      ASSERT_OK(both.began);
      learned.merge(matched(*circle[colluding].vault, *both.began));
    }
  }
  EXPECT_LE(learned.size(), static_cast<std::size_t>(2 * kCap));
}

// What their own keys are worth without charlie's: a tag of both is none of the group's.
TEST(TwoEnumerators, MakeNoTagThatCharlieHoldsWithTheirKeysAlone) {
  Circle circle{{addresses(0, 10), {}, addresses(0, 10)}, at_most(kCap)};
  circle.begin_epoch();
  ASSERT_EQ(circle.admit(2), 10u);
  const admission::Epoch epoch = circle.epoch(0);
  psi::Elements guesses;
  for (const vault::TestRecord& guess : addresses(0, 10))
    guesses.push_back(indicator::canonicalise(guess.type, guess.value)->typed());
  const Secret<32> seed = random_secret<32>();
  std::vector<Bytes> answers;
  const Bytes blinded = *psi::admission::blind(epoch.id, guesses, seed, circle[0].pool, circle[0].progress);
  for (const std::size_t colluding : {0u, 1u}) {
    const auto key = circle.as(colluding, [&](const admission::Party& us) {
      return admission::own_key(us.desk, us.membership, epoch.name, indicator::Type::ipv4);
    });
    answers.push_back(*psi::admission::evaluate(key->secret_key, blinded, circle[0].pool, circle[0].progress));
  }
  const SecretBytes made =
      *psi::admission::combine(epoch.id, guesses, seed, answers, circle[0].pool, circle[0].progress);
  const auto held = circle[2].vault->admission_tags(circle.charter().charter.group, epoch.id);
  ASSERT_OK(held);
  ASSERT_EQ(held->size(), 10u);
  for (std::size_t i = 0; i < 10; ++i)
    for (const auto& [item, tag] : *held) EXPECT_FALSE(std::ranges::equal(made.expose().subspan(i * 32, 32), tag));
}

}  // namespace
}  // namespace parley::session
