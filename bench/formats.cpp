// The readers, from memory into a sink that counts: rows and megabytes a second. The files are made here.
#include <fmt/format.h>

#include <string>

#include "formats/list.h"
#include "formats/misp.h"
#include "formats/stix.h"
#include "formats/table.h"
#include "timing.h"

namespace parley::formats {
namespace {

struct CountingSink final : Sink {
  std::size_t records = 0;
  Status record(Record) override {
    ++records;
    return {};
  }
  void notice(Notice) override {}
};

/// Address number `i` of 203.0.0.0/8.
std::string address(std::size_t i) {
  return fmt::format("203.{}.{}.{}", (i >> 16) & 255, (i >> 8) & 255, i & 255);
}

std::string csv_of(std::size_t rows) {
  std::string text = "type,value,first_seen,confidence,tlp,malware,comment\n";
  for (std::size_t i = 0; i < rows; ++i) {
    text +=
        i % 2 == 0
            ? fmt::format("ipv4,{},2018-11-20,80,TLP:GREEN,Zebrocy,\n", address(i))
            : fmt::format("domain,c{}.evil.example.com,2018-11-20T10:17:42Z,50,amber,,\"a, \"\"quoted\"\" one\"\n", i);
  }
  return text;
}

std::string stix_of(std::size_t indicators) {
  std::string text = R"({"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000001","objects":[)";
  for (std::size_t i = 0; i < indicators; ++i) {
    text += fmt::format(
        R"({}{{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-{:012x}","created":"2018-11-20T10:17:42.000Z","modified":"2018-11-20T10:17:42.000Z","name":"Address {}","pattern_type":"stix","valid_from":"2018-11-20T00:00:00Z","labels":["malicious-activity"],"pattern":"[ipv4-addr:value = '{}' OR domain-name:value = 'c{}.evil.example.com']"}})",
        i == 0 ? "" : ",", i, i, address(i), i);
  }
  return text + "]}";
}

std::string misp_of(std::size_t attributes) {
  std::string text =
      R"({"Event":{"uuid":"00000000-0000-4000-8000-000000000001","info":"A benchmark","date":"2018-11-06","timestamp":"1542728551","Attribute":[)";
  for (std::size_t i = 0; i < attributes; ++i) {
    text += fmt::format(
        R"({}{{"type":"ip-dst","category":"Network activity","to_ids":true,"deleted":false,"uuid":"00000000-0000-4000-8000-{:012x}","timestamp":"1541533312","value":"{}","comment":"seen in a sandbox"}})",
        i == 0 ? "" : ",", i, address(i));
  }
  return text + "]}}";
}

std::string list_of(std::size_t lines) {
  std::string text = "# a blocklist\n";
  for (std::size_t i = 0; i < lines; ++i) text += address(i) + "\n";
  return text;
}

template <auto kMake, auto kRead>
void read_format(benchmark::State& state) {
  const std::string content = kMake(static_cast<std::size_t>(state.range(0)));
  CountingSink sink;
  for (auto _ : state) {
    MemorySource source(as_bytes(content));
    Intake intake(sink, false);
    if (failed(state, kRead(source, intake))) return;
  }
  set_items(state, sink.records / static_cast<std::size_t>(state.iterations()));
  set_bytes(state, content.size());
}

Status read_detected_csv(Source& source, Intake& intake) {
  return read_csv(source, {}, intake);
}

Status read_mapped_csv(Source& source, Intake& intake) {
  return read_csv(source, {{"value", "2"}, {"first_seen", "3"}}, intake);
}

BENCHMARK(read_format<&csv_of, &read_detected_csv>)->Name("csv")->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK(read_format<&csv_of, &read_mapped_csv>)->Name("csv_mapped")->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK(read_format<&stix_of, &read_stix>)->Name("stix")->Arg(20'000)->Unit(benchmark::kMillisecond);
BENCHMARK(read_format<&misp_of, &read_misp>)->Name("misp")->Arg(50'000)->Unit(benchmark::kMillisecond);
BENCHMARK(read_format<&list_of, &read_list>)->Name("list")->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley::formats

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
