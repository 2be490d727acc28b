// parley export --canonical: what the vault holds, as sorted lines.
#include <algorithm>

#include "cli/command.h"

namespace parley::cli {
namespace {

constexpr std::size_t kPrintAtBytes = 1 << 16;

int export_canonical(Workplace& at, const std::vector<std::string>& type_names, const std::string& label) {
  const auto done = [&]() -> Status {
    TRY(std::vector<indicator::Type> types, types_from(type_names));
    // Lines sort by the type's name, the vault by its number.
    std::ranges::sort(types, {}, [](indicator::Type type) { return indicator::name_of(type); });
    std::string lines;
    for (const indicator::Type type : types) {
      vault::Selection selection;
      selection.types = {type};
      selection.label = label;
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
  struct Arguments {
    bool canonical = false;
    std::vector<std::string> types;
    std::string label;
  };
  Command* command = program.add_subcommand("export", "Print what the vault holds, on this machine, for your own use");
  const auto arguments = std::make_shared<Arguments>();
  command->add_flag("--canonical", arguments->canonical, "Sorted lines of type, tab, canonical value")->required();
  command->add_option("--types", arguments->types, "Only these types, separated by commas")
      ->delimiter(',')
      ->check(type_name_validator());
  command->add_option("--label", arguments->label, "Only what carries this label")->check(label_validator());
  command->callback([&chosen, arguments] {
    chosen.at_work = [arguments](Workplace& at) { return export_canonical(at, arguments->types, arguments->label); };
  });
}

}  // namespace parley::cli
