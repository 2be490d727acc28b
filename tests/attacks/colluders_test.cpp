// Members that collude: each follows every protocol to the letter and asks the same honest member in its turn, each
// with another part of one dictionary, and what they learn they share. What stands against them is the cap of the
// charter on all members together (max_probe_items_group_30d), which the honest member counts by its own log alone.
#include <condition_variable>
#include <mutex>

#include "group/canary.h"
#include "group/rotation.h"
#include "mirror/check.h"
#include "mirror/vault_store.h"
#include "support/session_parties.h"

namespace parley::session {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr UnixSeconds kDay = 86'400, kAnyClock = 40 * kDay;
/// A part of the dictionary fills the set that it enters by: beside it are only the places for canaries.
constexpr unsigned kPart = 256, kSet = kPart + group::kCanaryLeaves, kPartsOfOne = 4, kPartsOfAll = 6,
                   kParts = kPartsOfAll + 1;
constexpr std::int64_t kCapOfOne = kPartsOfOne * kSet, kCapOfAll = kPartsOfAll * kSet;

std::string address(unsigned i) {
  return fmt::format("198.18.{}.{}", i / 256, i % 256);
}
/// All parts, each of which a question can select by its label.
std::vector<vault::TestRecord> dictionary() {
  std::vector<vault::TestRecord> guesses;
  for (unsigned i = 0; i < kParts * kPart; ++i)
    guesses.push_back(record(indicator::Type::ipv4, address(i), fmt::format("part-{}", i / kPart)));
  return guesses;
}
/// Of the same addresses each seventh, so that every part of the dictionary hits some.
std::vector<vault::TestRecord> evidence() {
  std::vector<vault::TestRecord> held;
  for (unsigned i = 0; i < kPart; ++i) held.push_back(record(indicator::Type::ipv4, address(i * kParts), "sednit"));
  return held;
}
std::set<std::string> held_in_parts(unsigned first, unsigned last) {
  std::set<std::string> held;
  for (unsigned i = 0; i < kPart; ++i)
    if (i * kParts / kPart >= first && i * kParts / kPart < last) held.insert(address(i * kParts));
  return held;
}

/// What alpha's program wrote into its log, and which frames it sent, while one or more sessions were held.
struct ByAlpha {
  std::vector<mirror::Draft> written;
  std::vector<wire::FrameType> sent;
  std::vector<std::string> types() const {
    std::vector<std::string> types;
    for (const mirror::Draft& draft : written) types.push_back(draft.type);
    return types;
  }
};

/// alpha, who is honest, in a group with those who collude.
class Coalition {
 public:
  /// @param skew  by how much clocks may be apart; more than a charter may allow, where a test plays clocks
  explicit Coalition(std::size_t colluding, std::int64_t skew = 600) {
    static constexpr std::array kNames = {"Bravo", "Charlie", "Delta", "Echo"};
    for (std::size_t i = 0; i < colluding; ++i) add(kNames.at(i));
    alpha_ = std::make_unique<Opened>(alpha_home_);
    std::vector<Opened*> all{alpha_.get()};
    for (const auto& each : colluders_) all.push_back(each.get());
    charter_ = charter_among(all);
    for (group::AllowedQuestion& question : charter_.charter.questions)
      if (question.type == indicator::Type::ipv4) {
        question.caps.probe_items_30d = kCapOfOne;
        question.caps.probe_items_group_30d = kCapOfAll;
      }
    charter_.charter.clock_skew_seconds = skew;
    charter_.charter.not_after += skew;  // a charter is over so much earlier
    sign();
    meet_all();
  }

  Opened& alpha() { return *alpha_; }
  Opened& operator[](std::size_t i) { return *colluders_[i]; }
  std::size_t size() const { return colluders_.size(); }
  void let_clocks_be_ahead(UnixSeconds of_alpha, UnixSeconds of_colluders) {
    alpha_->log(charter_).ahead = of_alpha;
    for (const auto& each : colluders_) each->log(charter_).ahead = of_colluders;
  }

