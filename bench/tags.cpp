// The end of the fast protocol: sorting tags, writing and reading the list, finding our own in it; each for one tag,
// beside what one would otherwise use and beside what memory allows.
#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "crypto/drbg.h"
#include "limits.h"
#include "psi/detail/tag_join.h"
#include "psi/detail/tag_list.h"

namespace parley::psi::detail {
namespace {

using crypto::Block;

std::vector<Block> uniform_blocks(std::size_t count, std::uint64_t which) {
  Secret<32> seed;
  std::memcpy(seed.expose_mutable().data(), &which, sizeof which);
  const crypto::Drbg stream(seed, {}, "bench");
  std::vector<Block> blocks(count);
  const MutableByteView bytes = crypto::mutable_bytes_of(blocks);
  for (std::size_t at = 0; at < bytes.size(); at += crypto::Drbg::kBlockBytes) {
    const auto block = stream.secret<crypto::Drbg::kBlockBytes>(at / crypto::Drbg::kBlockBytes);
    const std::size_t size = std::min(bytes.size() - at, crypto::Drbg::kBlockBytes);
    std::ranges::copy(block.expose().first(size), bytes.subspan(at).begin());
  }
  return blocks;
}

std::vector<Tag> ascending_tags(std::span<const Block> blocks) {
  ThreadPool pool(1);
  const auto sorted = sort_tags(TagColumn(blocks), pool);
  const auto tags = sorted->tags.expose();
  return {tags.begin(), tags.end()};
}

std::size_t power(benchmark::State& state, int which = 0) {
  return std::size_t{1} << state.range(which);
}

constexpr std::size_t kLargeCount = std::size_t{1} << 20;  // what smaller sets need, caches hold

/// Every tag read once; the sorted tags and their order written once, to new memory.
void set_sort_limit(benchmark::State& state, std::size_t count) {
  if (count < kLargeCount) return;
  const auto tags = static_cast<double>(count);
  limits::set_limit(state, "16 bytes read, 20 written to new memory",
                    {tags * sizeof(Tag) / limits::memory_read() +
                     tags * (sizeof(Tag) + sizeof(std::uint32_t)) / limits::fresh_memory()});
}

void sort_of_ours(benchmark::State& state) {
  const auto blocks = uniform_blocks(power(state), 1);
  ThreadPool pool(static_cast<std::size_t>(state.range(1)));
  for (auto _ : state) benchmark::DoNotOptimize(sort_tags(TagColumn(blocks), pool));
  set_items(state, blocks.size());
  if (pool.size() == 1) set_sort_limit(state, blocks.size());
}
BENCHMARK(sort_of_ours)
    ->Name("tag_sort/log2/threads")
    ->ArgsProduct({{10, 16, 20, 22, 24}, {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void sort_of_library(benchmark::State& state) {
  const auto blocks = uniform_blocks(power(state), 1);
  for (auto _ : state) {
    std::vector<std::pair<Tag, std::uint32_t>> records(blocks.size());
    for (std::size_t i = 0; i < blocks.size(); ++i) records[i] = {tag_of(blocks[i]), static_cast<std::uint32_t>(i)};
    std::ranges::sort(records, [](const auto& a, const auto& b) { return a.first < b.first; });
    benchmark::DoNotOptimize(records.data());
  }
  set_items(state, blocks.size());
}
BENCHMARK(sort_of_library)->Name("tag_sort_std/log2")->Arg(20)->Unit(benchmark::kMillisecond);

// Every byte that sorting must read or write, once: 16 in, 20 out, into fresh pages that are wiped when they go.
void sort_floor(benchmark::State& state) {
  const auto blocks = uniform_blocks(power(state), 1);
  for (auto _ : state) {
    crypto::SecretArray<Block> out(blocks.size());
    crypto::SecretArray<std::uint32_t> order(blocks.size());
    std::ranges::copy(blocks, out.expose_mutable().begin());
    std::iota(order.expose_mutable().begin(), order.expose_mutable().end(), 0u);
    benchmark::DoNotOptimize(out.expose().data());
    benchmark::DoNotOptimize(order.expose().data());
    benchmark::ClobberMemory();
  }
  set_items(state, blocks.size());
}
BENCHMARK(sort_floor)
    ->Name("tag_sort/floor/log2/threads")
    ->Args({20, 1})
    ->Args({24, 1})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void encode_list(benchmark::State& state) {
  const auto tags = ascending_tags(uniform_blocks(power(state), 1));
  const TagListShape shape(tags.size());
  Bytes chunk;
  for (auto _ : state) {
    benchmark::DoNotOptimize(encode_upper(tags));
    for (std::size_t i = 0; i < shape.chunk_count(); ++i) {
      chunk.resize(shape.chunk_bytes(i));
      encode_chunk(tags, i, chunk);
      benchmark::DoNotOptimize(chunk.data());
      benchmark::ClobberMemory();
    }
  }
  set_items(state, tags.size());
  state.counters["bytes_a_tag"] = static_cast<double>(shape.total_bytes()) / static_cast<double>(tags.size());
}
BENCHMARK(encode_list)->Name("tag_list_encode/log2")->Arg(10)->Arg(16)->Arg(20)->Arg(24)->Unit(benchmark::kMillisecond);

/// A list as it comes: its upper part and its chunks.
struct Coded {
  explicit Coded(std::span<const Tag> tags) : shape(tags.size()), upper(encode_upper(tags)) {
    for (std::size_t i = 0; i < shape.chunk_count(); ++i) {
      chunks.emplace_back(shape.chunk_bytes(i));
      encode_chunk(tags, i, chunks.back());
    }
  }
  TagListShape shape;
  Bytes upper;
  std::vector<Bytes> chunks;
};

void decode_list(benchmark::State& state) {
  const Coded coded(ascending_tags(uniform_blocks(power(state), 1)));
  std::vector<Tag> tags;
  for (auto _ : state) {
    auto reader = TagListReader::begin(coded.shape, coded.upper);
    if (failed(state, reader)) return;
    for (const Bytes& chunk : coded.chunks) {
      if (failed(state, reader->next(chunk, tags))) return;
      benchmark::DoNotOptimize(tags.data());
    }
  }
  set_items(state, coded.shape.count());
}
BENCHMARK(decode_list)->Name("tag_list_decode/log2")->Arg(10)->Arg(16)->Arg(20)->Arg(24)->Unit(benchmark::kMillisecond);

/// Our own tags and a list that shares every second tag of the smaller set.
struct BothSets {
  BothSets(std::size_t own_count, std::size_t list_count) : own(uniform_blocks(own_count, 1)) {
    std::vector<Block> theirs = uniform_blocks(list_count, 2);
    for (std::size_t i = 0; i < std::min(own_count, list_count); i += 2) theirs[i] = own[i];
    list = ascending_tags(theirs);
  }
  std::size_t shared() const { return (std::min(own.size(), list.size()) + 1) / 2; }

  std::vector<Block> own;
  std::vector<Tag> list;
};

void build_index(benchmark::State& state) {
  const auto own = uniform_blocks(power(state), 1);
  ThreadPool pool(1);
  for (auto _ : state) benchmark::DoNotOptimize(TagIndex::build(TagColumn(own), pool));
  set_items(state, own.size());
  set_sort_limit(state, own.size());
}
BENCHMARK(build_index)->Name("tag_index_build/log2")->Arg(10)->Arg(20)->Arg(24)->Unit(benchmark::kMillisecond);

/// The list, and of the index the fingerprints and the directory, read once.
void set_find_limit(benchmark::State& state, const BothSets& sets) {
  if (std::min(sets.own.size(), sets.list.size()) < kLargeCount) return;
  constexpr std::size_t kIndexBytes = sizeof(std::uint32_t) + 2;  // a tag of ours: half a directory's entry at most
  const auto bytes = static_cast<double>(sets.list.size() * sizeof(Tag) + sets.own.size() * kIndexBytes);
  limits::set_limit(state, "list, fingerprints and directory read once", {bytes / limits::memory_read()});
}

void find_in_index(benchmark::State& state) {
  const BothSets sets(power(state), power(state, 1));
  ThreadPool pool(1);
  const auto index = TagIndex::build(TagColumn(sets.own), pool);
  std::vector<TagMatch> matches;
  for (auto _ : state) {
    matches.clear();
    for (std::size_t at = 0; at < sets.list.size(); at += kTagsAChunk) {
      const std::size_t count = std::min(sets.list.size() - at, kTagsAChunk);
      index->find(std::span(sets.list).subspan(at, count), at, matches);
    }
    if (matches.size() != sets.shared()) return state.SkipWithError("not what is common");
  }
  set_items(state, sets.list.size());
  set_find_limit(state, sets);
}
BENCHMARK(find_in_index)
    ->Name("tag_index_find/log2_own/log2_list")
    ->Args({20, 20})
    ->Args({10, 20})
    ->Args({15, 20})
    ->Args({20, 15})
    ->Args({20, 10})
    ->Args({24, 24})
    ->Unit(benchmark::kMillisecond);

// The list once, and of the index the directory and the fingerprints once.
void find_floor(benchmark::State& state) {
  const std::size_t words = power(state) * (sizeof(Tag) + 4 + 2) / sizeof(std::uint64_t);
  const std::vector<std::uint64_t> memory(words, 1);
  for (auto _ : state) benchmark::DoNotOptimize(std::accumulate(memory.begin(), memory.end(), std::uint64_t{0}));
  set_items(state, power(state));
}
BENCHMARK(find_floor)
    ->Name("tag_index_find/floor/log2_own/log2_list")
    ->Args({20, 20})
    ->Args({24, 24})
    ->Unit(benchmark::kMillisecond);

struct TagHash {
  std::size_t operator()(const Tag& tag) const { return tag.low; }
};

void build_map(benchmark::State& state) {
  const auto own = uniform_blocks(power(state), 1);
  for (auto _ : state) {
    std::unordered_map<Tag, std::uint32_t, TagHash> map(own.size());
    for (std::size_t i = 0; i < own.size(); ++i) map.emplace(tag_of(own[i]), static_cast<std::uint32_t>(i));
    benchmark::DoNotOptimize(map);
  }
  set_items(state, own.size());
}
BENCHMARK(build_map)->Name("unordered_map_build/log2")->Arg(20)->Unit(benchmark::kMillisecond);

void find_in_map(benchmark::State& state) {
  const BothSets sets(power(state), power(state));
  std::unordered_map<Tag, std::uint32_t, TagHash> map(sets.own.size());
  for (std::size_t i = 0; i < sets.own.size(); ++i) map.emplace(tag_of(sets.own[i]), static_cast<std::uint32_t>(i));
  for (auto _ : state) {
    std::vector<TagMatch> matches;
    for (std::size_t i = 0; i < sets.list.size(); ++i) {
      if (const auto found = map.find(sets.list[i]); found != map.end())
        matches.push_back({found->second, static_cast<std::uint32_t>(i)});
    }
    if (matches.size() != sets.shared()) return state.SkipWithError("not what is common");
  }
  set_items(state, sets.list.size());
}
BENCHMARK(find_in_map)->Name("unordered_map_find/log2")->Arg(20)->Unit(benchmark::kMillisecond);

// Both lists sorted: what is left when our own tags are in order, without a directory.
void merge_sorted(benchmark::State& state) {
  const BothSets sets(power(state), power(state));
  ThreadPool pool(1);
  const auto ours = sort_tags(TagColumn(sets.own), pool);
  const auto tags = ours->tags.expose();
  const auto order = ours->order.expose();
  for (auto _ : state) {
    std::vector<TagMatch> matches;
    for (std::size_t i = 0, j = 0; i < tags.size() && j < sets.list.size();) {
      const bool not_after = !(sets.list[j] < tags[i]);
      const bool not_before = !(tags[i] < sets.list[j]);
      if (not_after && not_before) matches.push_back({order[i], static_cast<std::uint32_t>(j)});
      i += not_after;
      j += not_before;
    }
    if (matches.size() != sets.shared()) return state.SkipWithError("not what is common");
  }
  set_items(state, sets.list.size());
}
BENCHMARK(merge_sorted)->Name("sorted_merge/log2")->Arg(20)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley::psi::detail

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
