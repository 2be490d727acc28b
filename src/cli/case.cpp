// parley case: evidence files of this member, sealed in its vault, with their chain of custody.
#include "evidence/case.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "crypto/hash.h"
#include "evidence/case_uco.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMaxToolBytes = std::size_t{1} << 30;
constexpr unsigned kPrivateMode = 0600;

/// What all subcommands that write into a chain of custody take.
struct CaseArguments {
  std::string name;
  std::vector<std::string> files;
  std::string to;
  std::uint64_t number = 0;
  std::string stage = "examination";
  std::string tool_file;
  evidence::Operator who;
  evidence::CustodyStep step;
  bool as_json = false;
};

std::string login_name() {
  const passwd* entry = ::getpwuid(::getuid());
  return entry == nullptr ? fmt::format("uid {}", ::getuid()) : std::string(entry->pw_name);
}

evidence::Cases cases_of(Workplace& at, const CaseArguments& arguments) {
  evidence::Operator who = arguments.who;
  if (who.actor.empty()) who.actor = login_name();
  return {at.vault, std::move(who)};
}

std::string file_line(const vault::CaseFileRow& file) {
  return fmt::format("{}\t{}\t{} bytes\tSHA-256 {}\n", file.number, visible(file.name), file.size, to_hex(file.sha256));
}

OrderedJson json_of(const vault::CaseFileRow& file) {
  return {{"number", file.number},
          {"name", file.name},
          {"bytes", file.size},
          {"sha256", to_hex(file.sha256)},
          {"chunk_root", to_hex(file.root)}};
}

OrderedJson json_of(const evidence::CustodyEntry& entry) {
  const evidence::CustodyStep& step = entry.step;
  return {{"seq", entry.seq},
          {"time", to_rfc3339(entry.time)},
          {"stage", evidence::name_of(step.stage)},
          {"file", step.file == 0 ? OrderedJson() : OrderedJson(step.file)},
          {"actor", step.actor},
          {"role", step.role},
          {"tool", step.tool},
          {"tool_version", step.tool_version},
          {"tool_sha256", step.tool_sha256},
          {"command", step.command},
          {"source_device", step.source_device},
          {"location", step.location},
          {"hash_before", step.hash_before ? OrderedJson(to_hex(*step.hash_before)) : OrderedJson()},
          {"hash_after", step.hash_after ? OrderedJson(to_hex(*step.hash_after)) : OrderedJson()},
          {"note", step.note}};
}

// --- new, list, show -----------------------------------------------------------------------------------------------

Status begin(Workplace& at, const CaseArguments& arguments) {
  TRY(const vault::CaseRow row, cases_of(at, arguments).begin(arguments.name, arguments.step.note));
  at.console.print(row.id + "\n");
  return {};
}

Status list(Workplace& at, const CaseArguments& arguments) {
  TRY(const auto rows, at.vault.cases());
  OrderedJson array = OrderedJson::array();
  for (const vault::CaseRow& row : rows) {
    TRY(const auto files, at.vault.case_files(row.id));
    if (arguments.as_json)
      array.push_back({{"case", row.id}, {"name", row.name}, {"begun", to_rfc3339(row.made)}, {"files", files.size()}});
    else
      at.console.print(fmt::format("{}\t{}\t{}\t{} files\n", row.id.substr(0, 8), visible(row.name),
                                   to_rfc3339(row.made), files.size()));
  }
  if (arguments.as_json) at.console.print(to_line(array));
  if (!arguments.as_json && rows.empty()) at.console.say("No cases yet. parley case new NAME begins one.");
  return {};
}

void print_entry(Console& console, const evidence::CustodyEntry& entry) {
  const evidence::CustodyStep& step = entry.step;
  std::string line =
      fmt::format("  {}\t{}\t{}\t{}\t{}", entry.seq, to_rfc3339(entry.time), evidence::name_of(step.stage),
                  step.file == 0 ? "case" : fmt::format("file {}", step.file), visible(step.actor));
  const auto more = [&](std::string_view what, const std::string& value) {
    if (!value.empty()) line += fmt::format("\t{}{}", what, visible(value));
  };
  more("role ", step.role);
  more("with ", step.tool + (step.tool_version.empty() ? "" : " " + step.tool_version));
  more("command ", step.command);
  more("from ", step.source_device);
  more("at ", step.location);
  more("", step.note);
  // Only the program's own steps have one, whatever somebody notes down.
  if (step.hash_after) more("SHA-256 ", to_hex(*step.hash_after));
  console.print(line + "\n");
}

