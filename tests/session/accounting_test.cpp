// What real sessions leave in the ledgers of both sides, and what entries of a member with another program do to them.
#include "session/accounting.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/random.h"
#include "mirror/vault_store.h"
#include "session/padding.h"
#include "session/step.h"
#include "support/memory_store.h"
#include "support/session_parties.h"

namespace parley::session {
namespace {

using indicator::Type;
using ledger::Range;
using ledger::Window;

ledger::Account account(Opened& us, const std::string& peer, std::optional<Type> type = Type::ipv4,
                        Window window = Window::month) {
  const auto group = us.vault->groups()->at(0).id;
  const auto accounting = us.ledgers.up_to_date(*us.vault, group, us.member.card.nick);
  EXPECT_OK(accounting);
  return (*accounting)->with([&](const ledger::Ledger& ledger) { return ledger.account(&peer, type, window); });
}

std::vector<ledger::Dispute> disputes(Opened& us) {
  const auto group = us.vault->groups()->at(0).id;
  const auto accounting = us.ledgers.up_to_date(*us.vault, group, us.member.card.nick);
  EXPECT_OK(accounting);
  return (*accounting)->with([&](const ledger::Ledger& ledger) { return ledger.disputes(); });
}

class Accounts : public ::testing::Test {
 protected:
  TestMember alpha_member{"alpha", material("sednit")}, bravo_member{"bravo", material("xagent")};
  Opened alpha{alpha_member}, bravo{bravo_member};

