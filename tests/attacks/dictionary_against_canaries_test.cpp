// A member that fills its set from a dictionary: how often the canaries of the others notice it, and that they notice
// nobody who does not. 10,000 runs for each figure; one of each kind over real vaults and links.
#include <fmt/format.h>

#include <cstdlib>
#include <random>

#include "support/canaries.h"

namespace parley::session {
namespace {

using indicator::Type;

constexpr int kRuns = 10'000;
constexpr double kTwoPoints = 0.02;

std::uint64_t seed() {
  const char* wanted = std::getenv("PARLEY_SEED");
  const std::uint64_t seed = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 20261128;
  testing::Test::RecordProperty("seed", std::to_string(seed));
  return seed;
}

std::string dotted(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, (address >> 16) & 255, (address >> 8) & 255, address & 255);
}

/// A dictionary, seen from outside: whether it holds a value. Nobody can list 2^32 addresses 10,000 times.
using Dictionary = std::function<bool(const indicator::Canonical&)>;

/// All IPv4 addresses in an order of its own, of which the guesser enters the first part.
Dictionary addresses(std::mt19937_64& random, double fraction) {
  const auto odd = static_cast<std::uint32_t>(random()) | 1, shift = static_cast<std::uint32_t>(random());
  const auto last = static_cast<std::uint64_t>(fraction * 4294967296.0);
  return [=](const indicator::Canonical& value) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (std::sscanf(value.value().c_str(), "%u.%u.%u.%u", &a, &b, &c, &d) != 4) return false;
    const std::uint32_t address = a << 24 | b << 16 | c << 8 | d;
    return std::uint32_t{address * odd + shift} < last;
  };
}

/// A list of the most visited domains, by rank, of which the guesser enters the top.
constexpr std::uint32_t kListed = 1'000'000;
std::string listed(std::uint32_t rank) {
  return fmt::format("site-{}.example", rank);
}
Dictionary most_visited(double fraction) {
  const auto last = static_cast<std::uint32_t>(fraction * kListed);
  return [=](const indicator::Canonical& value) {
    unsigned rank = 0;
    return std::sscanf(value.value().c_str(), "site-%u.example", &rank) == 1 && rank < last;
  };
}

/// A member's canaries in a set that is in use, drawn from where guessers look.
std::vector<group::CommittedCanary> canaries_in_use(std::mt19937_64& random, Type type, std::size_t count,
                                                    std::int64_t eps_ppm) {
  group::CanaryBook book;
  std::set<std::uint32_t> drawn;
  while (drawn.size() < count)
    drawn.insert(static_cast<std::uint32_t>(random() % (type == Type::domain ? kListed : std::uint64_t{1} << 32)));
  for (const std::uint32_t each : drawn)
    EXPECT_OK(book.add(canary(type, type == Type::domain ? listed(each) : dotted(each), eps_ppm)));
  auto set = book.draw();
  EXPECT_OK(set);
  book.committed(*std::move(set), Digest{}, 1, 0);
  const auto* in_use = book.in_use(group::kCanaryAge, [](std::uint64_t) { return true; });
  return book.entering(*in_use, "bravo", std::array{type});
}

/// Whether a session with one who holds `holds` ends in an alarm, by the code that decides it in a session.
bool raises_alarm(std::span<const group::CommittedCanary> entering, const Dictionary& holds) {
  std::vector<std::int64_t> hits;
  for (const group::CommittedCanary& each : entering)
    if (holds(each.canary.indicator)) hits.push_back(each.canary.eps_ppm);
  return group::enough_for_alarm(hits);
}

struct Case {
  Type type;
  double fraction;
  std::size_t canaries;
  std::int64_t eps_ppm;
};

class Guesser : public testing::TestWithParam<Case> {};

TEST_P(Guesser, IsNoticedAtTheRateThatTheFormulaSays) {
  const Case& is = GetParam();
  std::mt19937_64 random(seed());
  int alarms = 0;
  for (int run = 0; run < kRuns; ++run) {
    const auto entering = canaries_in_use(random, is.type, is.canaries, is.eps_ppm);
    const Dictionary dictionary = is.type == Type::domain ? most_visited(is.fraction) : addresses(random, is.fraction);
    alarms += raises_alarm(entering, dictionary) ? 1 : 0;
  }
  const double rate = static_cast<double>(alarms) / kRuns;
  RecordProperty("noticed", std::to_string(rate));
  EXPECT_NEAR(rate, group::chance_of_alarm(is.fraction, is.canaries, is.eps_ppm), kTwoPoints);
}

