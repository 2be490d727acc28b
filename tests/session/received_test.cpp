// What each side of a reveal says to have received already: it is not opened to it again, whatever became of an earlier
// exchange, of its closings, or of a disk; and whoever says what is not so has nothing of it.
#include "session/received_list.h"
#include "support/other_openings.h"

namespace parley::session {
namespace {

using testing::HasSubstr;

const std::size_t kMalware = *field_index("malware"), kSource = *field_index("source");

TEST(ReceivedList, KeepsEveryFieldOfEveryMatchApart) {
  ReceivedList list(3);
  list.add(1, kMalware);
  list.add(2, kSource);
  for (std::size_t match = 0; match < 3; ++match)
    for (const std::string_view path : kFieldsByValue)
      EXPECT_EQ(list.has(match, *field_index(path)),
                (match == 1 && path == "malware") || (match == 2 && path == "source"))
          << match << path;
  const auto read = ReceivedList::read(3, to_bytes(list.bytes()));
  ASSERT_OK(read);
  EXPECT_TRUE(read->has(1, kMalware));
  EXPECT_EQ(read->hash(Digest{}), list.hash(Digest{}));
  EXPECT_NE(read->hash(Digest{std::byte{1}}), list.hash(Digest{})) << "it is of one side of one session";
}

TEST(ReceivedList, OfAnotherSizeOrWithMoreThanItsFieldsIsRefused) {
  for (const std::size_t size : {0u, 3u, 5u, 400u})
    EXPECT_FAILS(ReceivedList::read(3, Bytes(size)), Errc::protocol) << size;
  Bytes beyond(ReceivedList::bytes_for(3));
  beyond.back() = std::byte{0b0100'0000};  // of the 30 bits the 31st
  EXPECT_FAILS(ReceivedList::read(3, beyond), Errc::protocol);
}

std::vector<vault::TestRecord> known(const std::string& malware) {
  std::vector<vault::TestRecord> records = material(malware);
  for (vault::TestRecord& each : records) {
    each.context.first_seen = 1'500'000'000;
    each.context.labels.push_back({indicator::LabelKind::actor, malware + " group"});
  }
  return records;
}

/// Three matches, of each first_seen, malware and actor. Alpha calls.
class Received : public testing::Test {
 protected:
  using Fields = std::vector<std::string>;

  void SetUp() override {
    session_ = session_between(*alpha_, *bravo_);
    ASSERT_FALSE(session_.empty());
  }
  Consent to(Fields fields) { return {.fields = std::move(fields), .tlp_max = indicator::Tlp::amber, .given = 1}; }
  void consent(Opened& side, Fields fields) { ASSERT_OK(give_consent(*side.vault, session_, to(std::move(fields)))); }
  void consent(Fields fields) {
    consent(*alpha_, fields);
    consent(*bravo_, std::move(fields));
  }
  void stand(Opened& side, Fields fields) {
    const auto row = side.vault->session(session_);
    ASSERT_OK(row);
    ASSERT_OK(add_standing_consent(*side.vault, row->group,
                                   {.peer = row->peer, .until = wall_clock_now() + 3600, .consent = to(fields)}));
  }
  std::size_t in_force(Opened& side) {
    const auto row = side.vault->session(session_);
    EXPECT_OK(row);
    const auto consents = consents_in_force(*side.vault, *row, row->peer, wall_clock_now());
    EXPECT_OK(consents);
    return consents->size();
  }
  /// Fields of the other side that `side` has, or of its own that it has opened.
  std::size_t count(Opened& side, std::string vault::SessionMatch::* of, std::string_view path) {
    std::size_t count = 0;
    const auto matches = side.vault->session_matches(session_);
    EXPECT_OK(matches);
    for (const vault::SessionMatch& match : *matches)
      count += (match.*of).find('"' + std::string(path) + '"') != std::string::npos ? 1 : 0;
    return count;
  }
  std::size_t received(Opened& side, std::string_view path) { return count(side, &vault::SessionMatch::theirs, path); }
  std::size_t opened(Opened& side, std::string_view path) { return count(side, &vault::SessionMatch::opened, path); }
  ledger::Account account(Opened& side, const std::string& peer) {
    const auto accounting =
        side.ledgers.up_to_date(*side.vault, charter_of(*alpha_, *bravo_).charter.group, side.member.card.nick);
    EXPECT_OK(accounting);
    return (*accounting)->with([&](const ledger::Ledger& ledger) {
      return ledger.account(&peer, std::nullopt, ledger::Window::operation);
    });
  }
  /// What `side` would open for its consent, and the offer that binds it to that.
  struct Bound {
    RevealOffer offer;
    std::vector<std::string> texts;
  };
  Bound bravo_bound_to(const std::string& field) {
    consent({field});
    Bound bound{honest_offer(*alpha_, *bravo_, session_, *bravo_), {}};
    bound.texts = texts_of(honest_openings(*bravo_, session_));
    return bound;
  }
  /// Bravo would open once more what it has opened.
  Both<RevealOutcome> pay_again(Bound bound) {
    bound.offer.first = *first_of(bound.offer);
    return hold_reveal(*alpha_, *bravo_, session_, {},
                       opening_instead(bound.offer, session_, Side::responder, bound.texts));
  }
  /// Who would open first now, by alpha's ledger; else as it was.
  std::optional<std::string> first_of(const RevealOffer& offer) {
    const ledger::Account now = account(*alpha_, "bravo");
    if (now.weight_in.known == now.weight_out.known) return offer.first;
    return now.weight_out.known > now.weight_in.known ? "alpha" : "bravo";
  }

  TestMember alpha_home_{"alpha", known("sednit")}, bravo_home_{"bravo", known("xagent")};
  std::optional<Opened> alpha_{std::in_place, alpha_home_}, bravo_{std::in_place, bravo_home_};
  std::string session_;
};

// --- what nobody's word about the past can change -------------------------------------------------------------------

/// Bravo has received all, and says in its log what lets another program pay with the same fields again.
class ReceivedWhole : public Received {
 protected:
  void expect_nothing_taken_twice(const Deviation& of_bravo, bool on_record) {
    const Bound malware = bravo_bound_to("malware");
    stand(*alpha_, {"malware"});
    consent({"malware"});
    const auto held = hold_reveal(*alpha_, *bravo_, session_, {}, of_bravo);
    EXPECT_EQ(received(*alpha_, "malware"), 3u);
    EXPECT_EQ(received(*bravo_, "malware"), 3u);
    const auto synchronised = meet<RevealOutcome>(
        *alpha_, *bravo_, {}, {},
        [](Party, group::LogLink& link) -> Result<RevealOutcome> {
          TRY_STATUS(link.synchronise(deadline_in(kPatience)));
          TRY_STATUS(link.send(wire::FrameType::bye, {}));
          return RevealOutcome{};
        },
        [](Party, group::LogLink& link) -> Result<RevealOutcome> {
          TRY([[maybe_unused]] const wire::Frame bye, link.receive(deadline_in(kPatience)));
          return RevealOutcome{};
        });
    EXPECT_OK(synchronised.began);
    EXPECT_EQ(account(*alpha_, "bravo").reveals_stopped, on_record ? 1 : 0);
    EXPECT_EQ(held.began.has_value(), stands_after_) << "it is said to alpha's operator";
    EXPECT_EQ(in_force(*alpha_), stands_after_ ? 1U : 0U) << "else the standing consent is over for this session";
    consent({"actor"});
    const auto again = pay_again(malware);
    ASSERT_FALSE(again.began.has_value()) << "it was taken a second time";
    EXPECT_EQ(again.began.error().code, Errc::protocol);
    EXPECT_THAT(again.began.error().text(), HasSubstr("pays for nothing"));
    EXPECT_LE(opened(*alpha_, "actor"), 1u) << "a field, where alpha's turn came first";
  }
  bool stands_after_ = false;  // alpha's standing consent, as the first exchange ended well for it
};

TEST_F(ReceivedWhole, IsNotTakenAgainAfterAWholeExchange) {
  stands_after_ = true;
  expect_nothing_taken_twice({}, false);
}

TEST_F(ReceivedWhole, IsNotTakenAgainFromWhoeverSignsThatItBrokeOff) {
  expect_nothing_taken_twice(changing(kRevealClose, [](auto& body) { body.insert_or_assign("stopped", "us"); }), true);
}

TEST_F(ReceivedWhole, IsNotTakenAgainFromWhoeverSignsThatWeBrokeOff) {
  expect_nothing_taken_twice(changing(kRevealClose, [](auto& body) { body.insert_or_assign("stopped", "them"); }),
                             true);
}

TEST_F(ReceivedWhole, IsNotTakenAgainFromWhoeverDoesNotCloseIt) {
  const Deviation something_else = writing(kRevealClose, [](mirror::Draft& draft) {
    draft.type = kRevealRefuse;
    draft.body = Refusal{.code = "policy", .text = {}}.to_json();
  });
  expect_nothing_taken_twice(something_else, false);
}

TEST_F(ReceivedWhole, IsNotTakenAgainFromWhoeverClosesItTwice) {
  RewritingLog& log = bravo_->log(charter_of(*alpha_, *bravo_));
  bool first = true;
  stands_after_ = true;  // what it was shown says so; the log does not
  const Deviation twice = writing(kRevealClose, [&](mirror::Draft& draft) {
    if (!std::exchange(first, false)) return;
    mirror::Draft before = draft;
    log::Json::Object body = *draft.body.object();
    body.insert_or_assign("stopped", "us");
    before.body = log::Json(std::move(body));
    ASSERT_OK(log.append(std::move(before), {}));
  });
  expect_nothing_taken_twice(twice, true);
}

// Else each reveal would take one field more for what is there already.
TEST_F(ReceivedWhole, EndsTheConsentOfWhoeverOpensForItOnceMore) {
  for (bool alpha_opened_first = false; !alpha_opened_first;) {  // a coin of the session says who does
    SetUp();
    const Bound malware = bravo_bound_to("malware");
    consent({"malware"});
    ASSERT_OK(hold_reveal(*alpha_, *bravo_, session_).began);
    stand(*alpha_, {"actor"});
    consent({"actor"});
    ASSERT_EQ(in_force(*alpha_), 1u);
    EXPECT_FALSE(pay_again(malware).began.has_value());
    alpha_opened_first = opened(*alpha_, "actor") == 1;
    EXPECT_EQ(in_force(*alpha_), alpha_opened_first ? 0u : 1u);
    ASSERT_OK(remove_standing_consent(*alpha_->vault, alpha_->vault->session(session_)->group, 1));
  }
}

TEST_F(Received, ByAMemberWhoseVaultWasPutBackComesAgainWithoutBlame) {
  for (const bool restored_calls : {true, false}) {
    SetUp();
    const auto older = vault::contents(bravo_home_.folder());
    consent({"malware"});
    ASSERT_OK(hold_reveal(*alpha_, *bravo_, session_).began);
    bravo_.reset();
    vault::restore(bravo_home_.folder(), older);
    bravo_.emplace(bravo_home_);
    ASSERT_EQ(received(*bravo_, "malware"), 0u);

    // It has been opened alpha's names of malware, and alpha its own: what it pays with is another field.
    stand(*alpha_, {"malware"});
    consent(*bravo_, {"actor"});
    const auto held =
        restored_calls ? hold_reveal(*bravo_, *alpha_, session_) : hold_reveal(*alpha_, *bravo_, session_);
    ASSERT_OK(held.began);
    ASSERT_OK(held.answered);
    EXPECT_EQ(received(*bravo_, "malware"), 3u) << "what it lost";
    EXPECT_EQ(received(*alpha_, "actor"), 3u);
    EXPECT_EQ(in_force(*alpha_), 1u);
    const ledger::Account by_alpha = account(*alpha_, "bravo"), by_bravo = account(*bravo_, "alpha");
    EXPECT_EQ(by_alpha.reveals_stopped, 0);
    EXPECT_EQ(by_alpha.field_in, by_bravo.field_out) << "both ledgers say the same";
    EXPECT_EQ(by_alpha.field_out, by_bravo.field_in);
    EXPECT_GE(by_alpha.field_in.known, 3);
    ASSERT_OK(remove_standing_consent(*alpha_->vault, alpha_->vault->session(session_)->group, 1));
  }
}

TEST_F(Received, ByAMemberThatHasNothingElseLeftComesAgainForNothing) {
  const auto older = vault::contents(bravo_home_.folder());
  consent({"malware"});
  ASSERT_OK(hold_reveal(*alpha_, *bravo_, session_).began);
  bravo_.reset();
  vault::restore(bravo_home_.folder(), older);
  bravo_.emplace(bravo_home_);
  consent({"malware"});
  const auto held = hold_reveal(*alpha_, *bravo_, session_);
  ASSERT_OK(held.began);
  EXPECT_EQ(held.began->numbers.they_open, 0u);
  EXPECT_EQ(received(*bravo_, "malware"), 3u);
  consent(*alpha_, {"actor", "malware"});
  consent(*bravo_, {"malware"});
  EXPECT_FALSE(hold_reveal(*bravo_, *alpha_, session_).began) << "what is new is not opened for nothing";
  EXPECT_EQ(opened(*alpha_, "actor"), 0u);
}

// Its log says that it opened; its vault does not.
TEST_F(Received, FromAMemberWhoseVaultWasPutBackIsNotOfferedByItAgain) {
  const auto older = vault::contents(bravo_home_.folder());
  consent({"malware"});
  ASSERT_OK(hold_reveal(*alpha_, *bravo_, session_).began);
  bravo_.reset();
  vault::restore(bravo_home_.folder(), older);
  bravo_.emplace(bravo_home_);
  consent({"first_seen", "malware"});
  const auto held = hold_reveal(*alpha_, *bravo_, session_);
  ASSERT_OK(held.began);
  EXPECT_EQ(held.began->numbers.they_offer, 3u) << "what alpha had received already it left out";
  EXPECT_EQ(received(*alpha_, "first_seen"), 3u);
}

// --- what a list can say --------------------------------------------------------------------------------------------

TEST_F(Received, OfNothingIsTheSameWhateverOneHolds) {
  const auto list_of = [&](Opened& side, Opened& peer) {
    const std::string session = session_between(side, peer);
    EXPECT_OK(give_consent(*side.vault, session, to({"malware"})));
    Bytes list;
    const Deviation look{.resend = [&](const wire::Frame& frame) {
      if (is_list(frame)) list = frame.payload;
      return std::vector{frame};
    }};
    (void)hold_reveal(side, peer, session, look);
    return list;
  };
  const TestMember poor_home("poor", {{indicator::Type::ipv4, "198.51.100.7", {}, 0},
                                      {indicator::Type::ipv4, "203.0.113.9", {}, 0},
                                      {indicator::Type::domain, "evil.example", {}, 0}});
  Opened poor(poor_home);
  const Bytes rich = list_of(*alpha_, *bravo_);
  EXPECT_EQ(rich, Bytes(ReceivedList::bytes_for(3)));
  EXPECT_EQ(list_of(poor, *bravo_), rich);
}

TEST_F(Received, ThatIsNotTheSignedListOfItsSizeIsRefusedBeforeAnyOffer) {
  struct Case {
    const char* what;
    std::function<std::vector<wire::Frame>(wire::Frame)> instead;
  };
  const wire::Frame bye{wire::FrameType::bye, {}};
  for (const auto& [what, instead] : {
           Case{"another",
                [](wire::Frame frame) {
                  frame.payload[0] ^= std::byte{1};
                  return std::vector{frame};
                }},
           Case{"longer",
                [](wire::Frame frame) {
                  frame.payload.resize(frame.payload.size() + 1);
                  return std::vector{frame};
                }},
           Case{"as long as a frame",
                [](wire::Frame frame) {
                  frame.payload.resize(wire::kMaxFrameBytes - 1);
                  return std::vector{frame};
                }},
           Case{"shorter",
                [&](wire::Frame frame) {
                  frame.payload.pop_back();
                  return std::vector{frame, bye};
                }},
           Case{"empty",
                [&](wire::Frame frame) {
                  frame.payload.clear();
                  return std::vector{frame, bye};
                }},
           Case{"none", [&](const wire::Frame&) { return std::vector{bye}; }},
       }) {
    const Deviation lying{
        .resend = [&](const wire::Frame& frame) { return is_list(frame) ? instead(frame) : std::vector{frame}; }};
    for (const bool caller_lies : {true, false}) {
      SCOPED_TRACE(what);
      consent({"malware"});
      const auto held = caller_lies ? hold_reveal(*alpha_, *bravo_, session_, lying)
                                    : hold_reveal(*alpha_, *bravo_, session_, {}, lying);
      EXPECT_FAILS(caller_lies ? held.answered : held.began, Errc::protocol);
      EXPECT_EQ(opened(*alpha_, "malware") + opened(*bravo_, "malware"), 0u);
      EXPECT_EQ(in_force(caller_lies ? *bravo_ : *alpha_), 1u) << "nothing was offered to it";
    }
  }
}

/// Bravo says that it has all but these fields, and signs it.
class Claimed : public Received {
 protected:
  Deviation claiming_all_but(std::size_t match, std::string_view path) {
    ReceivedList list(3);
    for (std::size_t i = 0; i < 3; ++i)
      for (const std::string_view each : kFieldsByValue)
        if (i != match || each != path) list.add(i, *field_index(each));
    return {.rewrite =
                [list, label = input_label(session_, Side::responder)](mirror::Draft& draft) {
                  if (draft.type != kRevealConsent) return;
                  log::Json::Object body = *draft.body.object();
                  body.insert_or_assign("received", to_hex(list.hash(label)));
                  draft.body = log::Json(std::move(body));
                },
            .resend =
                [list](const wire::Frame& frame) {
                  return std::vector{is_list(frame) ? wire::Frame{frame.type, to_bytes(list.bytes())} : frame};
                }};
  }
};

// Or it would see, as often as it likes and for nothing, how much of the rest we hold.
TEST_F(Claimed, ToBeThereAlreadyEndsConsentsWhereOnlyWhatItHadComesAgain) {
  consent({"malware"});
  ASSERT_OK(hold_reveal(*bravo_, *alpha_, session_).began);
  stand(*alpha_, {"actor", "malware"});
  consent(*bravo_, {"malware"});
  ASSERT_EQ(in_force(*alpha_), 1u);
  const auto held = hold_reveal(*bravo_, *alpha_, session_, claiming_all_but(1, "malware"));
  EXPECT_EQ(opened(*alpha_, "actor"), 0u);
  EXPECT_EQ(in_force(*alpha_), 0u) << "an operator says whether it may look again";
}

TEST_F(Received, ByTheOtherSideAlreadyEndsNoConsentOfWhoeverHasNothingElseToOpen) {
  consent({"malware"});
  ASSERT_OK(hold_reveal(*alpha_, *bravo_, session_).began);
  stand(*bravo_, {"malware"});
  consent(*alpha_, {"actor"});
  const auto held = hold_reveal(*alpha_, *bravo_, session_);
  EXPECT_FAILS(held.began, Errc::refused);
  EXPECT_EQ(in_force(*bravo_), 1u) << "nothing of its was at stake";
  EXPECT_EQ(opened(*alpha_, "actor"), 0u);
}

TEST_F(Claimed, ToBeThereAlreadyIsNotOpened) {
  consent({"malware"});
  const auto held = hold_reveal(*bravo_, *alpha_, session_, claiming_all_but(1, "malware"));
  EXPECT_FALSE(held.began.has_value() && held.began->numbers.they_open > 1);
  EXPECT_EQ(opened(*alpha_, "malware"), 1u);
}

// Else it could ask field by field what we hold, and go away before it has opened anything.
TEST_F(Claimed, ToBeThereAlreadyEndsConsentsWhereItIsNotGoneThroughWith) {
  const auto leave_at_offer = [](Deviation deviation) {
    deviation.resend = [inner = deviation.resend](const wire::Frame& frame) {
      return std::vector{shows_match(frame) ? wire::Frame{wire::FrameType::bye, {}} : inner(frame).front()};
    };
    return deviation;
  };
  struct Case {
    const char* what;
    std::string_view but;
    bool stays;
  };
  for (const auto& [what, but, stays] :
       {Case{"alpha holds it", "malware", false}, Case{"alpha does not", "source", false}}) {
    for (const bool bravo_calls : {true, false}) {
      SCOPED_TRACE(what);
      SetUp();
      stand(*alpha_, {"malware"});
      consent(*bravo_, {"malware"});
      if (!bravo_calls) consent(*alpha_, {"malware"});
      const Deviation lying = leave_at_offer(claiming_all_but(1, but));
      const auto held = bravo_calls ? hold_reveal(*bravo_, *alpha_, session_, lying)
                                    : hold_reveal(*alpha_, *bravo_, session_, {}, lying);
      EXPECT_FALSE((bravo_calls ? held.answered : held.began).has_value());
      EXPECT_EQ(in_force(*alpha_), 0u) << "an operator says whether it may look again";
      EXPECT_EQ(opened(*alpha_, "malware"), 0u);
      ASSERT_OK(remove_standing_consent(*alpha_->vault, alpha_->vault->session(session_)->group, 1));
    }
  }
}

}  // namespace
}  // namespace parley::session
