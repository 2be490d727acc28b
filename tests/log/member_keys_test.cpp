#include "log/member_keys.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/random.h"
#include "vectors.h"

namespace parley::log {
namespace {

MemberKeys member(const std::string& nick) {
  const std::string name = "parley.example/g/7d1f3c90/m/" + nick;
  return {nick, vkey_of(name + "/node", KeyType::ed25519, random_secret<32>()),
          vkey_of(name, KeyType::ed25519, random_secret<32>()),
          vkey_of(name + "/mirror", KeyType::cosignature, random_secret<32>())};
}

std::vector<MemberKeys> group(std::size_t count) {
  std::vector<MemberKeys> members;
  for (std::size_t i = 0; i < count; ++i) members.push_back(member("m" + std::to_string(i)));
  return members;
}

TEST(Nick, IsOneTo32OfAFewCharacters) {
  for (const std::string& nick : {std::string("a"), std::string("alpha-2"), std::string(32, 'z')})
    EXPECT_TRUE(is_nick(nick)) << nick;
  for (const std::string& nick : {std::string(), std::string(33, 'z'), std::string("Alpha"), std::string("a_b"),
                                  std::string("a b"), std::string("a/b"), std::string("é"), std::string("a\0b", 3)})
    EXPECT_FALSE(is_nick(nick)) << nick;
}

TEST(MemberKeys, OfOneTo16MembersAreAdmitted) {
  for (const std::size_t count : {1u, 2u, 16u}) EXPECT_TRUE(admit_members(group(count)).has_value()) << count;
  EXPECT_EQ(admit_members({}).error().code, Errc::format);
  EXPECT_EQ(admit_members(group(17)).error().code, Errc::limit);
}

TEST(MemberKeys, AreRefusedWhenOneOfThemIsUnfit) {
  struct Case {
    const char* what;
    Errc code;
    std::function<void(std::vector<MemberKeys>&)> change;
  };
  for (const Case& one : {
           Case{"a nick of other characters", Errc::format, [](auto& m) { m[1].nick = "Bravo"; }},
           Case{"a nick twice", Errc::format, [](auto& m) { m[1].nick = m[0].nick; }},
           Case{"a name twice in the group", Errc::format, [](auto& m) { m[1].node.name = m[0].node.name; }},
           Case{"a name twice in a member", Errc::format, [](auto& m) { m[1].node.name = m[1].log.name; }},
           Case{"a name with a space", Errc::format, [](auto& m) { m[1].log.name = "a b"; }},
           Case{"a name with a newline", Errc::format, [](auto& m) { m[1].log.name = "a\nb"; }},
           Case{"a name with a plus", Errc::format, [](auto& m) { m[1].log.name = "a+b"; }},
           Case{"no name", Errc::format, [](auto& m) { m[1].log.name.clear(); }},
           Case{"a key in two members", Errc::format, [](auto& m) { m[1].node.key = m[0].node.key; }},
           Case{"a key in two roles", Errc::format, [](auto& m) { m[1].cosign.key = m[1].log.key; }},
           Case{"a log key for cosignatures", Errc::format, [](auto& m) { m[1].log.type = KeyType::cosignature; }},
           Case{"a node key for cosignatures", Errc::format, [](auto& m) { m[1].node.type = KeyType::cosignature; }},
           Case{"a cosign key for notes", Errc::format, [](auto& m) { m[1].cosign.type = KeyType::ed25519; }},
           Case{"a key of small order", Errc::key_weak, [](auto& m) { m[1].cosign.key = {}; }},
       }) {
    std::vector<MemberKeys> members = group(3);
    one.change(members);
    const Status admitted = admit_members(members);
    ASSERT_FALSE(admitted.has_value()) << one.what;
    EXPECT_EQ(admitted.error().code, one.code) << one.what << ": " << admitted.error().text();
  }
}

}  // namespace
}  // namespace parley::log