  /// Colluder i asks alpha with one part of the dictionary.
  Both<std::string> ask_with(std::size_t i, unsigned part, const Decide& decide = accept_everything) {
    return hold(*colluders_[i], *alpha_, which_addresses(fmt::format("part-{}", part)), decide);
  }
  /// alpha asks colluder i, who answers with one part of the dictionary.
  Both<std::string> be_asked_by_alpha(std::size_t i, unsigned part) {
    return hold(*alpha_, *colluders_[i], which_addresses(), [part](const Offer&, Deadline) {
      return std::optional(Decision{.accept = true, .why = {}, .label = fmt::format("part-{}", part)});
    });
  }
  /// Parts are asked one after the other, by everybody in turn, until alpha refuses. @return how many it let pass
  unsigned ask_until_refused(Both<std::string>& refusal) {
    for (unsigned part = 0; part < kParts; ++part) {
      watched_ = {};
      refusal = ask_with(part % size(), part);
      if (!refusal.answered) return part;
    }
    return kParts;
  }

  /// What alpha's vault says of why the newest session came to nothing.
  std::string failure_of_the_last() {
    const auto rows = alpha_->vault->sessions();
    EXPECT_OK(rows);
    return outcome_of(*alpha_->vault, rows->front().id).failure;
  }
  std::set<std::string> pooled() {
    std::set<std::string> pool;
    for (const auto& each : colluders_) {
      const auto rows = each->vault->sessions();
      EXPECT_OK(rows);
      for (const vault::SessionRow& row : *rows) pool.merge(matched(*each->vault, row.id));
    }
    return pool;
  }
  /// How many guesses alpha's ledger says that all have tested on it within the month.
  std::int64_t counted() {
    const auto accounting =
        alpha_->ledgers.up_to_date(*alpha_->vault, charter_.charter.group, alpha_->member.card.nick);
    EXPECT_OK(accounting);
    (*accounting)->see(alpha_->log(charter_).time());
    return (*accounting)->with([](const ledger::Ledger& ledger) {
      return ledger.account(nullptr, indicator::Type::ipv4, ledger::Window::month).probe_in;
    });
  }
  /// How many sessions alpha's log says that it let run.
  std::int64_t charged() {
    std::int64_t runs = 0;
    alpha_->log(charter_).with([&](mirror::Replica& replica) {
      for (std::uint64_t seq = 0; seq < replica.size("alpha"); ++seq) {
        const auto entry = replica.entry("alpha", seq);
        EXPECT_OK(entry);
        runs += entry->entry.type == kRun ? 1 : 0;
      }
    });
    return runs;
  }
  /// In the last session that was begun, or in all since forget().
  ByAlpha by_alpha() {
    const std::lock_guard lock(watching_);
    return watched_;
  }
  void forget() { watched_ = {}; }

  /// The first of those who collude leaves, and all others sign a charter without it. They have not got from alpha yet
  /// what it wrote to the one who leaves.
  void first_one_leaves() {
    alpha_.reset();
    colluders_.clear();
    homes_.erase(homes_.begin());
    group::Charter& charter = charter_.charter;
    std::erase_if(charter.members, [](const auto& member) { return member.keys.nick == "bravo"; });
    charter.prev = charter_.hash;
    charter.seq += 1;
    sign();
    for (const auto& home : homes_) colluders_.push_back(std::make_unique<Opened>(*home));
    alpha_ = std::make_unique<Opened>(alpha_home_);
    meet_all();
  }

