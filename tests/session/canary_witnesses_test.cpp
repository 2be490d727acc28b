// A guesser that takes back or dates ahead what it has signed of the others' logs, or is no member any more: canaries
// stay in use against it, and alarms hold. And a member that would frame another gains nothing by that.
#include "session/alarm_list.h"
#include "support/canaries.h"
#include "support/short_rotation.h"
#include "vault/tables.h"

namespace parley::session {
namespace {

constexpr UnixSeconds kYear = 365 * 86'400;

// alpha has canaries, bravo guesses, the others look on.
class Witnesses : public testing::Test {
 protected:
  explicit Witnesses(std::size_t count = 3) {
    auto guesses = material("xagent");
    guesses.push_back(record(indicator::Type::ipv4, kDark, "guess"));
    const std::vector<std::string> nicks = {"alpha", "bravo", "charlie", "delta", "echo"};
    for (std::size_t i = 0; i < count; ++i) {
      homes_.push_back(std::make_unique<TestMember>(nicks.at(i), i == 1 ? guesses : material("sednit")));
      members_.push_back(std::make_unique<Opened>(*homes_.back()));
    }
    std::vector<Opened*> all;
    for (auto& member : members_) all.push_back(member.get());
    charter_ = charter_among(all);
    const auto then = [](std::size_t) { return days_ago(5); };
    carry_all(then);
    for (Opened* one : all)
      log(*one).with([&](mirror::Replica& replica) {
        ASSERT_OK(replica.append(mirror::draft_for_everyone(log::kLogOpen, log::Json::Object{{"v", 1}}), days_ago(5)));
      });
    carry_all(then);
  }
  Opened& alpha() { return *members_[0]; }
  Opened& bravo() { return *members_[1]; }
  RewritingLog& log(Opened& member) { return member.log(charter_); }

  using Clock = std::function<std::optional<UnixSeconds>(std::size_t member)>;
  /// Everybody meets everybody twice, each by its own clock; nobody meets a member that has none.
  void carry_all(const Clock& clock) {
    for (int round = 0; round < 2; ++round)
      for (std::size_t i = 0; i < members_.size(); ++i)
        for (std::size_t j = i + 1; j < members_.size(); ++j)
          if (clock(i) && clock(j)) carry_between(log(*members_[i]), log(*members_[j]), *clock(i), *clock(j));
  }
  void carry_now() {
    carry_all([](std::size_t) { return wall_clock_now(); });
  }
  /// alpha's set, three days old by its own word, and cosigned by these clocks.
  void commit(const Clock& clock) {
    put_canaries_at(alpha(), charter_, {dark(kDark)}, days_ago(3));
    carry_all(clock);
  }
  bool is_in_use(const std::string& against) {
    const auto book = group::CanaryBook::load(*alpha().vault, charter_.charter.group);
    EXPECT_OK(book);
    const auto sources = sources_of(*alpha().vault, alpha().membership(charter_));
    EXPECT_OK(sources);
    const auto set = canary_set_in_use(*book, *sources, alpha().membership(charter_), wall_clock_now(), against);
    EXPECT_OK(set);
    return set && *set != nullptr;
  }
  /// bravo asks, and is hit.
  void ask() {
    const auto held = hold_session_in(charter_, bravo(), alpha(), which_addresses_and_names());
    ASSERT_OK(held.began);
    ASSERT_OK(held.answered);
    session_ = *held.began;
    carry_now();
  }
  Result<mirror::EntryView> raise() {
    TRY(const AlarmSources sources, sources_of(*alpha().vault, alpha().membership(charter_)));
    TRY(const CanaryAlarm alarm, alarm_of(*alpha().vault, log(alpha()), sources, session_));
    mirror::Draft draft = mirror::draft_for_everyone(log::kCanaryAlarm, alarm.to_json());
    draft.session = session_;
    TRY(mirror::EntryView entry, log(alpha()).append(std::move(draft), {}));
    carry_now();
    return entry;
  }
  Status check_by(std::size_t member, const mirror::EntryView& alarm) {
    TRY(const AlarmSources sources, sources_of(*members_[member]->vault, members_[member]->membership(charter_)));
    return check_alarm(alarm, sources);
  }
  /// As alpha has it when these have left and these versions have come into force after the first.
  group::Membership later(std::set<std::string, std::less<>> left, std::vector<group::SignedCharter> amendments = {}) {
    amendments.insert(amendments.begin(), charter_);
    return {{.id = charter_.charter.group, .name = "three", .state = std::string(group::kActive)},
            std::move(amendments),
            std::move(left),
            {},
            *log::parse_vkey(alpha().member.card.id_vkey)};
  }
  group::SignedCharter amended(const std::function<void(group::Charter&)>& change) {
    group::SignedCharter next = charter_;
    change(next.charter);
    next.charter.seq = charter_.charter.seq + 1;
    next.hash = group::charter_hash(next.charter);
    return next;
  }
  /// A member's rotation with no cutoffs reaches all others.
  void take_back(std::size_t member) {
    Opened& owner = *members_[member];
    const group::GroupKeys keys = owner.home.keys_of(*owner.vault, charter_.charter.group);
    const auto id = group::load_id_seed(owner.home.folder(), owner.home.unlock());
    ASSERT_OK(id);
    log::MemberKeys names = keys.keys;
    names.id = owner.charter_member(charter_.charter.group).id;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (i == member) continue;
      mirror::VaultStore store(*members_[i]->vault, charter_.charter.group, {}, 0);
      const mirror::Message push =
          mirror::short_rotation(store, charter_.charter.group, names, {keys.node, keys.log, *id}, next_);
      log(*members_[i]).with([&](mirror::Replica& replica) {
        ASSERT_OK(replica.take(owner.member.card.nick, push, wall_clock_now()));
        ASSERT_OK(replica.flush());
        const auto known = replica.keys_of(owner.member.card.nick);
        ASSERT_OK(known);
        ASSERT_EQ(known->rotated.size(), 1u);
      });
    }
  }
  static std::optional<UnixSeconds> in_time(std::size_t) { return days_ago(3); }
  /// bravo's clock is a year ahead.
  static std::optional<UnixSeconds> bravo_ahead(std::size_t i) { return days_ago(3) + (i == 1 ? kYear : 0); }

