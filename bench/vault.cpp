// The vault on this machine's temporary folder: rows imported and selected a second.
#include "vault/vault.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "timing.h"

namespace parley::vault {
namespace {

using indicator::Canonical;
using indicator::Type;

/// A vault with nothing in it that a key file opens, in a folder that goes with it.
class FreshVault {
 public:
  FreshVault() {
    std::string name = (std::filesystem::temp_directory_path() / "parley-bench-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  FreshVault(const FreshVault&) = delete;
  FreshVault& operator=(const FreshVault&) = delete;
  ~FreshVault() {
    vault_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  Status open() {
    Unlock unlock;
    unlock.key_file = random_secret<32>();
    TRY_STATUS(Vault::create(folder_, unlock));
    TRY(vault_, Vault::open(folder_, unlock));
    return {};
  }
  Vault& vault() { return *vault_; }
  std::uintmax_t size_bytes() const {
    std::uintmax_t size = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) size += entry.file_size();
    return size;
  }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<Vault> vault_;
};

/// Row `i`: an address or a domain, out of order, with a date and on every second row a label.
Status add_row(Import& import, std::size_t i, std::size_t count) {
  const std::size_t mixed = i * 7919 % count;  // 7919 is prime and no factor of the counts used here
  indicator::Context context;
  context.first_seen = 1'500'000'000 + static_cast<UnixSeconds>(i);
  if (i % 2 == 0) context.labels = {{indicator::LabelKind::malware, "Zebrocy"}};
  auto value = mixed % 2 == 0 ? Canonical::from_storage(Type::ipv4, fmt::format("10.{}.{}.{}", mixed >> 16,
                                                                                (mixed >> 8) & 255, mixed & 255))
                              : Canonical::from_storage(Type::domain, fmt::format("c{}.evil.example.com", mixed));
  return import.add(value, context, 0);
}

Status import_rows(Vault& vault, std::size_t count) {
  TRY(auto import, vault.begin_import());
  TRY_STATUS(import->begin_source({"bench.csv", "csv", {}, {}}));
  for (std::size_t i = 0; i < count; ++i) TRY_STATUS(add_row(*import, i, count));
  SilentProgress progress;
  TRY(const ImportSummary summary, import->commit(progress));
  if (summary.new_items != count) return fail(Errc::internal, "Not every row is a new item.");
  return {};
}

void import_into_empty_vault(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  double bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto fresh = std::make_unique<FreshVault>();
    if (failed(state, fresh->open())) return;
    state.ResumeTiming();
    if (failed(state, import_rows(fresh->vault(), count))) return;
    state.PauseTiming();
    bytes = static_cast<double>(fresh->size_bytes());
    fresh.reset();
    state.ResumeTiming();
  }
  set_items(state, count);
  state.counters["bytes_a_row"] = bytes / static_cast<double>(count);
}
BENCHMARK(import_into_empty_vault)
    ->Name("import")
    ->Arg(10'000)
    ->Arg(200'000)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

constexpr std::size_t kStored = 200'000;

void select_rows(benchmark::State& state, const Selection& selection, bool with_contexts) {
  FreshVault fresh;
  if (failed(state, fresh.open()) || failed(state, import_rows(fresh.vault(), kStored))) return;
  std::size_t rows = 0;
  for (auto _ : state) {
    rows = 0;
    const Status status = with_contexts ? fresh.vault().for_each_with_contexts(
                                              selection,
                                              [&](const Item&, std::span<const SourceContext>) -> Status {
                                                ++rows;
                                                return {};
                                              })
                                        : fresh.vault().for_each(selection, [&](const Item&) -> Status {
                                            ++rows;
                                            return {};
                                          });
    if (failed(state, status)) return;
  }
  set_items(state, rows);
}

Selection of_type(Type type) {
  Selection selection;
  selection.types = {type};
  return selection;
}

Selection with_label(std::string label) {
  Selection selection;
  selection.label = std::move(label);
  return selection;
}

BENCHMARK_CAPTURE(select_rows, all, Selection{}, false)->Name("select_all")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(select_rows, type, of_type(Type::domain), false)->Name("select_type")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(select_rows, label, with_label("zebrocy"), false)
    ->Name("select_label")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(select_rows, contexts, Selection{}, true)
    ->Name("select_all_with_contexts")
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley::vault

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
