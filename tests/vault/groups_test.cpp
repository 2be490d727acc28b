// Groups in the vault: several beside one another, each with its charters, papers, rules and sessions.
#include <fmt/format.h>

#include "vault/testing.h"

namespace parley::vault {
namespace {

using indicator::Tlp;
using indicator::Type;

const std::string kFirst(32, '1'), kSecond(32, '2');

GroupRow group(const std::string& id, const std::string& name) {
  return {.id = id, .name = name, .state = "drafting", .created = 5, .latest = 5};
}

CharterRow version(std::int64_t seq, std::uint8_t which) {
  return {.seq = seq, .hash = Digest{std::byte{which}}, .note = fmt::format("note {}", which), .taken = 7};
}

TEST(Groups, AreKeptByNameAcrossARestart) {
  const TestVault test;
  {
    const auto vault = test.open();
    ASSERT_OK(vault->put_group(group(kSecond, "arena")));
    ASSERT_OK(vault->put_group(group(kFirst, "stadium")));
  }
  const auto vault = test.open();
  const auto groups = vault->groups();
  ASSERT_OK(groups);
  ASSERT_EQ(groups->size(), 2u);
  EXPECT_EQ((*groups)[0].name, "arena");
  EXPECT_EQ(vault->group("stadium")->id, kFirst);
  EXPECT_EQ(vault->group(kSecond)->name, "arena");
  EXPECT_EQ(vault->group("2222")->name, "arena");
  EXPECT_FAILS(vault->group("222"), Errc::not_found);
  EXPECT_FAILS(vault->group("stadion"), Errc::not_found);
}

TEST(Groups, OfOneNameAreRefusedAndAmbiguousDigitsToo) {
  const TestVault test;
  const auto vault = test.open();
  ASSERT_OK(vault->put_group(group(kFirst, "stadium")));
  EXPECT_FAILS(vault->put_group(group(kSecond, "stadium")), Errc::exists);
  ASSERT_OK(vault->put_group(group("1111" + std::string(28, '3'), "other")));
  EXPECT_FAILS(vault->group("1111"), Errc::not_found);
}

TEST(Groups, NeverGoBackInTime) {
  const TestVault test;
  const auto vault = test.open();
  GroupRow row = group(kFirst, "stadium");
  row.latest = 100;
  ASSERT_OK(vault->put_group(row));
  row.latest = 50;
  row.state = "active";
  ASSERT_OK(vault->put_group(row));
  EXPECT_EQ(vault->group("stadium")->latest, 100);
  EXPECT_EQ(vault->group("stadium")->state, "active");
}

TEST(Groups, KeepTheVersionsOfTheirChartersInOrderAndOneOfEach) {
  const TestVault test;
  const auto vault = test.open();
  EXPECT_FAILS(vault->add_charter(kFirst, version(2, 2)), Errc::internal);
  ASSERT_OK(vault->add_charter(kFirst, version(1, 1)));
  EXPECT_OK(vault->add_charter(kFirst, version(1, 1))) << "the same again changes nothing";
  EXPECT_FAILS(vault->add_charter(kFirst, version(1, 9)), Errc::exists);
  EXPECT_FAILS(vault->add_charter(kFirst, version(3, 3)), Errc::internal);
  ASSERT_OK(vault->add_charter(kFirst, version(2, 2)));
  ASSERT_OK(vault->add_charter(kSecond, version(1, 7)));
  const auto charters = vault->charters(kFirst);
  ASSERT_OK(charters);
  ASSERT_EQ(charters->size(), 2u);
  EXPECT_EQ((*charters)[1].seq, 2);
  EXPECT_EQ((*charters)[1].hash, Digest{std::byte{2}});
  EXPECT_EQ((*charters)[1].note, "note 2");
  EXPECT_EQ((*charters)[1].taken, 7);
}

TEST(Groups, KeepPapersByKindAndKeyAndForgetThem) {
  const TestVault test;
  const auto vault = test.open();
  ASSERT_OK(vault->put_group_paper(kFirst, {"entry", "alpha", "one"}));
  ASSERT_OK(vault->put_group_paper(kFirst, {"entry", "bravo", "two"}));
  ASSERT_OK(vault->put_group_paper(kSecond, {"entry", "alpha", "other"}));
  ASSERT_OK(vault->put_group_paper(kFirst, {"entry", "alpha", "three"}));
  ASSERT_EQ(vault->group_papers(kFirst)->size(), 2u);
  EXPECT_EQ((*vault->group_papers(kFirst))[0].text, "three");
  ASSERT_OK(vault->put_group_paper(kFirst, {"entry", "alpha", ""}));
  EXPECT_EQ(vault->group_papers(kFirst)->size(), 1u);
  EXPECT_EQ(vault->group_papers(kSecond)->size(), 1u);
}

TEST(Invitations, AreKeptWithTheirFailures) {
  const TestVault test;
  const auto vault = test.open();
  InvitationRow row{.id = "0011223344556677", .group = kFirst, .invited = "bravo", .expires = 99};
  ASSERT_OK(vault->put_invitation(row));
  row.failures = 2;
  row.open = false;
  ASSERT_OK(vault->put_invitation(row));
  const auto rows = vault->invitations();
  ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ((*rows)[0].failures, 2);
  EXPECT_FALSE((*rows)[0].open);
  EXPECT_EQ((*rows)[0].expires, 99);
}

TEST(Peers, AreConfirmedByNameAndStaySoWhenTheyMove) {
  const TestVault test;
  const auto vault = test.open();
  ASSERT_TRUE(vault->add_peer({"beta", "card", "a:1", 5}).has_value());
  EXPECT_EQ(vault->peer("beta")->confirmed, 0);
  ASSERT_OK(vault->confirm_peer("beta", 77));
  EXPECT_FAILS(vault->confirm_peer("gamma", 77), Errc::not_found);
  ASSERT_TRUE(vault->add_peer({"beta", "card", "b:2", 6}).has_value());
  EXPECT_EQ(vault->peer("beta")->confirmed, 77);
  EXPECT_EQ((*vault->peers())[0].confirmed, 77);
}

TEST(Secrets, AreRemovedByTheBeginningOfTheirName) {
  const TestVault test;
  const auto vault = test.open();
  const Bytes secret = to_bytes("secret");
  for (const char* name : {"session/ab/salts", "session/ab/seed", "session/abc/seed", "session/a_/seed", "group/ab"})
    ASSERT_OK(vault->put_secret(name, secret));
  EXPECT_EQ(vault->remove_secrets("session/ab/").value(), 2);
  EXPECT_EQ(vault->remove_secrets("session/ab/").value(), 0);
  EXPECT_TRUE((*vault->secret("session/abc/seed")).has_value());
  EXPECT_EQ(vault->remove_secrets("session/a_/").value(), 1) << "no wildcards";
  EXPECT_TRUE((*vault->secret("group/ab")).has_value());
}

TEST(Sessions, RememberTheirGroup) {
  const TestVault test;
  {
    const auto vault = test.open();
    SessionRow row;
    row.id = std::string(32, 'c');
    row.group = kFirst;
    ASSERT_OK(vault->save_session(row, {}));
    row.state = "accepted";
    ASSERT_OK(vault->save_session(row, {}));
  }
  EXPECT_EQ(test.open()->session(std::string(32, 'c'))->group, kFirst);
}

/// Material from two sources: own.csv (labelled stadium, amber) and police.csv (green, one red).
class GroupMaterial : public testing::Test {
 protected:
  GroupMaterial() {
    auto import = vault_->begin_import();
    EXPECT_OK(import);
    const auto add = [&](Type type, const char* value, Tlp tlp, const char* label) {
      indicator::Context context;
      context.tlp = tlp;
      context.labels = {{indicator::LabelKind::label, label}};
      EXPECT_OK((*import)->add(canonical(type, value), context, 0));
    };
    EXPECT_OK((*import)->begin_source({"own.csv", "csv", {}, {}}));
    add(Type::ipv4, "198.51.100.1", Tlp::amber, "stadium");
    add(Type::domain, "a.example", Tlp::amber, "other");
    add(Type::domain, "both.example", Tlp::amber, "stadium");
    EXPECT_OK((*import)->begin_source({"police.csv", "csv", {}, {}}));
    add(Type::domain, "both.example", Tlp::green, "police");
    add(Type::domain, "police.example", Tlp::green, "police");
    add(Type::domain, "red.example", Tlp::red, "police");
    SilentProgress progress;
    EXPECT_OK((*import)->commit(progress));
  }