  void expect_alarm_holds_after_it_is_taken_back(const Clock& clock) {
    commit(clock);
    ASSERT_TRUE(is_in_use("bravo"));
    ask();
    const auto alarm = raise();
    ASSERT_OK(alarm);
    take_back(1);
    EXPECT_TRUE(is_in_use("bravo"));
    EXPECT_TRUE(is_in_use({}));
    for (std::size_t i = 0; i < members_.size(); ++i)
      if (i != 1) {
        EXPECT_OK(check_by(i, *alarm)) << i;
      }
  }

  std::vector<std::unique_ptr<TestMember>> homes_;
  std::vector<std::unique_ptr<Opened>> members_;
  group::SignedCharter charter_;
  std::string session_;
  const Secret<32> next_ = random_secret<32>();
};
class WitnessesOfTwo : public Witnesses {
 protected:
  WitnessesOfTwo() : Witnesses(2) {}
};
class WitnessesOfFour : public Witnesses {
 protected:
  WitnessesOfFour() : Witnesses(4) {}
};

// --- what is kept counts
// ----------------------------------------------------------------------------------------------

TEST_F(Witnesses, StayCountedWhateverTheirRotationsSayLater) {
  expect_alarm_holds_after_it_is_taken_back(in_time);
}
TEST_F(WitnessesOfTwo, StayCountedWhateverTheirRotationsSayLater) {
  expect_alarm_holds_after_it_is_taken_back(in_time);
}
TEST_F(Witnesses, WhoseClocksAreAheadCountFromWhenTheirWordCame) {
  expect_alarm_holds_after_it_is_taken_back(bravo_ahead);
}
TEST_F(WitnessesOfTwo, WhoseClocksAreAheadCountFromWhenTheirWordCame) {
  expect_alarm_holds_after_it_is_taken_back(bravo_ahead);
}

TEST_F(Witnesses, MayTakeTheirWordBackBeforeTheyAskAndAreHitAllTheSame) {
  commit(in_time);
  take_back(1);
  EXPECT_TRUE(is_in_use("bravo"));
  EXPECT_TRUE(is_in_use("charlie"));
}

TEST_F(Witnesses, WhoAreAccusedNeedNotHaveSignedWhereTheOthersHave) {
  commit([](std::size_t i) { return i == 1 ? std::nullopt : std::optional(days_ago(3)); });
  EXPECT_TRUE(is_in_use("bravo"));
  EXPECT_FALSE(is_in_use("charlie")) << "of three all are due, but for the accused";
  EXPECT_FALSE(is_in_use({}));
  ask();
  const auto alarm = raise();
  ASSERT_OK(alarm);
  EXPECT_OK(check_by(2, *alarm));
}

TEST_F(Witnesses, WhoseWordIsMissingOrAheadAreNamed) {
  commit([](std::size_t i) { return i == 2 ? std::nullopt : bravo_ahead(i); });
  const auto sources = sources_of(*alpha().vault, alpha().membership(charter_));
  ASSERT_OK(sources);
  const auto voters = voters_on(*sources, alpha().membership(charter_), 1);
  ASSERT_OK(voters);
  ASSERT_EQ(voters->size(), 2u);
  EXPECT_EQ((*voters)[0].nick, "bravo");
  EXPECT_TRUE((*voters)[0].is_ahead(600));
  EXPECT_EQ((*voters)[0].holding->since / 86'400, days_ago(3) / 86'400);
  EXPECT_EQ((*voters)[1].nick, "charlie");
  EXPECT_FALSE((*voters)[1].holding.has_value());
}

// --- whatever becomes of the group
// --------------------------------------------------------------------------------------

class WitnessesOfFive : public Witnesses {
 protected:
  WitnessesOfFive() : Witnesses(5) {}
};

// The accused names an amendment that still gathers signatures, and of whose members fewer had signed a day before.
TEST_F(Witnesses, AreThoseOfTheVersionThatTheAccusedEnteredTheSessionUnder) {
  commit([](std::size_t i) { return i == 1 ? std::nullopt : std::optional(days_ago(3)); });
  ask();
  const auto alarm = raise();
  ASSERT_OK(alarm);
  const group::SignedCharter four = amended([](group::Charter& next) {
    next.members.push_back(next.members.back());
    next.members.back().keys.nick = "zulu";
  });
  const auto body = CanaryAlarm::from_json(*alarm->body);
  ASSERT_OK(body);
  for (const bool in_force : {false, true}) {
    const auto sources = sources_of(*alpha().vault, in_force ? later({}, {four}) : later({}));
    ASSERT_OK(sources);
    AlarmSources named = *sources;
    named.entry = [&](const std::string& nick, const Digest& hash) -> Result<mirror::EntryView> {
      TRY(mirror::EntryView entry, sources->entry(nick, hash));
      if (hash == body->run || hash == body->commit.entry) entry.entry.charter = four.hash;
      return entry;
    };
    EXPECT_OK(check_alarm(*alarm, *sources)) << in_force;
    EXPECT_OK(check_alarm(*alarm, named)) << in_force;
  }
}

TEST_F(WitnessesOfFive, StayCountedWhenTheyLeaveAfterwards) {
  // Of the four others three are due, and echo has seen nothing.
  commit([](std::size_t i) { return i == 1 || i == 4 ? std::nullopt : std::optional(days_ago(3)); });
  ask();
  const auto alarm = raise();
  ASSERT_OK(alarm);
  const std::vector<std::string> others = {"alpha", "bravo", "charlie", "delta", "echo"};
  for (std::size_t gone = 0; gone < std::size_t{1} << others.size(); ++gone) {
    std::set<std::string, std::less<>> left;
    for (std::size_t i = 0; i < others.size(); ++i)
      if (gone >> i & 1) left.insert(others[i]);
    const auto sources = sources_of(*alpha().vault, later(left));
    ASSERT_OK(sources);
    EXPECT_OK(check_alarm(*alarm, *sources)) << fmt::format("{}", fmt::join(left, ", "));
  }
}

TEST_F(Witnesses, AreNotCountedByAVersionThatNobodyHereKnows) {
  commit(in_time);
  ask();
  const auto alarm = raise();
  ASSERT_OK(alarm);
  const group::SignedCharter unknown = amended([](group::Charter& next) { next.purpose = "another"; });
  const auto sources = sources_of(*alpha().vault, alpha().membership(unknown));
  ASSERT_OK(sources);
  const Status checked = check_alarm(*alarm, *sources);
  EXPECT_FAILS(checked, Errc::not_found);
  EXPECT_THAT(checked.error().text(), testing::HasSubstr("a version of the charter that is not known here"));
}

// --- and nobody is framed by it
// -----------------------------------------------------------------------------------------

TEST_F(WitnessesOfTwo, WhoFirstSawASetNowAreNotAccusedByItsOwnersDate) {
  commit([](std::size_t) { return wall_clock_now(); });
  EXPECT_FALSE(is_in_use("bravo"));
}

TEST_F(Witnesses, WhoSawASetTooLateMakeNoAlarmHold) {
  commit([](std::size_t i) { return i == 2 ? std::nullopt : std::optional(days_ago(3)); });
  carry_now();
  EXPECT_TRUE(is_in_use("charlie"));
  EXPECT_FALSE(is_in_use("bravo")) << "charlie is due where another is accused";
  EXPECT_FALSE(is_in_use({}));
}

TEST_F(WitnessesOfFour, WhoHelpTheAccuserAreTooFewAgainstOneWhoDoesNot) {
  // charlie dates its word back for alpha; bravo and delta state when they saw the set.
  commit([](std::size_t i) { return i == 2 ? days_ago(3) : wall_clock_now(); });
  EXPECT_FALSE(is_in_use("bravo"));
  EXPECT_FALSE(is_in_use({}));
}

// --- the list of alarms
// -------------------------------------------------------------------------------------------------

class AlarmList : public Witnesses {
 protected:
  Result<Alarms> alarms_under(const group::Membership& membership) {
    TRY(const AlarmSources sources, sources_of(*alpha().vault, membership));
    return read_alarms(*alpha().vault, charter_.charter.group, sources);
  }
  Result<Alarms> alarms() { return alarms_under(alpha().membership(charter_)); }
  /// As alpha has it once bravo is expelled.
  group::Membership without_bravo() {
    return later({}, {amended([](group::Charter& next) {
                   std::erase_if(next.members, [](const auto& member) { return member.keys.nick == "bravo"; });
                 })});
  }
  void write(std::size_t member, std::string_view type, std::size_t count, const log::Json& body) {
    std::vector<mirror::Appending> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back({mirror::draft_for_everyone(type, body), {}});
    log(*members_[member]).with([&](mirror::Replica& replica) {
      for (const auto& written : replica.append_all(std::move(all), wall_clock_now())) ASSERT_OK(written);
    });
    carry_between(log(*members_[member]), log(alpha()), wall_clock_now());
  }
};

TEST_F(AlarmList, StaysWholeAfterItsAccusedIsExpelled) {
  commit(in_time);
  ask();
  const auto alarm = raise();
  ASSERT_OK(alarm);
  write(1, log::kCanaryAlarm, 1, log::Json::Object{{"v", 1}});
  write(1, log::kCanaryOpinion, 1,
        CanaryOpinion{.alarm = alarm->leaf_hash, .agree = false, .why = "it is in a public feed"}.to_json());
  const auto found = alarms_under(without_bravo());
  ASSERT_OK(found);
  EXPECT_TRUE(found->unreadable.empty());
  ASSERT_EQ(found->found.size(), 2u);
  for (const FoundAlarm& each : found->found) {
    if (each.entry.leaf_hash != alarm->leaf_hash) continue;
    EXPECT_OK(each.holds);
    EXPECT_TRUE(each.opinions.contains("bravo"));
  }
  EXPECT_EQ(std::ranges::count_if(found->found, [](const FoundAlarm& each) { return each.holds.has_value(); }), 1);
}

// Somebody who learned of bravo's canary in an audit commits to it, and meets it where bravo's stands.
TEST_F(AlarmList, SaysOfAValueThatItIsACanaryOfWhoChecksAndSinceWhen) {
  put_canaries_at(bravo(), charter_, {dark(kDark)}, days_ago(4));
  commit(in_time);
  ask();
  ASSERT_OK(raise());
  const auto seen_by = [&](Opened& member) {
    const auto sources = sources_of(*member.vault, member.membership(charter_));
    EXPECT_OK(sources);
    auto found = read_alarms(*member.vault, charter_.charter.group, *sources);
    EXPECT_OK(found);
    EXPECT_EQ(found->found.size(), 1u);
    EXPECT_OK(found->found.front().holds);
    return std::move(found->found.front().ours);
  };
  const auto ours = seen_by(bravo());
  ASSERT_EQ(ours.size(), 1u);
  EXPECT_EQ(ours[0].value.value(), kDark);
  EXPECT_EQ(ours[0].seq, 1u);
  EXPECT_NEAR(static_cast<double>(ours[0].time), static_cast<double>(days_ago(4)), 60);
  ASSERT_TRUE(ours[0].theirs);
  EXPECT_NEAR(static_cast<double>(*ours[0].theirs), static_cast<double>(days_ago(3)), 60);
  EXPECT_TRUE(seen_by(alpha()).empty()) << "it is its own alarm";
  EXPECT_TRUE(seen_by(*members_[2]).empty()) << "it has no canaries";
}

TEST_F(AlarmList, TellsOfADamagedLogAndHidesNoOther) {
  commit(in_time);
  ask();
  ASSERT_OK(raise());
  write(1, log::kCanaryAlarm, 1, log::Json::Object{{"v", 1}});
  TestMember& home = *homes_[0];
  members_[0].reset();
  vault::execute_in(home.folder(), home.unlock(),
                    "UPDATE log_leaves SET note = '\"canary.' WHERE note LIKE '%\"author\":\"bravo\"%canary.alarm%'");
  members_[0] = std::make_unique<Opened>(home);
  const auto found = alarms();
  ASSERT_OK(found);
  EXPECT_TRUE(found->unreadable.contains("bravo"));
  ASSERT_EQ(found->found.size(), 1u);
  EXPECT_OK(found->found.front().holds);
}

TEST_F(AlarmList, ReadsTheCheckpointsOfASetOnceHoweverManyAlarmsAreAboutIt) {
  commit(in_time);
  ask();
  const auto alarm = raise();
  ASSERT_OK(alarm);
  const auto sources = sources_of(*alpha().vault, alpha().membership(charter_));
  ASSERT_OK(sources);
  auto cheap = CanaryAlarm::from_json(*alarm->body);
  ASSERT_OK(cheap);
  cheap->hits[0].item_salt[0] ^= std::byte{1};
  mirror::EntryView broken = *alarm;
  broken.body = cheap->to_json();
  EXPECT_FAILS(check_alarm(broken, *sources), Errc::protocol);
  EXPECT_EQ(sources->holdings->read_count(), 0u) << "what needs no log is looked at first";
  for (std::size_t i = 0; i < kMostAlarmsOfOne; ++i) ASSERT_OK(check_alarm(*alarm, *sources));
  EXPECT_EQ(sources->holdings->read_count(), 1u);
}

TEST_F(AlarmList, LeavesOutWhatIsMoreThanOneMemberIsHeardWith) {
  write(1, log::kCanaryAlarm, kMostAlarmsOfOne + 3, log::Json::Object{{"v", 1}});
  write(1, log::kCanaryOpinion, kMostOpinionsOfOne + 2, log::Json::Object{{"v", 1}});
  const auto found = alarms();
  ASSERT_OK(found);
  EXPECT_EQ(found->found.size(), kMostAlarmsOfOne);
  EXPECT_EQ(found->left_out.at("bravo"), 5u);
}

TEST_F(AlarmList, LeavesOutAlarmsBeyondAMembersShareOfMemory) {
  const std::string long_text(900'000, 'x');
  for (int i = 0; i < 20; ++i) write(2, log::kCanaryAlarm, 1, log::Json::Object{{"why", long_text}});
  const auto found = alarms();
  ASSERT_OK(found);
  EXPECT_EQ(found->found.size(), kMostAlarmBytesOfOne / long_text.size());
  EXPECT_EQ(found->left_out.at("charlie"), 20 - found->found.size());
}

}  // namespace
}  // namespace parley::session