  /// The first of those who collude leaves, and comes in again with another folder, another name and other keys, by a
  /// charter that all sign.
  void first_one_comes_back_as(const std::string& name) {
    alpha_.reset();
    colluders_.clear();
    homes_.front() = std::make_unique<TestMember>(name, dictionary());
    for (const auto& home : homes_) colluders_.push_back(std::make_unique<Opened>(*home));
    alpha_ = std::make_unique<Opened>(alpha_home_);
    Opened& newcomer = *colluders_.front();
    group::Charter& charter = charter_.charter;
    std::erase_if(charter.members, [](const auto& member) { return member.keys.nick == "bravo"; });
    charter.members.push_back(newcomer.charter_member(charter.group));
    std::ranges::sort(charter.members, {}, [](const auto& member) { return member.keys.nick; });
    charter.prev = charter_.hash;
    charter.seq += 1;
    sign();
    EXPECT_OK(newcomer.vault->put_group({.id = charter.group, .name = "pair", .state = std::string(group::kActive)}));
    EXPECT_OK(newcomer.vault->set_group_material(charter.group, std::vector{vault::MaterialRule{}}));
    const auto meet = [](Opened& one, Opened& other) {
      one.meet(other);
      other.meet(one);
    };
    meet(*alpha_, newcomer);
    for (std::size_t i = 1; i < size(); ++i) meet(*colluders_[i], newcomer);
    meet_all();
  }
  /// What alpha would be told of its own log, where one looks whether its disk is sound.
  std::vector<std::string> defects_of_alphas_log() {
    const std::vector<log::MemberKeys> members = group::charter_keys(charter_.charter);
    const auto alpha =
        static_cast<std::size_t>(std::ranges::find(members, "alpha", &log::MemberKeys::nick) - members.begin());
    mirror::VaultStore store(*alpha_->vault, charter_.charter.group, members, alpha);
    ThreadPool pool(1);
    std::vector<std::string> said;
    const auto defects = mirror::check_log(store, members, alpha, alpha, pool);
    EXPECT_OK(defects);
    for (const mirror::Defect& defect : *defects) said.push_back(defect.what);
    return said;
  }
  /// How many entries of alpha's log a colluder has.
  std::uint64_t has_of_alpha(std::size_t i) {
    return colluders_[i]->log(charter_).with([](mirror::Replica& replica) { return replica.size("alpha"); });
  }
  std::uint64_t entries_of_alpha() {
    return alpha_->log(charter_).with([](mirror::Replica& replica) { return replica.size("alpha"); });
  }

  /// One session on a link of its own. May be called by several threads at once.
  Both<std::string> hold(Opened& asker, Opened& answerer, const Question& question, const Decide& decide) {
    wire::Listener listener;
    const auto watch = [&](const wire::Frame& frame) {
      const std::lock_guard lock(watching_);
      watched_.sent.push_back(frame.type);
      return std::vector{frame};
    };
    const auto deviation_of = [&](Opened& side) {
      return Deviation{.resend = &side == alpha_.get() ? watch : decltype(Deviation::resend){}};
    };
    auto answered = std::async(std::launch::async, [&]() -> Result<std::string> {
      TRY(const auto link, wire::accept(listener.accept(), answerer.member.identity(), wire::only(asker.pin())));
      DeviatingLink watched(*link, deviation_of(answerer));
      group::LogLink log_link(watched, answerer.log(charter_));
      return as(answerer, [&](const Party& us) -> Result<std::string> {
        TRY(const ReceivedStep step, first_step(log_link));
        return session::answer(us, log_link, step, test_limits(), decide);
      });
    });
    const auto began = [&]() -> Result<std::string> {
      TRY(const auto link, wire::connect(listener.address(), asker.member.identity(), answerer.pin()));
      DeviatingLink watched(*link, deviation_of(asker));
      group::LogLink log_link(watched, asker.log(charter_));
      return as(asker, [&](const Party& us) { return ask(us, log_link, question, test_limits(), {}); });
    }();
    return {began, answered.get()};
  }

