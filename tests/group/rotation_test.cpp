// Replaced keys as members' vaults and links have them (log.md 1.6).
#include "group/rotation.h"

#include <future>

#include "group/at_work.h"
#include "wire/two_members.h"

namespace parley::group {
namespace {

using log::KeyRole, log::RotationReason;

const wire::Limits kPatience{.handshake = std::chrono::seconds(10)};

/// Three members at work; alpha rotates.
class Rotating : public testing::Test {
 protected:
  Rotating() {
    group_.found();
    for (const char* nick : {"alpha", "bravo", "charlie"}) at_.emplace(nick, group_[nick]);
    meet("alpha", "bravo"), meet("bravo", "charlie"), meet("alpha", "charlie");
  }
  void meet(const std::string& a, const std::string& b) { group::meet(at_.at(a), at_.at(b)); }
  Member member(const std::string& nick) { return *load_member(group_[nick].desk().folder, group_[nick].vault()); }
  Result<mirror::EntryView> rotate(KeyRole role, const Secret<32>& seed,
                                   RotationReason reason = RotationReason::stolen) {
    const Member us = member("alpha");
    return at_.at("alpha")->rotate("stadium", us, {.role = role, .reason = reason, .seed = seed},
                                   group_["alpha"].id_seed());
  }
  ByteArray<32> pin_of_alpha(const std::string& nick) {
    return pinned_now(group_[nick].vault(), *group_[nick].vault().peer("alpha"), at_.at(nick).log())->tls_key;
  }
  ByteArray<32> shown_to(const std::string& nick) {
    const auto identity = identity_towards(group_["alpha"].vault(), member("alpha"), at_.at("alpha").log(), nick);
    return crypto::public_key_of(identity->tls_seed);
  }
  /// Alpha by this key calls on a member, whose node knows its peers.
  Status call(const std::string& nick, const Secret<32>& tls_seed) {
    wire::Listener listener;
    const Member answering = member(nick);
    auto answered = std::async(std::launch::async, [&]() -> Status {
      const auto find = [&](const ByteArray<32>& key) { return at_.at(nick)->peer_by_key(key); };
      TRY(const auto link,
          wire::accept(listener.accept(), *identity_now(group_[nick].vault(), answering), find, kPatience));
      return {};
    });
    wire::LocalIdentity caller = member("alpha").identity();
    caller.tls_seed = tls_seed.clone();
    const auto link = wire::connect(listener.address(), caller, pinned(nick, answering.card), kPatience);
    return answered.get();
  }
  std::uint64_t size_at(const std::string& nick) {
    return at_.at(nick).log().with([](mirror::Replica& replica) { return replica.size("alpha"); });
  }