  static Deviation rewriting(std::string_view type, std::function<void(log::Json::Object&)> change) {
    return {.rewrite =
                [type, change](mirror::Draft& draft) {
                  if (draft.type != type) return;
                  log::Json::Object body = *draft.body.object();
                  change(body);
                  draft.body = std::move(body);
                },
            .resend = {}};
  }
};

TEST_F(Accounts, OfBothSidesSayTheSameOfASession) {
  ASSERT_OK(hold_session(alpha, bravo, which_addresses_and_names()).began);
  for (const Type type : {Type::ipv4, Type::domain}) {
    const ledger::Account ours = account(alpha, "bravo", type), theirs = account(bravo, "alpha", type);
    EXPECT_EQ(ours.asked_of, 1);
    EXPECT_EQ(theirs.asked_by, 1);
    EXPECT_EQ(ours.ran, 1);
    EXPECT_EQ(ours.probe_in, 256);
    EXPECT_EQ(ours.probe_out, 256);
    EXPECT_EQ(ours.match_in, (Range{3, 3}));
    EXPECT_EQ(ours.match_in, theirs.match_out);
    EXPECT_EQ(ours.match_out, theirs.match_in);
    EXPECT_EQ(ours.tests_in, theirs.tests_out);
  }
  EXPECT_EQ(account(alpha, "bravo", Type::url), ledger::Account{});
  EXPECT_TRUE(disputes(alpha).empty());
  EXPECT_TRUE(disputes(bravo).empty());
}

/// What a log says of it in the vault of `side`. @param own  the own log, or the other
std::vector<ledger::Settled> settlements(Opened& side, bool own) {
  std::vector<ledger::Settled> found;
  const auto heads = side.vault->logs();
  EXPECT_OK(heads);
  for (const vault::LogHead& head : *heads) {
    if (head.own != own) continue;
    const auto leaves = side.vault->log_leaves(head.origin, 0, 100);
    EXPECT_OK(leaves);
    for (const vault::LogLeaf& leaf : *leaves) {
      const auto entry = log::read_entry_unverified(leaf.note);
      EXPECT_OK(entry);
      if (entry->type != log::kLedgerSettle) continue;
      const auto body = side.vault->entry_body(leaf.hash);
      if (!body || !*body) continue;
      const auto json = log::parse_pjson(as_text((**body).content), 4096);
      EXPECT_OK(json);
      const auto settled = settled_from_json(*json);
      EXPECT_OK(settled);
      if (settled) found.push_back(*settled);
    }
  }
  return found;
}

TEST_F(Accounts, AreSettledInBothLogsAtTheEndOfASession) {
  const ledger::Settled expected{
      .asker_entered = 256, .responder_entered = 256, .asker_matches = {3, 3}, .responder_matches = {3, 3}};
  for (std::size_t sessions = 1; sessions <= 2; ++sessions) {
    const auto both = hold_session(alpha, bravo, which_addresses_and_names());
    ASSERT_OK(both.began);
    ASSERT_OK(both.answered);
    for (Opened* side : {&alpha, &bravo}) {
      EXPECT_EQ(settlements(*side, true), std::vector(sessions, expected));
      // The other's may come with what is exchanged next.
      const auto theirs = settlements(*side, false);
      EXPECT_GE(theirs.size(), sessions - 1);
      for (const ledger::Settled& settled : theirs) EXPECT_EQ(settled, expected);
    }
  }
}

TEST_F(Accounts, CountWhatARevealOpens) {
  const auto session = hold_session(alpha, bravo, which_addresses_and_names()).began;
  ASSERT_OK(session);
  for (Opened* side : {&alpha, &bravo})
    ASSERT_OK(give_consent(*side->vault, *session,
                           {.fields = {"first_seen", "malware"}, .tlp_max = indicator::Tlp::amber, .given = 1}));
  ASSERT_OK(hold_reveal(alpha, bravo, *session).began);
  const ledger::Account ours = account(alpha, "bravo"), theirs = account(bravo, "alpha");
  EXPECT_EQ(ours.field_in, (Range{3, 3}))
      << "malware of three matches; first_seen is offered, and of none of them known";
  EXPECT_EQ(ours.field_in, theirs.field_out);
  EXPECT_EQ(ours.field_out, theirs.field_in);
  EXPECT_EQ(ours.unopenable, 0);
  EXPECT_EQ(balance_of(ours).percent, 0);
}

TEST_F(Accounts, StayWhenTheVaultForgetsItsSessions) {
  ASSERT_OK(hold_session(alpha, bravo, which_addresses_and_names()).began);
  const ledger::Account before = account(alpha, "bravo");
  vault::SessionRow row = alpha.vault->sessions()->at(0);
  row.state = kRefused;
  row.terms = write_terms(Terms{});
  row.outcome.clear();
  row.created = row.updated = 1;
  ASSERT_OK(alpha.vault->save_session(row, {}));
  Ledgers fresh;
  const auto again = fresh.up_to_date(*alpha.vault, row.group, "alpha");
  ASSERT_OK(again);
  const std::string bravo_nick = "bravo";
  EXPECT_EQ((*again)->with(
                [&](const ledger::Ledger& ledger) { return ledger.account(&bravo_nick, Type::ipv4, Window::month); }),
            before);
}

TEST_F(Accounts, OfAnAnswerThatIsChangedAreDisputedOnBothSides) {
  const auto both = hold_session(alpha, bravo, which_addresses_and_names(), {},
                                 rewriting(kResult, [](auto& body) { body.insert_or_assign("count", 1); }));
  for (Opened* side : {&alpha, &bravo}) {
    const auto found = disputes(*side);
    ASSERT_FALSE(found.empty()) << side->member.card.nick;
    EXPECT_EQ(found[0].what, ledger::Difference::results);
  }
  EXPECT_EQ(account(alpha, "bravo").match_in, (Range{1, 256}));
  EXPECT_EQ(disputes(alpha)[0].ours, "3 matches");
  EXPECT_EQ(disputes(alpha)[0].theirs, "1 matches");
}

TEST_F(Accounts, ThatAPeerSettlesOtherwiseAreDisputed) {
  ASSERT_OK(hold_session(alpha, bravo, which_addresses_and_names(), {},
                         rewriting(log::kLedgerSettle, [](auto& body) { body.insert_or_assign("asker_entered", 512); }))
                .began);
  // The settlement may come behind what is waited for.
  ASSERT_OK(hold_session(alpha, bravo, which_addresses_and_names()).began);
  const auto found = disputes(alpha);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].what, ledger::Difference::settlement);
  EXPECT_NE(found[0].theirs.find("512"), std::string::npos);
}