 private:
  template <typename Work>
  Result<std::string> as(Opened& side, const Work& work) {
    const group::Membership membership = side.membership(&side == alpha_.get() ? charter_ : without_caps());
    ThreadPool pool(1);
    SilentProgress progress;
    return work(Party{.vault = *side.vault,
                      .member = side.member,
                      .membership = membership,
                      .membership_now = [&membership] { return Result<group::Membership>(membership); },
                      .under_way = side.under_way,
                      .ledgers = side.ledgers,
                      .pool = pool,
                      .progress = progress});
  }
  /// As those who collude read it: their own programs hold none of them back.
  group::SignedCharter without_caps() const {
    group::SignedCharter charter = charter_;
    for (group::AllowedQuestion& question : charter.charter.questions) question.caps = group::kNoCaps;
    return charter;
  }
  void add(const std::string& name) {
    homes_.push_back(std::make_unique<TestMember>(name, dictionary()));
    colluders_.push_back(std::make_unique<Opened>(*homes_.back()));
  }
  void sign() {
    charter_.note = group::charter_text(charter_.charter);
    charter_.hash = group::charter_hash(charter_.charter);
  }
  /// Brings all logs into step, and has what alpha writes watched.
  void meet_all() {
    std::vector<Opened*> all{alpha_.get()};
    for (const auto& each : colluders_) all.push_back(each.get());
    for (int round = 0; round < 2; ++round)
      for (Opened* one : all)
        for (Opened* other : all)
          if (one != other) call(*one, *other);
    alpha_->log(charter_).rewrite = [this](mirror::Draft& draft) {
      const std::lock_guard lock(watching_);
      watched_.written.push_back(draft);
    };
  }
  void call(Opened& one, Opened& other) {
    wire::Listener listener;
    auto answered = std::async(std::launch::async, [&]() -> Status {
      TRY(const auto link, wire::accept(listener.accept(), other.member.identity(), wire::only(one.pin())));
      group::LogLink log_link(*link, other.log(charter_));
      TRY(const wire::FrameType last, log_link.next_type(deadline_in(kPatience)));
      EXPECT_EQ(last, wire::FrameType::bye);
      return {};
    });
    const auto called = [&]() -> Status {
      TRY(const auto link, wire::connect(listener.address(), one.member.identity(), other.pin()));
      group::LogLink log_link(*link, one.log(charter_));
      TRY_STATUS(log_link.synchronise(deadline_in(kPatience)));
      return log_link.send(wire::FrameType::bye, {});
    }();
    EXPECT_OK(called);
    EXPECT_OK(answered.get());
  }

