// A member that opens, after a session, context that it had not committed to before.
#include "session/opening.h"
#include "support/deviations.h"

namespace parley::session {
namespace {

class WrongOpening : public DeviatingPeer {
 protected:
  void SetUp() override {
    const auto met = hold_session(asker_, answerer_, which_addresses_and_names());
    ASSERT_OK(met.began);
    ASSERT_OK(met.answered);
    id_ = *met.began;
    for (Opened* side : {&asker_, &answerer_})
      ASSERT_OK(give_consent(*side->vault, id_, {.fields = {"malware"}, .tlp_max = indicator::Tlp::amber, .given = 1}));
  }
  // How many of the honest side's matches show context of the other side.
  static std::size_t shown(Opened& side, const std::string& id) {
    std::size_t count = 0;
    const auto matches = side.vault->session_matches(id);
    EXPECT_OK(matches);
    for (const auto& match : *matches) count += match.theirs.empty() ? 0 : 1;
    return count;
  }
  static std::size_t opened(Opened& side, const std::string& id) {
    std::size_t count = 0;
    const auto matches = side.vault->session_matches(id);
    EXPECT_OK(matches);
    for (const auto& match : *matches) count += match.opened.empty() ? 0 : 1;
    return count;
  }
  // The beginner opens `changed` in the place of its first opening.
  Both<RevealOutcome> with_first_opening(const std::function<std::vector<std::string>(Opening)>& changed) {
    return hold_reveal(asker_, answerer_, id_, changing_opening(0, [&](Bytes payload) {
                         auto opening = read_opening(as_text(payload));
                         EXPECT_OK(opening);
                         std::vector<Bytes> payloads;
                         for (const std::string& text : changed(*opening)) payloads.push_back(to_bytes(text));
                         return payloads;
                       }));
  }
  std::string id_;
};

TEST_F(WrongOpening, ThatDoesNotFitTheCommitmentIsRefusedAndNothingOfItIsKept) {
  const std::map<std::string, std::function<void(Opening&)>> changes = {
      {"another malware",
       [](Opening& opening) {
         for (OpenedField& field : opening.fields)
           if (kFieldPaths[field.field] == "malware") field.opening.json = R"(["Turla"])";
       }},
      {"a milder mark",
       [](Opening& opening) {
         for (OpenedField& field : opening.fields)
           if (kFieldPaths[field.field] == "tlp") field.opening.json = R"("clear")";
       }},
      {"another salt", [](Opening& opening) { opening.salt[0] ^= std::byte{1}; }},
      {"another place", [](Opening& opening) { opening.index ^= 1; }},
      {"another path", [](Opening& opening) { opening.items_path[0][0] ^= std::byte{1}; }},
  };
  for (const auto& [what, change] : changes) {
    SCOPED_TRACE(what);
    const auto met = with_first_opening([&](Opening opening) {
      change(opening);
      return std::vector{write_opening(opening)};
    });
    EXPECT_FAILS(met.answered, Errc::protocol);
    EXPECT_EQ(shown(answerer_, id_), 0u);
    EXPECT_LE(opened(answerer_, id_), 1u) << "a field, where the honest side's turn came first";
  }
}

TEST_F(WrongOpening, OfAnIndicatorThatDidNotMatchIsRefused) {
  const auto met = with_first_opening([](Opening opening) {
    opening.indicator = indicator::Canonical::from_storage(indicator::Type::domain, "unrelated.example");
    return std::vector{write_opening(opening)};
  });
  EXPECT_FAILS(met.answered, Errc::protocol);
  EXPECT_EQ(shown(answerer_, id_), 0u);
}

TEST_F(WrongOpening, SentTwiceIsRefused) {
  const auto met = with_first_opening(
      [](const Opening& opening) { return std::vector{write_opening(opening), write_opening(opening)}; });
  EXPECT_FAILS(met.answered, Errc::protocol);
  EXPECT_LE(shown(answerer_, id_), 1u);
  EXPECT_LE(opened(answerer_, id_), shown(answerer_, id_) + 1) << "at most one turn of difference";
}

TEST_F(WrongOpening, ThatIsNoOpeningAtAllIsRefused) {
  for (const std::string& junk : {std::string(), std::string("{}"), std::string(300'000, 'x')}) {
    const auto met = with_first_opening([&](const Opening&) { return std::vector{junk}; });
    ASSERT_FALSE(met.answered.has_value());
    EXPECT_LE(opened(answerer_, id_), 1u);
  }
}

TEST_F(WrongOpening, ThatIsNotWhatWasOfferedIsFoundOutInTheEnd) {
  // The beginner has opened three indicators; the fourth body opens its offer.
  const auto met = hold_reveal(asker_, answerer_, id_, changing_opening(3, [](Bytes salt) {
                                 salt[0] ^= std::byte{1};
                                 return std::vector<Bytes>{salt};
                               }));
  EXPECT_FAILS(met.answered, Errc::protocol);
  EXPECT_THAT(met.answered.error().text(), testing::HasSubstr("not what it had offered"));
  EXPECT_NE(state_of(*answerer_.vault, id_), "closed");
}

TEST_F(WrongOpening, OfMoreIndicatorsThanMatchedIsRefused) {
  const auto met =
      hold_reveal(asker_, answerer_, id_,
                  changing(kRevealOffer, [](auto& body) { body.insert_or_assign("openings", std::int64_t{1000}); }));
  EXPECT_FAILS(met.answered, Errc::protocol);
  EXPECT_EQ(opened(answerer_, id_), 0u);
}

TEST_F(WrongOpening, AskedForByWhoeverOpensNothingItselfOpensNothing) {
  const auto met =
      hold_reveal(asker_, answerer_, id_,
                  changing(kRevealOffer, [](auto& body) { body.insert_or_assign("openings", std::int64_t{0}); }));
  EXPECT_FAILS(met.answered, Errc::protocol) << "it had committed to another offer";
  EXPECT_EQ(opened(answerer_, id_), 0u);
}

TEST_F(WrongOpening, OfASessionWithSomebodyElseIsRefused) {
  const TestMember charlie_home("Charlie CERT", material("Turla"));
  Opened charlie(charlie_home);
  const auto met = meet<RevealOutcome>(
      charlie, answerer_, {}, {},
      [&](Party, group::LogLink& link) -> Result<RevealOutcome> {
        StepLink steps(link);
        steps.set_session(id_);
        TRY_STATUS(link.exchange_heads(deadline_in(kPatience)));
        const RevealConsent consent{.by = "charlie", .offer = {}, .sealed = false};
        TRY(const mirror::EntryView written, steps.write(kRevealConsent, consent.to_json(), {}));
        TRY_STATUS(steps.send(written));
        TRY(const ReceivedStep answer, steps.receive_any(deadline_in(kPatience)));
        return fail(Errc::refused, answer.type + " " + log::write_pjson(answer.body));
      },
      [](Party us, group::LogLink& link) -> Result<RevealOutcome> {
        TRY(const ReceivedStep step, first_step(link));
        return answer_reveal(us, link, step);
      });
  EXPECT_FAILS(met.answered, Errc::refused);
  ASSERT_FALSE(met.began.has_value());
  EXPECT_THAT(met.began.error().message, testing::HasSubstr("reveal.refuse")) << "and learns not even that it exists";
  EXPECT_EQ(opened(answerer_, id_), 0u);
}

TEST_F(WrongOpening, HonestOpeningsAreKept) {
  const auto met = hold_reveal(asker_, answerer_, id_);
  ASSERT_OK(met.began);
  ASSERT_OK(met.answered);
  EXPECT_EQ(shown(asker_, id_), 3u);
  EXPECT_EQ(shown(answerer_, id_), 3u);
}

}  // namespace
}  // namespace parley::session
