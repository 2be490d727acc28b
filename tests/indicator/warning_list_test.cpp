// Warning lists: what a value stands on, by itself, by its host, by the range around it.
#include "indicator/warning_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <random>

#include "indicator/detail/built_in_lists.h"

namespace parley::indicator {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Canonical value_of(Type type, std::string_view text) {
  auto canonical = canonicalise(type, text);
  EXPECT_TRUE(canonical.has_value()) << text;
  return canonical.value();
}

std::vector<std::string> marks(const WarningLists& lists, Type type, std::string_view text) {
  return lists.marks(value_of(type, text));
}

WarningLists with(const WarningList& list) {
  WarningLists lists;
  const auto added = lists.add(list);
  EXPECT_TRUE(added.has_value()) << added.error().text();
  return lists;
}

TEST(WarningLists, MarkNothingWhenThereAreNone) {
  EXPECT_THAT(marks(WarningLists(), Type::ipv4, "10.0.0.1"), IsEmpty());
}

TEST(BuiltInLists, AreAllWellFormed) {
  for (const WarningList& list : detail::built_in_lists()) {
    WarningLists lists;
    const auto added = lists.add(list);
    EXPECT_TRUE(added.has_value()) << added.error().text();
  }
}

TEST(BuiltInLists, MarkWhatIsPlainlyCommonOrReserved) {
  const auto lists = WarningLists::built_in();
  const std::tuple<Type, std::string_view, std::string_view> examples[] = {
      {Type::ipv4, "10.1.2.3", "private addresses"},
      {Type::ipv4, "172.31.255.255", "private addresses"},
      {Type::ipv6, "fd00::1", "private addresses"},
      {Type::cidr, "192.168.1.0/24", "private addresses"},
      {Type::url, "http://192.168.1.1/x", "private addresses"},
      {Type::ipv4, "127.0.0.1", "loopback"},
      {Type::ipv6, "::1", "loopback"},
      {Type::ipv4, "169.254.1.1", "link-local"},
      {Type::ipv6, "fe80::1", "link-local"},
      {Type::ipv4, "100.64.0.1", "carriers"},
      {Type::ipv4, "203.0.113.5", "documentation"},
      {Type::ipv6, "2001:db8::1", "documentation"},
      {Type::url, "http://[2001:db8::1]:8080/", "documentation"},
      {Type::ipv4, "198.19.0.1", "benchmarks"},
      {Type::ipv4, "239.255.255.250", "multicast"},
      {Type::ipv4, "255.255.255.255", "multicast"},
      {Type::ipv4, "240.0.0.1", "special-purpose"},
      {Type::domain, "www.example.com", "reserved names"},
      {Type::domain, "printer.local", "reserved names"},
      {Type::email, "a@example.org", "reserved names"},
      {Type::url, "http://localhost/", "reserved names"},
      {Type::ipv4, "8.8.8.8", "public resolvers"},
      {Type::ipv6, "2606:4700:4700::1111", "public resolvers"},
      {Type::url, "https://dns.google/dns-query", "public resolvers"},
      {Type::md5, "d41d8cd98f00b204e9800998ecf8427e", "empty file"},
      {Type::sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "empty file"},
  };
  for (const auto& [type, text, name] : examples) {
    EXPECT_THAT(marks(lists, type, text), Contains(HasSubstr(std::string(name)))) << text;
  }
}

TEST(BuiltInLists, LeaveOrdinaryValuesUnmarked) {
  const auto lists = WarningLists::built_in();
  const std::pair<Type, std::string_view> examples[] = {
      {Type::ipv4, "11.0.0.1"},
      {Type::ipv4, "172.32.0.0"},
      {Type::ipv4, "8.8.8.9"},
      {Type::ipv4, "100.128.0.0"},
      {Type::ipv6, "2a00::1"},
      {Type::cidr, "10.0.0.0/7"},
      {Type::cidr, "0.0.0.0/0"},
      {Type::domain, "myexample.com"},
      {Type::domain, "example.com.evil.ru"},
      {Type::domain, "localhost.evil.ru"},
      {Type::mutex, "10.0.0.1"},
      {Type::filename, "a.local"},
  };
  for (const auto& [type, text] : examples) EXPECT_THAT(marks(lists, type, text), IsEmpty()) << text;
}

TEST(ExactList, MatchesTheWholeValueInAnySpelling) {
  const auto lists =
      with({"L", WarningMatch::exact, {"Evil[.]Example", "192.0.2.1", "2001:DB8:0:0::5", "HTTP://a.example", "ABC"}});
  EXPECT_THAT(marks(lists, Type::domain, "evil.example"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::ipv4, "192.0.2.1"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::ipv6, "2001:db8::5"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::url, "http://a.example/"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::filename, "ABC"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::domain, "www.evil.example"), IsEmpty());
  EXPECT_THAT(marks(lists, Type::ipv4, "192.0.2.10"), IsEmpty());
  EXPECT_THAT(marks(lists, Type::cidr, "192.0.2.0/31"), IsEmpty());
}

TEST(ExactList, MatchesAUrlAndAnEmailByTheirHost) {
  const auto lists = with({"L", WarningMatch::exact, {"evil.example", "192.0.2.1"}});
  EXPECT_THAT(marks(lists, Type::url, "http://user@evil.example:8080/x"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::url, "http://192.0.2.1/"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::email, "a@evil.example"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::url, "http://good.example/evil.example"), IsEmpty());
  EXPECT_THAT(marks(lists, Type::url, "http://evil.example@good.example/"), IsEmpty());
}

TEST(HostnameList, MatchesSubdomainsAtLabelBordersOnly) {
  const auto lists =
      with({"L", WarningMatch::hostname, {"evil.example", ".dot.example", "*.star.example", "пример.рф"}});
  for (const std::string_view name : {"evil.example", "a.b.evil.example", "dot.example", "x.dot.example",
                                      "star.example", "x.star.example", "xn--e1afmkfd.xn--p1ai"}) {
    EXPECT_THAT(marks(lists, Type::domain, name), ElementsAre("L")) << name;
  }
  for (const std::string_view name : {"notevil.example", "evil.example.org", "ar.example"}) {
    EXPECT_THAT(marks(lists, Type::domain, name), IsEmpty()) << name;
  }
  EXPECT_THAT(marks(lists, Type::url, "http://a.evil.example/"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::email, "a@evil.example"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::filename, "evil.example"), IsEmpty());
}

TEST(CidrList, MatchesWhatLiesInsideARange) {
  const auto lists = with({"L",
                           WarningMatch::cidr,
                           {"192.0.2.128/25", "192.0.2.0/25", "198.51.100.7", "2001:db8::/33", "2001:db8:8000::/33"}});
  EXPECT_THAT(marks(lists, Type::ipv4, "192.0.2.255"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::ipv4, "198.51.100.7"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::cidr, "192.0.2.0/24"), ElementsAre("L")) << "two halves are one range";
  EXPECT_THAT(marks(lists, Type::cidr, "2001:db8::/32"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::ipv4, "192.0.3.0"), IsEmpty());
  EXPECT_THAT(marks(lists, Type::ipv4, "198.51.100.8"), IsEmpty());
  EXPECT_THAT(marks(lists, Type::cidr, "192.0.2.0/23"), IsEmpty()) << "half of it lies outside";
  EXPECT_THAT(marks(lists, Type::ipv6, "2001:db9::"), IsEmpty());
}

TEST(CidrList, KeepsTheTwoFamiliesApart) {
  EXPECT_THAT(marks(with({"L", WarningMatch::cidr, {"0.0.0.0/0"}}), Type::ipv6, "::1"), IsEmpty());
  EXPECT_THAT(marks(with({"L", WarningMatch::cidr, {"0.0.0.0/0"}}), Type::ipv4, "255.255.255.255"), ElementsAre("L"));
  EXPECT_THAT(marks(with({"L", WarningMatch::cidr, {"::/1", "8000::/1"}}), Type::cidr, "::/0"), ElementsAre("L"));
}

TEST(CidrList, AgreesWithASlowModel) {
  std::mt19937 random(1);
  std::vector<std::string> entries;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> model;
  for (int i = 0; i < 300; ++i) {
    const std::uint32_t bits = 8 + static_cast<std::uint32_t>(random()) % 25;
    const std::uint32_t mask = ~0u << (32 - bits);
    const std::uint32_t base = static_cast<std::uint32_t>(random()) & mask & 0x0fffffff;
    entries.push_back(std::to_string(base >> 24) + "." + std::to_string((base >> 16) & 255) + "." +
                      std::to_string((base >> 8) & 255) + "." + std::to_string(base & 255) + "/" +
                      std::to_string(bits));
    model.emplace_back(base, base | ~mask);
  }
  const auto lists = with({"L", WarningMatch::cidr, entries});
  for (int i = 0; i < 20'000; ++i) {
    const auto address = static_cast<std::uint32_t>(random()) & 0x0fffffff;
    const std::string text = std::to_string(address >> 24) + "." + std::to_string((address >> 16) & 255) + "." +
                             std::to_string((address >> 8) & 255) + "." + std::to_string(address & 255);
    const bool inside =
        std::ranges::any_of(model, [&](const auto& r) { return r.first <= address && address <= r.second; });
    ASSERT_EQ(!marks(lists, Type::ipv4, text).empty(), inside) << text;
  }
}

TEST(SubstringList, MatchesAnywhereWithoutRegardToCase) {
  const auto lists = with({"L", WarningMatch::substring, {"Update", "evil."}});
  EXPECT_THAT(marks(lists, Type::filename, "MyUPDATEr.exe"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::url, "http://x.example/update"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::domain, "devil.example"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::domain, "good.example"), IsEmpty());
}

TEST(RegexList, MatchesAsMispWritesThem) {
  const auto lists = with({"L", WarningMatch::regex, {"/^WWW\\.[a-z]+\\.example$/i", "\\.onion$", "/plain/"}});
  EXPECT_THAT(marks(lists, Type::domain, "www.evil.example"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::domain, "abc.onion"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::url, "http://abc.onion/x"), ElementsAre("L")) << "by its host";
  EXPECT_THAT(marks(lists, Type::mutex, "so plain"), ElementsAre("L"));
  EXPECT_THAT(marks(lists, Type::mutex, "so PLAIN"), IsEmpty());
}

TEST(RegexList, TakesLinearTimeOverAPatternThatBacktrackersDieOf) {
  const auto lists = with({"L", WarningMatch::regex, {"(a+)+$", "(a|aa)+$", "(.*a){25}b"}});
  const std::clock_t start = std::clock();
  marks(lists, Type::mutex, std::string(4000, 'a') + "!");
  EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, 5);
}