TEST_F(Accounts, ChargeARunThatWasStoppedInFull) {
  const Deviation silent_in_the_run{.rewrite = {}, .resend = [](const wire::Frame& frame) {
                                      return frame.type == wire::FrameType::psi_data ? std::vector<wire::Frame>{}
                                                                                     : std::vector{frame};
                                    }};
  Limits impatient = test_limits();
  impatient.run = std::chrono::milliseconds(300);
  const auto met = meet<std::string>(
      alpha, bravo, {}, silent_in_the_run,
      [&](Party us, group::LogLink& link) { return ask(us, link, which_addresses_and_names(), impatient, {}); },
      [&](Party us, group::LogLink& link) -> Result<std::string> {
        TRY(const ReceivedStep step, first_step(link));
        return session::answer(us, link, step, impatient, accept_everything);
      });
  EXPECT_FALSE(met.began);
  const ledger::Account ours = account(alpha, "bravo");
  EXPECT_EQ(ours.ran, 1);
  EXPECT_EQ(ours.probe_in, 256);
  EXPECT_EQ(ours.match_in, (Range{0, 256}));
}

TEST_F(Accounts, AreWhatCapsAreHeldAgainst) {
  ASSERT_OK(hold_session(alpha, bravo, which_addresses_and_names()).began);
  const auto group = alpha.vault->groups()->at(0).id;
  const auto accounting = alpha.ledgers.up_to_date(*alpha.vault, group, "alpha");
  ASSERT_OK(accounting);
  const auto most = [](Type) { return std::int64_t{1000}; };
  const auto spent = (*accounting)->spent(wall_clock_now(), "bravo", std::vector{Type::ipv4, Type::url}, most);
  ASSERT_EQ(spent.size(), 2u);
  EXPECT_EQ(spent.at(Type::ipv4).sessions_day, 1);
  EXPECT_EQ(spent.at(Type::ipv4).probe_in_30d, 256);
  EXPECT_EQ(spent.at(Type::ipv4).probe_out_30d, 256);
  EXPECT_EQ(spent.at(Type::ipv4).probe_in_group_30d, 256);
  EXPECT_EQ(spent.at(Type::ipv4).matches_in_30d, 3);
  EXPECT_EQ(spent.at(Type::ipv4).matches_out_30d, 3);
  EXPECT_EQ(spent.at(Type::url).probe_in_30d, 0);
  // Another member shares what the whole group may enter.
  EXPECT_EQ(
      (*accounting)->spent(wall_clock_now(), "carol", std::vector{Type::ipv4}, most).at(Type::ipv4).probe_in_group_30d,
      256);
}

TEST_F(Accounts, CountASessionWhoseOtherHalfIsNotHereAsTheLargestThatThereMayBe) {
  ASSERT_OK(hold_session(alpha, bravo, which_addresses_and_names()).began);
  const std::string group = alpha.vault->groups()->at(0).id;
  const auto logs = alpha.vault->logs();
  ASSERT_OK(logs);
  std::vector<MemberLog> own;
  for (const vault::LogHead& head : *logs)
    if (head.own) own.push_back({head.origin, head.nick});
  mirror::VaultStore store(*alpha.vault, group, {}, 0);
  Accounting accounting(group, "alpha");
  ASSERT_OK(accounting.update(store, own));
  const auto most = [](Type) { return std::int64_t{1000}; };
  const group::Spent spent = accounting.spent(wall_clock_now(), "bravo", std::vector{Type::ipv4}, most).at(Type::ipv4);
  EXPECT_EQ(spent.sessions_day, 1);
  EXPECT_EQ(spent.probe_in_30d, 1000);
  EXPECT_EQ(spent.probe_in_group_30d, 1000);
  EXPECT_EQ(spent.matches_in_30d, 1000);
  ASSERT_OK(accounting.update(*alpha.vault));
  EXPECT_EQ(accounting.spent(wall_clock_now(), "bravo", std::vector{Type::ipv4}, most).at(Type::ipv4).probe_in_30d,
            256);
}