INSTANTIATE_TEST_SUITE_P(OfAllAddresses, Guesser,
                         testing::Values(Case{Type::ipv4, 0.001, 64, 10}, Case{Type::ipv4, 0.01, 64, 10},
                                         Case{Type::ipv4, 0.05, 20, 10}, Case{Type::ipv4, 0.1, 8, 10},
                                         Case{Type::ipv4, 0.5, 4, 10}, Case{Type::ipv4, 1.0, 1, 10},
                                         Case{Type::ipv4, 0.05, 64, 500}, Case{Type::ipv4, 0.3, 5, 500}));
INSTANTIATE_TEST_SUITE_P(OfTheMostVisitedDomains, Guesser,
                         testing::Values(Case{Type::domain, 0.001, 64, 10}, Case{Type::domain, 0.01, 64, 10},
                                         Case{Type::domain, 0.1, 16, 10}, Case{Type::domain, 0.5, 3, 10},
                                         Case{Type::domain, 0.1, 32, 500}));

// Its evidence is addresses that something was seen of; a canary is one that nothing was ever seen of.
TEST(HonestMember, IsNeverAccusedInTenThousandSessions) {
  std::mt19937_64 random(seed());
  int accused = 0;
  for (int run = 0; run < kRuns; ++run) {
    const auto entering = canaries_in_use(random, Type::ipv4, 64, 10);
    std::set<std::string> quiet;
    for (const group::CommittedCanary& each : entering) quiet.insert(each.canary.indicator.value());
    std::set<std::string> evidence;
    while (evidence.size() < 200) {
      const std::string seen = dotted(static_cast<std::uint32_t>(random()));
      if (!quiet.contains(seen)) evidence.insert(seen);
    }
    accused +=
        raises_alarm(entering, [&](const indicator::Canonical& value) { return evidence.contains(value.value()); }) ? 1
                                                                                                                    : 0;
  }
  EXPECT_EQ(accused, 0);
}

// Where accidents happen as often as their owner said, alarms by accident are as rare as that implies.
TEST(HonestMember, WhoHoldsCanariesByAccidentIsAccusedAsRarelyAsTheirChancesSay) {
  std::mt19937_64 random(seed());
  int accused = 0;
  constexpr std::int64_t kEpsPpm = 500;
  for (int run = 0; run < kRuns; ++run) {
    const auto entering = canaries_in_use(random, Type::ipv4, 64, kEpsPpm);
    accused +=
        raises_alarm(entering, [&](const indicator::Canonical&) { return random() % 1'000'000 < kEpsPpm; }) ? 1 : 0;
  }
  const double expected = group::chance_of_alarm(kEpsPpm / 1e6, 64, kEpsPpm);  // 0.05 %
  EXPECT_LT(accused, 5 * expected * kRuns + 10);
}

// The same with everything that is between two members: vaults, logs, links, the protocol.
TEST(GuesserAtWork, WhoEntersABlockOfAddressesIsNoticedAndTheOthersCanCheckIt) {
  std::vector<vault::TestRecord> guesses = material("xagent");
  for (std::uint32_t i = 0; i < 256; ++i) guesses.push_back(record(Type::ipv4, fmt::format("192.0.2.{}", i), "guess"));
  const TestMember alpha_home("alpha", material("sednit")), bravo_home("bravo", guesses);
  Opened alpha(alpha_home), bravo(bravo_home);
  commit_canaries_at(alpha, bravo, {dark("192.0.2.5"), dark("192.0.2.250"), dark("233.252.0.9")}, days_ago(2));
  const auto held = hold_session(bravo, alpha, which_addresses_and_names());
  ASSERT_OK(held.began);
  EXPECT_EQ(outcome_of(*alpha.vault, *held.began).canaries, 2);
  EXPECT_EQ(matched(*alpha.vault, *held.began), kShared);
  const auto alarm = alarm_about(alpha, bravo, *held.began);
  ASSERT_OK(alarm);
  const auto entry = published_alarm(alpha, bravo, *alarm, *held.began);
  ASSERT_OK(entry);
  EXPECT_OK(check_as_bystander(bravo, alpha, *entry));
}

TEST(GuesserAtWork, WhoEntersWhatItHoldsIsNot) {
  const TestMember alpha_home("alpha", material("sednit")), bravo_home("bravo", material("xagent"));
  Opened alpha(alpha_home), bravo(bravo_home);
  commit_canaries_at(alpha, bravo, {dark("192.0.2.5"), dark("192.0.2.250")}, days_ago(2));
  const auto held = hold_session(bravo, alpha, which_addresses_and_names());
  ASSERT_OK(held.began);
  EXPECT_EQ(outcome_of(*alpha.vault, *held.began).canaries, 0);
  EXPECT_FAILS(alarm_about(alpha, bravo, *held.began), Errc::usage);
}

}  // namespace
}  // namespace parley::session