  TestMember alpha_home_{"Alpha", evidence()};
  std::vector<std::unique_ptr<TestMember>> homes_;
  std::unique_ptr<Opened> alpha_;
  std::vector<std::unique_ptr<Opened>> colluders_;
  group::SignedCharter charter_;
  std::mutex watching_;
  ByAlpha watched_;
};

// --- one after the other --------------------------------------------------------------------------------------------

class Colluders : public testing::TestWithParam<std::size_t> {};

TEST_P(Colluders, TestNoMoreTogetherThanTheCapOfTheGroup) {
  Coalition coalition(GetParam());
  // One alone meets its own cap first; two or more could each stay under theirs.
  const unsigned parts = GetParam() == 1 ? kPartsOfOne : kPartsOfAll;
  Both<std::string> refusal;
  ASSERT_EQ(coalition.ask_until_refused(refusal), parts);

  ASSERT_FAILS(refusal.answered, Errc::policy);
  EXPECT_THAT(refusal.answered.error().message,
              HasSubstr(GetParam() == 1 ? "max_probe_items_30d" : "max_probe_items_group_30d"));
  EXPECT_THAT(refusal.answered.error().message,
              HasSubstr(fmt::format("would be {}, and {} is the most", (parts + 1) * kSet, parts * kSet)))
      << "alpha is told which cap it was, and by how much";
  EXPECT_THAT(coalition.failure_of_the_last(), HasSubstr(refusal.answered.error().message))
      << "and whoever looks at the session later reads it";
  EXPECT_EQ(coalition.counted(), parts * kSet);
  EXPECT_EQ(coalition.pooled(), held_in_parts(0, parts)) << "what they were let test, and nothing of the rest";
}

TEST_P(Colluders, AreToldNothingByTheRefusalAndNothingHasLeftBeforeIt) {
  Coalition coalition(GetParam());
  Both<std::string> refusal;
  coalition.ask_until_refused(refusal);
  const ByAlpha refused = coalition.by_alpha();
  ASSERT_THAT(refused.types(), ElementsAre(kRefuse)) << "no acceptance with alpha's size, no commitment, no run";
  EXPECT_EQ(refused.written[0].body, (Refusal{.code = std::string(kRefusedByPolicy), .text = {}}.to_json()));
  EXPECT_THAT(refused.sent, Each(Not(wire::FrameType::psi_data)));
  ASSERT_FAILS(refusal.began, Errc::refused);

  // It is the same that a colluder hears where an operator declines, who gives no reason.
  Coalition other(1);
  const auto declined = other.ask_with(
      0, 0, [](const Offer&, Deadline) { return std::optional(Decision{.accept = false, .why = {}, .label = {}}); });
  ASSERT_FAILS(declined.began, Errc::refused);
  EXPECT_EQ(declined.began.error().message, refusal.began.error().message);
  EXPECT_EQ(other.by_alpha().written.at(0).body, refused.written[0].body);
}

TEST_P(Colluders, MayAskAgainOnceTheMonthHasPassedByAlphasClockAndNotBefore) {
  Coalition coalition(GetParam(), kAnyClock);
  Both<std::string> refusal;
  const unsigned next = coalition.ask_until_refused(refusal);
  // All were asked within some seconds of each other.
  coalition.let_clocks_be_ahead(30 * kDay - 3'600, 30 * kDay - 3'600);
  EXPECT_FAILS(coalition.ask_with(next % GetParam(), next).answered, Errc::policy);
  coalition.let_clocks_be_ahead(30 * kDay + 3'600, 30 * kDay + 3'600);
  EXPECT_EQ(coalition.counted(), 0);
  ASSERT_OK(coalition.ask_with(next % GetParam(), next).answered);
  EXPECT_EQ(coalition.pooled(), held_in_parts(0, next + 1));
  EXPECT_EQ(coalition.counted(), kSet) << "and it counts from the beginning";
}

INSTANTIATE_TEST_SUITE_P(OfAGroupOfFive, Colluders, testing::Range<std::size_t>(1, 5));

// --- by other ways --------------------------------------------------------------------------------------------------

// Of times that others state nothing is believed here: not when they were asked, nor what time it is.
class ColludersWithClocksOfTheirOwn : public testing::TestWithParam<UnixSeconds> {};

TEST_P(ColludersWithClocksOfTheirOwn, TestNoMoreTogether) {
  Coalition coalition(2, kAnyClock);
  coalition.let_clocks_be_ahead(0, GetParam());
  Both<std::string> refusal;
  ASSERT_EQ(coalition.ask_until_refused(refusal), kPartsOfAll);
  EXPECT_THAT(refusal.answered.error().message, HasSubstr("max_probe_items_group_30d"));
  EXPECT_EQ(coalition.counted(), kCapOfAll);
}

INSTANTIATE_TEST_SUITE_P(ByWhichItIs, ColludersWithClocksOfTheirOwn,
                         testing::Values(-31 * kDay, -3'600, 3'600, 31 * kDay));

TEST(ColludersAtOnce, DoNotPassTheCapTogether) {
  Coalition coalition(2);
  for (unsigned part = 0; part + 1 < kPartsOfAll; ++part) ASSERT_OK(coalition.ask_with(part % 2, part).answered);
  coalition.forget();
  std::mutex mutex;
  std::condition_variable both_came;
  int came = 0;
  // Both have been found permitted by the time the first is accepted: one more part would be.
  const Decide when_both_came = [&](const Offer&, Deadline) {
    std::unique_lock lock(mutex);
    if (++came == 2) both_came.notify_all();
    both_came.wait_for(lock, kPatience, [&] { return came == 2; });
    return std::optional(Decision{.accept = true, .why = {}, .label = {}});
  };
  auto other = std::async(std::launch::async, [&] { return coalition.ask_with(0, kPartsOfAll, when_both_came); });
  const auto one = coalition.ask_with(1, kPartsOfAll - 1, when_both_came);
  const auto second = other.get();
  ASSERT_EQ(came, 2) << "they were not under way together";
  ASSERT_EQ((one.answered ? 1 : 0) + (second.answered ? 1 : 0), 1);
  const Error& refusal = one.answered ? second.answered.error() : one.answered.error();
  EXPECT_EQ(refusal.code, Errc::policy);
  EXPECT_THAT(refusal.message, HasSubstr("max_probe_items_group_30d"));
  EXPECT_EQ(coalition.counted(), kCapOfAll);
  EXPECT_EQ(coalition.charged(), kPartsOfAll);
  const unsigned part = one.answered ? kPartsOfAll - 1 : kPartsOfAll;
  std::set<std::string> learned = held_in_parts(0, kPartsOfAll - 1);
  learned.merge(held_in_parts(part, part + 1));
  EXPECT_EQ(coalition.pooled(), learned);
}

// Where alpha is the one who asks, the other enters its guesses too.
TEST(ColludersWhoAreAsked, TestNoMoreTogetherThanThoseWhoAsk) {
  Coalition coalition(2);
  for (unsigned part = 0; part < kPartsOfAll; ++part) ASSERT_OK(coalition.be_asked_by_alpha(part % 2, part).began);
  EXPECT_EQ(coalition.counted(), kCapOfAll);
  coalition.forget();
  const auto refusal = coalition.be_asked_by_alpha(0, kPartsOfAll);
  ASSERT_FAILS(refusal.began, Errc::policy);
  EXPECT_THAT(refusal.began.error().message, HasSubstr("max_probe_items_group_30d"));
  EXPECT_THAT(coalition.by_alpha().types(), ElementsAre(kPropose, kAbort)) << "nothing was committed to, and none ran";
  EXPECT_THAT(coalition.by_alpha().sent, Each(Not(wire::FrameType::psi_data)));
  EXPECT_EQ(coalition.pooled(), held_in_parts(0, kPartsOfAll));
}

// What one member has tested stays tested when it is no member any more.
TEST(ColluderWhoLeaves, GivesTheOthersNothingBackOfWhatTheyMayTestTogether) {
  Coalition coalition(2);
  for (unsigned part = 0; part < kPartsOfOne; ++part) ASSERT_OK(coalition.ask_with(0, part).answered);
  const auto alone = coalition.ask_with(0, kPartsOfOne);
  ASSERT_FAILS(alone.answered, Errc::policy);
  EXPECT_THAT(alone.answered.error().message, HasSubstr("max_probe_items_30d"));
  coalition.first_one_leaves();
  EXPECT_EQ(coalition.has_of_alpha(0), coalition.entries_of_alpha()) << "with what was written to the one who left";
  EXPECT_THAT(coalition.defects_of_alphas_log(), testing::IsEmpty()) << "that somebody has gone damages nothing";
  EXPECT_EQ(coalition.counted(), kCapOfOne);
  for (unsigned part = kPartsOfOne; part < kPartsOfAll; ++part) ASSERT_OK(coalition.ask_with(0, part).answered);
  const auto refusal = coalition.ask_with(0, kPartsOfAll);
  ASSERT_FAILS(refusal.answered, Errc::policy);
  EXPECT_THAT(refusal.answered.error().message, HasSubstr("max_probe_items_group_30d"));
}

TEST(ColluderWhoComesBack, UnderAnotherNameWithOtherKeysHasOnlyWhatTheGroupHasLeft) {
  Coalition coalition(2);
  for (unsigned part = 0; part < kPartsOfOne; ++part) ASSERT_OK(coalition.ask_with(0, part).answered);
  coalition.first_one_comes_back_as("Bravo 2");
  EXPECT_EQ(coalition.has_of_alpha(0), coalition.entries_of_alpha()) << "from its beginning";
  EXPECT_EQ(coalition.counted(), kCapOfOne);
  for (unsigned part = kPartsOfOne; part < kPartsOfAll; ++part) ASSERT_OK(coalition.ask_with(0, part).answered);
  const auto refusal = coalition.ask_with(0, kPartsOfAll);
  ASSERT_FAILS(refusal.answered, Errc::policy);
  EXPECT_THAT(refusal.answered.error().message, HasSubstr("max_probe_items_group_30d"));
  EXPECT_FAILS(coalition.ask_with(1, kPartsOfAll).answered, Errc::policy)
      << "it has asked nothing, and there is no more";
}

}  // namespace
}  // namespace parley::session
