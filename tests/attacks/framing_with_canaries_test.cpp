// A member that accuses another by canaries that were none: slipped in later, not in the session, not in the result, or
// altered on their way. No such alarm holds, with any member. What no evidence can show is whether honest members hold
// the value: that is why it is published, and why software draws no conclusion.
#include "support/canaries.h"
#include "support/deviations.h"

namespace parley::session {
namespace {

using log::Json;

// alpha's canary was hit; now it raises an alarm, honestly or not. bravo checks it.
class Framing : public testing::Test {
 protected:
  void SetUp() override {
    commit_canaries_at(alpha_, bravo_, {dark(kDark)}, days_ago(3));
    session_ = session_between(bravo_, alpha_);
    ASSERT_FALSE(session_.empty());
    const auto alarm = alarm_about(alpha_, bravo_, session_);
    ASSERT_OK(alarm);
    alarm_ = *alarm;
  }
  group::JointLog& log() { return alpha_.log(charter_of(alpha_, bravo_)); }
  Status publish_and_check(const CanaryAlarm& alarm, const std::string& session) {
    TRY(const mirror::EntryView entry, published_alarm(alpha_, bravo_, alarm, session));
    const Status by_bravo = check_as_bystander(bravo_, alpha_, entry);
    const Status by_alpha = check_as_bystander(alpha_, bravo_, entry);
    EXPECT_EQ(by_bravo.has_value(), by_alpha.has_value()) << "all members come to the same";
    return by_bravo;
  }
  Status check(const CanaryAlarm& alarm) { return publish_and_check(alarm, session_); }
  /// The hits of alpha's session with this canary, as it would have to show them.
  CanaryHit hit() const { return alarm_.hits.front(); }

