// A member that stops a reveal as soon as it has learned something: it is ahead by one field, of the least telling that
// was left, and both logs say who stopped.
#include <fmt/format.h>

#include "support/other_openings.h"

namespace parley::session {
namespace {

std::vector<vault::TestRecord> seen(const std::string& malware) {
  std::vector<vault::TestRecord> records = material(malware);
  for (vault::TestRecord& each : records) {
    each.context.first_seen = 1'500'000'000;
    each.context.labels.push_back({indicator::LabelKind::actor, malware + " group"});
  }
  return records;
}

// Three matches, of each first_seen, malware and actor: nine values a side.
class StopAfterLearning : public testing::Test {
 protected:
  void SetUp() override {
    session_ = session_between(alpha_, bravo_);
    ASSERT_FALSE(session_.empty());
    consent();
  }
  void consent() {
    for (Opened* side : {&alpha_, &bravo_})
      ASSERT_OK(
          give_consent(*side->vault, session_,
                       {.fields = {"actor", "first_seen", "malware"}, .tlp_max = indicator::Tlp::amber, .given = 1}));
  }
  // How many values `side` has been opened, or has opened, beside the marks.
  static std::size_t values(Opened& side, const std::string& session, bool theirs) {
    std::size_t count = 0;
    const auto matches = side.vault->session_matches(session);
    EXPECT_OK(matches);
    for (const vault::SessionMatch& match : *matches) {
      const std::string& text = theirs ? match.theirs : match.opened;
      for (const char* field : {"actor", "first_seen", "malware"})
        count += text.find('"' + std::string(field) + '"') != std::string::npos ? 1 : 0;
    }
    return count;
  }
  std::size_t received(Opened& side) { return values(side, session_, true); }
  std::size_t opened(Opened& side) { return values(side, session_, false); }
  // What `side` wrote of how the reveal ended.
  std::vector<RevealEnd> ends(Opened& side) {
    std::vector<RevealEnd> ends;
    const std::string& nick = side.member.card.nick;
    side.log(charter_of(alpha_, bravo_)).with([&](mirror::Replica& replica) {
      for (std::uint64_t seq = 0; seq < replica.size(nick); ++seq) {
        const auto entry = replica.entry(nick, seq);
        ASSERT_OK(entry);
        if (entry->entry.type != kRevealClose) continue;
        const auto end = RevealEnd::from_json(*entry->body);
        ASSERT_OK(end);
        ends.push_back(*end);
      }
    });
    return ends;
  }
  static Deviation leaving_at(std::size_t opening) {
    return {.resend = [opening, sent = std::make_shared<std::size_t>(0)](const wire::Frame& frame) {
      const bool leaves = is_opening(frame) && (*sent)++ == opening;
      return std::vector{leaves ? wire::Frame{wire::FrameType::bye, {}} : frame};
    }};
  }

