// What the tests of charters share: members with keys, a charter that keeps all rules, and notes that they sign.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "group/card_rules.h"
#include "group/charter.h"
#include "log/note.h"
#include "log/quorum.h"

namespace parley::group {

inline constexpr UnixSeconds kBegin = 1'790'000'000;
inline constexpr UnixSeconds kEnd = kBegin + 90 * kSecondsPerDay;
inline const std::string kGroup = "7d1f3c90000000000000000000000001";
inline const std::array<std::string, 16> kNicks = {"alpha", "bravo",    "charlie", "delta",  "echo", "foxtrot",
                                                   "golf",  "hotel",    "india",   "juliet", "kilo", "lima",
                                                   "mike",  "november", "oscar",   "papa"};

/// The seeds of a member for tests: the same in every run of one process.
struct TestMember {
  explicit TestMember(std::string its_nick)
      : nick(std::move(its_nick)),
        card_seeds{random_secret<32>(), random_secret<32>(), random_secret<32>(), random_secret<32>(),
                   random_secret<32>()},
        node(random_secret<32>()),
        log(random_secret<32>()),
        cosign(random_secret<32>()) {}

  std::string card_note() const { return make_card(nick, nick, card_seeds, kBegin); }
  log::VerifierKey id() const {
    return log::vkey_of(fmt::format("parley.local/m/{}/id", nick), log::KeyType::ed25519, card_seeds.id);
  }
  CharterMember in_group(std::string_view domain = "parley.example", std::string_view group = kGroup) const {
    const std::string origin = log_key_name(domain, group, nick);
    using log::KeyType;
    return {.keys = {.nick = nick,
                     .node = log::vkey_of(origin + "/node", KeyType::ed25519, node),
                     .log = log::vkey_of(origin, KeyType::ed25519, log),
                     .cosign = log::vkey_of(origin + "/mirror", KeyType::cosignature, cosign)},
            .card = crypto::sha256(as_bytes(card_note())),
            .id = id(),
            .tls_key = crypto::public_key_of(card_seeds.tls)};
  }

  std::string nick;
  MemberSeeds card_seeds;
  Secret<32> node, log, cosign;
};

inline const std::vector<TestMember>& test_members() {
  static const std::vector<TestMember> members = [] {
    start_random();
    std::vector<TestMember> made;
    for (const std::string& nick : kNicks) made.emplace_back(nick);
    return made;
  }();
  return members;
}

inline Charter charter_of(std::size_t member_count) {
  using indicator::Type;
  const Caps caps{.items_per_session = 5120,
                  .sessions_per_day = 4,
                  .probe_items_30d = 50'000,
                  .probe_items_group_30d = 150'000,
                  .matches_revealed_30d = 200,
                  .fields_per_item = 12};
  Charter charter{.group = kGroup,
                  .domain = "parley.example",
                  .name = "Operation Stadium",
                  .purpose = "Intrusions against ticketing and venue systems",
                  .not_before = kBegin,
                  .not_after = kEnd,
                  .finding_quorum = std::max<std::size_t>(2, member_count / 2 + 1),
                  .log_quorum = log::log_quorum(std::clamp<std::size_t>(member_count, 1, 16)),
                  .protocols = {"classic", "fast"},
                  .questions = {{Type::domain, Function::intersection, caps},
                                {Type::ipv4, Function::count, caps},
                                {Type::sha256, Function::count, caps},
                                {Type::sha256, Function::intersection, caps}}};
  for (std::size_t i = 0; i < std::min<std::size_t>(member_count, kMostMembers); ++i)
    charter.members.push_back(test_members()[i].in_group());
  return charter;
}

inline const TestMember& test_member(std::string_view nick) {
  return *std::ranges::find_if(test_members(), [&](const TestMember& member) { return member.nick == nick; });
}

/// A note of `text` that the members of these nicks sign with their id keys, in this order.
inline std::string signed_note(std::string_view text, const std::vector<std::string>& nicks) {
  std::string note;
  for (const std::string& nick : nicks) {
    const TestMember& member = test_member(nick);
    note = note.empty() ? log::sign_note(text, member.id().name, member.card_seeds.id)
                        : *log::add_signature(note, member.id().name, member.card_seeds.id);
  }
  return note;
}
inline std::string signed_charter(const Charter& charter, const std::vector<std::string>& nicks) {
  return signed_note(charter_text(charter), nicks);
}

inline std::vector<std::string> nicks_of(const Charter& charter) {
  std::vector<std::string> nicks;
  for (const CharterMember& member : charter.members) nicks.push_back(member.keys.nick);
  return nicks;
}

/// The outcome failed with this code, in a sentence that says `text`.
template <typename Outcome>
::testing::AssertionResult fails(const Outcome& outcome, Errc code, std::string_view text) {
  if (outcome.has_value()) return ::testing::AssertionFailure() << "no error; one with \"" << text << "\" was due";
  const Error& error = outcome.error();
  if (error.code == code && error.text().find(text) != std::string::npos && error.message.ends_with('.'))
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << name_of(error.code) << ": " << error.text() << "\nexpected " << name_of(code)
                                       << " with \"" << text << "\"";
}
#define EXPECT_REFUSED(outcome, code, text) EXPECT_TRUE(fails(outcome, code, text))

template <typename Outcome>
::testing::AssertionResult holds(const Outcome& outcome) {
  if (outcome.has_value()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << outcome.error().text();
}
#define EXPECT_HOLDS(outcome) EXPECT_TRUE(holds(outcome))
#define ASSERT_HOLDS(outcome) ASSERT_TRUE(holds(outcome))

}  // namespace parley::group