  std::vector<std::string> admitted(const Selection& selection) {
    std::vector<std::string> values;
    EXPECT_OK(vault_->for_each(selection, [&](const Item& item) -> Status {
      values.push_back(item.indicator.value());
      return {};
    }));
    std::uint64_t counted = 0;
    const auto counts = vault_->count(selection);
    EXPECT_OK(counts);
    for (const auto& [type, count] : *counts) counted += count;
    EXPECT_EQ(counted, values.size());
    return values;
  }
  std::vector<std::string> admitted(const std::vector<MaterialRule>& rules) {
    EXPECT_OK(vault_->set_group_material(kFirst, rules));
    EXPECT_EQ(*vault_->group_material(kFirst), rules);
    Selection selection;
    selection.group = kFirst;
    return admitted(selection);
  }

  TestVault test_;
  std::unique_ptr<Vault> vault_ = test_.open();
};

using Values = std::vector<std::string>;

TEST_F(GroupMaterial, IsNoneUntilARuleAdmitsIt) {
  EXPECT_EQ(admitted(std::vector<MaterialRule>{}), Values{});
  Selection other;
  other.group = kSecond;
  EXPECT_EQ(admitted(other), Values{});
  EXPECT_EQ(admitted(Selection{}).size(), 5u) << "a pair without a charter asks as before";
}

TEST_F(GroupMaterial, IsAdmittedByTypeLabelSourceAndMark) {
  EXPECT_EQ(admitted({MaterialRule{}}).size(), 5u) << "a rule without conditions admits all";
  EXPECT_EQ(admitted({MaterialRule{.types = {Type::ipv4}}}), Values{"198.51.100.1"});
  EXPECT_EQ(admitted({MaterialRule{.label = "Stadium"}}), (Values{"198.51.100.1", "both.example"}));
  EXPECT_EQ(admitted({MaterialRule{.label = "nobody wrote this"}}), Values{});
  EXPECT_EQ(admitted({MaterialRule{.source = "own.csv"}}), (Values{"198.51.100.1", "a.example", "both.example"}));
  EXPECT_EQ(admitted({MaterialRule{.source = "OWN.csv"}}), Values{});
  EXPECT_EQ(admitted({MaterialRule{.source = "police.csv", .tlp_max = Tlp::green}}),
            (Values{"both.example", "police.example"}));
  EXPECT_EQ(admitted({MaterialRule{.types = {Type::domain}, .label = "stadium"}}), Values{"both.example"});
}

TEST_F(GroupMaterial, IsAdmittedByAnyOfSeveralRulesAndEachHoldsForOneSource) {
  EXPECT_EQ(admitted({MaterialRule{.types = {Type::ipv4}}, MaterialRule{.label = "police", .tlp_max = Tlp::amber}}),
            (Values{"198.51.100.1", "both.example", "police.example"}));
  // stadium is said by own.csv, green by police.csv: no source says both.
  EXPECT_EQ(admitted({MaterialRule{.label = "stadium", .tlp_max = Tlp::green}}), Values{});
}

TEST_F(GroupMaterial, IsNarrowedFurtherByTheQuestion) {
  ASSERT_OK(vault_->set_group_material(kFirst, std::vector{MaterialRule{.source = "police.csv"}}));
  Selection selection;
  selection.group = kFirst;
  selection.tlp_max = Tlp::amber;
  EXPECT_EQ(admitted(selection), (Values{"both.example", "police.example"}));
  selection.label = "stadium";
  EXPECT_EQ(admitted(selection), Values{}) << "the source that is admitted does not say it";
  selection.label = "no such label";
  EXPECT_EQ(admitted(selection), Values{});
}

TEST_F(GroupMaterial, BringsTheContextOfAdmittedSourcesOnly) {
  ASSERT_OK(vault_->set_group_material(kFirst, std::vector{MaterialRule{.source = "own.csv"}}));
  Selection selection;
  selection.group = kFirst;
  std::vector<std::string> seen;
  ASSERT_OK(vault_->for_each_with_contexts(selection,
                                           [&](const Item& item, std::span<const SourceContext> contexts) -> Status {
                                             for (const SourceContext& context : contexts)
                                               seen.push_back(item.indicator.value() + " " + context.source);
                                             return {};
                                           }));
  EXPECT_EQ(seen, (Values{"198.51.100.1 own.csv", "a.example own.csv", "both.example own.csv"}));
}

TEST_F(GroupMaterial, BringsNoContextUnderAStricterMarkThanTheGroupLetsIn) {
  ASSERT_OK(vault_->set_group_material(kFirst, std::vector{MaterialRule{}}));
  Selection selection;
  selection.group = kFirst;
  selection.tlp_max = Tlp::green;
  std::vector<std::string> seen;
  ASSERT_OK(vault_->for_each_with_contexts(selection,
                                           [&](const Item& item, std::span<const SourceContext> contexts) -> Status {
                                             for (const SourceContext& context : contexts)
                                               seen.push_back(item.indicator.value() + " " + context.source);
                                             return {};
                                           }));
  EXPECT_EQ(seen, (Values{"both.example police.csv", "police.example police.csv"}));
}

TEST_F(GroupMaterial, OfOneGroupIsNotThatOfAnother) {
  ASSERT_OK(vault_->set_group_material(kFirst, std::vector{MaterialRule{.source = "own.csv"}}));
  ASSERT_OK(vault_->set_group_material(kSecond, std::vector{MaterialRule{.types = {Type::ipv4}}}));
  Selection selection;
  selection.group = kSecond;
  EXPECT_EQ(admitted(selection), Values{"198.51.100.1"});
  ASSERT_OK(vault_->set_group_material(kSecond, {}));
  EXPECT_EQ(admitted(selection), Values{});
  selection.group = kFirst;
  EXPECT_EQ(admitted(selection).size(), 3u);
}

}  // namespace
}  // namespace parley::vault
