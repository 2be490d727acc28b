// Several threads of one node ask one vault.
#include <fmt/format.h>

#include <atomic>
#include <future>
#include <thread>

#include "testing.h"

namespace parley::vault {
namespace {

TEST(VaultThreads, ReadAndWriteAtTheSameTime) {
  const TestVault test;
  const auto vault = test.open();
  ASSERT_OK(import_records(*vault, {"a.csv", "csv", {}, {}}, addresses(2000)));
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const auto count = vault->count({});
        if (!count || count->at(indicator::Type::ipv4) != 2000) ++failures;
        if (!vault->put_setting(fmt::format("{} {}", t, i), "x")) ++failures;
        std::size_t seen = 0;
        const Status status = vault->for_each({}, [&](const Item&) -> Status {
          ++seen;
          return {};
        });
        if (!status || seen != 2000) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

TEST(VaultThreads, WaitForAnOpenImportAndThenSeeAllOfIt) {
  const TestVault test;
  const auto vault = test.open();
  auto job = vault->begin_import();
  ASSERT_OK(job);
  ASSERT_OK((*job)->begin_source({"a.csv", "csv", {}, {}}));
  std::promise<void> asking;
  auto reader = std::async(std::launch::async, [&] {
    asking.set_value();
    return items(*vault).size();
  });
  auto importer =
      std::async(std::launch::async, [&] { return import_records(*vault, {"b.csv", "csv", {}, {}}, addresses(7)); });
  asking.get_future().wait();
  for (const TestRecord& record : addresses(500)) ASSERT_OK((*job)->add(canonical(record.type, record.value), {}, 0));
  SilentProgress progress;
  ASSERT_OK((*job)->commit(progress));
  EXPECT_EQ(reader.wait_for(std::chrono::seconds(0)), std::future_status::timeout)
      << "the import still holds the vault";
  job->reset();
  EXPECT_EQ(reader.get(), 500U);
  EXPECT_OK(importer.get());
}

TEST(VaultThreads, AreToldWhenTheyWaitForTheirOwnImport) {
  const TestVault test;
  const auto vault = test.open();
  {
    auto job = vault->begin_import();
    ASSERT_OK(job);
    EXPECT_FAILS(vault->count({}), Errc::internal);
    EXPECT_FAILS(vault->put_setting("a", "b"), Errc::internal);
    EXPECT_FAILS(vault->begin_import(), Errc::internal);
  }
  EXPECT_OK(vault->count({}));
  EXPECT_OK(vault->for_each({}, [&](const Item&) -> Status { return {}; }));
}

TEST(VaultThreads, MayEndAnImportOnAnotherThread) {
  const TestVault test;
  const auto vault = test.open();
  auto job = vault->begin_import();
  ASSERT_OK(job);
  std::thread other([import = std::move(*job)]() mutable {
    SilentProgress progress;
    static_cast<void>(import->begin_source({"a.csv", "csv", {}, {}}).has_value());
    static_cast<void>(import->add(canonical(indicator::Type::domain, "a.example"), {}, 0).has_value());
    static_cast<void>(import->commit(progress).has_value());
    import.reset();
  });
  other.join();
  EXPECT_EQ(items(*vault).size(), 1U);
}

}  // namespace
}  // namespace parley::vault
