// Imports: what the vault keeps of each source, and that an import is all there or not there at all.
#include <fmt/format.h>

#include <set>

#include "testing.h"

namespace parley::vault {
namespace {

using indicator::Label;
using indicator::LabelKind;
using indicator::Tlp;
using indicator::Type;

/// Counts phases; stops the work when told.
class CountingProgress final : public Progress {
 public:
  void phase(std::string_view name, std::uint64_t) override { phases.emplace_back(name); }
  void advance(std::uint64_t) override {}
  std::vector<std::string> phases;
};

TEST(Import, GivesItemsBackInTheOrderOfTypeAndValue) {
  const TestVault test;
  const auto vault = test.open();
  const auto summary = import_records(*vault, {"a.csv", "csv", {}, {}},
                                      {{Type::url, "http://b.example/", {}},
                                       {Type::domain, "b.example", {}},
                                       {Type::ipv4, "9.9.9.9", {}},
                                       {Type::ipv4, "10.0.0.1", {}},
                                       {Type::domain, "a.example", {}},
                                       {Type::domain, "a.exampl", {}},
                                       {Type::domain, std::string("a\0b", 3), {}},
                                       {Type::domain, "\xc3\xa9.example", {}}});
  ASSERT_OK(summary);
  EXPECT_EQ(summary->records, 8U);
  EXPECT_EQ(summary->new_items, 8U);
  EXPECT_EQ(summary->known_items, 0U);
  EXPECT_EQ(summary->new_by_type.at(Type::domain), 5U);

  std::vector<std::string> values;
  std::vector<indicator::Canonical> order;
  std::set<ItemId> ids;
  for (const Item& item : items(*vault)) {
    order.push_back(item.indicator);
    values.push_back(item.indicator.value());
    ids.insert(item.id);
  }
  EXPECT_TRUE(std::ranges::is_sorted(order));
  EXPECT_EQ(values, (std::vector<std::string>{"10.0.0.1", "9.9.9.9", std::string("a\0b", 3), "a.exampl", "a.example",
                                              "b.example", "\xc3\xa9.example", "http://b.example/"}));
  EXPECT_EQ(ids.size(), values.size());
}

TEST(Import, KeepsEverythingThatARecordSays) {
  const TestVault test;
  const auto vault = test.open();
  indicator::Context full;
  full.first_seen = 1500000000;
  full.last_seen = 1600000000;
  full.sightings = 7;
  full.confidence = 85;
  full.tlp = Tlp::amber_strict;
  full.pap = indicator::Pap::green;
  full.labels = {{LabelKind::actor, "Sednit"}, {LabelKind::malware, "X-Agent"}, {LabelKind::technique, "T1566"}};
  const indicator::Context empty;
  ASSERT_OK(import_records(*vault, {"report.json", "stix", {}, {}},
                           {{Type::domain, "a.example", full}, {Type::domain, "b.example", empty}}));
  const std::vector<Item> held = items(*vault);
  ASSERT_EQ(held.size(), 2U);

  const auto first = vault->contexts(held[0].id);
  ASSERT_OK(first);
  ASSERT_EQ(first->size(), 1U);
  const SourceContext& kept = first->front();
  EXPECT_EQ(kept.source, "report.json");
  EXPECT_EQ(kept.format, "stix");
  EXPECT_NEAR(static_cast<double>(kept.imported), static_cast<double>(wall_clock_now()), 100);
  EXPECT_EQ(kept.context.first_seen, full.first_seen);
  EXPECT_EQ(kept.context.last_seen, full.last_seen);
  EXPECT_EQ(kept.context.sightings, 7U);
  EXPECT_EQ(kept.context.confidence, full.confidence);
  EXPECT_EQ(kept.context.tlp, full.tlp);
  EXPECT_EQ(kept.context.pap, full.pap);
  EXPECT_EQ(kept.context.labels, full.labels);

  const auto second = vault->contexts(held[1].id);
  ASSERT_OK(second);
  ASSERT_EQ(second->size(), 1U);
  const indicator::Context& nothing = second->front().context;
  EXPECT_FALSE(nothing.first_seen || nothing.last_seen || nothing.confidence || nothing.tlp || nothing.pap);
  EXPECT_TRUE(nothing.labels.empty());
  EXPECT_EQ(nothing.sightings, 1U);
}

TEST(Import, AddsItsLabelsToEveryRecordAndItsMarkToThoseThatHaveNone) {
  const TestVault test;
  const auto vault = test.open();
  indicator::Context marked;
  marked.tlp = Tlp::red;
  marked.labels = {{LabelKind::label, "phishing"}};
  ASSERT_OK(import_records(*vault, {"a.csv", "csv", {"sednit", "phishing"}, Tlp::green},
                           {{Type::domain, "a.example", marked}, {Type::domain, "b.example", {}}}));
  const std::vector<Item> held = items(*vault);
  const auto a = vault->contexts(held[0].id);
  const auto b = vault->contexts(held[1].id);
  ASSERT_OK(a);
  ASSERT_OK(b);
  EXPECT_EQ(a->front().context.tlp, Tlp::red);
  EXPECT_EQ(b->front().context.tlp, Tlp::green);
  const std::vector<Label> both = {{LabelKind::label, "phishing"}, {LabelKind::label, "sednit"}};
  EXPECT_EQ(a->front().context.labels, both);
  EXPECT_EQ(b->front().context.labels, both);
}

TEST(Import, KeepsBothContextsWhenTwoSourcesNameOneIndicator) {
  const TestVault test;
  const auto vault = test.open();
  indicator::Context later;
  later.first_seen = 1700000000;
  ASSERT_OK(import_records(*vault, {"first.csv", "csv", {}, {}}, {{Type::domain, "a.example", {}}}));
  const auto summary = import_records(*vault, {"second.csv", "csv", {}, {}}, {{Type::domain, "a.example", later}});
  ASSERT_OK(summary);
  EXPECT_EQ(summary->new_items, 0U);
  EXPECT_EQ(summary->known_items, 1U);
  const auto contexts = vault->contexts(items(*vault).front().id);
  ASSERT_OK(contexts);
  ASSERT_EQ(contexts->size(), 2U);
  EXPECT_EQ(contexts->at(0).source, "first.csv");
  EXPECT_EQ(contexts->at(1).source, "second.csv");
  EXPECT_EQ(contexts->at(1).context.first_seen, later.first_seen);
}

TEST(Import, KeepsBothContextsWhenTheTwoSourcesComeInOneImport) {
  const TestVault test;
  const auto vault = test.open();
  auto job = vault->begin_import();
  ASSERT_OK(job);
  for (const char* source : {"first.csv", "second.csv"}) {
    ASSERT_OK((*job)->begin_source({source, "csv", {}, {}}));
    ASSERT_OK((*job)->add(canonical(Type::domain, "a.example"), {}, 0));
  }
  SilentProgress progress;
  const auto summary = (*job)->commit(progress);
  ASSERT_OK(summary);
  EXPECT_EQ(summary->new_items, 1U);
  job->reset();
  EXPECT_EQ(vault->contexts(items(*vault).front().id)->size(), 2U);
}

TEST(Import, OfTheSameFileAgainKeepsEachContextOnce) {
  const TestVault test;
  const auto vault = test.open();
  indicator::Context seen;
  seen.first_seen = 1500000000;
  seen.labels = {{LabelKind::malware, "X-Agent"}};
  const std::vector<TestRecord> records = {{Type::domain, "a.example", seen}, {Type::domain, "b.example", {}}};
  ASSERT_OK(import_records(*vault, {"feed.csv", "csv", {"l"}, {}}, records));
  const auto again = import_records(*vault, {"feed.csv", "csv", {"l"}, {}}, records);
  ASSERT_OK(again);
  EXPECT_EQ(again->records, 2U);
  EXPECT_EQ(again->new_items, 0U);
  EXPECT_EQ(again->known_items, 2U);
  for (const Item& item : items(*vault)) EXPECT_EQ(vault->contexts(item.id)->size(), 1U) << item.indicator.value();
}

TEST(Import, OfAFileOfTheSameNameThatSaysSomethingElseKeepsBoth) {
  const TestVault test;
  const auto vault = test.open();
  indicator::Context changed;
  changed.sightings = 2;
  ASSERT_OK(import_records(*vault, {"feed.csv", "csv", {}, {}},
                           {{Type::domain, "a.example", {}}, {Type::domain, "b.example", {}}}));
  ASSERT_OK(import_records(*vault, {"feed.csv", "csv", {}, {}},
                           {{Type::domain, "a.example", changed}, {Type::domain, "b.example", {}}}));
  const std::vector<Item> held = items(*vault);
  EXPECT_EQ(vault->contexts(held[0].id)->size(), 2U);
  EXPECT_EQ(vault->contexts(held[1].id)->size(), 1U);
}

TEST(Import, JoinsWhatOneSourceSaysSeveralTimesAboutOneIndicator) {
  const TestVault test;
  const auto vault = test.open();
  indicator::Context early;
  early.first_seen = 100;
  early.last_seen = 200;
  early.confidence = 10;
  early.tlp = Tlp::clear;
  early.sightings = 3;
  early.labels = {{LabelKind::actor, "A"}};
  indicator::Context late;
  late.first_seen = 150;
  late.last_seen = 900;
  late.confidence = 90;
  late.tlp = Tlp::red;
  late.pap = indicator::Pap::amber;
  late.sightings = ~std::uint64_t{0};
  late.labels = {{LabelKind::actor, "B"}};
  const auto summary = import_records(
      *vault, {"a.csv", "csv", {}, {}},
      {{Type::domain, "a.example", early}, {Type::domain, "a.example", late}, {Type::domain, "a.example", {}}});
  ASSERT_OK(summary);
  EXPECT_EQ(summary->records, 3U);
  EXPECT_EQ(summary->new_items, 1U);
  const auto contexts = vault->contexts(items(*vault).front().id);
  ASSERT_EQ(contexts->size(), 1U);
  const indicator::Context& joined = contexts->front().context;
  EXPECT_EQ(joined.first_seen, 100);
  EXPECT_EQ(joined.last_seen, 900);
  EXPECT_EQ(joined.confidence, 90);
  EXPECT_EQ(joined.tlp, Tlp::red) << "the stricter mark holds";
  EXPECT_EQ(joined.pap, indicator::Pap::amber);
  EXPECT_EQ(joined.sightings, std::uint64_t{0x7fffffffffffffff}) << "counts do not wrap";
  EXPECT_EQ(joined.labels, (std::vector<Label>{{LabelKind::actor, "A"}, {LabelKind::actor, "B"}}));
}

TEST(Import, LeavesTheVaultAsItWasWhenItIsDropped) {
  const TestVault test;
  const auto vault = test.open();
  ASSERT_OK(import_records(*vault, {"a.csv", "csv", {}, {}}, {{Type::domain, "a.example", {}}}));
  {
    auto job = vault->begin_import();
    ASSERT_OK(job);
    ASSERT_OK((*job)->begin_source({"b.csv", "csv", {"new label"}, {}}));
    ASSERT_OK((*job)->add(canonical(Type::domain, "b.example"), {}, 0));
    ASSERT_OK((*job)->add(canonical(Type::domain, "a.example"), {}, 0));
  }
  EXPECT_EQ(items(*vault).size(), 1U);
  EXPECT_EQ(vault->contexts(items(*vault).front().id)->size(), 1U);
  Selection labelled;
  labelled.label = "new label";
  EXPECT_TRUE(items(*vault, labelled).empty());
  EXPECT_OK(import_records(*vault, {"c.csv", "csv", {}, {}}, {{Type::domain, "c.example", {}}}));
}

TEST(Import, LeavesTheVaultAsItWasWhenItIsCancelled) {
  const TestVault test;
  const auto vault = test.open();
  {
    auto job = vault->begin_import();
    ASSERT_OK(job);
    ASSERT_OK((*job)->begin_source({"b.csv", "csv", {}, {}}));
    for (const TestRecord& record : addresses(20000))
      ASSERT_OK((*job)->add(canonical(record.type, record.value), {}, 0));
    CountingProgress progress;
    progress.cancel();
    EXPECT_FAILS((*job)->commit(progress), Errc::cancelled);
    EXPECT_FAILS((*job)->commit(progress), Errc::cancelled);
    EXPECT_FAILS((*job)->add(canonical(Type::domain, "x.example"), {}, 0), Errc::cancelled);
  }
  EXPECT_TRUE(items(*vault).empty());
}

TEST(Import, RefusesRecordsWithoutASourceTooLongValuesAndWorkAfterItsEnd) {
  const TestVault test;
  const auto vault = test.open();
  auto job = vault->begin_import();
  ASSERT_OK(job);
  EXPECT_FAILS((*job)->add(canonical(Type::domain, "a.example"), {}, 0), Errc::internal);
  ASSERT_OK((*job)->begin_source({"a.csv", "csv", {}, {}}));
  EXPECT_FAILS((*job)->add(canonical(Type::url, std::string(indicator::kMaxValueBytes + 1, 'a')), {}, 0), Errc::limit);
  EXPECT_OK((*job)->add(canonical(Type::url, std::string(indicator::kMaxValueBytes, 'a')), {}, 0));
  SilentProgress progress;
  EXPECT_OK((*job)->commit(progress));
  EXPECT_FAILS((*job)->commit(progress), Errc::internal);
  EXPECT_FAILS((*job)->begin_source({"b.csv", "csv", {}, {}}), Errc::internal);
}

TEST(Import, WithoutRecordsChangesNothing) {
  const TestVault test;
  const auto vault = test.open();
  const auto summary = import_records(*vault, {"a.csv", "csv", {}, {}}, {});
  ASSERT_OK(summary);
  EXPECT_EQ(summary->records, 0U);
  EXPECT_TRUE(items(*vault).empty());
}

TEST(Import, CountsTheItemsThatStandOnAWarningList) {
  const TestVault test;
  const auto vault = test.open();
  ASSERT_OK(vault->add_warning_list({"relays", indicator::WarningMatch::exact, {"198.51.100.7", "198.51.100.8"}}));
  const auto first = import_records(
      *vault, {"a.csv", "csv", {}, {}},
      {{Type::ipv4, "198.51.100.7", {}}, {Type::ipv4, "198.51.100.7", {}}, {Type::ipv4, "20.1.1.1", {}}});
  ASSERT_OK(first);
  EXPECT_EQ(first->marked.at("relays"), 1U);
  const auto second = import_records(*vault, {"b.csv", "csv", {}, {}},
                                     {{Type::ipv4, "198.51.100.7", {}}, {Type::ipv4, "198.51.100.8", {}}});
  ASSERT_OK(second);
  EXPECT_EQ(second->marked.at("relays"), 2U);
}

// --- hashes of one file ------------------------------------------------------------------------------------------

std::map<std::string, std::int64_t> files_by_value(Vault& vault) {
  std::map<std::string, std::int64_t> files;
  for (const Item& item : items(vault)) files[item.indicator.value()] = item.file;
  return files;
}

TEST(FileTies, HoldTheHashesOfOneFileTogetherAndOthersApart) {
  const TestVault test;
  const auto vault = test.open();
  ASSERT_OK(import_records(*vault, {"a.json", "stix", {}, {}},
                           {{Type::md5, "m1", {}, 1},
                            {Type::sha1, "s1", {}, 1},
                            {Type::sha256, "t1", {}, 1},
                            {Type::filename, "a.exe", {}, 1},
                            {Type::md5, "m2", {}, 2},
                            {Type::sha1, "s2", {}, 2},
                            {Type::md5, "alone", {}, 3},
                            {Type::md5, "untied", {}, 0}}));
  const auto files = files_by_value(*vault);
  EXPECT_NE(files.at("m1"), 0);
  EXPECT_EQ(files.at("m1"), files.at("s1"));
  EXPECT_EQ(files.at("m1"), files.at("t1"));
  EXPECT_NE(files.at("m2"), 0);
  EXPECT_EQ(files.at("m2"), files.at("s2"));
  EXPECT_NE(files.at("m1"), files.at("m2"));
  for (const char* value : {"a.exe", "alone", "untied"}) EXPECT_EQ(files.at(value), 0) << value;
}

TEST(FileTies, AreThoseOfTheirSourceWhenTwoSourcesCountAlike) {
  const TestVault test;
  const auto vault = test.open();
  auto job = vault->begin_import();
  ASSERT_OK(job);
  for (const std::string name : {"a", "b"}) {
    ASSERT_OK((*job)->begin_source({name, "stix", {}, {}}));
    ASSERT_OK((*job)->add(canonical(Type::md5, "m" + name), {}, 1));
    ASSERT_OK((*job)->add(canonical(Type::sha1, "s" + name), {}, 1));
  }
  SilentProgress progress;
  ASSERT_OK((*job)->commit(progress));
  job->reset();
  const auto files = files_by_value(*vault);
  EXPECT_EQ(files.at("ma"), files.at("sa"));
  EXPECT_EQ(files.at("mb"), files.at("sb"));
  EXPECT_NE(files.at("ma"), files.at("mb"));
}

/// A plain model of the ties: sets of values, joined one by one.
class TieModel {
 public:
  void tie(const std::vector<std::string>& values) {
    std::set<std::string> joined(values.begin(), values.end());
    std::vector<std::set<std::string>> rest;
    for (std::set<std::string>& set : sets_) {
      const bool meets = std::ranges::any_of(set, [&](const std::string& value) { return joined.contains(value); });
      if (meets) {
        joined.merge(set);
      } else {
        rest.push_back(std::move(set));
      }
    }
    rest.push_back(std::move(joined));
    sets_ = std::move(rest);
  }
  bool tied(const std::string& a, const std::string& b) const {
    return std::ranges::any_of(sets_, [&](const auto& set) { return set.contains(a) && set.contains(b); });
  }