Status show(Workplace& at, const CaseArguments& arguments) {
  TRY(const evidence::CaseView view, cases_of(at, arguments).open(arguments.name));
  if (arguments.as_json) {
    OrderedJson files = OrderedJson::array(), custody = OrderedJson::array();
    for (const vault::CaseFileRow& file : view.files) files.push_back(json_of(file));
    for (const evidence::CustodyEntry& entry : view.chain.entries) custody.push_back(json_of(entry));
    at.console.print(to_line({{"case", view.row.id},
                              {"name", view.row.name},
                              {"files", files},
                              {"custody", custody},
                              {"custody_root", to_hex(view.chain.root())}}));
    return {};
  }
  at.console.print(fmt::format("case {} {}\n", view.row.id, visible(view.row.name)));
  for (const vault::CaseFileRow& file : view.files) at.console.print("  " + file_line(file));
  at.console.print("chain of custody:\n");
  for (const evidence::CustodyEntry& entry : view.chain.entries) print_entry(at.console, entry);
  at.console.print(fmt::format("  {} entries, root {}\n", view.chain.entries.size(), to_hex(view.chain.root())));
  at.console.say(
      "Times and names are what this machine and its operators say. Whoever notes the root elsewhere can tell later "
      "that "
      "nothing up to it was changed.");
  return {};
}

// --- add, record, check, extract, export ---------------------------------------------------------------------------

Status add(Workplace& at, const CaseArguments& arguments) {
  evidence::Cases cases = cases_of(at, arguments);
  for (const std::string& file : arguments.files) {
    TRY(const vault::CaseFileRow taken,
        cases.add(arguments.name, at.console.resolve(file), arguments.step, at.progress));
    if (auto* bar = dynamic_cast<ProgressBar*>(&at.progress)) bar->clear();
    at.console.print(file_line(taken));
  }
  return {};
}

Status record(Workplace& at, const CaseArguments& arguments) {
  evidence::CustodyStep step = arguments.step;
  step.stage = *evidence::stage_named(arguments.stage);
  step.file = arguments.number;
  const bool says_something = !step.note.empty() || !step.tool.empty() || !arguments.tool_file.empty() ||
                              !step.command.empty() || !step.source_device.empty() || !step.location.empty();
  if (!says_something)
    return fail(Errc::usage,
                "This step would say nothing, and the chain of custody keeps it for good. Say what was done: --note, "
                "--tool, --command, --device or --location.");
  if (!arguments.tool_file.empty()) {
    TRY(const Bytes tool, read_file(at.console.resolve(arguments.tool_file), kMaxToolBytes));
    step.tool_sha256 = to_hex(crypto::sha256(tool));
  }
  return cases_of(at, arguments).record(arguments.name, std::move(step));
}

Result<bool> check(Workplace& at, const CaseArguments& arguments) {
  TRY(const auto all, cases_of(at, arguments).check(arguments.name, at.progress));
  if (auto* bar = dynamic_cast<ProgressBar*>(&at.progress)) bar->clear();
  bool well = true;
  OrderedJson array = OrderedJson::array();
  for (const evidence::Checked& checked : all) {
    well = well && !checked.failure;
    if (arguments.as_json) {
      OrderedJson row = json_of(checked.file);
      row["as_taken_in"] = !checked.failure;
      row["failure"] = checked.failure ? OrderedJson(checked.failure->text()) : OrderedJson();
      array.push_back(std::move(row));
    } else if (checked.failure) {
      at.console.print(fmt::format("DIFFERS\t{}\t{}\n", checked.file.number, visible(checked.failure->text())));
    } else {
      at.console.print("as taken in\t" + file_line(checked.file));
    }
  }
  if (arguments.as_json) at.console.print(to_line(array));
  if (!arguments.as_json && all.empty()) at.console.say("This case has no pieces of evidence yet.");
  return well;
}

Status extract(Workplace& at, const CaseArguments& arguments) {
  const std::filesystem::path to = at.console.resolve(arguments.to);
  TRY_STATUS(cases_of(at, arguments).extract(arguments.name, arguments.number, to, arguments.step.note, at.progress));
  if (auto* bar = dynamic_cast<ProgressBar*>(&at.progress)) bar->clear();
  at.console.print(to.string() + "\n");
  at.console.say("Its hash is that of the chain of custody, which has this step now. The copy is NOT encrypted.");
  return {};
}

Status export_case(Workplace& at, const CaseArguments& arguments) {
  TRY(const evidence::CaseView view, cases_of(at, arguments).open(arguments.name));
  const std::string text = evidence::write_case_uco(view);
  if (arguments.to.empty()) {
    at.console.print(text);
    return {};
  }
  const std::filesystem::path to = at.console.resolve(arguments.to);
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(to, ignored)))
    return fail(Errc::exists, "This file is there already; give another name.", to.string());
  TRY_STATUS(write_file_atomically(to, as_bytes(text), kPrivateMode));
  at.console.print(to.string() + "\n");
  return {};
}

// --- the command line ----------------------------------------------------------------------------------------------

using Arguments = std::shared_ptr<CaseArguments>;

void add_case_option(Command& command, const Arguments& arguments) {
  command.add_option("CASE", arguments->name, "Its name, its id, or the first digits of that")->required();
}

