// Canaries: what a set commits to and hides, which set is in use, and what hits weigh.
#include "group/canary.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <set>

#include "base/encoding.h"
#include "group/canary_book.h"
#include "vault/testing.h"

namespace parley::group {
namespace {

using indicator::Type;
using vault::fails, vault::succeeds;

Canary dark(const std::string& address, std::int64_t eps_ppm = 50) {
  return {.indicator = *indicator::canonicalise(Type::ipv4, address),
          .kind = "dark-address",
          .why_nobody_holds = "never sent a packet",
          .eps_ppm = eps_ppm,
          .created = 1'790'000'000};
}

std::vector<Canary> darks(int count) {
  std::vector<Canary> canaries;
  for (int i = 0; i < count; ++i) canaries.push_back(dark("192.0.2." + std::to_string(i)));
  return canaries;
}

// --- leaves and sets ------------------------------------------------------------------------------------------------

// Computed with Python's hashlib from the words of log.md 4.4.
TEST(CanaryLeaf, IsTheHashThatItsDefinitionSays) {
  log::Salt salt;
  for (std::size_t i = 0; i < salt.size(); ++i) salt[i] = static_cast<std::byte>(i);
  EXPECT_EQ(to_hex(canary_commitment(salt, dark("192.0.2.77"))),
            "daafb562c9647204315f3f3e184b00c80098629b3ffd877446e8ac22eec799f4");
}

TEST(CanaryLeaf, DependsOnEverythingInIt) {
  const log::Salt salt{};
  std::set<Digest> seen{canary_commitment(salt, dark("192.0.2.77"))};
  log::Salt other_salt{};
  other_salt[31] = std::byte{1};
  EXPECT_TRUE(seen.insert(canary_commitment(other_salt, dark("192.0.2.77"))).second);
  EXPECT_TRUE(seen.insert(canary_commitment(salt, dark("192.0.2.78"))).second);
  EXPECT_TRUE(seen.insert(canary_commitment(salt, dark("192.0.2.77", 51))).second);
  Canary reworded = dark("192.0.2.77");
  reworded.why_nobody_holds += ".";
  EXPECT_TRUE(seen.insert(canary_commitment(salt, reworded)).second);
}

TEST(CanarySet, HasAlwaysAsManyLeavesAndShowsEachOfItsCanaries) {
  for (const int count : {1, 2, 17, 63, 64}) {
    const CanarySet set = CanarySet::draw(darks(count));
    std::set<std::uint64_t> places;
    const std::vector<CommittedCanary> committed = set.committed();
    ASSERT_EQ(committed.size(), static_cast<std::size_t>(count));
    for (const CommittedCanary& shown : committed) {
      EXPECT_EQ(shown.path.size(), 6u);
      EXPECT_TRUE(places.insert(shown.index).second);
      EXPECT_TRUE(log::verify_inclusion(log::leaf_hash(canary_commitment(shown.salt, shown.canary)), shown.index,
                                        kCanaryLeaves, shown.path, set.root()));
    }
  }
}

TEST(CanarySet, IsAnotherEachTimeItIsDrawn) {
  EXPECT_NE(CanarySet::draw(darks(3)).root(), CanarySet::draw(darks(3)).root());
}

TEST(CanarySet, ComesBackAsItWas) {
  const CanarySet set = CanarySet::draw(darks(5));
  const auto back = CanarySet::from_json(set.to_json());
  ASSERT_OK(back);
  EXPECT_EQ(back->root(), set.root());
  EXPECT_EQ(log::write_pjson(back->to_json()), log::write_pjson(set.to_json()));
}

TEST(CanarySet, ThatLostALeafIsRefused) {
  log::Json::Object json = *CanarySet::draw(darks(5)).to_json().object();
  log::Json::Array fewer = *json.at("filler").array();
  fewer.pop_back();
  json.insert_or_assign("filler", fewer);
  EXPECT_FAILS(CanarySet::from_json(log::Json(json)), Errc::format);
}

TEST(Canary, ThatIsNoneIsRefused) {
  const Canary good = dark("192.0.2.77");
  EXPECT_OK(make_canary(Type::ipv4, "192.0.2.77", good.reason()));
  const auto changed = [&](const char* key, log::Json value) {
    log::Json::Object reason = *good.reason().object();
    reason.insert_or_assign(key, std::move(value));
    return log::Json(std::move(reason));
  };
  const std::vector<std::tuple<const char*, Type, std::string, log::Json>> wrong = {
      {"not canonical", Type::ipv4, "192.0.2.077", good.reason()},
      {"defanged", Type::ipv4, "192.0.2[.]77", good.reason()},
      {"of another type than its kind", Type::domain, "quiet.example", good.reason()},
      {"an unknown kind", Type::ipv4, "192.0.2.77", changed("kind", "honey")},
      {"held by too many", Type::ipv4, "192.0.2.77", changed("eps_ppm", 1001)},
      {"held by nobody for certain", Type::ipv4, "192.0.2.77", changed("eps_ppm", 0)},
      {"without a reason", Type::ipv4, "192.0.2.77", changed("why_nobody_holds", "")},
      {"with a reason too long", Type::ipv4, "192.0.2.77", changed("why_nobody_holds", std::string(513, 'x'))},
      {"with more than asked for", Type::ipv4, "192.0.2.77", changed("verdict", true)},
  };
  for (const auto& [what, type, value, reason] : wrong)
    EXPECT_FAILS(make_canary(type, value, reason), Errc::format) << what;
}

TEST(CanarySetBody, GivesItsRootAndNothingElseIsTaken) {
  const Digest root = CanarySet::draw(darks(1)).root();
  const auto back = canary_root_from_body(canary_set_body(root));
  ASSERT_OK(back);
  EXPECT_EQ(*back, root);
  log::Json::Object fewer = *canary_set_body(root).object();
  fewer.insert_or_assign("leaves", 63);
  EXPECT_FAILS(canary_root_from_body(log::Json(fewer)), Errc::format);
}

// --- the book -------------------------------------------------------------------------------------------------------

class Book : public testing::Test {
 protected:
  static constexpr UnixSeconds kDay = 86'400;
  static bool always(std::uint64_t) { return true; }
  void commit(UnixSeconds when) {
    auto set = book_.draw();
    ASSERT_OK(set);
    book_.committed(*std::move(set), Digest{}, ++entries_, when);
  }
  std::set<std::string> entering(UnixSeconds now) {
    std::set<std::string> values;
    const auto* set = book_.in_use(now, always);
    if (set == nullptr) return values;
    constexpr std::array kTypes{Type::ipv4};
    for (const CommittedCanary& each : book_.entering(*set, kTypes)) values.insert(each.canary.indicator.value());
    return values;
  }
  CanaryBook book_;
  std::uint64_t entries_ = 0;
};

TEST_F(Book, HasNothingInUseBeforeASetIsADayOldNorInTheLastDayOfItsMonth) {
  ASSERT_OK(book_.add(dark("192.0.2.1")));
  EXPECT_TRUE(entering(1).empty()) << "what waits is in no set";
  commit(100 * kDay);
  EXPECT_TRUE(entering(101 * kDay - 1).empty());
  EXPECT_EQ(entering(101 * kDay).size(), 1u);
  EXPECT_EQ(entering(129 * kDay - 1).size(), 1u);
  EXPECT_TRUE(entering(129 * kDay).empty());
}

TEST_F(Book, KeepsTheSetThatIsInUseUntilTheNextOneIsOldEnough) {
  ASSERT_OK(book_.add(dark("192.0.2.1")));
  commit(100 * kDay);
  ASSERT_OK(book_.add(dark("192.0.2.2")));
  commit(110 * kDay);
  ASSERT_OK(book_.add(dark("192.0.2.3")));
  commit(110 * kDay + 1);  // two that wait: the older of them is of no use
  EXPECT_EQ(entering(110 * kDay + 2), (std::set<std::string>{"192.0.2.1"}));
  EXPECT_EQ(entering(112 * kDay), (std::set<std::string>{"192.0.2.1", "192.0.2.2", "192.0.2.3"}));
}

TEST_F(Book, KeepsSinceWhenWhoKnowsACanaryAlsoWhenItStandsInTheNextSet) {
  for (const char* value : {"192.0.2.1", "192.0.2.2"}) ASSERT_OK(book_.add(dark(value)));
  commit(100 * kDay);
  book_.opened_to("bravo", 100 * kDay + 5);
  ASSERT_OK(book_.add(dark("192.0.2.3")));
  commit(101 * kDay);
  book_.opened_to("bravo", 101 * kDay + 5);
  EXPECT_EQ(book_.told("bravo", dark("192.0.2.1").indicator), 100 * kDay + 5) << "not later than at first";
  EXPECT_EQ(book_.told("bravo", dark("192.0.2.3").indicator), 101 * kDay + 5);
  EXPECT_EQ(book_.told("carol", dark("192.0.2.1").indicator), std::nullopt);
  EXPECT_EQ(book_.told_of(book_.sets().back()), std::set<std::string>{"bravo"});
  EXPECT_EQ(entering(102 * kDay).size(), 3u) << "it would see what is gone";
}

TEST_F(Book, DrawsWhatWasPublishedIntoNoFurtherSet) {
  for (const char* value : {"192.0.2.1", "192.0.2.2"}) ASSERT_OK(book_.add(dark(value)));
  commit(100 * kDay);
  book_.published(dark("192.0.2.1").indicator);
  EXPECT_EQ(entering(102 * kDay), (std::set<std::string>{"192.0.2.2"}));
  commit(103 * kDay);
  EXPECT_EQ(book_.sets().back().set.canaries().size(), 1u);
  EXPECT_FAILS(book_.add(dark("192.0.2.1")), Errc::exists);
}

TEST_F(Book, RefusesOneTwiceAndMoreThanASetHolds) {
  for (const Canary& each : darks(64)) ASSERT_OK(book_.add(each));
  EXPECT_FAILS(book_.add(dark("192.0.2.7")), Errc::exists);
  EXPECT_FAILS(book_.add(dark("198.51.100.1")), Errc::limit);
}

TEST_F(Book, WithoutCanariesDrawsNoSet) {
  EXPECT_FAILS(book_.draw(), Errc::usage);
}

TEST_F(Book, ComesBackFromTheVaultAsItWas) {
  vault::TestVault home;
  const auto opened = home.open();
  for (const char* value : {"192.0.2.1", "192.0.2.2"}) ASSERT_OK(book_.add(dark(value)));
  commit(100 * kDay);
  book_.opened_to("bravo", 101 * kDay);
  book_.published(dark("192.0.2.1").indicator);
  ASSERT_OK(book_.add(dark("192.0.2.3")));
  ASSERT_OK(book_.save(*opened, "g"));
  const auto back = CanaryBook::load(*opened, "g");
  ASSERT_OK(back);
  book_ = *back;
  EXPECT_EQ(book_.waiting().size(), 1u);
  EXPECT_EQ(book_.told("bravo", dark("192.0.2.2").indicator), 101 * kDay);
  EXPECT_EQ(entering(102 * kDay), (std::set<std::string>{"192.0.2.2"}));
  const auto other = CanaryBook::load(*opened, "another");
  ASSERT_OK(other);
  EXPECT_TRUE(other->sets().empty());
}

/// The book as an older version kept it.
void make_old(vault::Vault& vault) {
  const auto stored = vault.secret("canaries/g");
  ASSERT_OK(stored);
  const auto json = log::parse_pjson(as_text((*stored)->expose()), 1 << 20);
  ASSERT_OK(json);
  log::Json::Object before = *json->object();
  before.erase("appearances");
  const auto changed = [&](const char* key, const std::function<void(log::Json::Object&)>& change) {
    log::Json::Array array;
    for (const log::Json& each : *before.at(key).array()) {
      log::Json::Object object = *each.object();
      change(object);
      array.emplace_back(std::move(object));
    }
    before.insert_or_assign(key, std::move(array));
  };
  changed("seen", [](log::Json::Object& seen) { seen.erase("at"); });
  changed("sets", [](log::Json::Object& set) { set.emplace("retired", log::Json::Array{"bravo"}); });
  const std::string text = log::write_pjson(log::Json(before));
  ASSERT_OK(vault.put_secret("canaries/g", as_bytes(text)));
}

TEST_F(Book, OfAnOlderVersionIsRead) {
  vault::TestVault home;
  const auto opened = home.open();
  ASSERT_OK(book_.add(dark("192.0.2.1")));
  commit(100 * kDay);
  book_.opened_to("bravo", 101 * kDay);
  ASSERT_OK(book_.save(*opened, "g"));
  make_old(*opened);
  const auto back = CanaryBook::load(*opened, "g");
  ASSERT_OK(back);
  EXPECT_EQ(back->sets().size(), 1u);
  EXPECT_EQ(back->told("bravo", dark("192.0.2.1").indicator), 0) << "before any session, since it does not say when";
}

// It has no places, and the same ones are found each time that it is opened.
TEST_F(Book, OfAnOlderVersionGivesEachCanaryAPlaceThatStays) {
  vault::TestVault home;
  const auto opened = home.open();
  for (const Canary& each : darks(40)) ASSERT_OK(book_.add(each));
  commit(100 * kDay);
  ASSERT_OK(book_.save(*opened, "g"));
  make_old(*opened);
  const auto placed = [&] {
    std::set<std::string> values;
    const auto book = CanaryBook::load(*opened, "g");
    EXPECT_OK(book);
    for (const CanarySet::Leaf& leaf : book->sets().front().set.canaries())
      if (book->passes(leaf.canary.indicator, 1, 0.5)) values.insert(leaf.canary.indicator.value());
    return values;
  };
  const std::set<std::string> half = placed();
  EXPECT_GT(half.size(), 2u);
  EXPECT_LT(half.size(), 38u);
  EXPECT_EQ(placed(), half);
}

TEST_F(Book, RefusesOneMoreRatherThanToHaveNoPlaceForWhatIsPublishedLater) {
  vault::TestVault home;
  const auto opened = home.open();
  ASSERT_OK(book_.add(dark("192.0.2.1")));
  commit(100 * kDay);
  for (int i = 0; i < 4095; ++i) book_.published(dark(fmt::format("198.18.{}.{}", i / 256, i % 256)).indicator);
  EXPECT_FAILS(book_.add(dark("192.0.2.2")), Errc::limit);
  book_.published(dark("192.0.2.1").indicator);
  for (int i = 0; i < 256; ++i) book_.opened_to(fmt::format("member-{}", i), 101 * kDay);
  ASSERT_OK(book_.save(*opened, "g"));
  const auto back = CanaryBook::load(*opened, "g");
  ASSERT_OK(back);
  EXPECT_TRUE(back->is_published(dark("192.0.2.1").indicator));
}

// To whom it was shown says nothing any more, and that it was shown does.
TEST_F(Book, KeepsOfACanaryThatIsInNoSetAnyMoreOnlyThatItCannotBeOneAgain) {
  ASSERT_OK(book_.add(dark("192.0.2.1")));
  commit(100 * kDay);
  book_.opened_to("bravo", 101 * kDay);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 64; ++i) ASSERT_OK(book_.add(dark(fmt::format("198.18.{}.{}", round, i))));
    commit((110 + round) * kDay);
  }
  EXPECT_EQ(book_.oldest_with(dark("192.0.2.1").indicator), nullptr);
  EXPECT_EQ(book_.told("bravo", dark("192.0.2.1").indicator), std::nullopt);
  EXPECT_FAILS(book_.add(dark("192.0.2.1")), Errc::exists);
}

// --- what hits weigh ------------------------------------------------------------------------------------------------

TEST(CanaryHits, AreEnoughWhereTwoAreOrOneThatAlmostNobodyHolds) {
  using Chances = std::vector<std::int64_t>;
  EXPECT_FALSE(enough_for_alarm(Chances{}));
  EXPECT_TRUE(enough_for_alarm(Chances{100}));
  EXPECT_FALSE(enough_for_alarm(Chances{101}));
  EXPECT_TRUE(enough_for_alarm(Chances{1000, 1000}));
}

// By hand: (h/64)^h ((64-h)/64)^(64-h), divided by the product of the chances.
TEST(CanaryHits, WeighAsTheirLikelihoodRatioSays) {
  using Chances = std::vector<std::int64_t>;
  EXPECT_DOUBLE_EQ(likelihood_ratio(Chances{}), 1);
  EXPECT_NEAR(likelihood_ratio(Chances{100}), 57.93, 0.01);
  EXPECT_NEAR(likelihood_ratio(Chances{1000, 1000}), 136.4, 0.1);
  EXPECT_LT(likelihood_ratio(Chances{1000}), likelihood_ratio(Chances{100}));
}

TEST(CanaryHits, OfAnyThatAreEnoughSpeakAgainstAccident) {
  for (const std::vector<std::int64_t>& chances :
       {std::vector<std::int64_t>{100}, {1}, {1000, 1000}, {1000, 1}, {1000, 1000, 1000}})
    EXPECT_GT(likelihood_ratio(chances), 10) << chances.size();
}

// By hand, as far as chances this small only add up.
TEST(ChanceOfAccident, CountsAllCanariesThatAnHonestMemberMayMeet) {
  using Chances = std::vector<std::int64_t>;
  const auto same = [](std::size_t count, std::int64_t eps_ppm) { return Chances(count, eps_ppm); };
  EXPECT_EQ(chance_of_accident({}), 0);
  EXPECT_NEAR(chance_of_accident(same(1, 50)), 50e-6, 1e-12);
  EXPECT_NEAR(chance_of_accident(same(64, 50)), 64 * 50e-6, 1e-5) << "each of them alone is enough";
  EXPECT_EQ(chance_of_accident(same(1, 1000)), 0) << "a lone hit on such a one is not";
  EXPECT_NEAR(chance_of_accident(same(2, 1000)), 1e-6, 1e-12);
  EXPECT_NEAR(chance_of_accident(same(64, 101)), 2016 * 101e-6 * 101e-6, 1e-7) << "any two of 64";
  EXPECT_NEAR(chance_of_accident(Chances{10, 1000, 1000}), 10e-6 + 1e-6, 1e-10);
  for (const auto& [count, eps] : {std::pair<std::size_t, std::int64_t>{64, 10}, {20, 101}, {5, 1000}})
    EXPECT_NEAR(chance_of_accident(same(count, eps)), chance_of_alarm(static_cast<double>(eps) / 1e6, count, eps),
                1e-12)
        << "an accident covers what a guesser would";
}

TEST(ChanceOfAlarm, IsThatOfTheDesignsTable) {
  // psi.md 6.5: canaries, covered fraction, detection in per cent.
  const std::tuple<std::size_t, double, double> table[] = {{10, 0.001, 1.0}, {10, 0.01, 9.6},  {10, 0.1, 65.1},
                                                           {50, 0.01, 39.5}, {50, 0.05, 92.3}, {50, 0.1, 99.5}};
  for (const auto& [count, fraction, percent] : table)
    EXPECT_NEAR(100 * chance_of_alarm(fraction, count, 100), percent, 0.05) << count << " " << fraction;
  EXPECT_NEAR(chance_of_alarm(0.5, 2, 1000), 0.25, 1e-9) << "both must be hit";
}

}  // namespace
}  // namespace parley::group
