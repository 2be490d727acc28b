// Which items a selection takes: every condition that is set must hold, for one and the same source of the item.
#include <fmt/format.h>

#include "testing.h"

namespace parley::vault {
namespace {

using indicator::Label;
using indicator::LabelKind;
using indicator::Tlp;
using indicator::Type;

indicator::Context context(std::vector<Label> labels, std::optional<UnixSeconds> first_seen,
                           std::optional<UnixSeconds> last_seen, std::optional<Tlp> tlp) {
  indicator::Context made;
  made.labels = std::move(labels);
  made.first_seen = first_seen;
  made.last_seen = last_seen;
  made.tlp = tlp;
  return made;
}

/// Each item is named for what it is there for.
class SelectionOf : public ::testing::Test {
 protected:
  void SetUp() override {
    vault_ = test_.open();
    const Label sednit{LabelKind::actor, "Sednit"};
    const Label agent{LabelKind::malware, "X-Agent"};
    ASSERT_OK(import_records(*vault_, {"one.json", "stix", {}, {}},
                             {{Type::domain, "plain.example", {}},
                              {Type::domain, "sednit-2016.example", context({sednit}, 2016, {}, {})},
                              {Type::domain, "sednit-2016-seen-2019.example", context({sednit}, 2016, 2019, {})},
                              {Type::domain, "red.example", context({}, {}, {}, Tlp::red)},
                              {Type::domain, "strict.example", context({}, {}, {}, Tlp::amber_strict)},
                              {Type::domain, "clear.example", context({agent}, 2020, {}, Tlp::clear)},
                              {Type::ipv4, "1.1.1.1", context({agent, sednit}, 2021, {}, Tlp::green)}}));
    ASSERT_OK(import_records(
        *vault_, {"two.json", "stix", {}, {}},
        {{Type::domain, "sednit-2016.example", context({}, {}, 2022, Tlp::red)},
         {Type::domain, "red.example", context({}, 1999, {}, Tlp::green)},
         {Type::domain, "plain.example", context({{LabelKind::sector, "SEDNIT"}}, {}, {}, Tlp::red)},
         {Type::domain, "\xd0\xb2.example", context({{LabelKind::actor, "\xd0\x92\xd0\xb5\xd0\xb4"}}, {}, {}, {})}}));
  }

  /// The values that the selection takes, by for_each; the other ways must agree.
  std::vector<std::string> taken(const Selection& selection) {
    std::vector<std::string> values;
    std::map<Type, std::uint64_t> counted;
    for (const Item& item : items(*vault_, selection)) {
      values.push_back(item.indicator.value());
      ++counted[item.indicator.type()];
    }
    const auto count = vault_->count(selection);
    EXPECT_OK(count);
    EXPECT_EQ(*count, counted);

    std::vector<std::string> with_contexts;
    EXPECT_OK(vault_->for_each_with_contexts(selection,
                                             [&](const Item& item, std::span<const SourceContext> contexts) -> Status {
                                               with_contexts.push_back(item.indicator.value());
                                               const auto asked = vault_->contexts(item.id);
                                               EXPECT_OK(asked);
                                               EXPECT_EQ(asked->size(), contexts.size());
                                               for (std::size_t i = 0; i < contexts.size(); ++i) {
                                                 EXPECT_EQ(asked->at(i).source, contexts[i].source);
                                                 EXPECT_EQ(asked->at(i).context.labels, contexts[i].context.labels);
                                                 EXPECT_EQ(asked->at(i).context.tlp, contexts[i].context.tlp);
                                               }
                                               return {};
                                             }));
    EXPECT_EQ(with_contexts, values);
    return values;
  }

