// Parses the command line and finds the place where the command runs: here, or inside the member's node.
#include "cli/cli.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/hidden.h"
#include "base/random.h"
#include "base/text.h"
#include "cli/acts.h"
#include "cli/bench_psi.h"
#include "cli/command.h"
#include "cli/person.h"
#include "cli/signals.h"
#include "cli/unlock.h"
#include "formats/document.h"
#include "node/local_socket.h"

namespace parley::cli {
namespace {

constexpr std::string_view kAbout =
    "parley: find out what you and others have seen of the same attacker, without handing anything over.\n"
    "Your material stays in your vault on this machine; only the answers that both sides agreed to leave it.";

std::filesystem::path member_folder() {
  if (const char* home = std::getenv("PARLEY_HOME"); home != nullptr && *home != '\0')
    return std::filesystem::absolute(home);
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return std::filesystem::path(home) / ".parley";
  return std::filesystem::absolute(".parley");
}

int run_here(const Command& program, const Chosen& chosen, Console& console, PersonHere& person,
             const std::filesystem::path& folder) {
  ProgressBar progress(console);
  auto opened = open_member(console, folder);
  if (!opened) return console.refuse(opened.error());
  const SignalWatch watch(progress);
  session::UnderWay under_way;
  session::Ledgers ledgers;
  Workplace workplace{.console = console,
                      .progress = progress,
                      .folder = folder,
                      .vault = *opened->vault,
                      .member = opened->member,
                      .groups = *opened->groups,
                      .inbox = nullptr,
                      .under_way = under_way,
                      .ledgers = ledgers,
                      .operator_log = *opened->operator_log,
                      .person = person,
                      .threads = hardware_threads()};
  return console.exit_code(run_recorded(workplace, program, chosen.at_work));
}

// The first word that stands where a command is due and is none. The parser would only say that a command is missing.
std::optional<std::string> unknown_command(const Command& program, const std::vector<std::string>& arguments) {
  const Command* level = &program;
  for (const std::string& word : arguments) {
    const auto below = level->subcommands();
    if (word.starts_with('-') || below.empty()) return std::nullopt;
    const auto named = std::ranges::find(below, word, &Command::name);
    if (named == below.end()) return word;
    level = *named;
  }
  return std::nullopt;
}

}  // namespace

void add_all(Command& program, Chosen& chosen) {
  program.require_subcommand(1);
  program.set_version_flag("--version", "parley " PARLEY_VERSION);
  program.footer(
      "The member's folder is PARLEY_HOME (default ~/.parley). PARLEY_PASSPHRASE or PARLEY_KEY_FILE open its vault "
      "without a terminal. PARLEY_OPERATOR says who you are, where a vault tells its operators apart "
      "(docs/operators.md).\n"
      "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 a dossier that holds by keys nobody vouched for, or "
      "an audit whose messages the other side does not vouch for. "
      "Results go to standard output, everything else to standard error.");
  add_init(program, chosen);
  add_id(program, chosen);
  add_import(program, chosen);
  add_export(program, chosen);
  add_extract(program, chosen);
  add_warninglist(program, chosen);
  add_case(program, chosen);
  add_peer(program, chosen);
  add_group(program, chosen);
  add_invite(program, chosen);
  add_serve(program, chosen);
  add_admit(program, chosen);
  add_ask(program, chosen);
  add_inbox(program, chosen);
  add_show(program, chosen);
  add_reveal(program, chosen);
  add_consent(program, chosen);
  add_session(program, chosen);
  add_finding(program, chosen);
  add_dossier(program, chosen);
  add_ledger(program, chosen);
  add_canary(program, chosen);
  add_audit(program, chosen);
  add_operator(program, chosen);
  add_policy(program, chosen);
  add_log(program, chosen);
  add_verify(program, chosen);
  add_bench(program, chosen);
  add_sim(program, chosen);
}

int run_at(Workplace& workplace, const std::vector<std::string>& arguments) {
  Command program{"", ""};
  Chosen chosen;
  add_all(program, chosen);
  if (const Status parsed = program.parse(arguments); !parsed) {
    workplace.console.say("parley: " + parsed.error().message);
    return 2;
  }
  if (!chosen.at_work) {
    workplace.console.say("parley: this command does not run inside a node.");
    return 2;
  }
  return workplace.console.exit_code(run_recorded(workplace, program, chosen.at_work));
}

int run(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_DUMPABLE, 0);  // keys and material never go into a core file
  start_random();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  // Helpers that this program starts of itself; no commands for people.
  if (arguments.size() == 1 && arguments[0] == "document-text")
    return formats::document_text_main(STDIN_FILENO, STDOUT_FILENO);
  if (arguments.size() == 1 && arguments[0] == kBenchPartyCommand) return bench_party();

