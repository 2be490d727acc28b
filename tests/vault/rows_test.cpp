// Peers, sessions, settings, secrets and warning lists: what was put comes back, and what is not there is an error.
#include <fmt/format.h>

#include <array>

#include "testing.h"

namespace parley::vault {
namespace {

using indicator::Type;

TEST(Peers, AreKeptByNameAndListedInOrder) {
  const TestVault test;
  const Peer beta{"beta", "card of beta\nsigned", "[::1]:7000", 5};
  const Peer alpha{"alpha", "card of alpha\nsigned", "192.0.2.1:7000", 6};
  {
    const auto vault = test.open();
    EXPECT_OK(vault->add_peer(beta));
    EXPECT_OK(vault->add_peer(alpha));
  }
  const auto vault = test.open();
  const auto peers = vault->peers();
  ASSERT_OK(peers);
  ASSERT_EQ(peers->size(), 2U);
  EXPECT_EQ(peers->at(0).name, "alpha");
  const auto found = vault->peer("beta");
  ASSERT_OK(found);
  EXPECT_EQ(found->card, beta.card);
  EXPECT_EQ(found->address, beta.address);
  EXPECT_EQ(found->added, beta.added);
}

TEST(Peers, AreNotReplacedAndNotFoundWhenTheyAreNotThere) {
  const TestVault test;
  const auto vault = test.open();
  ASSERT_OK(vault->add_peer({"beta", "card", "a:1", 5}));
  EXPECT_FAILS(vault->add_peer({"beta", "another card", "b:2", 6}), Errc::exists);
  EXPECT_FAILS(vault->add_peer({"gamma", "card", "b:2", 6}), Errc::exists);
  EXPECT_EQ(vault->peer("beta")->card, "card");
  EXPECT_FAILS(vault->peer("Beta"), Errc::not_found);
  EXPECT_FAILS(vault->peer(""), Errc::not_found);
  EXPECT_FAILS(vault->remove_peer("gamma"), Errc::not_found);
  EXPECT_OK(vault->remove_peer("beta"));
  EXPECT_FAILS(vault->remove_peer("beta"), Errc::not_found);
  EXPECT_FAILS(vault->peer("beta"), Errc::not_found);
}

TEST(Peers, MoveToAnotherAddressUnderTheSameCard) {
  const TestVault test;
  const auto vault = test.open();
  EXPECT_EQ(vault->add_peer({"beta", "card", "a:1", 5}).value(), PeerChange::added);
  EXPECT_EQ(vault->add_peer({"beta", "card", "b:2", 6}).value(), PeerChange::moved);
  EXPECT_EQ(vault->peer("beta")->address, "b:2");
  EXPECT_EQ(vault->peer("beta")->added, 5);
  EXPECT_EQ(vault->peers()->size(), 1U);
}

TEST(Settings, AreReplacedAndKeepEveryByte) {
  const TestVault test;
  const auto vault = test.open();
  const std::string bytes("a\0b\xff", 4);
  EXPECT_OK(vault->put_setting("name", "first"));
  EXPECT_OK(vault->put_setting("name", bytes));
  EXPECT_OK(vault->put_setting("empty", ""));
  EXPECT_EQ(vault->setting("name").value(), bytes);
  EXPECT_EQ(vault->setting("empty").value(), "");
  EXPECT_EQ(vault->setting("nam").value(), std::nullopt);
}

TEST(Secrets, ComeBackUntilTheyAreRemoved) {
  const TestVault test;
  const Bytes secret = to_bytes("seed of the identity");
  {
    const auto vault = test.open();
    EXPECT_OK(vault->put_secret("identity", as_bytes("an older one")));
    EXPECT_OK(vault->put_secret("identity", secret));
  }
  const auto vault = test.open();
  const auto found = vault->secret("identity");
  ASSERT_OK(found);
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ(to_bytes((*found)->expose()), secret);
  EXPECT_FALSE(vault->secret("identit")->has_value());
  EXPECT_OK(vault->put_secret("identity", {}));
  EXPECT_FALSE(vault->secret("identity")->has_value());
  EXPECT_OK(vault->put_secret("identity", {}));
}

SessionRow row(std::string id, std::string state = "proposed", UnixSeconds created = 100) {
  return {std::move(id), "beta", true, std::move(state), "{\"question\":\"count\"}", "{}", created, created + 1};
}

constexpr const char* kFirst = "00112233445566778899aabbccddeeff";
constexpr const char* kSecond = "0011ffffffffffffffffffffffffffff";
constexpr const char* kThird = "ffffffffffffffffffffffffffffffff";

TEST(Sessions, KeepTheLastRowAndEveryStepInOrder) {
  const TestVault test;
  const SessionStep propose{"alpha", "session.propose", "note 1\n\n- signed"};
  const SessionStep accept{"beta", "session.accept", "note 2"};
  const SessionStep commit{"alpha", "session.commit", "note 3"};
  {
    const auto vault = test.open();
    ASSERT_OK(vault->save_session(row(kFirst), {{propose}}));
    const SessionStep more[] = {accept, commit};
    ASSERT_OK(vault->save_session(row(kFirst, "committed", 200), more));
    ASSERT_OK(vault->save_session(row(kThird), {}));
  }
  const auto vault = test.open();
  const auto kept = vault->session(kFirst);
  ASSERT_OK(kept);
  EXPECT_EQ(kept->id, kFirst);
  EXPECT_EQ(kept->peer, "beta");
  EXPECT_TRUE(kept->asked_by_us);
  EXPECT_EQ(kept->state, "committed");
  EXPECT_EQ(kept->terms, "{\"question\":\"count\"}");
  EXPECT_EQ(kept->outcome, "{}");
  EXPECT_EQ(kept->created, 200);
  EXPECT_EQ(kept->updated, 201);
  const auto steps = vault->session_steps(kFirst);
  ASSERT_OK(steps);
  ASSERT_EQ(steps->size(), 3U);
  EXPECT_EQ(steps->at(0).entry, propose.entry);
  EXPECT_EQ(steps->at(1).author, "beta");
  EXPECT_EQ(steps->at(2).type, "session.commit");
  EXPECT_TRUE(vault->session_steps(kThird)->empty());
}

TEST(Sessions, AreListedNewestFirst) {
  const TestVault test;
  const auto vault = test.open();
  EXPECT_TRUE(vault->sessions()->empty());
  ASSERT_OK(vault->save_session(row(kSecond, "done", 50), {}));
  ASSERT_OK(vault->save_session(row(kFirst, "done", 90), {}));
  ASSERT_OK(vault->save_session(row(kThird, "done", 90), {}));
  const auto sessions = vault->sessions();
  ASSERT_EQ(sessions->size(), 3U);
  EXPECT_EQ(sessions->at(0).id, kThird);
  EXPECT_EQ(sessions->at(1).id, kFirst);
  EXPECT_EQ(sessions->at(2).id, kSecond);
}

TEST(Sessions, AreFoundByAPrefixThatIsLongEnoughAndUnique) {
  const TestVault test;
  const auto vault = test.open();
  ASSERT_OK(vault->save_session(row(kFirst), {}));
  ASSERT_OK(vault->save_session(row(kSecond), {}));
  ASSERT_OK(vault->save_session(row(kThird), {}));
  EXPECT_EQ(vault->session("00112")->id, kFirst);
  EXPECT_EQ(vault->session("0011f")->id, kSecond);
  EXPECT_EQ(vault->session("ffff")->id, kThird);
  for (const char* bad : {"0011", "fff", "", "0012", "00112g", "FFFF", "0011%", "00112233445566778899aabbccddeeff0"}) {
    EXPECT_FAILS(vault->session(bad), Errc::not_found) << bad;
  }
}

TEST(Sessions, ThatAreNotThereHaveNoStepsAndNoMatches) {
  const TestVault test;
  const auto vault = test.open();
  EXPECT_FAILS(vault->session_steps(kFirst), Errc::not_found);
  EXPECT_FAILS(vault->session_matches(kFirst), Errc::not_found);
  EXPECT_FAILS(vault->update_matches(kFirst, {}), Errc::not_found);
}

std::vector<SessionMatch> two_matches() {
  return {{indicator::Canonical::from_storage(Type::ipv4, "192.0.2.7"), 7, 0, "{\"a\":1}", "", "", to_bytes("salt 7")},
          {indicator::Canonical::from_storage(Type::md5, "d41d8cd98f00b204e9800998ecf8427e"),
           8,
           3,
           "{}",
           "{}",
           "{\"b\":2}",
           {}}};
}

TEST(Matches, ComeBackWithTheirCommitmentsInOrder) {
  const TestVault test;
  {
    const auto vault = test.open();
    std::vector<SessionMatch> matches = two_matches();
    std::ranges::reverse(matches);
    ASSERT_OK(vault->save_result(row(kFirst, "done"), {{SessionStep{"a", "session.done", "n"}}}, matches));
  }
  const auto vault = test.open();
  EXPECT_EQ(vault->session(kFirst)->state, "done");
  EXPECT_EQ(vault->session_steps(kFirst)->size(), 1U);
  const auto matches = vault->session_matches(kFirst);
  ASSERT_OK(matches);
  ASSERT_EQ(matches->size(), 2U);
  const std::vector<SessionMatch> expected = two_matches();
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(matches->at(i).indicator, expected[i].indicator);
    EXPECT_EQ(matches->at(i).item, expected[i].item);
    EXPECT_EQ(matches->at(i).file, expected[i].file);
    EXPECT_EQ(matches->at(i).mine, expected[i].mine);
    EXPECT_EQ(matches->at(i).opened, expected[i].opened);
    EXPECT_EQ(matches->at(i).theirs, expected[i].theirs);
    EXPECT_EQ(matches->at(i).commitment, expected[i].commitment);
  }
}

TEST(Matches, AreUpdatedAllOrNone) {
  const TestVault test;
  const auto vault = test.open();
  ASSERT_OK(vault->save_result(row(kFirst, "done"), {}, two_matches()));
  std::vector<SessionMatch> opened = two_matches();
  opened[0].opened = "{\"first_seen\":1}";
  opened[0].commitment = to_bytes("another salt");
  ASSERT_OK(vault->update_matches(kFirst, std::span(opened).first(1)));
  EXPECT_EQ(vault->session_matches(kFirst)->at(0).opened, opened[0].opened);
  EXPECT_EQ(vault->session_matches(kFirst)->at(0).commitment, opened[0].commitment);
  EXPECT_EQ(vault->session_matches(kFirst)->at(1).theirs, "{\"b\":2}");

  std::vector<SessionMatch> foreign = two_matches();
  foreign[0].opened = "changed";
  foreign[1].indicator = indicator::Canonical::from_storage(Type::md5, "not a match");
  EXPECT_FAILS(vault->update_matches(kFirst, foreign), Errc::not_found);
  EXPECT_EQ(vault->session_matches(kFirst)->at(0).opened, opened[0].opened);
}

TEST(Matches, AreReplacedWhenAResultIsSavedAgain) {
  const TestVault test;
  const auto vault = test.open();
  ASSERT_OK(vault->save_result(row(kFirst, "done"), {}, two_matches()));
  const std::vector<SessionMatch> matches = two_matches();
  ASSERT_OK(vault->save_result(row(kFirst, "done"), {}, std::span(matches).first(1)));
  EXPECT_EQ(vault->session_matches(kFirst)->size(), 1U);
  const std::vector<SessionMatch> twice = {matches[0], matches[0]};
  EXPECT_FALSE(vault->save_result(row(kFirst, "broken"), {}, twice).has_value());
  EXPECT_EQ(vault->session(kFirst)->state, "done") << "a result that cannot be saved changes nothing";
  EXPECT_EQ(vault->session_matches(kFirst)->size(), 1U);
}

TEST(Sessions, AreDurableWhenTheyAreSaved) {
  const TestVault test;
  in_child([&] {
    const auto vault = test.try_open();
    if (!(*vault)->save_result(row(kFirst, "done"), {}, two_matches())) ::_exit(1);
    die();
  });
  const auto vault = test.open();
  EXPECT_EQ(vault->session(kFirst)->state, "done");
  EXPECT_EQ(vault->session_matches(kFirst)->size(), 2U);
}

TEST(WarningListsOfAVault, AreNamedCountedReplacedAndRemoved) {
  const TestVault test;
  const auto relay = canonical(Type::ipv4, "198.51.100.7");
  {
    const auto vault = test.open();
    EXPECT_TRUE(vault->warning_list_names()->empty());
    ASSERT_OK(vault->add_warning_list({"relays", indicator::WarningMatch::exact, {"198.51.100.7", "198.51.100.9"}}));
    ASSERT_OK(vault->add_warning_list({"a net", indicator::WarningMatch::cidr, {"198.51.100.0/24"}}));
  }
  const auto vault = test.open();
  const auto names = vault->warning_list_names();
  ASSERT_OK(names);
  EXPECT_EQ(*names, (std::vector<std::pair<std::string, std::uint64_t>>{{"a net", 1}, {"relays", 2}}));
  const auto marks = vault->warning_lists()->marks(relay);
  EXPECT_EQ(std::ranges::count(marks, "relays"), 1);
  EXPECT_EQ(std::ranges::count(marks, "a net"), 1);

  ASSERT_OK(vault->add_warning_list({"relays", indicator::WarningMatch::exact, {"203.0.113.1"}}));
  EXPECT_EQ(std::ranges::count(vault->warning_lists()->marks(relay), "relays"), 0);
  EXPECT_OK(vault->remove_warning_list("a net"));
  EXPECT_EQ(std::ranges::count(vault->warning_lists()->marks(relay), "a net"), 0);
  EXPECT_FAILS(vault->remove_warning_list("a net"), Errc::not_found);
  EXPECT_EQ(vault->warning_list_names()->size(), 1U);
}

TEST(WarningListsOfAVault, ThatCannotWorkAreNotKept) {
  const TestVault test;
  const auto vault = test.open();
  const Status status = vault->add_warning_list({"nets", indicator::WarningMatch::cidr, {"198.51.100.0/24", "no net"}});
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, Errc::format);
  EXPECT_NE(status.error().text().find("nets"), std::string::npos);
  EXPECT_TRUE(vault->warning_list_names()->empty());
}