TEST(WarningLists, NameTheEntryThatIsWrong) {
  const WarningList wrong[] = {
      {"W", WarningMatch::cidr, {"192.0.2.0/24", "192.0.2.0/33"}},
      {"W", WarningMatch::cidr, {"192.0.2.0/24", "evil.example"}},
      {"W", WarningMatch::hostname, {"a.example", "a b"}},
      {"W", WarningMatch::regex, {"a", "(?=look)"}},
      {"W", WarningMatch::regex, {"a", "("}},
      {"W", WarningMatch::substring, {"a", " "}},
      {"W", WarningMatch::exact, {"a", ""}},
      {"W", WarningMatch::cidr, {"10.0.0.0/8", "\x1b[2J"}},
  };
  for (const WarningList& list : wrong) {
    WarningLists lists;
    const auto added = lists.add(list);
    ASSERT_FALSE(added.has_value()) << list.entries[1];
    EXPECT_EQ(added.error().code, Errc::format);
    EXPECT_THAT(added.error().text(), HasSubstr("\"W\""));
    EXPECT_THAT(added.error().message, HasSubstr("entry 2 ("));
    EXPECT_THAT(added.error().message, testing::Not(HasSubstr("\x1b")));
    EXPECT_THAT(marks(lists, Type::ipv4, "192.0.2.1"), IsEmpty()) << "nothing of a refused list is in force";
  }
}

