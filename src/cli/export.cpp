// parley export --canonical: what the vault holds, as sorted lines.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "cli/command.h"

namespace parley::cli {
namespace {

constexpr std::size_t kPrintAtBytes = 1 << 16;

struct Arguments {
  bool canonical = false, local = false;
  std::vector<std::string> types;
  std::string label;
};

std::uint64_t total(const std::map<indicator::Type, std::uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& count) { return sum + count.second; });
}

Status say_what_stays(Workplace& at, vault::Selection selection) {
  TRY(const auto printed, at.vault.count(selection));
  selection.tlp_max = {};
  TRY(const auto all, at.vault.count(selection));
  if (const std::uint64_t stays = total(all) - total(printed); stays > 0)
    at.console.say(
        fmt::format("{} more are marked TLP:RED by every source and were left out, since lines carry no marks. --local "
                    "prints them too: keep those on this machine.",
                    stays));
  return {};
}

int export_canonical(Workplace& at, const Arguments& arguments) {
  const auto done = [&]() -> Status {
    TRY(std::vector<indicator::Type> types, types_from(arguments.types));
    // Lines sort by the type's name, the vault by its number.
    std::ranges::sort(types, {}, [](indicator::Type type) { return indicator::name_of(type); });
    std::string lines;
    vault::Selection selection{.types = types, .label = arguments.label, .since = {}, .tlp_max = {}};
    if (!arguments.local) selection.tlp_max = indicator::Tlp::amber_strict;
    TRY_STATUS(say_what_stays(at, selection));
    for (const indicator::Type type : types) {
      selection.types = {type};
      TRY_STATUS(at.vault.for_each(selection, [&](const vault::Item& item) -> Status {
        if (at.progress.cancelled()) return fail(Errc::cancelled, "Stopped.");
        lines += std::string(indicator::name_of(type)) + "\t" + item.indicator.value() + "\n";
        if (lines.size() > kPrintAtBytes) {
          at.console.print(lines);
          lines.clear();
        }
        return {};
      }));
    }
    at.console.print(lines);
    return {};
  }();
  return done ? 0 : at.console.refuse(done.error());
}

}  // namespace

void add_export(Command& program, Chosen& chosen) {
  Command* command = program.add_subcommand("export", "Print what the vault holds, on this machine, for your own use");
  const auto arguments = std::make_shared<Arguments>();
  command->add_flag("--canonical", arguments->canonical, "Sorted lines of type, tab, canonical value")->required();
  command->add_option("--types", arguments->types, "Only these types, separated by commas")
      ->delimiter(',')
      ->check(type_name_validator());
  command->add_option("--label", arguments->label, "Only what carries this label")->check(label_validator());
  command->add_flag("--local", arguments->local, "Also what is marked TLP:RED: the lines stay on this machine");
  command->callback([&chosen, arguments] {
    chosen.at_work = [arguments](Workplace& at) { return export_canonical(at, *arguments); };
  });
}

}  // namespace parley::cli
