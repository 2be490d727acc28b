// Consents: which values they open, in which order, and until when; and openings sealed under the key of a pair.
#include "session/consent.h"

#include "group/invitation.h"
#include "session/detail/opening_seal.h"
#include "support/deviations.h"

namespace parley::session {
namespace {

using indicator::Pap, indicator::Tlp, indicator::Type;

vault::SessionMatch match(const std::string& value, const std::string& context, Type type = Type::ipv4) {
  return {.indicator = *indicator::canonicalise(type, value),
          .item = 1,
          .file = 0,
          .mine = context,
          .opened = {},
          .theirs = {},
          .commitment = {}};
}

// The planned values as "value field".
std::vector<std::string> planned(const std::vector<vault::SessionMatch>& matches, const std::vector<Consent>& consents,
                                 Tlp tlp_max = Tlp::red) {
  std::vector<std::string> words;
  const std::vector<MatchNow> now(matches.size());
  const auto made = plan(matches, now, consents, {.tlp_max = tlp_max});
  EXPECT_OK(made);
  for (const PlannedValue& each : made->values)
    words.push_back(matches[each.match].indicator.value() + " " + std::string(kFieldPaths[each.field]));
  return words;
}

const std::string kRich =
    R"({"actor":["APT28"],"first_seen":"2015-06-30T00:00:00Z","malware":["Sednit"],"pap":"green","tlp":"green"})";

TEST(Plan, OpensTheLeastTellingFieldsOfAllMatchesFirst) {
  const std::vector matches{match("192.0.2.1", kRich), match("192.0.2.2", kRich)};
  EXPECT_EQ(planned(matches, {{.fields = {"actor", "first_seen", "malware"}}}),
            (std::vector<std::string>{"192.0.2.1 first_seen", "192.0.2.2 first_seen", "192.0.2.1 malware",
                                      "192.0.2.2 malware", "192.0.2.1 actor", "192.0.2.2 actor"}));
}

TEST(Plan, HoldsBackWhatTlpOrPapForbid) {
  const auto marked = [](const std::string& tlp, const std::string& pap) {
    return match("192.0.2.1", R"({"malware":["Sednit"])" + (pap.empty() ? "" : R"(,"pap":")" + pap + '"') +
                                  (tlp.empty() ? "" : R"(,"tlp":")" + tlp + '"') + "}");
  };
  struct Case {
    std::string tlp, pap;
    Tlp tlp_max;
    Pap pap_max;
    std::size_t values;
  };
  const Case cases[] = {
      {"green", "", Tlp::green, Pap::clear, 1},
      {"amber", "", Tlp::green, Pap::red, 0},
      {"amber+strict", "", Tlp::amber, Pap::red, 0},
      {"red", "", Tlp::red, Pap::red, 0},
      {"", "", Tlp::red, Pap::red, 0},
      {"green", "amber", Tlp::amber, Pap::amber, 1},
      {"green", "red", Tlp::amber, Pap::amber, 0},
      {"green", "amber", Tlp::amber, Pap::green, 0},
      {"clear", "green", Tlp::clear, Pap::clear, 0},
  };
  for (const Case& is : cases) {
    const Consent consent{.fields = {"malware"}, .tlp_max = is.tlp_max, .pap_max = is.pap_max};
    EXPECT_EQ(planned({marked(is.tlp, is.pap)}, {consent}).size(), is.values) << is.tlp << " " << is.pap;
  }
  EXPECT_EQ(planned({marked("amber", "")}, {{.fields = {"malware"}, .tlp_max = Tlp::amber}}, Tlp::green).size(), 0u)
      << "the charter's own limit";
}

TEST(Plan, HoldsBackWhatTheMarksOfNowForbid) {
  const std::vector matches{match("192.0.2.1", kRich)};
  const std::vector<Consent> consents{{.fields = {"malware"}, .tlp_max = Tlp::amber}};
  const auto values = [&](const MatchNow& now) {
    const auto made = plan(matches, std::span(&now, 1), consents, LetOut{});
    EXPECT_OK(made);
    return made->values.size();
  };
  EXPECT_EQ(values({}), 1u);
  EXPECT_EQ(values({.tlp = Tlp::amber}), 1u);
  EXPECT_EQ(values({.tlp = Tlp::amber_strict}), 0u);
  EXPECT_EQ(values({.tlp = Tlp::red}), 0u);
  EXPECT_EQ(values({.pap = Pap::red}), 0u);
  EXPECT_EQ(values({.tlp = Tlp::clear, .pap = Pap::clear}), 1u) << "those of the session hold all the same";
  EXPECT_EQ(values({.unshown = true}), 0u);
}

TEST(Plan, KeepsToTheItemsAndTypesOfAConsent) {
  const std::vector matches{match("192.0.2.1", kRich), match("192.0.2.2", kRich),
                            match("evil.example", kRich, Type::domain)};
  EXPECT_EQ(planned(matches, {{.fields = {"malware"}, .items = {matches[1].indicator}}}),
            (std::vector<std::string>{"192.0.2.2 malware"}));
  EXPECT_EQ(planned(matches, {{.fields = {"malware"}, .types = {Type::domain}}}),
            (std::vector<std::string>{"evil.example malware"}));
  EXPECT_EQ(planned(matches, {{.fields = {"malware"}, .types = {Type::domain}},
                              {.fields = {"actor"}, .items = {matches[0].indicator}}}),
            (std::vector<std::string>{"evil.example malware", "192.0.2.1 actor"}))
      << "several add up, and none lends its fields to another's matches";
}

TEST(FieldsByValue, AreAllFieldsButTheMarksOnce) {
  std::set<std::string_view> fields(kFieldsByValue.begin(), kFieldsByValue.end());
  EXPECT_EQ(fields.size(), kFieldsByValue.size());
  for (const std::string_view path : kFieldPaths) EXPECT_NE(fields.contains(path), is_mark(path)) << path;
}

// --- with two members -----------------------------------------------------------------------------------------------

class Consents : public DeviatingPeer {
 protected:
  void SetUp() override {
    id_ = session_between(asker_, answerer_);
    ASSERT_FALSE(id_.empty());
  }
  void consent(Opened& side, std::vector<indicator::Canonical> items = {}) {
    ASSERT_OK(give_consent(*side.vault, id_,
                           {.fields = {"malware"}, .tlp_max = Tlp::amber, .given = 1, .items = std::move(items)}));
  }
  void standing(Opened& side, const Opened& peer, UnixSeconds until) {
    ASSERT_OK(
        add_standing_consent(*side.vault, charter_of(asker_, answerer_).charter.group,
                             {.peer = peer.member.card.nick,
                              .until = until,
                              .consent = {.fields = {"malware"}, .tlp_max = Tlp::amber, .given = 1, .by = "eve"}}));
  }
  std::size_t opened(Opened& side) { return opened_matches(*side.vault, id_); }
  std::string id_;
};

TEST_F(Consents, ThatWereTakenBackOpenNothing) {
  consent(asker_);
  consent(answerer_);
  ASSERT_OK(take_back_consent(*answerer_.vault, id_));
  const auto held = hold_reveal(asker_, answerer_, id_);
  ASSERT_OK(held.began);
  EXPECT_TRUE(held.began->waiting);
  EXPECT_EQ(opened(answerer_) + opened(asker_), 0u);
  EXPECT_FAILS(take_back_consent(*answerer_.vault, id_), Errc::not_found);
}

TEST_F(Consents, ToSomeMatchesOpenNoOthers) {
  consent(asker_);
  consent(answerer_, {*indicator::canonicalise(Type::domain, "evil.example")});
  const auto held = hold_reveal(asker_, answerer_, id_);
  ASSERT_OK(held.began);
  EXPECT_EQ(held.began->received, 1u);
  EXPECT_EQ(held.began->opened, 1u) << "as many as come back";
  EXPECT_EQ(opened(answerer_), 1u);
}

TEST_F(Consents, InAdvanceAnswerWithoutAnybodyAtTheKeyboard) {
  standing(answerer_, asker_, wall_clock_now() + 60);
  consent(asker_);
  const auto held = hold_reveal(asker_, answerer_, id_);
  ASSERT_OK(held.began);
  EXPECT_EQ(held.began->received, 3u);
}

TEST_F(Consents, InAdvanceEndAtTheirDateAndHoldForOneMemberOnly) {
  standing(answerer_, asker_, wall_clock_now() - 1);
  standing(answerer_, answerer_, wall_clock_now() + 60);
  consent(asker_);
  const auto held = hold_reveal(asker_, answerer_, id_);
  ASSERT_OK(held.began);
  EXPECT_TRUE(held.began->waiting);
  EXPECT_EQ(opened(answerer_), 0u);
}

/// A stored consent as it was before it said what it asks in return.
log::Json of_an_earlier_version(const log::Json& consent) {
  log::Json::Object older = *consent.object();
  older.erase("ratio");
  older.erase("unreturned");
  return log::Json(std::move(older));
}

TEST_F(Consents, OfAnEarlierVersionOpenNothingAndHoldUpNothing) {
  consent(answerer_);
  const std::string name = "reveal/" + id_ + "/consent";
  const auto stored = log::parse_pjson(**answerer_.vault->setting(name), 1 << 20);
  ASSERT_OK(stored);
  ASSERT_OK(answerer_.vault->put_setting(name, log::write_pjson(of_an_earlier_version(*stored))));
  EXPECT_EQ(*consent_given(*answerer_.vault, id_), std::nullopt);
  consent(asker_);
  const auto held = hold_reveal(asker_, answerer_, id_);
  ASSERT_OK(held.began);
  EXPECT_TRUE(held.began->waiting);
  EXPECT_EQ(opened(answerer_), 0u);
}

TEST_F(Consents, InAdvanceOfAnEarlierVersionCountAsNoneBesideOthers) {
  for (int i = 0; i < 2; ++i) standing(answerer_, asker_, wall_clock_now() + 60);
  const std::string group = charter_of(asker_, answerer_).charter.group;
  const std::string name = "reveal/rules/" + group;
  const auto stored = log::parse_pjson(**answerer_.vault->setting(name), 1 << 20);
  ASSERT_OK(stored);
  log::Json::Array rules = *stored->object()->at("rules").array();
  log::Json::Object older = *rules[0].object();
  older.insert_or_assign("consent", of_an_earlier_version(older.at("consent")));
  rules[0] = log::Json(std::move(older));
  ASSERT_OK(answerer_.vault->put_setting(name, log::write_pjson(log::Json::Object{{"rules", std::move(rules)}})));
  const auto read = standing_consents(*answerer_.vault, group);
  ASSERT_OK(read);
  EXPECT_EQ(read->rules.size(), 1u);
  EXPECT_EQ(read->unreadable, 1u);
  consent(asker_);
  const auto held = hold_reveal(asker_, answerer_, id_);
  ASSERT_OK(held.began);
  EXPECT_EQ(held.began->received, 3u) << "by the one that can be read";
  ASSERT_OK(remove_standing_consent(*answerer_.vault, group, 1));
  EXPECT_EQ(standing_consents(*answerer_.vault, group)->unreadable, 0u) << "a change leaves what can be read";
}

TEST_F(Consents, TellTheOtherSideWhoGaveThem) {
  ASSERT_OK(
      give_consent(*asker_.vault, id_, {.fields = {"malware"}, .tlp_max = Tlp::amber, .given = 1, .by = "r. deckard"}));
  const auto held = hold_reveal(asker_, answerer_, id_);
  ASSERT_OK(held.began);
  const auto waiting = reveal_waiting(*answerer_.vault, id_);
  ASSERT_OK(waiting);
  EXPECT_EQ(*waiting, "r. deckard");
}

// --- the seal -------------------------------------------------------------------------------------------------------

TEST_F(Consents, OfMembersWhoShareAKeySealWhatIsOpened) {
  const Secret<32> pair = random_secret<32>();
  ASSERT_OK(asker_.vault->put_secret(group::pair_key_name(answerer_.member.card), pair.expose()));
  ASSERT_OK(answerer_.vault->put_secret(group::pair_key_name(asker_.member.card), pair.expose()));
  consent(asker_);
  consent(answerer_);
  std::size_t readable = 0, openings = 0;
  const Deviation look{.resend = [&](const wire::Frame& frame) {
    if (frame.type == wire::FrameType::opening && frame.payload.size() > 32) {
      ++openings;
      readable += as_text(frame.payload).find("Sednit") != std::string_view::npos ? 1 : 0;
    }
    return std::vector{frame};
  }};
  const auto held = hold_reveal(asker_, answerer_, id_, look);
  ASSERT_OK(held.began);
  EXPECT_TRUE(held.began->sealed);
  EXPECT_EQ(held.began->received, 3u);
  EXPECT_EQ(openings, 6u) << "three matches, and a field of each";
  EXPECT_EQ(readable, 0u);
}

TEST_F(Consents, OfMembersWithDifferentKeysOpenNothingThatCanBeRead) {
  ASSERT_OK(asker_.vault->put_secret(group::pair_key_name(answerer_.member.card), random_secret<32>().expose()));
  ASSERT_OK(answerer_.vault->put_secret(group::pair_key_name(asker_.member.card), random_secret<32>().expose()));
  consent(asker_);
  consent(answerer_);
  const auto held = hold_reveal(asker_, answerer_, id_);
  EXPECT_TRUE(fails(held.began, Errc::protocol) || fails(held.answered, Errc::protocol));
}

TEST_F(Consents, WhereOneSideHasNoKeyOpenUnderTheLinkAlone) {
  ASSERT_OK(asker_.vault->put_secret(group::pair_key_name(answerer_.member.card), random_secret<32>().expose()));
  consent(asker_);
  consent(answerer_);
  const auto held = hold_reveal(asker_, answerer_, id_);
  ASSERT_OK(held.began);
  EXPECT_FALSE(held.began->sealed);
}

}  // namespace
}  // namespace parley::session