TEST(WarningLists, RefuseMoreSlowEntriesThanTheLimit) {
  WarningLists lists;
  const std::vector<std::string> many(10'001, "a");
  EXPECT_EQ(lists.add({"W", WarningMatch::substring, many}).error().code, Errc::limit);
  EXPECT_EQ(lists.add({"W", WarningMatch::regex, many}).error().code, Errc::limit);
}

TEST(WarningLists, NameEveryListOnceSorted) {
  WarningLists lists = with({"b", WarningMatch::exact, {"evil.example", "evil.example", "EVIL.example"}});
  ASSERT_TRUE(lists.add({"a", WarningMatch::hostname, {"example", "evil.example"}}));
  ASSERT_TRUE(lists.add({"b", WarningMatch::substring, {"evil"}}));
  EXPECT_THAT(marks(lists, Type::url, "http://evil.example/evil"), ElementsAre("a", "b"));
}

TEST(WarningLists, HoldAMillionEntriesAndAnswerFast) {
  std::vector<std::string> names;
  std::vector<std::string> addresses;
  for (std::uint32_t i = 0; i < 1'000'000; ++i) names.push_back("host" + std::to_string(i) + ".example");
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    addresses.push_back("11." + std::to_string(i >> 16) + "." + std::to_string((i >> 8) & 255) + "." +
                        std::to_string(i & 255));
  }
  WarningLists lists = with({"names", WarningMatch::hostname, names});
  ASSERT_TRUE(lists.add({"addresses", WarningMatch::cidr, addresses}));
  EXPECT_THAT(marks(lists, Type::domain, "www.host999999.example"), ElementsAre("names"));
  EXPECT_THAT(marks(lists, Type::domain, "host1000000.example"), IsEmpty());
  EXPECT_THAT(marks(lists, Type::ipv4, "11.3.13.63"), ElementsAre("addresses"));
  EXPECT_THAT(marks(lists, Type::ipv4, "11.3.13.64"), IsEmpty());
  const Canonical probe = value_of(Type::domain, "a.b.c.host77.example");
  const std::clock_t start = std::clock();
  constexpr int kProbes = 100'000;
  for (int i = 0; i < kProbes; ++i) ASSERT_EQ(lists.marks(probe).size(), 1u);
  EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / kProbes, 20e-6);
}

}  // namespace
}  // namespace parley::indicator
