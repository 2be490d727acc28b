#include "admission/records.h"

#include "log/entry_type.h"
#include "support/admission_circle.h"

namespace parley::admission {
namespace {

KeyRecord key_record() {
  KeyRecord record{.epoch = "1.0.0", .members = {"alpha", "bravo"}, .keys = {}};
  for (const indicator::Type type : {indicator::Type::cve, indicator::Type::ipv4}) {
    const auto key = psi::admission::derive_key(random_secret<32>(), {});
    record.keys.push_back({.type = type, .key = {}, .proof = random_bytes<64>()});
    std::ranges::copy(key->public_key.encoding(), record.keys.back().key.begin());
  }
  return record;
}

CountRecord count_record() {
  return {.owner = "bravo",
          .type = indicator::Type::ipv4,
          .epoch = random_bytes<32>(),
          .batch = random_bytes<32>(),
          .answers = random_bytes<32>(),
          .count = 300,
          .total = 500};
}

TEST(AdmissionRecord, IsReadAsItWasWritten) {
  const KeyRecord key = key_record();
  const auto read_key = key_record_from_json(to_json(key));
  ASSERT_OK(read_key);
  EXPECT_EQ(to_json(*read_key), to_json(key));
  const CountRecord count = count_record();
  const auto read_count = count_record_from_json(to_json(count));
  ASSERT_OK(read_count);
  EXPECT_EQ(to_json(*read_count), to_json(count));
}

TEST(AdmissionRecord, IsRefusedWhenAValueIsOutOfBounds) {
  const auto altered = [](const log::Json& json, std::string_view key, log::Json value) {
    log::Json::Object object = *json.object();
    object.insert_or_assign(std::string(key), std::move(value));
    return log::Json(std::move(object));
  };
  const log::Json count = to_json(count_record()), key = to_json(key_record());
  EXPECT_FALSE(count_record_from_json(altered(count, "count", 0)));
  EXPECT_FALSE(count_record_from_json(altered(count, "count", 16'385)));
  EXPECT_FALSE(count_record_from_json(altered(count, "total", 299))) << "less than this batch";
  EXPECT_FALSE(count_record_from_json(altered(count, "type", "ipv5")));
  EXPECT_FALSE(count_record_from_json(altered(count, "owner", std::string(33, 'a'))));
  EXPECT_FALSE(count_record_from_json(altered(count, "epoch", "00")));
  EXPECT_FALSE(count_record_from_json(altered(count, "v", 2)));
  EXPECT_FALSE(count_record_from_json(altered(count, "more", 1)));
  EXPECT_FALSE(key_record_from_json(altered(key, "members", log::Json::Array{"bravo", "alpha"})));
  EXPECT_FALSE(key_record_from_json(altered(key, "members", log::Json::Array{"alpha", "alpha"})));
  EXPECT_FALSE(key_record_from_json(altered(key, "epoch", std::string(65, '1'))));
  EXPECT_FALSE(key_record_from_json(altered(key, "keys", log::Json::Array{})));
  const log::Json::Array keys = *key.object()->at("keys").array();
  EXPECT_FALSE(key_record_from_json(altered(key, "keys", log::Json::Array{keys[1], keys[0]}))) << "they ascend by type";
  EXPECT_FALSE(key_record_from_json(altered(key, "keys", log::Json::Array{keys[0], keys[0]})));
  EXPECT_FALSE(key_record_from_json(altered(key, "keys", log::Json::Array(100, keys[0]))));
  EXPECT_FALSE(key_record_from_json(altered(key, "keys", log::Json::Array{altered(keys[0], "key", "AAAA")})));
  EXPECT_FALSE(key_record_from_json(altered(key, "keys", log::Json::Array{altered(keys[0], "type", "ipv5")})));
}

TEST(BatchHash, IsAnotherForAnotherOwnerTypeEpochAndBatch) {
  const Digest epoch = random_bytes<32>();
  const Bytes blinded(64, std::byte{1});
  std::set<Digest> hashes{batch_hash(epoch, "alpha", indicator::Type::ipv4, blinded),
                          batch_hash(epoch, "bravo", indicator::Type::ipv4, blinded),
                          batch_hash(epoch, "alpha", indicator::Type::ipv6, blinded),
                          batch_hash(random_bytes<32>(), "alpha", indicator::Type::ipv4, blinded),
                          batch_hash(epoch, "alpha", indicator::Type::ipv4, ByteView(blinded).first(32))};
  EXPECT_EQ(hashes.size(), 5u);
}

/// alpha and bravo, whose keys are not in their logs yet.
class AdmissionKeys : public testing::Test {
 protected:
  void write_key(std::size_t i, const std::function<void(KeyRecord&)>& bend, bool prove_again = false) {
    circle.as(i, [&](const Party& us) {
      KeyRecord record{.epoch = epoch_name(us.membership, wall_clock_now()), .members = {"alpha", "bravo"}, .keys = {}};
      for (const indicator::Type type : {indicator::Type::cve, indicator::Type::ipv4})
        record.keys.push_back({.type = type, .key = {}, .proof = {}});
      const auto prove = [&] {
        for (KeyRecord::OfType& each : record.keys) {
          const auto key = own_key(us.desk, us.membership, record.epoch, each.type);
          std::ranges::copy(key->public_key.encoding(), each.key.begin());
          const Digest claim = claim_of(us.membership.charter().group, us.desk.card.nick, record, each.type);
          each.proof = *psi::admission::prove_possession(*key, claim,
                                                         crypto::Scalar::from_uniform(random_secret<64>().expose()));
        }
      };
      prove();
      bend(record);
      if (prove_again) prove();
      EXPECT_OK(us.log.append(mirror::draft_for_everyone(log::kAdmissionEpoch, to_json(record))));
      return 0;
    });
  }
  std::vector<std::string> missing_for(std::size_t i) {
    circle.synchronise();
    const auto standing = admission::standing(*circle[i].vault, circle.membership(i), wall_clock_now());
    return standing ? standing->missing : std::vector<std::string>{"?"};
  }

  static group::AdmissionClause two_types() {
    group::AdmissionClause clause = at_most(100);
    clause.types.insert(clause.types.begin(), {.type = indicator::Type::cve, .most = 100});
    return clause;
  }
  Circle circle{{{}, {}}, two_types()};
};

TEST_F(AdmissionKeys, OfAllMembersBringAnEpochIntoForceWithOneIdForAll) {
  circle.synchronise();
  EXPECT_EQ(missing_for(0), (std::vector<std::string>{"alpha", "bravo"}));
  circle.begin_epoch();
  EXPECT_TRUE(missing_for(0).empty());
  EXPECT_EQ(circle.epoch(0).id, circle.epoch(1).id);
  EXPECT_EQ(circle.epoch(0).name, "1.0.0");
}

TEST_F(AdmissionKeys, AreWrittenOnce) {
  circle.begin_epoch();
  const auto again = circle.as(0, [](const Party& us) { return publish_key(us, wall_clock_now()); });
  ASSERT_OK(again);
  EXPECT_FALSE(*again);
}

TEST_F(AdmissionKeys, WithoutAValidProofAreNone) {
  circle.synchronise();
  EXPECT_OK(circle.as(0, [](const Party& us) { return publish_key(us, wall_clock_now()); }));
  write_key(1, [](KeyRecord& record) { record.keys[1].proof[5] ^= std::byte{1}; });
  EXPECT_EQ(missing_for(0), std::vector<std::string>{"bravo"}) << "one type without a key is enough";
}

TEST_F(AdmissionKeys, OfOneTypeAreNoneOfAnother) {
  circle.synchronise();
  EXPECT_OK(circle.as(0, [](const Party& us) { return publish_key(us, wall_clock_now()); }));
  write_key(1, [](KeyRecord& record) {
    record.keys[1].key = record.keys[0].key, record.keys[1].proof = record.keys[0].proof;
  });
  EXPECT_EQ(missing_for(0), std::vector<std::string>{"bravo"}) << "the proof is for the other type";
  const Epoch epoch = [&] {
    Circle other{{{}, {}}, two_types()};
    other.begin_epoch();
    return other.epoch(0);
  }();
  EXPECT_EQ(epoch.keys.size(), 4u);
  EXPECT_FALSE(epoch.key("alpha", indicator::Type::cve)->equals(*epoch.key("alpha", indicator::Type::ipv4)));
  EXPECT_EQ(epoch.key("alpha", indicator::Type::ipv6), nullptr);
}

TEST_F(AdmissionKeys, OfSomeOfTheTypesAreNotEnough) {
  circle.synchronise();
  EXPECT_OK(circle.as(0, [](const Party& us) { return publish_key(us, wall_clock_now()); }));
  write_key(1, [](KeyRecord& record) { record.keys.pop_back(); });
  EXPECT_EQ(missing_for(0), std::vector<std::string>{"bravo"});
  EXPECT_OK(circle.as(1, [](const Party& us) { return publish_key(us, wall_clock_now()); }));
  EXPECT_TRUE(missing_for(0).empty()) << "the rest may come later";
}

// A proof that alpha made is none of bravo's: keys cannot be taken over.
TEST_F(AdmissionKeys, OfAnotherMemberAreNone) {
  circle.synchronise();
  EXPECT_OK(circle.as(0, [](const Party& us) { return publish_key(us, wall_clock_now()); }));
  circle.synchronise();
  EXPECT_OK(read_logs(*circle[1].vault, circle.charter().charter.group));
  const auto said = circle[1].vault->admission_keys(circle.charter().charter.group, "1.0.0");
  ASSERT_OK(said);
  ASSERT_EQ(said->size(), 2u);
  write_key(1, [&](KeyRecord& record) { record.keys[0].key = said->front().key; });
  EXPECT_EQ(missing_for(0), std::vector<std::string>{"bravo"});
}

TEST_F(AdmissionKeys, ForOtherMembersAreNoneOfTheseMembers) {
  circle.synchronise();
  EXPECT_OK(circle.as(0, [](const Party& us) { return publish_key(us, wall_clock_now()); }));
  write_key(1, [](KeyRecord& record) { record.members = {"alpha", "bravo", "mallory"}; }, true);
  EXPECT_EQ(missing_for(0), std::vector<std::string>{"bravo"});
}

TEST_F(AdmissionKeys, OfWhichALogHasTwoCountByTheFirst) {
  circle.begin_epoch();
  const Digest before = circle.epoch(0).id;
  write_key(1, [](KeyRecord& record) {
    std::ranges::copy(psi::admission::derive_key(random_secret<32>(), {})->public_key.encoding(),
                      record.keys[0].key.begin());
  });
  EXPECT_TRUE(missing_for(0).empty());
  EXPECT_EQ(circle.epoch(0).id, before);
}

// A proof takes longer to check than an entry to take.
TEST_F(AdmissionKeys, AreVerifiedOnceHoweverOftenALogSaysThem) {
  circle.begin_epoch();
  EXPECT_TRUE(missing_for(0).empty());
  for (int again = 0; again < 100; ++again) write_key(1, [](KeyRecord&) {}, true);
  circle.synchronise();
  const auto verified = read_logs(*circle[0].vault, circle.charter().charter.group);
  ASSERT_OK(verified);
  EXPECT_EQ(*verified, 0u);
  write_key(1, [](KeyRecord& record) { record.epoch = "2.0.0"; }, true);
  for (int again = 0; again < 100; ++again) write_key(1, [](KeyRecord& record) { record.epoch = "2.0.0"; }, true);
  circle.synchronise();
  const auto of_next = read_logs(*circle[0].vault, circle.charter().charter.group);
  ASSERT_OK(of_next);
  EXPECT_EQ(*of_next, 2u) << "one for each type";
}

TEST_F(AdmissionKeys, BeyondWhatAMemberMayEverHaveToWriteAreNotLookedAt) {
  circle.begin_epoch();
  EXPECT_TRUE(missing_for(0).empty());
  const std::string& group = circle.charter().charter.group;
  const std::string bravo = circle.charter().charter.member("bravo")->keys.log.name;
  ASSERT_OK(circle[0].vault->put_setting("admission-key-records " + bravo, fmt::format("{}", kMostKeyRecords - 1)));
  for (const char* epoch : {"2.0.0", "3.0.0"}) write_key(1, [&](KeyRecord& record) { record.epoch = epoch; }, true);
  circle.synchronise();
  const auto verified = read_logs(*circle[0].vault, group);
  ASSERT_OK(verified);
  EXPECT_EQ(*verified, 2u);
  EXPECT_EQ(circle[0].vault->admission_keys(group, "2.0.0")->size(), 2u) << "the last that counts";
  EXPECT_TRUE(circle[0].vault->admission_keys(group, "3.0.0")->empty());
}

TEST(EpochName, FollowsTheClockTheMembersAndWhoHasLeft) {
  Circle circle{{{}, {}, {}}, at_most(100)};
  const group::Membership now = circle.membership(0);
  const UnixSeconds begin = circle.charter().charter.not_before;
  EXPECT_EQ(epoch_name(now, begin), "1.0.0");
  EXPECT_EQ(epoch_name(now, begin + 90 * 86'400 - 1), "1.0.0");
  EXPECT_EQ(epoch_name(now, begin + 90 * 86'400), "1.0.1");
  EXPECT_EQ(epoch_name(now, begin - 5), "1.0.0");

  const log::VerifierKey own = now.own_id();
  const group::Membership without({.id = now.group().id, .name = "x", .state = std::string(group::kActive)},
                                  {circle.charter()}, {"charlie"}, {}, own);
  EXPECT_EQ(epoch_name(without, begin), "1.1.0");
  group::SignedCharter second = circle.charter(), third = second;
  second.charter.seq = 2;
  second.charter.admission.types.front().most = 200;
  third.charter.seq = 3;
  third.charter.members.pop_back();
  group::SignedCharter more_types = second;
  more_types.charter.seq = 3;
  more_types.charter.admission.types.push_back({.type = indicator::Type::ipv6, .most = 5});
  const auto with = [&](std::vector<group::SignedCharter> versions) {
    return group::Membership({.id = now.group().id, .name = "x", .state = std::string(group::kActive)},
                             std::move(versions), {}, {}, own);
  };
  EXPECT_EQ(epoch_name(with({circle.charter(), second}), begin), "1.0.0") << "a cap changes no key";
  EXPECT_EQ(epoch_name(with({circle.charter(), second, third}), begin), "3.0.0");
  EXPECT_EQ(epoch_name(with({circle.charter(), second, more_types}), begin), "3.0.0") << "another type has keys anew";
  EXPECT_EQ(period_begin(now, begin + 90 * 86'400 - 1), begin);
  EXPECT_EQ(period_begin(now, begin + 100 * 86'400), begin + 90 * 86'400);
}

}  // namespace
}  // namespace parley::admission