TEST_F(Accounts, AreChargedBeforeTheRunIsDurableAndOnce) {
  const auto session = hold_session(alpha, bravo, which_addresses_and_names()).began;
  ASSERT_OK(session);
  const group::SignedCharter charter = charter_of(alpha, bravo);
  Accounting accounting(charter.charter.group, "alpha");
  const auto sessions = [&] {
    return accounting.spent(wall_clock_now(), "bravo", std::vector{Type::ipv4}, [](Type) { return std::int64_t{1000}; })
        .at(Type::ipv4)
        .sessions_day;
  };
  EXPECT_EQ(sessions(), 0);
  const auto steps = alpha.vault->session_steps(*session);
  ASSERT_OK(steps);
  for (const vault::SessionStep& step : *steps) {
    if (step.type != kRun || step.author != "alpha") continue;
    const auto run = find_step(alpha.log(charter), step);
    ASSERT_OK(run);
    accounting.charge(*run);
  }
  EXPECT_EQ(sessions(), 1);
  ASSERT_OK(accounting.update(*alpha.vault));
  EXPECT_EQ(sessions(), 1);
}

// --- entries one by one ---------------------------------------------------------------------------------------------

constexpr std::string_view kSession = "00112233445566778899aabbccddeeff";

log::Entry entry(std::string author, std::string audience, std::string_view type) {
  log::Entry made;
  made.author = std::move(author);
  made.audience = {std::move(audience)};
  made.type = type;
  made.session = type == kPropose ? "" : std::string(kSession);
  made.time = 1'790'000'000;
  return made;
}

/// Two logs as a disk has them; nobody checks signatures here.
class TwoLogs {
 public:
  TwoLogs() {
    for (const char* nick : {"alpha", "bravo"}) write(nick, log::kLogOpen, "", log::Json::Object{{"v", 1}});
  }
  void write(const std::string& author, std::string_view type, const std::string& session, const log::Json& body) {
    log::Entry made = entry(author, author == "alpha" ? "bravo" : "alpha", type);
    made.session = session;
    auto& leaves = store_.disk.logs[author].leaves;
    made.seq = leaves.size();
    made.prev = leaves.empty() ? Digest{} : leaves.back().hash;
    const log::Body kept = *log::make_body(body);
    made.body = kept.commitment();
    const std::string note = *log::make_entry(made, author + "/node", node_);
    leaves.push_back({.hash = log::leaf_hash(as_bytes(note)), .note = note});
    store_.disk.bodies[leaves.back().hash] = {.salt = kept.salt, .content = to_bytes(kept.text)};
  }
  /// Entries of sessions that nobody ever named to us.
  void flood(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i)
      write("bravo", kRefuse, fmt::format("{:032x}", ++flooded_), Refusal{"policy", ""}.to_json());
  }
  Status update(Accounting& accounting) { return accounting.update(store_, logs_); }
  ledger::Account account(Accounting& accounting) {
    EXPECT_OK(update(accounting));
    return accounting.with(
        [](const ledger::Ledger& ledger) { return ledger.account(&kBravo, std::nullopt, Window::operation); });
  }
  mirror::MemoryStore& store() { return store_; }

 private:
  inline static const std::string kBravo = "bravo";
  mirror::MemoryStore store_;
  const Secret<32> node_ = random_secret<32>();
  const std::vector<MemberLog> logs_ = {{"bravo", "bravo"}, {"alpha", "alpha"}};
  std::uint64_t flooded_ = 0;
};

log::Json run_body() {
  return log::Json::Object{{"probe_items", 512}, {"v", 1}};
}

TEST(AccountsOfAHostileLog, AreTheSameWhetherOurOwnEntriesComeFirstOrLast) {
  TwoLogs logs;
  Accounting late("group", "alpha");
  const std::string session(kSession);
  logs.write("bravo", kResult, session, ResultStep{.learned = true, .count = 3}.to_json());
  logs.flood(ledger::kMostUnnamed + 100);
  EXPECT_EQ(logs.account(late).ran, 0);
  EXPECT_EQ(late.with([](const ledger::Ledger& ledger) { return ledger.forgotten("bravo"); }), 101u);
  // Our disk was put back, and what our log had comes home: we had agreed to that session, so the result is charged.
  logs.write("alpha", kAccept, session, Acceptance{.padded = 512, .suite = 1}.to_json());
  logs.write("bravo", kRun, session, run_body());
  const ledger::Account account = logs.account(late);
  EXPECT_EQ(account.ran, 1);
  EXPECT_TRUE(late.with([](const ledger::Ledger& ledger) { return ledger.lacking().empty(); }));
  Accounting anew("group", "alpha");
  EXPECT_EQ(logs.account(anew), account);
  EXPECT_EQ(logs.account(late), account) << "nothing is told twice";
}