  TestVault test_;
  std::unique_ptr<Vault> vault_;
};

using Values = std::vector<std::string>;

TEST_F(SelectionOf, NothingSetTakesEverything) {
  EXPECT_EQ(taken({}).size(), 8U);
}

TEST_F(SelectionOf, TypesTakesThoseOnlyInTheirOwnOrder) {
  EXPECT_EQ(taken({.types = {Type::ipv4}, .label = {}, .since = {}, .tlp_max = {}}), (Values{"1.1.1.1"}));
  EXPECT_EQ(taken({.types = {Type::domain, Type::ipv4, Type::domain}, .label = {}, .since = {}, .tlp_max = {}}).front(),
            "1.1.1.1");
  EXPECT_TRUE(taken({.types = {Type::sha256}, .label = {}, .since = {}, .tlp_max = {}}).empty());
}

TEST_F(SelectionOf, ALabelTakesItOfAnyKindWithoutRegardToCase) {
  for (const char* spelling : {"Sednit", "sednit", "SEDNIT", "sEDNIT"}) {
    EXPECT_EQ(taken({.types = {}, .label = spelling, .since = {}, .tlp_max = {}}),
              (Values{"1.1.1.1", "plain.example", "sednit-2016-seen-2019.example", "sednit-2016.example"}));
  }
  EXPECT_EQ(taken({.types = {}, .label = "\xd0\xb2\xd0\x95\xd0\xb4", .since = {}, .tlp_max = {}}),
            (Values{"\xd0\xb2.example"}));
  EXPECT_EQ(taken({.types = {Type::domain}, .label = "x-agent", .since = {}, .tlp_max = {}}),
            (Values{"clear.example"}));
}

TEST_F(SelectionOf, AnUnknownLabelOrAPartOfOneTakesNothing) {
  for (const char* label : {"apt28", "sedni", "sednit ", "x-agent' OR 1=1 --", "%", "_"}) {
    EXPECT_TRUE(taken({.types = {}, .label = label, .since = {}, .tlp_max = {}}).empty()) << label;
  }
}

TEST_F(SelectionOf, SinceLooksAtLastSeenAndWithoutThatAtFirstSeenAndLeavesUndatedItemsOut) {
  EXPECT_EQ(taken({.types = {}, .label = {}, .since = 2019, .tlp_max = {}}),
            (Values{"1.1.1.1", "clear.example", "sednit-2016-seen-2019.example", "sednit-2016.example"}));
  EXPECT_EQ(taken({.types = {}, .label = {}, .since = 2021, .tlp_max = {}}),
            (Values{"1.1.1.1", "sednit-2016.example"}));
  EXPECT_TRUE(taken({.types = {}, .label = {}, .since = 2023, .tlp_max = {}}).empty());
}

TEST_F(SelectionOf, ATlpTakesWhatSomeSourceMarksNoStricterAndUnmarkedIsAmber) {
  EXPECT_EQ(taken({.types = {}, .label = {}, .since = {}, .tlp_max = Tlp::clear}), (Values{"clear.example"}));
  EXPECT_EQ(taken({.types = {}, .label = {}, .since = {}, .tlp_max = Tlp::green}),
            (Values{"1.1.1.1", "clear.example", "red.example"}));
  const Values amber = taken({.types = {}, .label = {}, .since = {}, .tlp_max = Tlp::amber});
  EXPECT_TRUE(std::ranges::find(amber, "strict.example") == amber.end());
  EXPECT_TRUE(std::ranges::find(amber, "plain.example") != amber.end());
  EXPECT_EQ(taken({.types = {}, .label = {}, .since = {}, .tlp_max = Tlp::red}).size(), 8U);
}

TEST_F(SelectionOf, ConditionsTogetherMustHoldForOneSource) {
  // plain.example: the source that says SEDNIT marks it red; the other says nothing of it.
  EXPECT_EQ(taken({.types = {}, .label = "sednit", .since = {}, .tlp_max = Tlp::amber}),
            (Values{"1.1.1.1", "sednit-2016-seen-2019.example", "sednit-2016.example"}));
  // sednit-2016.example: the source that saw it in 2022 does not say Sednit.
  EXPECT_EQ(taken({.types = {}, .label = "sednit", .since = 2018, .tlp_max = {}}),
            (Values{"1.1.1.1", "sednit-2016-seen-2019.example"}));
  EXPECT_EQ(taken({.types = {Type::domain}, .label = "sednit", .since = 2018, .tlp_max = Tlp::amber}),
            (Values{"sednit-2016-seen-2019.example"}));
  EXPECT_TRUE(taken({.types = {Type::domain}, .label = "sednit", .since = 2018, .tlp_max = Tlp::clear}).empty());
}

TEST_F(SelectionOf, StopsAtTheFirstErrorOfItsCallbackAndReturnsIt) {
  std::size_t calls = 0;
  const auto stop = [&](const auto&...) -> Status {
    return ++calls == 3 ? Status(fail(Errc::cancelled, "That was enough, thank you.")) : Status();
  };
  EXPECT_FAILS(vault_->for_each({}, stop), Errc::cancelled);
  EXPECT_EQ(calls, 3U);
  calls = 0;
  EXPECT_FAILS(vault_->for_each_with_contexts({}, stop), Errc::cancelled);
  EXPECT_EQ(calls, 3U);
  EXPECT_EQ(taken({}).size(), 8U) << "the vault still answers";
}

TEST_F(SelectionOf, LetsItsCallbackAskAndWriteToTheVault) {
  std::size_t calls = 0;
  EXPECT_OK(vault_->for_each({}, [&](const Item& item) -> Status {
    TRY(const auto contexts, vault_->contexts(item.id));
    calls += contexts.size();
    return vault_->put_setting(item.indicator.value(), "seen");
  }));
  EXPECT_EQ(calls, 11U);
  EXPECT_EQ(vault_->setting("clear.example").value(), "seen");
}

TEST(Contexts, OfAnItemThatIsNotThereAreNone) {
  const TestVault test;
  const auto none = test.open()->contexts(12345);
  ASSERT_OK(none);
  EXPECT_TRUE(none->empty());
}

}  // namespace
}  // namespace parley::vault
