#include "psi/vole/code.h"

#include <cassert>

namespace parley::psi::vole {
namespace {

using crypto::Block;
using crypto::BlockPair;

constexpr std::size_t kWordsPerBlock = crypto::kBlockBytes / crypto::kPickBytes;

/// Outputs for which picks are drawn at a time: three strata of these and of what is fetched ahead are 25 KB.
constexpr std::size_t kOutputsPerDraw = 2048;
constexpr std::size_t kBlocksPerDraw = (kOutputsPerDraw + crypto::kPicksAhead) / kWordsPerBlock;
static_assert(Code::kPicks % crypto::kStrataAtOnce == 0);

}  // namespace

Code::Code(const Digest& seed, std::size_t outputs, std::size_t inputs)
    : outputs_(outputs),
      noise_part_(inputs - outputs),
      taps_(std::span(seed).first<crypto::kBlockBytes>()),
      picks_(std::span(seed).last<crypto::kBlockBytes>()) {
  assert(outputs >= 1 && inputs >= outputs + kPicks && noise_part_ <= UINT32_MAX);
}

void Code::accumulate(std::span<Block> e) const {
  assert(e.size() == noise_part_);
  crypto::convolve(e, taps_);
}

void Code::accumulate(std::span<BlockPair> e) const {
  assert(e.size() == noise_part_);
  crypto::convolve(e, taps_);
}

/// Calls add(offset, count, strata) for parts of the outputs from `begin` on, `count` of them from begin + offset.
/// Strata outside, outputs inside: what is read at random is three strata at a time. The picks of stratum g are the
/// words of the stream from block g * ceil(k / 4) on, one for each output.
template <typename Record, typename Add>
void Code::for_each_part(std::span<const Record> e, std::size_t begin, std::size_t count, Add add) const {
  const std::size_t width = noise_part_ / kPicks;
  const std::size_t blocks_per_stratum = (outputs_ + kWordsPerBlock - 1) / kWordsPerBlock;
  std::array<std::array<Block, kBlocksPerDraw>, crypto::kStrataAtOnce> drawn;
  for (std::size_t stratum = 0; stratum < kPicks; stratum += crypto::kStrataAtOnce) {
    for (std::size_t done = 0; done < count;) {
      const std::size_t output = begin + done;
      const std::size_t skipped = output % kWordsPerBlock;
      const std::size_t taken = std::min(count - done, kOutputsPerDraw - skipped);
      const std::size_t words = taken + crypto::kPicksAhead;
      const std::size_t blocks = (skipped + words + kWordsPerBlock - 1) / kWordsPerBlock;
      crypto::Strata<Record> strata;
      for (std::size_t i = 0; i < crypto::kStrataAtOnce; ++i) {
        const std::size_t g = stratum + i;
        picks_.coins(g * blocks_per_stratum + output / kWordsPerBlock, std::span(drawn[i]).first(blocks));
        strata[i] = {e.subspan(g * width, g + 1 == kPicks ? noise_part_ - g * width : width),
                     bytes_of(drawn[i]).subspan(skipped * crypto::kPickBytes, words * crypto::kPickBytes)};
      }
      add(done, taken, strata);
      done += taken;
    }
  }
}

void Code::expand(std::span<const Block> e, std::size_t begin, std::span<Block> out) const {
  assert(e.size() == noise_part_ && begin + out.size() <= outputs_);
  for_each_part(e, begin, out.size(), [&](std::size_t offset, std::size_t count, const auto& strata) {
    crypto::add_picked(out.subspan(offset, count), strata);
  });
}

void Code::expand(std::span<const BlockPair> e, std::size_t begin, std::span<Block> firsts,
                  std::span<Block> seconds) const {
  assert(e.size() == noise_part_ && begin + firsts.size() <= outputs_ && firsts.size() == seconds.size());
  for_each_part(e, begin, firsts.size(), [&](std::size_t offset, std::size_t count, const auto& strata) {
    crypto::add_picked(firsts.subspan(offset, count), seconds.subspan(offset, count), strata);
  });
}

}  // namespace parley::psi::vole