  Group group_{{"alpha", "bravo", "charlie"}};
  std::map<std::string, AtWork> at_;
};

TEST_F(Rotating, GoesOnWithTheNewSeedsWhenTheProcessStartsAgain) {
  ASSERT_HOLDS(rotate(KeyRole::node, random_secret<32>()));
  ASSERT_HOLDS(rotate(KeyRole::cosign, random_secret<32>()));
  meet("alpha", "bravo");
  at_.at("alpha").restart();
  meet("alpha", "bravo"), meet("alpha", "charlie");
  ASSERT_EQ(at_.at("alpha").state(), mirror::State::live);
  ASSERT_HOLDS(at_.at("alpha").log().append(mirror::draft_for_everyone(log::kHeads, log::Json::Object{{"v", 1}})));
  meet("alpha", "bravo"), meet("alpha", "charlie"), meet("alpha", "bravo");
  EXPECT_EQ(size_at("bravo"), size_at("alpha"));
  EXPECT_TRUE(at_.at("bravo").log().with(
      [&](mirror::Replica& replica) { return replica.held_by("charlie", "alpha", size_at("charlie")); }));
  const auto keys = member_keys(group_["bravo"].vault(), group_["bravo"].membership().charter());
  ASSERT_HOLDS(keys);
  EXPECT_EQ(keys->front().rotated.size(), 2u);
}

TEST_F(Rotating, IsUndoneWhereTheVaultCannotKeepTheSeedAndForgottenWithTheGroup) {
  const Secret<32> seed = random_secret<32>();
  ASSERT_HOLDS(rotate(KeyRole::node, seed));
  const std::string id = group_["alpha"].row().id;
  EXPECT_EQ(rotated_seeds(group_["alpha"].vault(), id)->size(), 1u);
  EXPECT_FALSE(rotate(KeyRole::node, seed)) << "a key is never used twice";
  EXPECT_EQ(rotated_seeds(group_["alpha"].vault(), id)->size(), 1u);
  ASSERT_HOLDS(at_.at("alpha")->withdraw(group_["alpha"].row(), "keys stolen", group_["alpha"].id_seed(), kBegin + 90));
  EXPECT_TRUE(rotated_seeds(group_["alpha"].vault(), id)->empty());
  EXPECT_FALSE(rotate(KeyRole::cosign, random_secret<32>())) << "who has left replaces nothing";
}

TEST_F(Rotating, OfAKeyThatTheVaultHasLostComesBeforeTheEntriesThatWaitForIt) {
  ASSERT_HOLDS(rotate(KeyRole::node, random_secret<32>()));
  meet("alpha", "bravo");
  ASSERT_HOLDS(forget_rotated_seeds(group_["alpha"].vault(), group_["alpha"].row().id));
  at_.at("alpha").restart();
  meet("alpha", "bravo"), meet("alpha", "charlie");
  ASSERT_EQ(at_.at("alpha").state(), mirror::State::live);
  JointLog& log = at_.at("alpha").log();
  const auto has_key = [&](KeyRole role) {
    return log.with([&](mirror::Replica& replica) { return replica.has_key(role); });
  };
  EXPECT_FALSE(has_key(KeyRole::node));
  EXPECT_TRUE(has_key(KeyRole::cosign));
  log.append_later(mirror::draft_for_everyone(log::kHeads, log::Json::Object{{"v", 1}}));
  EXPECT_FALSE(log.flush()) << "nothing signs it";
  EXPECT_FALSE(rotate(KeyRole::node, random_secret<32>(), RotationReason::routine)) << "the old key is not here";
  ASSERT_HOLDS(rotate(KeyRole::node, random_secret<32>(), RotationReason::lost));
  EXPECT_TRUE(has_key(KeyRole::node));
  ASSERT_HOLDS(log.flush());
  EXPECT_EQ(at_.at("alpha").last_type_of("alpha"), log::kHeads);
}

TEST_F(Rotating, ATlsKeyIntroducesTheNextOneToWhoeverHasNotHeardOfIt) {
  const Card card = group_["alpha"].card();
  const Secret<32> second = random_secret<32>(), third = random_secret<32>();
  ASSERT_HOLDS(rotate(KeyRole::tls, second));
  EXPECT_EQ(shown_to("bravo"), card.tls_key);
  EXPECT_EQ(pin_of_alpha("bravo"), card.tls_key);
  meet("alpha", "bravo");
  EXPECT_EQ(*at_.at("bravo")->note_rotations("stadium"), std::vector<std::string>{"alpha"});
  EXPECT_TRUE(at_.at("bravo")->note_rotations("stadium")->empty()) << "it is told once";
  EXPECT_EQ(shown_to("bravo"), crypto::public_key_of(second));
  EXPECT_EQ(pin_of_alpha("bravo"), crypto::public_key_of(second));
  // Charlie was away, and is away for the next one too.
  ASSERT_HOLDS(rotate(KeyRole::tls, third, RotationReason::routine));
  EXPECT_EQ(shown_to("charlie"), card.tls_key);
  EXPECT_EQ(shown_to("bravo"), crypto::public_key_of(second));
  meet("alpha", "charlie");
  ASSERT_HOLDS(at_.at("charlie")->note_rotations("stadium"));
  EXPECT_EQ(shown_to("charlie"), crypto::public_key_of(third));
  EXPECT_EQ(pin_of_alpha("charlie"), crypto::public_key_of(third));
  EXPECT_EQ(crypto::public_key_of(identity_now(group_["alpha"].vault(), member("alpha"))->tls_seed),
            crypto::public_key_of(third));
}

TEST_F(Rotating, ATlsKeyIsLearnedFromAnotherMembersCopyOfTheLog) {
  const Secret<32> second = random_secret<32>();
  ASSERT_HOLDS(rotate(KeyRole::tls, second, RotationReason::lost));
  meet("alpha", "bravo");
  meet("bravo", "charlie");
  EXPECT_EQ(*at_.at("charlie")->note_rotations("stadium"), std::vector<std::string>{"alpha"});
  EXPECT_EQ(pin_of_alpha("charlie"), crypto::public_key_of(second));
}

TEST_F(Rotating, ATlsKeyShutsOutWhoeverHasTheOldOne) {
  const Member alpha = member("alpha");
  const Secret<32> second = random_secret<32>();
  ASSERT_HOLDS(rotate(KeyRole::tls, second));
  EXPECT_HOLDS(call("bravo", alpha.tls_seed)) << "until bravo has the entry";
  EXPECT_FALSE(call("bravo", second));
  meet("alpha", "bravo");
  const Status thief = call("bravo", alpha.tls_seed);
  ASSERT_FALSE(thief);
  EXPECT_HOLDS(call("bravo", second));
}

TEST_F(Rotating, ATlsKeyOfAPeerIsTakenByItsOwnWordOnly) {
  // A paper in the vault that another id key has signed, or that follows no key of alpha's, changes nothing.
  const Secret<32> thiefs = random_secret<32>();
  const std::string origin = group_["alpha"].membership().ourselves()->keys.log.name;
  log::Rotation rotation{.origin = origin,
                         .nick = "alpha",
                         .role = KeyRole::tls,
                         .reason = RotationReason::stolen,
                         .old = {log::tls_key_name(origin), log::KeyType::ed25519, group_["alpha"].card().tls_key},
                         .next = log::vkey_of(log::tls_key_name(origin), log::KeyType::ed25519, thiefs)};
  const std::string by_bravo =
      log::make_rotation(rotation, group_["alpha"].id().name, group_["bravo"].id_seed(), thiefs, nullptr);
  rotation.old.key = crypto::public_key_of(random_secret<32>());
  const std::string of_no_key =
      log::make_rotation(rotation, group_["alpha"].id().name, group_["alpha"].id_seed(), thiefs, nullptr);
  for (const std::string& note : {by_bravo, of_no_key}) {
    ASSERT_HOLDS(group_["charlie"].vault().put_group_paper(group_["charlie"].row().id, {"rotation", "alpha/9", note}));
    EXPECT_EQ(pin_of_alpha("charlie"), group_["alpha"].card().tls_key);
  }
}

TEST(LostLogKey, LeadsBackIntoTheSameGroupUnderAnotherNickByTheSignaturesOfAll) {
  Group group({"alpha", "bravo", "charlie"});
  group.found();
  AtWork alpha(group["alpha"]), bravo(group["bravo"]), charlie(group["charlie"]);
  meet(alpha, bravo), meet(bravo, charlie), meet(alpha, charlie);
  const auto withdrawal =
      charlie->withdraw(group["charlie"].row(), "log key lost", group["charlie"].id_seed(), kBegin + 60);
  ASSERT_HOLDS(withdrawal);
  meet(alpha, charlie), meet(bravo, charlie), meet(alpha, bravo);
  for (AtWork* member : {&alpha, &bravo})
    EXPECT_EQ(*(*member)->note_leaves("stadium", kBegin + 60), std::vector<std::string>{"charlie"});
  const auto sealed = [](AtWork& at) {
    return at.log().with([](mirror::Replica& replica) { return replica.size("charlie"); });
  };
  const std::uint64_t old_end = sealed(alpha);

  Participant again("charlie-2");
  for (const char* nick : {"alpha", "bravo"}) group[nick].know(again), again.know(group[nick]);
  const std::string founding = group["alpha"].membership().versions().front().note;
  const auto package = join_group(again.desk(), "stadium", founding, again.id_seed(), kBegin + 60);
  ASSERT_HOLDS(package);
  ASSERT_HOLDS(group["alpha"].take(package->note));
  Charter next = group["alpha"].next();
  std::erase_if(next.members, [](const CharterMember& member) { return member.keys.nick == "charlie"; });
  next.members.push_back(package->member);
  std::string note = group["alpha"].amend(next)->charter.note;
  ASSERT_HOLDS(group["bravo"].take(note));
  note = group["bravo"].sign()->charter.note;
  EXPECT_EQ(group["bravo"].membership().charter().seq, 1) << "it is not in force without who comes in";
  EXPECT_FALSE(again.take(note)) << "without the leave of the old name it would be an expulsion";
  ASSERT_HOLDS(again.take(withdrawal->leave->note));
  ASSERT_HOLDS(again.take(note));
  const auto last = again.sign();
  ASSERT_HOLDS(last);
  ASSERT_TRUE(last->in_force);
  for (const char* nick : {"alpha", "bravo"}) ASSERT_HOLDS(group[nick].take(last->charter.note));

  AtWork returned(again);
  meet(alpha, bravo), meet(alpha, returned), meet(bravo, returned), meet(alpha, returned), meet(bravo, returned);
  ASSERT_HOLDS(returned.log().append(mirror::draft_for_everyone(log::kHeads, log::Json::Object{{"v", 1}})));
  meet(alpha, returned), meet(bravo, returned), meet(alpha, bravo);
  const auto is_final = [](AtWork& at) {
    return at.log().with(
        [](mirror::Replica& replica) { return replica.is_final("charlie-2", replica.size("charlie-2")); });
  };
  EXPECT_TRUE(is_final(alpha));
  EXPECT_TRUE(is_final(bravo));
  EXPECT_EQ(returned.last_type_of("alpha"), alpha.last_type_of("alpha"));
  // The old name is no member any more; its log stays in the vaults, sealed as it was.
  const auto heard = alpha.log().with([](mirror::Replica& replica) { return replica.to_send("charlie"); });
  EXPECT_FALSE(heard);
  const auto head =
      group["alpha"].vault().log_head(group["charlie"].membership().charter().member("charlie")->keys.log.name);
  ASSERT_HOLDS(head);
  EXPECT_EQ(head->size, old_end);
  EXPECT_TRUE(head->sealed);
}

}  // namespace
}  // namespace parley::group
