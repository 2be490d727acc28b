// Canonical forms and extraction: values a second, and megabytes of text a second.
#include "indicator/indicator.h"

#include <fstream>
#include <iterator>
#include <string>

#include "indicator/extract.h"
#include "indicator/warning_list.h"
#include "timing.h"

namespace parley::indicator {
namespace {

struct Sample {
  const char* name;
  Type type;
  std::string text;
};

const Sample kSamples[] = {
    {"ipv4", Type::ipv4, "203[.]0[.]113[.]9"},
    {"ipv6", Type::ipv6, "2001:DB8:0:0::7"},
    {"cidr", Type::cidr, "198.51.100.7/24"},
    {"domain", Type::domain, "WWW.Evil[.]Example[.]co.uk"},
    {"domain_idn", Type::domain, "B\u00fccher.example"},
    {"url", Type::url, "hxxp://User@Evil[.]Example.com:80/a/../%7Eb/c.php?x=1&y=%2f#top"},
    {"email", Type::email, "Mail[at]Evil.Example.com"},
    {"sha256", Type::sha256, std::string(64, 'C')},
    {"regkey", Type::regkey, "HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\x"},
};

void canonical_form(benchmark::State& state) {
  const Sample& sample = kSamples[state.range(0)];
  state.SetLabel(sample.name);
  for (auto _ : state) {
    auto value = canonicalise(sample.type, sample.text);
    if (failed(state, value)) return;
    benchmark::DoNotOptimize(value);
  }
  set_items(state, 1);
  set_bytes(state, sample.text.size());
}
BENCHMARK(canonical_form)->Name("canonicalise")->DenseRange(0, std::size(kSamples) - 1);

/// The demo's report, as often as makes `size_bytes`.
std::string report(std::size_t size_bytes) {
  std::ifstream file(PARLEY_SOURCE "/examples/eset-sednit-report.md", std::ios::binary);
  const std::string once{std::istreambuf_iterator<char>(file), {}};
  std::string text;
  while (!once.empty() && text.size() < size_bytes) text += once;
  return text;
}

/// Running text in which nothing is an indicator.
std::string prose(std::size_t size_bytes) {
  std::string text;
  while (text.size() < size_bytes)
    text +=
        "The operators (see above) changed their habits in version 4.5.1: fewer files, more scripts. \u00c9tude, "
        "\u4e2d\u6587.\n";
  return text;
}

template <auto kText>
void extract_text(benchmark::State& state) {
  const std::string text = kText(static_cast<std::size_t>(state.range(0)));
  if (text.empty()) return state.SkipWithError("the example report is missing");
  for (auto _ : state) benchmark::DoNotOptimize(extract(text));
  set_bytes(state, text.size());
}
BENCHMARK(extract_text<&report>)->Name("extract_report")->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(extract_text<&prose>)->Name("extract_prose")->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

/// Whatever stands here, reading it must not take minutes. The slowest of the patterns that the tests try.
std::string hostile(std::size_t size_bytes) {
  std::string text;
  while (text.size() < size_bytes) text += "a@";
  return text;
}
BENCHMARK(extract_text<&hostile>)
    ->Name("extract_hostile")
    ->Arg(1'000'000)
    ->Arg(10'000'000)
    ->Unit(benchmark::kMillisecond);

void warning_marks(benchmark::State& state) {
  const WarningLists lists = WarningLists::built_in();
  const auto value = canonicalise(Type::url, "http://www.example.com/a");
  if (failed(state, value)) return;
  for (auto _ : state) benchmark::DoNotOptimize(lists.marks(*value));
  set_items(state, 1);
}
BENCHMARK(warning_marks)->Name("warning_marks_built_in");

}  // namespace
}  // namespace parley::indicator

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
