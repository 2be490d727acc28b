// A member that says at the end of a reveal that less was opened to it than was, or that it opened more than it did, or
// that ties its offer to another one than ours: both numbers stand in the logs, the larger counts, and the person reads
// of it.
#include "support/changed_member.h"

namespace parley::session {
namespace {

using testing::HasSubstr;

/// Alpha's program is changed; bravo's is not. Both hold three addresses with a malware name.
class FalseClosing : public testing::Test {
 protected:
  FalseClosing() {
    const auto rows = [](const std::string& malware) {
      std::vector<std::string> lines;
      for (const char* value : {"198.51.100.7", "203.0.113.9", "192.0.2.44"})
        lines.push_back("ipv4," + std::string(value) + "," + malware + ",TLP:GREEN");
      return program::table(lines, "type,value,malware,tlp");
    };
    alpha_.import(rows("Sednit"));
    bravo_.import(rows("XAgent"));
    program::Node node_of_alpha(alpha_);
    node_.emplace(bravo_);
    program::meet(alpha_, "bravo", bravo_, node_->address(), "alpha", node_of_alpha.address());
    id_ = alpha_.json({"ask", "bravo", "--yes"}).at("session");
    EXPECT_EQ(bravo_.run({"reveal", id_, "--fields", "malware", "--yes"}).code, 0);
    EXPECT_EQ(node_of_alpha.stop().code, 0);
    group_ = alpha_.json({"group", "show", "joint"}).at("id");
  }
  Result<RevealOutcome> reveal(const Deviation& deviation) {
    ChangedMember changed(alpha_, group_);
    EXPECT_OK(give_consent(changed.vault(), id_,
                           {.fields = {"malware"}, .tlp_max = indicator::Tlp::amber, .given = 1, .by = "eve"}));
    return changed.call_on("bravo", deviation,
                           [&](const Party& us, group::LogLink& link) { return session::reveal(us, link, id_); });
  }
  /// What bravo's person reads of the session.
  program::Ended shown() const { return bravo_.run({"show", id_}); }
  program::Json difference() const { return bravo_.json({"show", id_}).at("openings_that_differ"); }

