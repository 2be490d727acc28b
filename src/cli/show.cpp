// parley show: a session's result.
#include "cli/command.h"
#include "cli/session_view.h"

namespace parley::cli {

void add_show(Command& program, Chosen& chosen) {
  struct Arguments {
    std::string session = "last";
    bool as_json = false;
  };
  Command* command =
      program.add_subcommand("show", "Print what a session found, with your context and what the other side opened");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("SESSION", arguments->session, "Its id, the first digits of it, or last")->capture_default_str();
  command->add_flag("--json", arguments->as_json, "Print one JSON object");
  command->callback([&chosen, arguments] {
    chosen.at_work = [arguments](Workplace& at) {
      const auto shown = [&]() -> Status {
        TRY(const std::string id, session_named(at.vault, arguments->session));
        if (!arguments->as_json) return print_session(at, id);
        TRY(const OrderedJson json, session_json(at, id));
        at.console.print(to_line(json));
        return {};
      }();
      return shown ? 0 : at.console.refuse(shown.error());
    };
  });
}

}  // namespace parley::cli