  formats::set_document_program("/proc/self/exe");

  Command program{std::string(kAbout), "parley"};
  Chosen chosen;
  add_all(program, chosen);
  if (const auto unknown = unknown_command(program, arguments)) {
    fmt::print(stderr, "parley: \"{}\" is no command; parley --help lists them.\n", visible(*unknown));
    return 2;
  }
  if (const auto code = program.parse_or_say(arguments)) return *code;
  std::error_code ignored;
  Console console(STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, std::filesystem::current_path(ignored));
  const std::filesystem::path folder = member_folder();
  if (chosen.alone) {
    ProgressBar progress(console);
    Surroundings surroundings{.console = console, .progress = progress, .folder = folder};
    return console.exit_code(chosen.alone(surroundings));
  }
  PersonHere person(console, typed_in(program));
  const auto handed = node::hand_over(folder, arguments,
                                      {.confirm = [&](std::string_view question) { return console.confirm(question); },
                                       .answer = [&](ByteView question) { return person.answer(question); }});
  if (!handed) return console.refuse(handed.error());
  if (*handed) return **handed;
  return run_here(program, chosen, console, person, folder);
}

Result<std::vector<indicator::Type>> types_from(const std::vector<std::string>& names) {
  if (names.empty()) return std::vector<indicator::Type>(indicator::kAllTypes.begin(), indicator::kAllTypes.end());
  std::vector<indicator::Type> types;
  for (const std::string& name : names) {
    const auto type = indicator::type_named(name);
    if (!type) return fail(Errc::usage, "\"" + name + "\" is no type of indicator.");
    types.push_back(*type);
  }
  std::ranges::sort(types);
  const auto repeated = std::ranges::unique(types);
  types.erase(repeated.begin(), repeated.end());
  return types;
}

std::vector<std::string_view> names_of(std::span<const indicator::Type> types) {
  std::vector<std::string_view> names;
  for (const indicator::Type type : types) names.push_back(indicator::name_of(type));
  return names;
}

std::vector<std::uint16_t> suites_from(const std::vector<std::string>& names) {
  std::vector<std::uint16_t> suites;
  for (const std::uint16_t suite : psi::known_suites()) {
    const std::string_view name = (*psi::protocol_of_suite(suite))->name();
    if (names.empty() || std::ranges::find(names, name) != names.end()) suites.push_back(suite);
  }
  return suites;
}

void add_protocols_option(Command& command, std::vector<std::string>& names) {
  command
      .add_option("--protocols", names,
                  "Only these, separated by commas: classic, fast (default: both; docs/lpn.md says what fast assumes)")
      ->delimiter(',')
      ->check(is_member({"classic", "fast"}));
}

Check type_name_validator() {
  std::string names;
  for (const indicator::Type type : indicator::kAllTypes)
    names += (names.empty() ? "" : ", ") + std::string(indicator::name_of(type));
  return Check(
      [names](const std::string& text) {
        return indicator::type_named(text) ? std::string() : "\"" + text + "\" is no type; types are " + names;
      },
      "TYPE");
}

Check label_validator() {
  constexpr std::size_t kMaxLabelBytes = 256;
  return Check(
      [](const std::string& text) {
        const bool fits =
            !text.empty() && text.size() <= kMaxLabelBytes && is_valid_utf8(text) && visible(text) == text;
        return fits ? std::string() : "a label has 1 to 256 bytes of visible text." + hidden_in(text);
      },
      "LABEL");
}

}  // namespace parley::cli
