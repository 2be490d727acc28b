// Keys of one group: separate from those of others, and gone for good when they are destroyed.
#include "group/group_keys.h"

#include <fstream>

#include "group/charters.h"
#include "group/vaults.h"

namespace parley::group {
namespace {

constexpr std::string_view kDomainName = "parley.example";
const std::string kOther(32, 'b');

std::filesystem::path key_file(const TestVault& test, const std::string& group) {
  return test.folder() / ("group-" + group + ".key");
}

TEST(GroupKeys, AreMadeForOneGroupAndLoadedAgain) {
  TestVault test;
  const auto made = create_group_keys(test.folder(), test.vault(), kDomainName, kGroup, "alpha");
  ASSERT_HOLDS(made);
  EXPECT_EQ(made->keys.log.name, "parley.example/g/7d1f3c90/m/alpha");
  EXPECT_EQ(made->keys.node.name, "parley.example/g/7d1f3c90/m/alpha/node");
  EXPECT_EQ(made->keys.cosign.name, "parley.example/g/7d1f3c90/m/alpha/mirror");
  EXPECT_HOLDS(log::admit_members(std::span(&made->keys, 1)));
  EXPECT_EQ(std::filesystem::status(key_file(test, kGroup)).permissions(), std::filesystem::perms(0600));
  test.reopen();
  const auto loaded = load_group_keys(test.folder(), test.vault(), kDomainName, kGroup, "alpha");
  ASSERT_HOLDS(loaded);
  EXPECT_EQ(loaded->keys, made->keys);
  EXPECT_TRUE(loaded->node.equals(made->node));
}

TEST(GroupKeys, OfTwoGroupsHaveNothingInCommon) {
  TestVault test;
  const auto first = create_group_keys(test.folder(), test.vault(), kDomainName, kGroup, "alpha");
  const auto second = create_group_keys(test.folder(), test.vault(), kDomainName, kOther, "alpha");
  ASSERT_HOLDS(first);
  ASSERT_HOLDS(second);
  for (const Secret<32>* a : {&first->node, &first->log, &first->cosign})
    for (const Secret<32>* b : {&second->node, &second->log, &second->cosign}) EXPECT_FALSE(a->equals(*b));
  ASSERT_HOLDS(destroy_group_keys(test.folder(), test.vault(), kGroup));
  EXPECT_HOLDS(load_group_keys(test.folder(), test.vault(), kDomainName, kOther, "alpha"));
  // One group's file in the other's place does not open.
  ASSERT_HOLDS(create_group_keys(test.folder(), test.vault(), kDomainName, kGroup, "alpha"));
  std::filesystem::copy_file(key_file(test, kOther), key_file(test, kGroup),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_REFUSED(load_group_keys(test.folder(), test.vault(), kDomainName, kGroup, "alpha"), Errc::format,
                 "other keys");
}

TEST(GroupKeys, AreNotMadeTwice) {
  TestVault test;
  ASSERT_HOLDS(create_group_keys(test.folder(), test.vault(), kDomainName, kGroup, "alpha"));
  EXPECT_REFUSED(create_group_keys(test.folder(), test.vault(), kDomainName, kGroup, "alpha"), Errc::exists, "already");
}

TEST(GroupKeys, DoNotComeBackFromACopyOfTheirFileOnceDestroyed) {
  TestVault test;
  ASSERT_HOLDS(create_group_keys(test.folder(), test.vault(), kDomainName, kGroup, "alpha"));
  std::filesystem::copy_file(key_file(test, kGroup), test.folder() / "copy");
  ASSERT_HOLDS(destroy_group_keys(test.folder(), test.vault(), kGroup));
  EXPECT_FALSE(std::filesystem::exists(key_file(test, kGroup)));
  EXPECT_HOLDS(destroy_group_keys(test.folder(), test.vault(), kGroup)) << "again";
  std::filesystem::rename(test.folder() / "copy", key_file(test, kGroup));
  test.reopen();
  EXPECT_REFUSED(load_group_keys(test.folder(), test.vault(), kDomainName, kGroup, "alpha"), Errc::not_found,
                 "destroyed");
}

TEST(GroupKeys, AreRefusedForAnotherNickOrWhenOthersCanReadThem) {
  TestVault test;
  ASSERT_HOLDS(create_group_keys(test.folder(), test.vault(), kDomainName, kGroup, "alpha"));
  EXPECT_REFUSED(load_group_keys(test.folder(), test.vault(), kDomainName, kGroup, "bravo"), Errc::format,
                 "other keys");
  std::filesystem::permissions(key_file(test, kGroup), std::filesystem::perms(0644));
  EXPECT_EQ(load_group_keys(test.folder(), test.vault(), kDomainName, kGroup, "alpha").error().code,
            Errc::key_permissions);
}

}  // namespace
}  // namespace parley::group