TEST(AccountsOfAHostileLog, AreToldAgainOnceADamagedEntryIsMended) {
  TwoLogs logs;
  Accounting accounting("group", "alpha");
  const std::string session(kSession);
  logs.write("bravo", kResult, session, ResultStep{.learned = true, .count = 3}.to_json());
  logs.flood(ledger::kMostUnnamed + 100);
  logs.account(accounting);
  logs.write("alpha", kAccept, session, Acceptance{.padded = 512, .suite = 1}.to_json());
  std::string& note = logs.store().disk.logs["bravo"].leaves[1].note;
  const std::string sound = std::exchange(note, "damaged");
  EXPECT_EQ(logs.account(accounting).ran, 0);
  EXPECT_FALSE(accounting.with([](const ledger::Ledger& ledger) { return ledger.lacking().empty(); }));
  note = sound;
  EXPECT_EQ(logs.account(accounting).ran, 1);
  EXPECT_TRUE(accounting.with([](const ledger::Ledger& ledger) { return ledger.lacking().empty(); }));
}

TEST(AccountsOfAHostileLog, ForgetNoMendedEntryWhereTheDiskFailsWhileItIsReadAgain) {
  TwoLogs logs;
  Accounting accounting("group", "alpha");
  const std::string session(kSession);
  logs.write("alpha", kAccept, session, Acceptance{.padded = 512, .suite = 1}.to_json());
  logs.write("bravo", kRun, session, run_body());
  logs.write("bravo", kResult, session, ResultStep{.learned = true, .count = 3}.to_json());
  auto& leaves = logs.store().disk.logs["bravo"].leaves;
  // The newest entry is whole, so that the log does not look cut.
  logs.flood(1);
  std::vector<std::string> sound;
  for (const std::size_t damaged : {1u, 2u}) sound.push_back(std::exchange(leaves[damaged].note, "damaged"));
  EXPECT_EQ(logs.account(accounting).ran, 0);
  leaves[1].note = sound[0];
  leaves[2].note = sound[1];
  // Each update begins by a look at the newest entry of both logs; behind them come the two.
  for (const std::uint64_t failing : {3u, 4u}) {
    logs.store().leaves_fail_in = failing;
    EXPECT_TRUE(fails(logs.update(accounting), Errc::io));
  }
  Accounting anew("group", "alpha");
  EXPECT_EQ(logs.account(accounting), logs.account(anew));
  EXPECT_EQ(logs.account(accounting).ran, 1);
}

TEST(AccountsOfAHostileLog, LookForNoMoreThanSoManyBodiesThatNeverComeAndFindEachThatComes) {
  TwoLogs logs;
  Accounting accounting("group", "alpha");
  const std::string session(kSession);
  logs.write("alpha", kAccept, session, Acceptance{.padded = 512, .suite = 1}.to_json());
  logs.write("bravo", kResult, session, ResultStep{.learned = true, .count = 3}.to_json());
  logs.flood(3 * 1024);
  const auto bodies = std::exchange(logs.store().disk.bodies, {});
  EXPECT_EQ(logs.account(accounting).ran, 0);
  logs.store().leaves_read = 0;
  EXPECT_EQ(logs.account(accounting).ran, 0);
  EXPECT_LT(logs.store().leaves_read, 1024u + 8);
  logs.store().disk.bodies = bodies;
  for (int reading = 0; reading < 4; ++reading) logs.account(accounting);
  EXPECT_EQ(logs.account(accounting).ran, 1) << "each has its turn";
}

TEST(Event, IsMadeOfAnEntryBetweenThisMemberAndAnotherOnly) {
  const auto made = [](const log::Entry& from) {
    return event_of(from, {}, log::write_pjson(run_body()), "alpha").has_value();
  };
  EXPECT_TRUE(made(entry("alpha", "bravo", kRun)));
  EXPECT_TRUE(made(entry("bravo", "alpha", kRun)));
  EXPECT_FALSE(made(entry("bravo", "carol", kRun)));
  EXPECT_FALSE(made(entry("alpha", "*", kRun)));
  EXPECT_FALSE(made(entry("bravo", "*", kRun)));
  log::Entry both = entry("bravo", "alpha", kRun);
  both.audience.push_back("carol");
  EXPECT_FALSE(made(both));
  both.audience.clear();
  EXPECT_FALSE(made(both));
}