  TestMember alpha_home_{"alpha", seen("sednit")}, bravo_home_{"bravo", seen("xagent")};
  Opened alpha_{alpha_home_}, bravo_{bravo_home_};
  std::string session_;
};

TEST_F(StopAfterLearning, GainsOneFieldAtMostAtWhateverOpeningItStops) {
  for (std::size_t stop = 0; stop < 9; ++stop) {
    for (const bool caller_stops : {true, false}) {
      SCOPED_TRACE(fmt::format("{} stops at its opening {}", caller_stops ? "alpha" : "bravo", stop));
      SetUp();
      const auto held = caller_stops ? hold_reveal(alpha_, bravo_, session_, leaving_at(stop))
                                     : hold_reveal(alpha_, bravo_, session_, {}, leaving_at(stop));
      EXPECT_FALSE((caller_stops ? held.answered : held.began).has_value());
      Opened& honest = caller_stops ? bravo_ : alpha_;
      Opened& stopper = caller_stops ? alpha_ : bravo_;
      EXPECT_LE(received(stopper), received(honest) + 1) << "ahead by a field at most";
      EXPECT_EQ(received(honest), stop);
      ASSERT_FALSE(ends(honest).empty());
      EXPECT_EQ(ends(honest).back().stopped, "them");
      EXPECT_EQ(ends(honest).back().received_fields, stop);
      EXPECT_LE(ends(honest).back().opened, stop + 1);
    }
  }
}

TEST_F(StopAfterLearning, LeavesTheMostTellingForLast) {
  (void)hold_reveal(alpha_, bravo_, session_, leaving_at(4));
  const auto matches = bravo_.vault->session_matches(session_);
  ASSERT_OK(matches);
  for (const vault::SessionMatch& match : *matches) {
    EXPECT_NE(match.theirs.find("first_seen"), std::string::npos) << "all of the least telling ones first";
    EXPECT_EQ(match.theirs.find("actor"), std::string::npos);
  }
}

TEST_F(StopAfterLearning, CountsInTheLedgerOfWhoWasLeft) {
  (void)hold_reveal(alpha_, bravo_, session_, leaving_at(4));
  const auto accounting = bravo_.ledgers.up_to_date(*bravo_.vault, charter_of(alpha_, bravo_).charter.group, "bravo");
  ASSERT_OK(accounting);
  const std::string peer = "alpha";
  const auto account = (*accounting)->with([&](const ledger::Ledger& ledger) {
    return ledger.account(&peer, std::nullopt, ledger::Window::operation);
  });
  EXPECT_EQ(account.reveals_stopped, 1);
  EXPECT_EQ(account.field_out.known, 4);
}

TEST_F(StopAfterLearning, MakesTheOneWhoOwesBeginNextTime) {
  (void)hold_reveal(alpha_, bravo_, session_, leaving_at(4));
  consent();  // who was left does not go on by itself
  const auto again = hold_reveal(bravo_, alpha_, session_);
  ASSERT_OK(again.began);
  ASSERT_OK(again.answered);
  EXPECT_EQ(received(alpha_), 9u);
  EXPECT_GE(received(bravo_), 8u) << "field for field again, so leaving has gained a field at most";
}

TEST_F(StopAfterLearning, IsOnRecordAsOursWhereWeStop) {
  const Deviation stop_ourselves{.resend = [this, sent = std::make_shared<std::size_t>(0)](const wire::Frame& frame) {
    if (is_opening(frame) && (*sent)++ == 2) bravo_.progress.cancel();
    return std::vector{frame};
  }};
  const auto held = hold_reveal(alpha_, bravo_, session_, {}, stop_ourselves);
  EXPECT_FALSE(held.answered);
  ASSERT_FALSE(ends(bravo_).empty());
  EXPECT_EQ(ends(bravo_).back().stopped, "us");
}

// --- what may be sent in a turn -------------------------------------------------------------------------------------

TEST_F(StopAfterLearning, ByOpeningOneFieldAgainAndAgainIsRefused) {
  std::optional<Bytes> first;
  const Deviation repeating{.resend = [&first](const wire::Frame& frame) {
    if (!is_opening(frame)) return std::vector{frame};
    if (!first) first = frame.payload;
    return std::vector{wire::Frame{frame.type, *first}};
  }};
  const auto held = hold_reveal(alpha_, bravo_, session_, repeating);
  EXPECT_FAILS(held.answered, Errc::protocol);
  EXPECT_LE(received(alpha_), 2u);
}

// It opens its least telling field last, and had bound itself to that.
TEST_F(StopAfterLearning, ByOpeningTheFieldsInAnotherOrderIsRefused) {
  std::vector<std::string> texts = texts_of(honest_openings(alpha_, session_));
  ASSERT_EQ(texts.size(), 9u);
  std::ranges::rotate(texts, texts.end() - 1);
  const RevealOffer offer = honest_offer(alpha_, bravo_, session_, alpha_);
  const auto held = hold_reveal(alpha_, bravo_, session_, opening_instead(offer, session_, Side::asker, texts));
  EXPECT_FAILS(held.answered, Errc::protocol);
  EXPECT_THAT(held.answered.error().text(), testing::HasSubstr("after one that tells more"));
}

TEST_F(StopAfterLearning, ByAnOfferThatWasChangedAfterTheOthersWasSeenIsRefused) {
  for (const char* field : {"openings", "values"}) {
    SetUp();
    const auto held =
        hold_reveal(alpha_, bravo_, session_, {},
                    changing(kRevealOffer, [&](auto& body) { body.insert_or_assign(field, std::int64_t{1}); }));
    EXPECT_FAILS(held.began, Errc::protocol) << field;
    EXPECT_EQ(received(bravo_), 0u);
  }
}

}  // namespace
}  // namespace parley::session