  TestMember alpha_home_{"alpha", material("sednit")},
      bravo_home_{"bravo", [] {
                    auto records = material("xagent");
                    records.push_back(record(indicator::Type::ipv4, kDark, "guess"));
                    return records;
                  }()};
  Opened alpha_{alpha_home_}, bravo_{bravo_home_};
  std::string session_;
  CanaryAlarm alarm_;
};

TEST_F(Framing, IsNotWhatAnHonestAlarmDoes) {
  EXPECT_OK(check(alarm_));
}

// The accuser has learned what bravo holds, and calls it a canary now.
TEST_F(Framing, WithAValueThatWasCommittedToAfterTheSessionIsRefused) {
  auto book = group::CanaryBook::load(*alpha_.vault, log().group());
  ASSERT_OK(book);
  ASSERT_OK(book->add(dark("198.51.100.7")));
  const auto set = book->draw();
  ASSERT_OK(set);
  const auto entry = log().append(mirror::draft_for_everyone(log::kCanarySet, group::canary_set_body(set->root())), {});
  ASSERT_OK(entry);
  for (const group::CommittedCanary& each : set->committed()) {
    CanaryAlarm alarm = alarm_;
    alarm.hits[0].canary = each;
    alarm.hits[0].canary.set_entry = entry->leaf_hash;
    EXPECT_FAILS(check(alarm), Errc::protocol) << each.canary.indicator.value();
  }
}

// It writes a set before the session and dates both so that a day seems to lie between them.
TEST_F(Framing, WithASetThatOnlyItsOwnerCallsOldIsRefused) {
  const TestMember carol_home("carol", material("turla")), dave_home("dave", material("hydra"));
  Opened carol(carol_home), dave(dave_home);
  open_logs(carol, dave, days_ago(4));
  const group::SignedCharter charter = charter_of(carol, dave);
  const auto set = group::CanarySet::draw(std::vector{dark("198.51.100.7")});
  Digest set_entry{};
  carol.log(charter).with([&](mirror::Replica& replica) {
    const auto entry =
        replica.append(mirror::draft_for_everyone(log::kCanarySet, group::canary_set_body(set.root())), days_ago(3));
    ASSERT_OK(entry);
    set_entry = entry->leaf_hash;
  });
  const auto held = hold_session(dave, carol, which_addresses_and_names());
  ASSERT_OK(held.began);
  carry_between(carol.log(charter), dave.log(charter), wall_clock_now());
  const AlarmSources sources = *sources_of(*dave.vault, dave.membership(charter));
  const auto entry = sources.entry("carol", set_entry);
  ASSERT_OK(entry);
  EXPECT_EQ(entry->entry.time / 86'400, days_ago(3) / 86'400) << "its owner says that it is three days old";
  const auto in_time = sources.final_by({.nick = "carol",
                                         .seq = entry->entry.seq,
                                         .time = wall_clock_now() - group::kCanaryAge,
                                         .charter = charter.hash,
                                         .accused = "dave"});
  ASSERT_OK(in_time);
  EXPECT_FALSE(*in_time) << "and the one who cosigned it says when it first saw it";
}

// Whoever was no party, or shows another commitment than the one that the accused had before it ran.
TEST_F(Framing, ByACommitmentThatTheAccusedDidNotRunAgainstIsRefused) {
  const auto entry = published_alarm(alpha_, bravo_, alarm_, session_);
  ASSERT_OK(entry);
  const group::SignedCharter charter = charter_of(bravo_, alpha_);
  const AlarmSources honest = *sources_of(*bravo_.vault, bravo_.membership(charter));
  ASSERT_OK(check_alarm(*entry, honest));
  const auto with_run = [&](const std::function<void(log::Entry&)>& change) {
    AlarmSources sources = honest;
    sources.entry = [&](const std::string& nick, const Digest& hash) -> Result<mirror::EntryView> {
      TRY(mirror::EntryView found, honest.entry(nick, hash));
      if (hash == alarm_.run) change(found.entry);
      return found;
    };
    return check_alarm(*entry, sources);
  };
  EXPECT_FAILS(with_run([](log::Entry& run) { run.refs = {Digest{std::byte{1}}}; }), Errc::protocol);
  EXPECT_FAILS(with_run([](log::Entry& run) { run.refs.clear(); }), Errc::protocol);
  EXPECT_FAILS(with_run([](log::Entry& run) { run.session = std::string(32, 'a'); }), Errc::protocol);
  EXPECT_FAILS(with_run([](log::Entry& run) { run.seq += 1000; }), Errc::protocol) << "after its result";
}

// It states that it ran long after the canaries were of any use. Others have signed for its log before that.
TEST_F(Framing, IsNotWhatAnAlarmIsWhoseAccusedDatesItsRunLater) {
  const auto entry = published_alarm(alpha_, bravo_, alarm_, session_);
  ASSERT_OK(entry);
  const group::SignedCharter charter = charter_of(bravo_, alpha_);
  const AlarmSources honest = *sources_of(*bravo_.vault, bravo_.membership(charter));
  AlarmSources sources = honest;
  sources.entry = [&](const std::string& nick, const Digest& hash) -> Result<mirror::EntryView> {
    TRY(mirror::EntryView found, honest.entry(nick, hash));
    if (hash == alarm_.run) found.entry.time += 2 * group::kCanaryLife;
    return found;
  };
  EXPECT_OK(check_alarm(*entry, sources));
  // Where nobody else says that the run was earlier, its word counts.
  sources.final_by = [&](const HeldBy& held) -> Result<bool> {
    if (held.nick == alarm_.accused) return false;
    return honest.final_by(held);
  };
  const Status refused = check_alarm(*entry, sources);
  EXPECT_FAILS(refused, Errc::protocol);
  EXPECT_THAT(refused.error().text(), testing::HasSubstr("older than 30 days"));
}

// Of many sets, each with other canaries, one fits whatever the accused holds.
TEST_F(Framing, WithCanariesOfTwoSetsIsRefused) {
  const TestMember carol_home("carol", material("turla")), dave_home("dave", [] {
    auto records = material("hydra");
    for (const char* value : {kDark, "192.0.2.78"}) records.push_back(record(indicator::Type::ipv4, value, "guess"));
    return records;
  }());
  Opened carol(carol_home), dave(dave_home);
  commit_canaries_at(carol, dave, {dark(kDark, 500)}, days_ago(4));
  commit_canaries_at(carol, dave, {dark("192.0.2.78", 500)}, days_ago(3));
  const auto held = hold_session(dave, carol, which_addresses_and_names());
  ASSERT_OK(held.began);
  auto alarm = alarm_about(carol, dave, *held.began);
  ASSERT_OK(alarm);
  ASSERT_EQ(alarm->hits.size(), 2u);
  const auto check = [&] {
    const auto entry = published_alarm(carol, dave, *alarm, *held.began);
    EXPECT_OK(entry);
    return check_as_bystander(dave, carol, *entry);
  };
  EXPECT_OK(check()) << "the second set has both";
  const auto book = group::CanaryBook::load(*carol.vault, charter_of(carol, dave).charter.group);
  ASSERT_OK(book);
  const group::CanaryBook::Committed& first = book->sets().front();
  CanaryHit& hit = alarm->hits[alarm->hits[0].canary.canary.indicator.value() == kDark ? 0 : 1];
  hit.canary = first.set.committed().front();
  hit.canary.set_entry = first.entry;
  const Status mixed = check();
  EXPECT_FAILS(mixed, Errc::protocol);
  EXPECT_THAT(mixed.error().text(), testing::HasSubstr("more than one set"));
}

TEST_F(Framing, WithACanaryOfAnotherSessionIsRefused) {
  Question about_names = which_addresses_and_names();
  about_names.types = {indicator::Type::domain};
  const auto held = hold_session(bravo_, alpha_, about_names);
  ASSERT_OK(held.began);
  EXPECT_FALSE(publish_and_check(alarm_, *held.began)) << "entries of one session in an alarm about another";
  // The commitment and the result of the second session, in which the canary was not: it was about names.
  const auto shown = [&](group::JointLog& reader, const std::string& author, std::string_view type) {
    CanaryAlarm::Shown result;
    const auto steps = alpha_.vault->session_steps(*held.began);
    EXPECT_OK(steps);
    for (const vault::SessionStep& step : *steps) {
      if (step.author != author || step.type != type) continue;
      const auto entry = find_step(reader, step);
      EXPECT_OK(entry);
      const auto body = alpha_.vault->entry_body(entry->leaf_hash);
      EXPECT_OK(body);
      result = {.entry = entry->leaf_hash,
                .body = {.salt = (*body)->salt, .text = std::string(as_text((*body)->content))}};
    }
    return result;
  };
  CanaryAlarm alarm = alarm_;
  alarm.commit = shown(log(), "alpha", kCommit);
  alarm.result = shown(log(), "bravo", kResult);
  EXPECT_FAILS(publish_and_check(alarm, *held.began), Errc::protocol);
}

TEST_F(Framing, ByAnAlarmThatWasAlteredIsRefused) {
  const auto flip = [](auto& bytes) { bytes[7] ^= std::byte{1}; };
  const std::vector<std::pair<const char*, std::function<void(CanaryAlarm&)>>> changes = {
      {"another member", [](CanaryAlarm& a) { a.accused = "alpha"; }},
      {"a member that is not there", [](CanaryAlarm& a) { a.accused = "zulu"; }},
      {"another commitment", [](CanaryAlarm& a) { a.commit.entry = a.result.entry; }},
      {"another result", [](CanaryAlarm& a) { a.result.entry = a.commit.entry; }},
      {"another run", [](CanaryAlarm& a) { a.run = a.result.entry; }},
      {"no run", [](CanaryAlarm& a) { a.run = {}; }},
      {"an altered commitment", [&](CanaryAlarm& a) { a.commit.body.text[20] ^= 1; }},
      {"an altered result",
       [](CanaryAlarm& a) { a.result.body.text.replace(a.result.body.text.find("count"), 5, "Count"); }},
      {"another salt of the result", [&](CanaryAlarm& a) { flip(a.result.body.salt); }},
      {"another value", [](CanaryAlarm& a) { a.hits[0].canary.canary.indicator = dark("198.51.100.7").indicator; }},
      {"a smaller chance", [](CanaryAlarm& a) { a.hits[0].canary.canary.eps_ppm = 1; }},
      {"another reason", [](CanaryAlarm& a) { a.hits[0].canary.canary.why_nobody_holds = "of course"; }},
      {"an earlier origin", [](CanaryAlarm& a) { a.hits[0].canary.canary.created = 0; }},
      {"another salt of the canary", [&](CanaryAlarm& a) { flip(a.hits[0].canary.salt); }},
      {"another place in the set", [](CanaryAlarm& a) { a.hits[0].canary.index ^= 1; }},
      {"another path in the set", [&](CanaryAlarm& a) { flip(a.hits[0].canary.path[2]); }},
      {"no path in the set", [](CanaryAlarm& a) { a.hits[0].canary.path.clear(); }},
      {"another set", [](CanaryAlarm& a) { a.hits[0].canary.set_entry = a.commit.entry; }},
      {"another salt of the item", [&](CanaryAlarm& a) { flip(a.hits[0].item_salt); }},
      {"another place of the item", [](CanaryAlarm& a) { a.hits[0].item_index ^= 1; }},
      {"another path of the item", [&](CanaryAlarm& a) { flip(a.hits[0].item_path[3]); }},
      {"another size of the set", [](CanaryAlarm& a) { a.hits[0].item_count *= 2; }},
      {"another key of the tag", [&](CanaryAlarm& a) { flip(a.hits[0].tag->item_key); }},
      {"another place of the tag", [](CanaryAlarm& a) { a.hits[0].tag->index ^= 1; }},
      {"another path of the tag", [&](CanaryAlarm& a) { flip(a.hits[0].tag->path[0]); }},
      {"another count", [](CanaryAlarm& a) { ++a.hits[0].tag->count; }},
      {"one hit as two", [](CanaryAlarm& a) { a.hits.push_back(a.hits[0]); }},
  };
  for (const auto& [what, change] : changes) {
    CanaryAlarm alarm = alarm_;
    change(alarm);
    EXPECT_FALSE(check(alarm)) << what;
  }
}

// Every bit of what is published.
TEST_F(Framing, ByAnyFlippedBitOfAnAlarmIsRefused) {
  const auto honest = published_alarm(alpha_, bravo_, alarm_, session_);
  ASSERT_OK(honest);
  const std::string text = log::write_pjson(*honest->body);
  const group::SignedCharter charter = charter_of(bravo_, alpha_);
  const AlarmSources sources = *sources_of(*bravo_.vault, bravo_.membership(charter));
  ASSERT_OK(check_alarm(*honest, sources));
  std::size_t accepted = 0, tried = 0;
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string altered = text;
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << (bit % 8)));
    const auto json = log::parse_pjson(altered, log::kMaxBodyBytes);
    ++tried;
    if (!json) continue;
    mirror::EntryView entry = *honest;
    entry.body = *json;
    if (check_alarm(entry, sources)) ++accepted;
  }
  EXPECT_EQ(accepted, 0u) << "of " << tried;
}

TEST_F(Framing, IsNotAnOpinionAboutAnAlarm) {
  const CanaryOpinion opinion{.alarm = Digest{}, .agree = false, .why = "we see it in our own telemetry"};
  const auto back = CanaryOpinion::from_json(opinion.to_json());
  ASSERT_OK(back);
  EXPECT_EQ(back->why, opinion.why);
  Json::Object more = *opinion.to_json().object();
  more.emplace("expel", true);
  EXPECT_FAILS(CanaryOpinion::from_json(Json(more)), Errc::format);
}

}  // namespace
}  // namespace parley::session