  program::Member alpha_{"Alpha CERT"}, bravo_{"Bravo CERT"};
  std::optional<program::Node> node_;
  std::string id_, group_;
};

Deviation closing_with(const std::map<std::string, std::int64_t>& numbers) {
  return changing(kRevealClose, [numbers](log::Json::Object& body) {
    for (const auto& [field, number] : numbers) body.insert_or_assign(field, number);
  });
}

TEST_F(FalseClosing, IsNotSeenWhereBothSayTheSame) {
  EXPECT_OK(reveal({}));
  EXPECT_EQ(difference(), program::Json::array());
  EXPECT_EQ(shown().out.find("OPENINGS DIFFER"), std::string::npos);
}

TEST_F(FalseClosing, ThatDeniesWhatItReceivedIsShownAndWhatWeOpenedCounts) {
  (void)reveal(closing_with({{"received", 1}, {"received_fields", 1}}));
  const program::Ended ended = shown();
  EXPECT_THAT(ended.out,
              HasSubstr("OPENINGS DIFFER: by your log you opened 3 fields to alpha in a reveal, by its log it "
                        "received 1; the ledger counts 3"));
  EXPECT_THAT(ended.err, HasSubstr("no two honest programs write them"));
  ASSERT_EQ(difference().size(), 1u);
  EXPECT_EQ(difference()[0].at("opened_by"), "us");
}

TEST_F(FalseClosing, ThatClaimsToHaveOpenedMoreIsShownAndCountsAgainstUsNotBelow) {
  (void)reveal(closing_with({{"opened", 9}}));
  const program::Ended ended = shown();
  EXPECT_THAT(ended.out, HasSubstr("by your log you received 3 fields of alpha in a reveal, by its log it opened 9"));
  ASSERT_EQ(difference().size(), 1u);
  EXPECT_EQ(difference()[0].at("opened_by"), "peer");
}

TEST_F(FalseClosing, BesideADecoyOfItsOfferIsShownAllTheSameAndTheDecoyToo) {
  (void)reveal(closing_with({{"received", 0}, {"received_fields", 0}}));
  {
    ChangedMember changed(alpha_, group_);
    const auto copy_of_the_offer = [&](mirror::Replica& replica) {
      mirror::Draft decoy;
      for (std::uint64_t seq = 0; const auto own = replica.entry(changed.nick(), seq); ++seq)
        if (own->entry.type == kRevealOffer)
          decoy = {.type = own->entry.type,
                   .session = own->entry.session,
                   .refs = own->entry.refs,
                   .audience = own->entry.audience,
                   .body = *own->body};
      return decoy;
    };
    EXPECT_OK(changed.call_on("bravo", {}, [&](const Party&, group::LogLink& link) -> Status {
      TRY_STATUS(link.synchronise(deadline_in(std::chrono::seconds(30))));
      TRY(const mirror::EntryView decoy, link.log().append(link.log().with(copy_of_the_offer)));
      return link.await_held(decoy, deadline_in(std::chrono::seconds(30)));
    }));
  }
  const program::Ended ended = shown();
  EXPECT_THAT(ended.out, HasSubstr("OPENINGS DIFFER: by your log you opened 3 fields to alpha"));
  EXPECT_THAT(ended.out,
              HasSubstr("ANSWERED TWICE: to one step of yours in a reveal the log of alpha has 2 offers to it"));
  EXPECT_THAT(ended.err, HasSubstr("that of alpha is changed"));
  EXPECT_EQ(bravo_.json({"show", id_}).at("answered_twice"), program::Json::parse(R"(["2 offers to it"])"));
  EXPECT_THAT(bravo_.run({"ledger", "joint"}).out, HasSubstr("(answers)"));
}

TEST_F(FalseClosing, ThatNobodyCanReadChangesNothingOfWhatWasOpened) {
  EXPECT_OK(reveal(closing_with({{"opened", -1}})));
  const program::Json matches = bravo_.json({"show", id_}).at("matches");
  ASSERT_EQ(matches.size(), 3u);
  for (const program::Json& match : matches) {
    EXPECT_TRUE(match.at("opened").contains("malware")) << match;
    EXPECT_TRUE(match.at("theirs").contains("malware")) << match;
  }
  EXPECT_THAT(shown().out, HasSubstr("CLOSING UNREADABLE: by your log you opened 3 fields to alpha"));
  EXPECT_EQ(difference(), program::Json::parse(R"([{"opened_by": "us", "opened": 3, "received": null,
                                                    "broken_off": false, "disputed": true}])"));
  EXPECT_THAT(bravo_.run({"ledger", "joint"}).out, HasSubstr("a closing that cannot be read"));
}

/// Both in this process: who answers may be changed too.
class FalseOffer : public DeviatingPeer {
 protected:
  void SetUp() override {
    id_ = session_between(asker_, answerer_);
    ASSERT_FALSE(id_.empty());
    for (Opened* side : {&asker_, &answerer_})
      ASSERT_OK(give_consent(*side->vault, id_, {.fields = {"malware"}, .tlp_max = indicator::Tlp::amber, .given = 1}));
  }
  std::size_t opened(Opened& side) { return opened_matches(*side.vault, id_); }
  std::string id_;
};

TEST_F(FalseOffer, ThatAnswersAnotherThanOursIsRefusedBeforeAnythingIsOpened) {
  const Deviation elsewhere = writing(kRevealOffer, [](mirror::Draft& draft) { draft.refs = {Digest{std::byte{1}}}; });
  const auto held = hold_reveal(asker_, answerer_, id_, {}, elsewhere);
  ASSERT_FALSE(held.began.has_value());
  EXPECT_EQ(held.began.error().code, Errc::protocol);
  EXPECT_THAT(held.began.error().text(), HasSubstr("does not answer ours"));
  EXPECT_EQ(opened(asker_), 0u);
}

TEST_F(FalseOffer, ThatAnswersNothingIsRefusedBeforeAnythingIsOpened) {
  const Deviation nothing = writing(kRevealOffer, [](mirror::Draft& draft) { draft.refs.clear(); });
  const auto held = hold_reveal(asker_, answerer_, id_, {}, nothing);
  ASSERT_FALSE(held.began.has_value());
  EXPECT_EQ(held.began.error().code, Errc::protocol);
  EXPECT_EQ(opened(asker_), 0u);
}

}  // namespace
}  // namespace parley::session