TEST(WarningListsOfAVault, MayHaveManyEntries) {
  const TestVault test;
  const auto vault = test.open();
  indicator::WarningList large{"large", indicator::WarningMatch::exact, {}};
  for (int i = 0; i < 100000; ++i)
    large.entries.push_back(fmt::format("198.{}.{}.{}", 18 + i / 65536, i / 256 % 256, i % 256));
  ASSERT_OK(vault->add_warning_list(large));
  EXPECT_EQ(vault->warning_list_names()->front().second, 100000U);
  EXPECT_EQ(std::ranges::count(vault->warning_lists()->marks(canonical(Type::ipv4, "198.19.1.1")), "large"), 1);
}

SessionRow session_row(const std::string& id, const std::string& group, const std::string& peer,
                       const std::string& state, UnixSeconds created) {
  SessionRow row;
  row.id = id + std::string(32 - id.size(), '0');
  row.group = group;
  row.peer = peer;
  row.state = state;
  row.created = created;
  return row;
}

TEST(Sessions, AreFoundByWhatIsAskedForAndNothingElse) {
  const TestVault test;
  const auto vault = test.open();
  SessionRow ours = session_row("a4", "g", "beta", "closed", 40);
  ours.asked_by_us = true;
  for (const SessionRow& row :
       {session_row("a1", "g", "beta", "closed", 10), session_row("a2", "g", "beta", "refused", 20),
        session_row("a3", "h", "beta", "closed", 30), ours, session_row("a5", "g", "gamma", "closed", 50)})
    ASSERT_OK(vault->save_session(row, {}));
  constexpr std::array<std::string_view, 1> kClosed{"closed"};
  constexpr std::array<std::string_view, 2> kBoth{"closed", "refused"};
  const struct {
    const char* what;
    SessionFilter filter;
    std::string found;  // the second digits of the ids, newest first
  } cases[] = {{"all", {}, "54321"},
               {"a group", {.group = "g"}, "5421"},
               {"a peer", {.peer = "beta"}, "4321"},
               {"a state", {.states = kClosed}, "5431"},
               {"two states", {.states = kBoth}, "54321"},
               {"whose question", {.asked_by_us = true}, "4"},
               {"later", {.created_after = 30}, "54"},
               {"earlier", {.created_before = 30}, "21"},
               {"everything at once",
                {.group = "g",
                 .peer = "beta",
                 .states = kClosed,
                 .asked_by_us = false,
                 .created_after = 9,
                 .created_before = 11},
                "1"},
               {"nobody", {.peer = "delta"}, ""}};
  for (const auto& [what, filter, expected] : cases) {
    const auto rows = vault->sessions(filter);
    ASSERT_OK(rows);
    std::string found;
    for (const SessionRow& row : *rows) found += row.id[1];
    EXPECT_EQ(found, expected) << what;
    EXPECT_EQ(vault->count_sessions(filter).value(), static_cast<std::int64_t>(expected.size())) << what;
  }
}

TEST(Sessions, AreForgottenWithTheirStepsAndNoOthers) {
  const TestVault test;
  const auto vault = test.open();
  const SessionRow first = session_row("a1", "g", "beta", "refused", 1);
  const SessionRow second = session_row("a2", "g", "beta", "refused", 2);
  const std::vector<SessionStep> step{{"beta", "session.propose", "00"}};
  for (const SessionRow& row : {first, second}) ASSERT_OK(vault->save_session(row, step));
  EXPECT_OK(vault->forget_sessions(std::vector{first.id, std::string(32, 'f')}));
  EXPECT_FAILS(vault->session(first.id), Errc::not_found);
  EXPECT_EQ(vault->session_steps(second.id)->size(), 1U);
  ASSERT_OK(vault->save_session(first, {}));
  EXPECT_TRUE(vault->session_steps(first.id)->empty()) << "what it had does not come back";
}

}  // namespace
}  // namespace parley::vault
