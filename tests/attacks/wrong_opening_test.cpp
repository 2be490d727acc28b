// A member that opens, after a session, context that it had not committed to before.
#include <cstdlib>
#include <random>

#include "log/fault.h"
#include "session/reveal_record.h"
#include "support/other_openings.h"

namespace parley::session {
namespace {

class WrongOpening : public DeviatingPeer {
 protected:
  void SetUp() override {
    id_ = session_between(asker_, answerer_);
    ASSERT_FALSE(id_.empty());
    consent();
  }
  void consent() {
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
  static std::size_t opened(Opened& side, const std::string& id) { return opened_matches(*side.vault, id); }
  // The asker has bound itself to its openings with the first one changed.
  Both<RevealOutcome> with_first(const std::function<void(Opening&)>& change) {
    consent();  // each break of the liar ends it
    std::vector<Opening> openings = honest_openings(asker_, id_);
    change(openings.front());
    return with(texts_of(openings));
  }
  Both<RevealOutcome> with(std::vector<std::string> texts) {
    const RevealOffer offer = honest_offer(asker_, answerer_, id_, asker_);
    return hold_reveal(asker_, answerer_, id_, opening_instead(offer, id_, Side::asker, std::move(texts)));
  }
  // Commitment, offer and first opening of the honest side, as an honest exchange shows them; then a new session.
  log::Fault what_the_answerer_signed() {
    log::Fault parts;
    parts.kind = log::FaultKind::bad_opening;
    parts.accused = answerer_.member.card.nick;
    const Deviation recording{.resend = [&parts](const wire::Frame& frame) {
      if (is_opening(frame) && parts.openings.empty()) parts.openings.push_back(*read_offered(frame.payload, 0));
      return std::vector{frame};
    }};
    EXPECT_OK(hold_reveal(asker_, answerer_, id_, {}, recording).began);
    SetUp();  // what is open is not opened again: the rest is about another session of the two
    const auto heads = answerer_.vault->logs();
    EXPECT_OK(heads);
    for (const vault::LogHead& head : *heads) {
      if (!head.own) continue;
      const auto leaves = answerer_.vault->log_leaves(head.origin, 0, head.size);
      EXPECT_OK(leaves);
      for (const std::string_view type : {kCommit, kRevealOffer})
        for (const vault::LogLeaf& leaf : *leaves) {
          const auto entry = log::read_entry_unverified(leaf.note);
          EXPECT_OK(entry);
          if (entry->type != type) continue;
          const auto body = answerer_.vault->entry_body(leaf.hash);
          EXPECT_OK(body);
          parts.entries.push_back(leaf.note);
          parts.bodies.push_back({.salt = (*body)->salt, .text = std::string(as_text((*body)->content))});
          break;
        }
    }
    return parts;
  }
  std::vector<log::MemberKeys> keys() {
    std::vector<log::MemberKeys> keys;
    for (const group::CharterMember& member : charter_of(asker_, answerer_).charter.members)
      keys.push_back(member.keys);
    return keys;
  }
  std::string id_;
};

const std::vector<std::pair<const char*, std::function<void(Opening&)>>> kLies = {
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
    {"another commitment to a field", [](Opening& opening) { opening.commitments[0][0] ^= std::byte{1}; }},
    {"the other side", [](Opening& opening) { opening.side = Side::responder; }},
    {"another size", [](Opening& opening) { opening.size *= 2; }},
    {"another match's context", [](Opening& opening) { opening.context_path[1][0] ^= std::byte{1}; }},
};

TEST_F(WrongOpening, ThatDoesNotFitTheCommitmentIsRefusedAndNothingOfItIsKept) {
  const auto met = with_first(kLies.front().second);
  EXPECT_FAILS(met.answered, Errc::protocol);
  EXPECT_EQ(shown(answerer_, id_), 0u);
  EXPECT_LE(opened(answerer_, id_), 1u) << "a field, where the honest side's turn came first";
}

// The liar's own signatures, under its commitment and its offer, convict it before whoever has its keys.
TEST_F(WrongOpening, IsProvenToAnybodyByWhatItsAuthorSigned) {
  for (const auto& [what, change] : kLies) {
    SCOPED_TRACE(what);
    const TestMember liar_home("Liar CERT", material("Sednit")), honest_home("Honest CERT", material("XAgent"));
    Opened liar(liar_home), honest(honest_home);
    const auto session = hold_session(liar, honest, which_addresses_and_names());
    ASSERT_OK(session.began);
    for (Opened* side : {&liar, &honest})
      ASSERT_OK(give_consent(*side->vault, *session.began,
                             {.fields = {"malware"}, .tlp_max = indicator::Tlp::amber, .given = 1}));
    std::vector<Opening> openings = honest_openings(liar, *session.began);
    change(openings.front());
    const RevealOffer offer = honest_offer(liar, honest, *session.began, liar);
    const auto met = hold_reveal(liar, honest, *session.began,
                                 opening_instead(offer, *session.began, Side::asker, texts_of(openings)));
    EXPECT_FAILS(met.answered, Errc::protocol);
    EXPECT_EQ(shown(honest, *session.began), 0u);
    const auto kept = bad_opening_in(*honest.vault, *session.began);
    ASSERT_OK(kept);
    ASSERT_TRUE(kept->has_value()) << met.answered.error().text();
    std::vector<log::MemberKeys> keys;
    for (const group::CharterMember& member : charter_of(liar, honest).charter.members) keys.push_back(member.keys);
    const auto verdict = log::verify_fault(**kept, keys);
    ASSERT_OK(verdict);
    EXPECT_EQ(verdict->kind, log::FaultKind::bad_opening);
    EXPECT_EQ(keys[verdict->accused].nick, liar.member.card.nick);
    ASSERT_OK(give_consent(*honest.vault, *session.began,
                           {.fields = {"malware"}, .tlp_max = indicator::Tlp::amber, .given = 1}));
    const auto again = hold_reveal(honest, liar, *session.began);
    EXPECT_FAILS(again.began, Errc::policy) << "nothing is opened to it any more";
    EXPECT_LE(opened(honest, *session.began), 1u);
    EXPECT_FALSE(*bad_opening_in(*liar.vault, *session.began)) << "and it has nothing against the honest side";
  }
}

// PARLEY_FORGED_OPENINGS says how many (1000 unless it is set). All that the honest member signed is there to be used.
TEST_F(WrongOpening, IsNotForgedAboutAMemberThatOpenedWhatItHadCommittedTo) {
  const log::Fault honest = what_the_answerer_signed();
  ASSERT_EQ(honest.entries.size(), 2u);
  const auto met = with_first(kLies.front().second);
  EXPECT_FAILS(met.answered, Errc::protocol);
  const std::string real = **bad_opening_in(*answerer_.vault, id_);
  const auto fault = log::parse_fault(real);
  ASSERT_OK(fault);
  const auto seed = static_cast<std::uint32_t>(vault::test_seed());
  SCOPED_TRACE(testing::Message() << "PARLEY_TEST_SEED=" << seed);
  std::mt19937 random(seed);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  const char* wanted = std::getenv("PARLEY_FORGED_OPENINGS");
  const std::size_t count = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 1000;
  for (std::size_t i = 0; i < count && !HasFailure(); ++i) {
    log::Fault forged = below(2) == 0 ? *fault : honest;
    switch (below(6)) {
      case 0:
        forged.accused = fault->accused == forged.accused ? honest.accused : fault->accused;
        break;
      case 1:
        forged.entries[below(2)] = honest.entries[below(2)];
        break;
      case 2:
        forged.bodies[below(2)] = honest.bodies[below(2)];
        break;
      case 3:
        forged.openings[0] = below(2) == 0 ? honest.openings[0] : fault->openings[0];
        break;
      case 4:
        forged.openings[0].index = below(5);
        break;
      default:
        forged.openings[0].text[below(forged.openings[0].text.size())] ^= static_cast<char>(1 << below(7));
    }
    std::string text = log::write_fault(forged);
    if (below(3) == 0) text[below(text.size())] ^= static_cast<char>(1 << below(7));
    if (text == real) continue;
    EXPECT_FALSE(log::verify_fault(text, keys())) << text;
  }
}

TEST_F(WrongOpening, OfAnIndicatorThatDidNotMatchIsRefused) {
  const auto met = with_first([](Opening& opening) {
    opening.indicator = indicator::Canonical::from_storage(indicator::Type::domain, "unrelated.example");
  });
  EXPECT_FAILS(met.answered, Errc::protocol);
  EXPECT_EQ(shown(answerer_, id_), 0u);
}

TEST_F(WrongOpening, SentTwiceIsRefused) {
  std::vector<std::string> texts = texts_of(honest_openings(asker_, id_));
  texts[1] = texts[0];
  const auto met = with(texts);
  EXPECT_FAILS(met.answered, Errc::protocol);
  EXPECT_LE(shown(answerer_, id_), 1u);
  EXPECT_LE(opened(answerer_, id_), shown(answerer_, id_) + 1) << "at most one turn of difference";
}

TEST_F(WrongOpening, ThatIsNoOpeningAtAllIsRefusedAndConvictsNobody) {
  for (const std::string& junk : {std::string(), std::string("{}"), std::string(kMaxOpeningBytes, 'x')}) {
    consent();
    std::vector<std::string> texts = texts_of(honest_openings(asker_, id_));
    texts[0] = junk;
    const auto met = with(texts);
    ASSERT_FALSE(met.answered.has_value());
    EXPECT_LE(opened(answerer_, id_), 1u);
    EXPECT_FALSE(*bad_opening_in(*answerer_.vault, id_));
  }
}

TEST_F(WrongOpening, ThatIsNotWhatWasOfferedIsFoundOutAtOnce) {
  const std::vector<std::function<void(Bytes&)>> changes = {
      [](Bytes& payload) { payload[40] ^= std::byte{1}; },                  // a hash of the path
      [](Bytes& payload) { payload[payload.size() - 9] ^= std::byte{1}; },  // the opening
      [](Bytes& payload) { payload[0] = std::byte{0}; },
      [](Bytes& payload) { payload.clear(); },
      [](Bytes& payload) { payload.resize(400'000); },
  };
  for (const auto& change : changes) {
    SetUp();
    const auto met = hold_reveal(asker_, answerer_, id_, changing_opening(1, [&](Bytes payload) {
                                   change(payload);
                                   return std::vector<Bytes>{payload};
                                 }));
    ASSERT_FALSE(met.answered.has_value());
    EXPECT_LE(shown(answerer_, id_), 1u);
    EXPECT_FALSE(*bad_opening_in(*answerer_.vault, id_)) << "what came was not signed by anybody";
    EXPECT_NE(state_of(*answerer_.vault, id_), "closed");
  }
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
  EXPECT_FAILS(met.answered, Errc::refused);
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
  EXPECT_FAILS(met.began, Errc::refused);
  EXPECT_THAT(met.began.error().message, testing::HasSubstr("no such session")) << "and learns not even that it exists";
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
