// Evidence files of a gibibyte on this machine's temporary folder: bytes a second in and out, and how much the peak of
// this process's memory grew meanwhile, which does not depend on their size.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "evidence/case.h"
#include "timing.h"

namespace parley::evidence {
namespace {

constexpr std::uint64_t kGibibyte = std::uint64_t{1} << 30;

/// In KiB, as the kernel counts it (VmHWM).
double peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr);
  return 0;
}

/// A vault with a case, and a sparse file beside it.
class Laboratory {
 public:
  Laboratory() {
    std::string name = (std::filesystem::temp_directory_path() / "parley-bench-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  Laboratory(const Laboratory&) = delete;
  Laboratory& operator=(const Laboratory&) = delete;
  ~Laboratory() {
    vault_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  Status open(std::uint64_t size) {
    vault::Unlock unlock;
    unlock.key_file = random_secret<32>();
    TRY_STATUS(vault::Vault::create(folder_, unlock));
    TRY(vault_, vault::Vault::open(folder_, unlock));
    const FileDescriptor file(::open(image().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (!file.valid() || ::ftruncate(file.get(), static_cast<off_t>(size)) != 0)
      return fail(Errc::io, "The image cannot be made.");
    TRY([[maybe_unused]] const vault::CaseRow row, cases().begin("bench", ""));
    return {};
  }
  Cases cases() { return {*vault_, {.actor = "bench", .role = {}, .location = {}}}; }
  std::filesystem::path image() const { return folder_ / "image"; }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<vault::Vault> vault_;
};

void take_in_and_check(benchmark::State& state) {
  Laboratory laboratory;
  SilentProgress progress;
  if (failed(state, laboratory.open(kGibibyte))) return;
  const double before = peak_memory();
  for (auto _ : state) {
    if (failed(state, laboratory.cases().add("bench", laboratory.image(), {}, progress))) return;
    const auto checked = laboratory.cases().check("bench", progress);
    if (failed(state, checked) || checked->front().failure) return;
  }
  set_bytes(state, kGibibyte);
  state.counters["peak_growth_KiB"] = peak_memory() - before;
}
BENCHMARK(take_in_and_check)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley::evidence

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
