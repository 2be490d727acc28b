#include "crypto/cpu.h"

#include <fstream>
#include <sstream>

#include "crypto/levels.h"

namespace parley::crypto {
namespace {

// What the operating system says of the processor: another witness than the instruction that cpu.cpp asks.
std::vector<std::string> flags_of_proc() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    return {std::istream_iterator<std::string>(words), {}};
  }
  return {};
}

TEST(CpuLevel, IsWhatTheOperatingSystemSeesOfTheProcessor) {
  const auto flags = flags_of_proc();
  if (flags.empty()) GTEST_SKIP() << "/proc/cpuinfo lists no flags";
  const auto has = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::all_of(names, [&](auto name) { return std::ranges::find(flags, name) != flags.end(); });
  };
  CpuLevel expected = CpuLevel::portable;
  if (has({"aes", "pclmulqdq", "sse4_1", "ssse3"})) {
    expected = CpuLevel::aesni;
    if (has({"avx2", "vaes", "vpclmulqdq"})) {
      expected = has({"avx512f", "avx512vl"}) ? CpuLevel::avx512 : CpuLevel::vaes;
    }
  }
  EXPECT_EQ(cpu_level(), expected) << name_of(cpu_level()) << ", not " << name_of(expected);
  EXPECT_EQ(cpu_has_sha(), has({"sha_ni"}) && expected != CpuLevel::portable);
}

TEST(CpuLevel, IsNeverAboveTheLimit) {
  const LevelGuard guard;
  const CpuLevel found = cpu_level();
  for (const CpuLevel most : kAllLevels) {
    limit_cpu_level(most);
    EXPECT_EQ(cpu_level(), std::min(found, most));
  }
}

TEST(CpuLevel, LeavesOutTheShaExtensionsWhenPortable) {
  const LevelGuard guard;
  limit_cpu_level(CpuLevel::portable);
  EXPECT_FALSE(cpu_has_sha());
}

}  // namespace
}  // namespace parley::crypto