TEST(Event, NamesTheOtherSideAndTheSession) {
  const log::Entry ours = entry("alpha", "bravo", kRun);
  const std::string body = log::write_pjson(run_body());
  const auto event = event_of(ours, {}, body, "alpha");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->author, "alpha");
  EXPECT_EQ(event->peer, "bravo");
  EXPECT_EQ(to_hex(event->session), kSession);
  EXPECT_EQ(event->time, ours.time);
  EXPECT_EQ(std::get<ledger::Ran>(event->fact).entered, 512u);
}

TEST(Event, OfAProposalIsOfTheSessionThatItBegins) {
  Question question;
  question.types = {Type::ipv4, Type::url};
  question.direction = Direction::mine;
  const Proposal proposal{.question = question, .padded = 1024, .most_tests = 4096, .suites = {16}};
  const log::Entry ours = entry("alpha", "bravo", kPropose);
  const Digest hash = crypto::sha256(as_bytes("x"));
  const auto event = event_of(ours, hash, log::write_pjson(proposal.to_json()), "alpha");
  ASSERT_TRUE(event);
  EXPECT_EQ(to_hex(event->session), log::session_of_proposal(hash));
  const auto& fact = std::get<ledger::Proposed>(event->fact);
  EXPECT_TRUE(fact.types.contains(Type::url));
  EXPECT_FALSE(fact.types.contains(Type::domain));
  EXPECT_TRUE(fact.asker_learns);
  EXPECT_FALSE(fact.responder_learns);
  EXPECT_TRUE(fact.asker_receives);
  EXPECT_EQ(fact.entered, 1024u);
}

TEST(Event, OfAnAbortSaysWhoseDoingItWasInTheOwnLogOnly) {
  struct Case {
    std::string author;
    Errc code;
    bool other_failed;
  };
  for (const auto& [author, code, other_failed] :
       {Case{"alpha", Errc::peer_gone, true}, Case{"alpha", Errc::protocol, true}, Case{"alpha", Errc::refused, true},
        Case{"alpha", Errc::format, true}, Case{"alpha", Errc::limit, true}, Case{"alpha", Errc::signature, true},
        Case{"alpha", Errc::policy, false}, Case{"alpha", Errc::vault_damaged, false},
        Case{"alpha", Errc::cancelled, false}, Case{"alpha", Errc::io, false}, Case{"bravo", Errc::peer_gone, false}}) {
    const Abort abort{.phase = "run", .code = parley::name_of(code), .may_have_disclosed = true};
    const log::Entry said = entry(author, author == "alpha" ? "bravo" : "alpha", kAbort);
    const auto event = event_of(said, {}, log::write_pjson(abort.to_json()), "alpha");
    ASSERT_TRUE(event);
    EXPECT_EQ(std::get<ledger::Aborted>(event->fact).other_failed, other_failed)
        << author << " " << parley::name_of(code);
  }
}

TEST(Event, OfABodyThatIsNoStepIsNone) {
  for (const std::string_view type :
       {kPropose, kAccept, kRun, kResult, kClose, kAbort, kRevealOffer, kRevealClose, log::kLedgerSettle}) {
    const log::Entry said = entry("bravo", "alpha", type);
    for (const log::Json& body : {log::Json(log::Json::Object{}), log::Json(log::Json::Object{{"v", 2}}),
                                  log::Json(log::Json::Object{{"count", -2}, {"v", 1}})})
      EXPECT_EQ(event_of(said, {}, log::write_pjson(body), "alpha").has_value(), type == kRevealClose) << type;
    EXPECT_EQ(event_of(said, {}, std::nullopt, "alpha").has_value(), type == kRevealOffer) << type;
  }
}