 private:
  std::vector<std::set<std::string>> sets_;
};

TEST(FileTies, GrowAcrossImportsAsAPlainModelSays) {
  const std::uint64_t seed = test_seed();
  std::mt19937_64 random(seed);
  const TestVault test;
  const auto vault = test.open();
  TieModel model;
  constexpr std::uint64_t kHashes = 60;
  for (int import = 0; import < 12; ++import) {
    std::vector<TestRecord> records;
    for (std::uint64_t object = 1; object <= 6; ++object) {
      std::vector<std::string> values;
      for (std::uint64_t i = 0; i < 1 + random() % 3; ++i) values.push_back(fmt::format("{:02}", random() % kHashes));
      for (const std::string& value : values) {
        constexpr Type kTypes[] = {Type::md5, Type::sha1, Type::sha256};
        records.push_back({kTypes[std::stoul(value) % 3], value, {}, object});
      }
      model.tie(values);
    }
    ASSERT_OK(import_records(*vault, {fmt::format("{}.json", import), "stix", {}, {}}, records));
    const auto files = files_by_value(*vault);
    for (const auto& [a, file_a] : files) {
      for (const auto& [b, file_b] : files) {
        if (a >= b) continue;
        ASSERT_EQ(file_a != 0 && file_a == file_b, model.tied(a, b)) << a << " " << b << " seed " << seed;
      }
    }
  }
}

// --- large imports ------------------------------------------------------------------------------------------------

TEST(Import, OfMoreThanOneBatchIsAsIfItWereOne) {
  const TestVault test;
  const auto vault = test.open();
  auto job = vault->begin_import();
  ASSERT_OK(job);
  ASSERT_OK((*job)->begin_source({"big.csv", "csv", {}, {}}));
  // Long values fill a batch's 80 MiB with few records: 3 batches here, and the first and last records are the same.
  constexpr std::size_t kRecords = 55000;
  indicator::Context first;
  first.first_seen = 1;
  indicator::Context last;
  last.last_seen = 2;
  ASSERT_OK((*job)->add(canonical(Type::domain, "twice.example"), first, 0));
  ASSERT_OK((*job)->add(canonical(Type::md5, "tied"), {}, 1));
  for (std::size_t i = 0; i < kRecords; ++i) {
    ASSERT_OK((*job)->add(canonical(Type::url, fmt::format("{}{:06}", std::string(3900, 'u'), i)), {}, 0));
  }
  ASSERT_OK((*job)->add(canonical(Type::domain, "twice.example"), last, 0));
  ASSERT_OK((*job)->add(canonical(Type::sha1, "tied too"), {}, 1));
  SilentProgress progress;
  const auto summary = (*job)->commit(progress);
  ASSERT_OK(summary);
  job->reset();
  EXPECT_EQ(summary->records, kRecords + 4);
  EXPECT_EQ(summary->new_items, kRecords + 3);
  EXPECT_EQ(summary->known_items, 0U);
  Selection domains;
  domains.types = {Type::domain};
  const auto contexts = vault->contexts(items(*vault, domains).front().id);
  ASSERT_EQ(contexts->size(), 1U);
  EXPECT_EQ(contexts->front().context.first_seen, 1);
  EXPECT_EQ(contexts->front().context.last_seen, 2);
  EXPECT_EQ(contexts->front().context.sightings, 2U);
  Selection hashes;
  hashes.types = {Type::md5, Type::sha1};
  const std::vector<Item> tied = items(*vault, hashes);
  ASSERT_EQ(tied.size(), 2U);
  EXPECT_NE(tied[0].file, 0);
  EXPECT_EQ(tied[0].file, tied[1].file);
}

/// Imports 20,000 addresses into a vault that holds one item, in a child process that may write files of at most
/// `limit` bytes. @return the child's wait status
int import_under_limit(const TestVault& test, rlim_t limit, bool killed_at_limit) {
  return in_child([&] {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::signal(SIGXFSZ, killed_at_limit ? SIG_DFL : SIG_IGN);
    auto vault = test.try_open();
    if (!vault) ::_exit(3);
    const rlimit size{limit, limit};
    ::setrlimit(RLIMIT_FSIZE, &size);
    const auto summary = import_records(**vault, {"new.csv", "csv", {"new"}, {}}, addresses(20000));
    if (summary) ::_exit(0);
    // The vault still answers, and answers as before.
    std::size_t count = 0;
    const Status read = (*vault)->for_each({}, [&](const Item&) -> Status {
      ++count;
      return {};
    });
    const bool as_before = read.has_value() && count == 1 && summary.error().code == Errc::io;
    vault->reset();
    ::_exit(as_before ? 1 : 2);
  });
}

void expect_all_or_nothing(const TestVault& test, bool all) {
  const auto vault = test.open();
  ASSERT_NE(vault, nullptr);
  const std::size_t held = items(*vault).size();
  EXPECT_EQ(held, all ? 20001U : 1U);
  Selection labelled;
  labelled.label = "new";
  EXPECT_EQ(items(*vault, labelled).size(), all ? 20000U : 0U);
  EXPECT_OK(vault->put_setting("still", "works"));
}

TEST(Import, OnADiskThatFillsUpFailsAndLeavesTheVaultAsItWas) {
  const TestVault test;
  {
    ASSERT_OK(import_records(*test.open(), {"old.csv", "csv", {}, {}}, {{Type::domain, "old.example", {}}}));
  }
  const auto good = contents(test.folder().path());
  std::size_t failed = 0;
  for (const rlim_t limit : {90000U, 200000U, 555555U, 1000000U, 1400000U}) {
    restore(test.folder().path(), good);
    const int status = import_under_limit(test, limit, false);
    ASSERT_TRUE(WIFEXITED(status)) << limit;
    EXPECT_LE(WEXITSTATUS(status), 1) << limit;
    failed += WEXITSTATUS(status) == 1 ? 1U : 0U;
    expect_all_or_nothing(test, WEXITSTATUS(status) == 0);
  }
  EXPECT_GE(failed, 3U);
}

TEST(Import, KilledInTheMiddleOfAWriteLeavesTheVaultAsItWas) {
  const TestVault test;
  {
    ASSERT_OK(import_records(*test.open(), {"old.csv", "csv", {}, {}}, {{Type::domain, "old.example", {}}}));
  }
  const auto good = contents(test.folder().path());
  std::mt19937_64 random(test_seed());
  std::size_t killed = 0;
  for (int i = 0; i < 12; ++i) {
    restore(test.folder().path(), good);
    const rlim_t limit = 90000 + random() % 1500000;
    const int status = import_under_limit(test, limit, true);
    if (WIFEXITED(status)) continue;  // the import fitted
    ASSERT_EQ(WTERMSIG(status), SIGXFSZ);
    ++killed;
    expect_all_or_nothing(test, false);
  }
  EXPECT_GE(killed, 6U);
}

TEST(Import, KilledAtAnyMomentIsThereWhollyOrNotAtAll) {
  const TestVault test;
  {
    ASSERT_OK(import_records(*test.open(), {"old.csv", "csv", {}, {}}, {{Type::domain, "old.example", {}}}));
  }
  const auto good = contents(test.folder().path());
  const std::uint64_t seed = test_seed();
  std::mt19937_64 random(seed);
  for (int i = 0; i < 15; ++i) {
    restore(test.folder().path(), good);
    int begun[2];
    ASSERT_EQ(::pipe(begun), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto vault = test.try_open();
      auto job = (*vault)->begin_import();
      static_cast<void>((*job)->begin_source({"new.csv", "csv", {"new"}, {}}).has_value());
      for (const TestRecord& record : addresses(20000)) {
        static_cast<void>((*job)->add(canonical(record.type, record.value), {}, 0).has_value());
      }
      static_cast<void>(::write(begun[1], "x", 1) == 1);
      SilentProgress progress;
      static_cast<void>((*job)->commit(progress).has_value());
      die();
    }
    char byte = 0;
    ASSERT_EQ(::read(begun[0], &byte, 1), 1);
    ::usleep(static_cast<useconds_t>(random() % 150000));  // the moment of death, not a wait
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(begun[0]);
    ::close(begun[1]);
    const auto vault = test.open();
    ASSERT_NE(vault, nullptr) << "seed " << seed;
    const std::size_t held = items(*vault).size();
    EXPECT_TRUE(held == 1 || held == 20001) << held << ", seed " << seed;
  }
}

}  // namespace
}  // namespace parley::vault
