// parley extract: what would be found in a report, without importing it.
#include "indicator/extract.h"

#include <fmt/format.h>

#include <set>

#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "formats/import.h"
#include "formats/limits.h"

namespace parley::cli {
namespace {

Result<std::string> text_of(Console& console, const std::string& file) {
  if (file == "-") {
    TRY(const Bytes content, console.read_input(formats::kMaxReportBytes));
    return formats::report_text(content, "");
  }
  const std::filesystem::path path = console.resolve(file);
  TRY(const Bytes content, read_file(path, formats::kMaxReportBytes));
  auto text = formats::report_text(content, path.filename().string());
  if (!text) return std::unexpected(std::move(text).error().at(file));
  return text;
}

int extract(Surroundings& at, const std::string& file, bool as_json) {
  const auto text = text_of(at.console, file);
  if (!text) return at.console.refuse(text.error());
  const std::vector<indicator::Found> found = indicator::extract(*text);
  if (as_json) {
    OrderedJson list = OrderedJson::array();
    for (const indicator::Found& each : found) list.push_back({each.type, each.value});
    at.console.print(to_line(list));
    return 0;
  }
  for (const indicator::Found& each : found)
    at.console.print(fmt::format("{}\t{}{}\n", each.type, visible(each.value), each.ambiguous ? "\t(ambiguous)" : ""));
  return 0;
}

}  // namespace

void add_extract(Command& program, Chosen& chosen) {
  struct Arguments {
    std::string file;
    bool as_json = false;
  };
  Command* command = program.add_subcommand("extract", "Print the indicators that a report mentions; imports nothing");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("FILE", arguments->file, "Text, Markdown, AsciiDoc, HTML or PDF; - reads the standard input")
      ->required();
  command->add_flag("--json", arguments->as_json, R"(Print [["type","value"],...])");
  command->callback([&chosen, arguments] {
    chosen.alone = [arguments](Surroundings& at) { return extract(at, arguments->file, arguments->as_json); };
  });
}

}  // namespace parley::cli
