// The quick reader of bodies says what the steps' own readers say, or nothing.
#include "session/detail/fact_scanner.h"

#include <gtest/gtest.h>

#include <random>

#include "base/random.h"
#include "crypto/hash.h"
#include "session/accounting.h"
#include "session/padding.h"
#include "session/states.h"
#include "session/step.h"

namespace parley::session {
namespace {

using indicator::Type;

Proposal proposal() {
  Proposal made{.question = {}, .padded = 1024, .most_tests = 65'536, .suites = {16, 32}};
  made.question.types = {Type::ipv4, Type::user_agent};
  made.question.direction = Direction::mine;
  made.question.label = "sednit";
  made.nonce = random_bytes<32>();
  made.rules = random_bytes<16>();
  return made;
}

struct Sample {
  std::string_view type;
  std::string body;
};

std::vector<Sample> samples() {
  const Digest digest = crypto::sha256(as_bytes("x"));
  return {
      {kPropose, log::write_pjson(proposal().to_json())},
      {kAccept, log::write_pjson(Acceptance{.padded = 256, .suite = 16, .nonce = random_bytes<32>()}.to_json())},
      {kRun, R"({"probe_items":512,"v":1})"},
      {kResult, log::write_pjson(
                    ResultStep{.learned = true, .count = 17, .result_root = digest, .transcript = digest}.to_json())},
      {kResult, log::write_pjson(ResultStep{}.to_json())},
      {kClose, log::write_pjson(log::Json::Object{{"agree", false}, {"peer_result", std::string(64, 'a')}, {"v", 1}})},
      {log::kLedgerSettle,
       log::write_pjson(to_json(ledger::Settled{
           .asker_entered = 256, .responder_entered = 512, .asker_matches = {0, 256}, .responder_matches = {3, 3}}))},
  };
}

/// Whether the readers of steps take it.
bool is_step(std::string_view type, std::string_view body) {
  const auto json = log::parse_pjson(body, 1 << 16);
  if (!json) return false;
  if (type == kPropose) return Proposal::from_json(*json).has_value();
  if (type == kAccept) return Acceptance::from_json(*json).has_value();
  if (type == kResult) return ResultStep::from_json(*json).has_value();
  if (type == log::kLedgerSettle) return settled_from_json(*json).has_value();
  log::ObjectReader reader(*json, "a step");
  if (type == kRun) reader.integer("probe_items", 0, log::kMaxInteger);
  if (type == kClose) {
    (void)reader.boolean("agree");
    (void)reader.digest("peer_result");
  }
  reader.integer("v", 1, 1);
  return reader.finish().has_value();
}

TEST(ScannedFact, OfAProposalIsWhatItSays) {
  for (const Direction direction : {Direction::mine, Direction::theirs, Direction::both}) {
    Proposal said = proposal();
    said.question.direction = direction;
    const auto fact = detail::scan_fact(kPropose, log::write_pjson(said.to_json()));
    ASSERT_TRUE(fact);
    const auto& read = std::get<ledger::Proposed>(*fact);
    EXPECT_EQ(read.entered, said.padded);
    EXPECT_EQ(read.asker_learns, said.question.asker_learns());
    EXPECT_EQ(read.responder_learns, said.question.responder_learns());
    EXPECT_EQ(read.asker_receives, role_of(Side::asker, direction) == psi::Role::receiver);
    for (const Type type : indicator::kAllTypes)
      EXPECT_EQ(read.types.contains(type), std::ranges::find(said.question.types, type) != said.question.types.end());
  }
}

TEST(ScannedFact, OfTheOtherStepsIsWhatTheySay) {
  const std::vector<Sample> all = samples();
  const auto fact = [&](std::size_t i) { return detail::scan_fact(all[i].type, all[i].body); };
  EXPECT_EQ(std::get<ledger::Accepted>(*fact(1)).entered, 256u);
  EXPECT_EQ(std::get<ledger::Accepted>(*fact(1)).suite, 16);
  EXPECT_EQ(std::get<ledger::Ran>(*fact(2)).entered, 512u);
  const Digest digest = crypto::sha256(as_bytes("x"));
  EXPECT_EQ(std::get<ledger::Resulted>(*fact(3)),
            (ledger::Resulted{.learned = true, .count = 17, .root = digest, .transcript = digest}));
  EXPECT_EQ(std::get<ledger::Resulted>(*fact(4)).count, -1);
  EXPECT_FALSE(std::get<ledger::Closed>(*fact(5)).agreed);
  EXPECT_EQ(std::get<ledger::Settled>(*fact(6)).responder_entered, 512u);
  EXPECT_EQ(std::get<ledger::Settled>(*fact(6)).asker_matches.worst, 256);
}

TEST(ScannedFact, IsNoneForOtherTypesAndForWhatHasToBeEscaped) {
  EXPECT_FALSE(detail::scan_fact(kAbort, samples()[2].body));
  EXPECT_FALSE(detail::scan_fact(kCommit, samples()[2].body));
  Proposal said = proposal();
  for (const char* label : {"a \"b\"", "\\", "привет"}) {
    said.question.label = label;
    EXPECT_FALSE(detail::scan_fact(kPropose, log::write_pjson(said.to_json()))) << label;
  }
  said = proposal();
  said.question.since = 1'500'000'000;
  EXPECT_FALSE(detail::scan_fact(kPropose, log::write_pjson(said.to_json())));
}

/// Bytes changed, removed, put in, and parts of another body: nothing is taken that is no step.
TEST(ScannedFact, IsTakenOfStepsOnly) {
  std::mt19937_64 random(20261128);
  const std::vector<Sample> all = samples();
  const auto below = [&](std::size_t bound) { return random() % bound; };
  constexpr std::string_view kBytes = "0123456789abcdef-+/=\"{}[],:v\\ \x01";
  std::size_t taken = 0;
  for (int round = 0; round < 60'000; ++round) {
    const Sample& sample = all[below(all.size())];
    std::string body = sample.body;
    for (std::size_t changes = 1 + below(2); changes > 0; --changes) {
      const std::size_t place = below(body.size());
      const char byte = kBytes[below(kBytes.size())];
      switch (below(3)) {
        case 0:
          body[place] = byte;
          break;
        case 1:
          body.erase(place, 1 + below(3));
          break;
        default:
          body.insert(place, 1, byte);
      }
    }
    if (!detail::scan_fact(sample.type, body)) continue;
    ++taken;
    ASSERT_TRUE(is_step(sample.type, body)) << body;
  }
  EXPECT_GT(taken, 100u);
}

}  // namespace
}  // namespace parley::session