TEST(Event, OfAClosingThatIsNotUnderstoodSaysThatThereIsOneWhereItIsAnothers) {
  for (const std::string author : {"alpha", "bravo"}) {
    const log::Entry closing = entry(author, author == "alpha" ? "bravo" : "alpha", kRevealClose);
    const auto event = event_of(closing, {}, log::write_pjson(log::Json::Object{{"v", 99}}), "alpha");
    EXPECT_EQ(event && std::get<ledger::RevealClosed>(event->fact).unreadable, author == "bravo");
  }
}

TEST(Event, OfAnOwnOfferThatIsNotUnderstoodIsOfEveryField) {
  const log::Entry ours = entry("alpha", "bravo", kRevealOffer);
  const auto event = event_of(ours, {}, log::write_pjson(log::Json::Object{{"v", 99}}), "alpha");
  ASSERT_TRUE(event);
  EXPECT_TRUE(std::get<ledger::RevealOffered>(event->fact).unknown);
}

TEST(Event, OfAnOfferWithoutItsBodyIsOfEveryFieldButTheMarks) {
  for (const std::string author : {"alpha", "bravo"}) {
    const log::Entry offer = entry(author, author == "alpha" ? "bravo" : "alpha", kRevealOffer);
    const auto event = event_of(offer, {}, std::nullopt, "alpha");
    ASSERT_TRUE(event);
    const auto& fact = std::get<ledger::RevealOffered>(event->fact);
    EXPECT_TRUE(fact.unknown);
    for (std::size_t field = 0; field < kFieldPaths.size(); ++field)
      EXPECT_EQ((fact.fields >> field & 1) != 0, std::ranges::find(kMarkPaths, kFieldPaths[field]) == kMarkPaths.end())
          << kFieldPaths[field];
  }
}

TEST(Event, OfAConsentIsMadeWithOrWithoutItsBodyWhereItIsOurs) {
  const Digest hash = crypto::sha256(as_bytes("x"));
  for (const std::string author : {"alpha", "bravo"})
    for (const std::optional<std::string_view> body :
         {std::optional<std::string_view>("{}"), std::optional<std::string_view>()}) {
      const auto event =
          event_of(entry(author, author == "alpha" ? "bravo" : "alpha", kRevealConsent), hash, body, "alpha");
      ASSERT_EQ(event.has_value(), author == "alpha");
      EXPECT_TRUE(!event || std::get<ledger::RevealConsented>(event->fact).entry == hash);
    }
}

TEST(Event, OfAClosingNamesTheOfferThatItEnds) {
  log::Entry closing = entry("bravo", "alpha", kRevealClose);
  const auto answered = [&] {
    const auto event = event_of(closing, {}, log::write_pjson(RevealEnd{}.to_json()), "alpha");
    return std::get<ledger::RevealClosed>(event.value().fact).answers;
  };
  EXPECT_EQ(answered(), Digest{});
  closing.refs = {crypto::sha256(as_bytes("our offer"))};
  EXPECT_EQ(answered(), closing.refs.front());
}

TEST(Event, OfAnOwnRunIsMadeWithoutItsBody) {
  const log::Entry ours = entry("alpha", "bravo", kRun);
  const auto event = event_of(ours, {}, std::nullopt, "alpha");
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<ledger::Ran>(event->fact).entered, 0u);
}

TEST(Settlement, IsReadBackAsItWasWritten) {
  const ledger::Settled settled{
      .asker_entered = 1024, .responder_entered = 2048, .asker_matches = {0, 7}, .responder_matches = {3, 3}};
  EXPECT_EQ(settled_from_json(to_json(settled)).value(), settled);
}

TEST(Settlement, IsRefusedForWhatItsNumbersCannotBe) {
  const ledger::Settled settled{.asker_entered = 1024, .responder_entered = 2048, .asker_matches = {5, 7}};
  for (const auto& [key, value] : std::map<std::string, log::Json>{{"asker_matches_most", 4},
                                                                   {"asker_entered", -1},
                                                                   {"responder_matches_least", -1},
                                                                   {"responder_entered", "many"},
                                                                   {"v", 2},
                                                                   {"more", 1}}) {
    log::Json::Object body = *to_json(settled).object();
    body.insert_or_assign(key, value);
    EXPECT_FALSE(settled_from_json(body)) << key;
  }
}

}  // namespace
}  // namespace parley::session