void add_who(Command& command, const Arguments& arguments) {
  command.add_option("--actor", arguments->who.actor, "Who does it (default: the name of this user)");
  command.add_option("--role", arguments->who.role, "In which role");
  command.add_option("--location", arguments->who.location, "Where");
  command.add_option("--note", arguments->step.note, "What else is to be kept of it");
}

template <typename Work>
void run_by(Command& command, Chosen& chosen, const Arguments& arguments, Work work) {
  command.callback([&chosen, arguments, work] {
    chosen.at_work = [arguments, work](Workplace& at) {
      const Status done = work(at, *arguments);
      return done ? 0 : at.console.refuse(done.error());
    };
  });
}

void add_looking(Command& group, Chosen& chosen) {
  const auto made = std::make_shared<CaseArguments>();
  Command* begin_command = group.add_subcommand("new", "Begin a case");
  begin_command->add_option("NAME", made->name, "What to call it")->required();
  add_who(*begin_command, made);
  run_by(*begin_command, chosen, made, begin);

  const auto listed = std::make_shared<CaseArguments>();
  Command* list_command = group.add_subcommand("list", "Print all cases");
  list_command->add_flag("--json", listed->as_json, "Print a JSON array");
  run_by(*list_command, chosen, listed, list);

  const auto shown = std::make_shared<CaseArguments>();
  Command* show_command = group.add_subcommand("show", "Print a case: its files and its chain of custody");
  add_case_option(*show_command, shown);
  show_command->add_flag("--json", shown->as_json, "Print one JSON object");
  run_by(*show_command, chosen, shown, show);
}

void add_taking(Command& group, Chosen& chosen) {
  const auto added = std::make_shared<CaseArguments>();
  Command* add_command = group.add_subcommand("add", "Take files into a case, sealed; the originals stay as they are");
  add_case_option(*add_command, added);
  add_command->add_option("FILE", added->files, "Files of any size")->required();
  add_command->add_option("--device", added->step.source_device, "The device that they come from");
  add_who(*add_command, added);
  run_by(*add_command, chosen, added, add);

  std::vector<std::string> stages;
  for (const evidence::Stage stage : evidence::kAllStages) stages.emplace_back(evidence::name_of(stage));
  const auto recorded = std::make_shared<CaseArguments>();
  Command* record_command = group.add_subcommand("record", "Write a step into the chain of custody");
  add_case_option(*record_command, recorded);
  record_command->add_option("--stage", recorded->stage, "Which stage of the handling of evidence")
      ->check(is_member(stages))
      ->capture_default_str();
  record_command->add_option("--file", recorded->number, "Which piece of evidence (default: the case as a whole)");
  record_command->add_option("--tool", recorded->step.tool, "With which tool");
  record_command->add_option("--tool-version", recorded->step.tool_version, "Its version");
  record_command->add_option("--tool-file", recorded->tool_file, "The tool itself, of which the hash is kept");
  record_command->add_option("--command", recorded->step.command, "How it was called");
  record_command->add_option("--device", recorded->step.source_device, "The device that it was about");
  add_who(*record_command, recorded);
  run_by(*record_command, chosen, recorded, record);
}

void add_giving(Command& group, Chosen& chosen) {
  const auto checked = std::make_shared<CaseArguments>();
  Command* check_command = group.add_subcommand("check", "Hash all files of a case anew and compare");
  add_case_option(*check_command, checked);
  check_command->add_flag("--json", checked->as_json, "Print a JSON array");
  add_who(*check_command, checked);
  check_command->callback([&chosen, checked] {
    chosen.at_work = [checked](Workplace& at) {
      const auto well = check(at, *checked);
      if (!well) return at.console.refuse(well.error());
      return *well ? 0 : 1;
    };
  });

  const auto extracted = std::make_shared<CaseArguments>();
  Command* extract_command = group.add_subcommand("extract", "Write a copy of a file of a case, its hash checked");
  add_case_option(*extract_command, extracted);
  extract_command->add_option("NUMBER", extracted->number, "Which, as case show has it")->required();
  extract_command->add_option("TO", extracted->to, "The file to write")->required();
  add_who(*extract_command, extracted);
  run_by(*extract_command, chosen, extracted, extract);

  const auto exported = std::make_shared<CaseArguments>();
  Command* export_command =
      group.add_subcommand("export", "Print a case for other tools: CASE/UCO as JSON-LD, without the files themselves");
  add_case_option(*export_command, exported);
  export_command->add_option("--to", exported->to, "A file, in the place of the standard output");
  run_by(*export_command, chosen, exported, export_case);
}

}  // namespace

void add_case(Command& program, Chosen& chosen) {
  Command* command = program.add_subcommand("case", "Evidence files, sealed in the vault, with their chain of custody");
  command->require_subcommand(1);
  add_looking(*command, chosen);
  add_taking(*command, chosen);
  add_giving(*command, chosen);
}

}  // namespace parley::cli
