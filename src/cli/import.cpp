// parley import: files in, indicators into the vault, all or nothing.
#include "formats/import.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "group/canary_book.h"

namespace parley::cli {
namespace {

constexpr std::size_t kNoticesShown = 10;

struct ImportArguments {
  std::vector<std::string> files;
  std::string format;
  std::vector<std::string> labels;
  std::string tlp;
  std::vector<std::string> columns;
  bool lenient = false;
  bool as_json = false;
};

// Takes a reader's records into the vault's import and keeps its notices for the report.
class ToVault final : public formats::Sink {
 public:
  ToVault(vault::Import& import, const std::map<indicator::Canonical, std::string>& canaries)
      : import_(import), canaries_(canaries) {}
  Status record(formats::Record record) override {
    if (canaries_.contains(record.indicator)) spoilt_.insert(record.indicator);
    return import_.add(record.indicator, record.context, record.file_object);
  }
  void notice(formats::Notice notice) override { notices_.emplace_back(file_, std::move(notice)); }
  void begin(std::string file) { file_ = std::move(file); }
  const std::vector<std::pair<std::string, formats::Notice>>& notices() const { return notices_; }
  /// Those of the canaries that came in as material.
  const std::set<indicator::Canonical>& spoilt() const { return spoilt_; }

 private:
  vault::Import& import_;
  const std::map<indicator::Canonical, std::string>& canaries_;
  std::set<indicator::Canonical> spoilt_;
  std::string file_;
  std::vector<std::pair<std::string, formats::Notice>> notices_;
};

struct Imported {
  vault::ImportSummary summary;
  std::vector<std::pair<std::string, formats::Format>> sources;
  std::vector<std::pair<std::string, formats::Notice>> notices;
  std::vector<std::pair<std::string, std::string>> spoilt_canaries = {};  // group, value
};

/// Our canaries, each with a group that it was put aside for.
Result<std::map<indicator::Canonical, std::string>> canaries_of(vault::Vault& vault) {
  std::map<indicator::Canonical, std::string> canaries;
  TRY(const auto groups, vault.groups());
  for (const vault::GroupRow& group : groups) {
    TRY(const group::CanaryBook book, group::CanaryBook::load(vault, group.id));
    for (const indicator::Canonical& value : book.usable()) canaries.emplace(value, group.name);
  }
  return canaries;
}

Result<formats::ReadOptions> read_options(const ImportArguments& arguments) {
  formats::ReadOptions options;
  options.lenient = arguments.lenient;
  if (!arguments.format.empty()) {
    options.format = formats::format_named(arguments.format);
    if (!options.format)
      return fail(Errc::usage,
                  "\"" + arguments.format +
                      "\" is no format; formats are stix, misp, csv, hashes, list, openioc, report, html and pdf.");
  }
  for (const std::string& column : arguments.columns) {
    const std::size_t equals = column.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(Errc::usage, "--column takes ROLE=COLUMN, for example value=Indicator or type=2.");
    options.columns.emplace_back(column.substr(0, equals), column.substr(equals + 1));
  }
  return options;
}

Result<Imported> import(Workplace& at, const ImportArguments& arguments) {
  TRY(formats::ReadOptions options, read_options(arguments));
  std::optional<indicator::Tlp> tlp;
  if (!arguments.tlp.empty()) {
    tlp = indicator::tlp_named(arguments.tlp);
    if (!tlp)
      return fail(Errc::usage, "\"" + arguments.tlp +
                                   "\" is no TLP 2.0 mark; the marks are clear, green, amber, amber+strict and red.");
  }
  Imported done;
  TRY(const auto canaries, canaries_of(at.vault));
  TRY(const auto transaction, at.vault.begin_import());
  ToVault sink(*transaction, canaries);
  for (const std::string& file : arguments.files) {
    const std::filesystem::path path = at.console.resolve(file);
    formats::ReadOptions of_file = options;
    if (!of_file.format) {
      TRY(of_file.format, formats::detect_format(path));
    }
    sink.begin(file);
    TRY_STATUS(transaction->begin_source({.source = path.filename().string(),
                                          .format = std::string(formats::name_of(*of_file.format)),
                                          .labels = arguments.labels,
                                          .tlp = tlp}));
    TRY(const formats::Format format, formats::read(path, of_file, sink, at.progress));
    done.sources.emplace_back(file, format);
  }
  TRY(done.summary, transaction->commit(at.progress));
  done.notices = sink.notices();
  for (const indicator::Canonical& value : sink.spoilt())
    done.spoilt_canaries.emplace_back(canaries.at(value), visible(value.value()));
  return done;
}

bool is_skip(const std::pair<std::string, formats::Notice>& notice) {
  return notice.second.kind == formats::Notice::Kind::skipped;
}

void print_json(Console& console, const Imported& done) {
  OrderedJson skipped = OrderedJson::array(), corrected = OrderedJson::array(), sources = OrderedJson::array();
  for (const auto& entry : done.notices)
    (is_skip(entry) ? skipped : corrected)
        .push_back({{"file", entry.first}, {"where", entry.second.where}, {"why", entry.second.why}});
  for (const auto& [file, format] : done.sources)
    sources.push_back({{"file", file}, {"format", formats::name_of(format)}});
  OrderedJson marked = OrderedJson::object(), canaries = OrderedJson::array();
  for (const auto& [group, value] : done.spoilt_canaries) canaries.push_back({{"group", group}, {"value", value}});
  for (const auto& [list, count] : done.summary.marked) marked[list] = count;
  console.print(to_line({{"files", done.sources.size()},
                         {"indicators", done.summary.new_items},
                         {"by_type", by_type(done.summary.new_by_type)},
                         {"known", done.summary.known_items},
                         {"records", done.summary.records},
                         {"skipped", skipped},
                         {"corrected", corrected},
                         {"warnings", marked},
                         {"canaries", canaries},
                         {"sources", sources}}));
}

void say_notices(Console& console, const Imported& done) {
  std::size_t shown = 0, skipped = 0, corrected = 0;
  for (const auto& entry : done.notices) {
    ++(is_skip(entry) ? skipped : corrected);
    if (shown++ < kNoticesShown)
      console.say(fmt::format("  {} {}, {}: {}", is_skip(entry) ? "skipped" : "corrected", entry.first,
                              entry.second.where, entry.second.why));
  }
  if (shown > kNoticesShown)
    console.say(fmt::format("  ... and {} more; --json lists all of them", shown - kNoticesShown));
  if (skipped + corrected > 0) console.say(fmt::format("Skipped {}, corrected {}.", skipped, corrected));
}

void say_summary(Console& console, const Imported& done) {
  say_notices(console, done);
  for (const auto& [group, value] : done.spoilt_canaries)
    console.say(
        fmt::format("{} is a canary of yours in {}, put aside because nobody honest holds it; now you do, and another "
                    "member may as well. Take it out of use before the next session: parley canary remove {} {}",
                    value, group, group, value));
  for (const auto& [list, count] : done.summary.marked)
    console.say(fmt::format("On the warning list \"{}\": {}. A match on these says little about who is behind it.",
                            visible(list), count));
  console.say(
      fmt::format("Imported {} new indicators ({}) from {} file{}; {} were known already. They stay in your vault: "
                  "nothing has left this machine.",
                  done.summary.new_items, in_words(done.summary.new_by_type), done.sources.size(),
                  done.sources.size() == 1 ? "" : "s", done.summary.known_items));
}

}  // namespace

void add_import(Command& program, Chosen& chosen) {
  Command* command = program.add_subcommand(
      "import", "Take indicators from files into the vault: all of them or, after an error, nothing");
  const auto arguments = std::make_shared<ImportArguments>();
  command
      ->add_option("FILE", arguments->files,
                   "STIX, MISP (event or feed folder), CSV, lists, OpenIOC, or reports as text, HTML, PDF")
      ->required();
  command->add_option(
      "--as", arguments->format,
      "Format, when it is not to be detected: stix, misp, csv, hashes, list, openioc, report, html, pdf");
  command->add_option("--label", arguments->labels, "Add this label to everything imported")
      ->one_value_each_time()
      ->check(label_validator());
  command->add_option("--tlp", arguments->tlp,
                      "TLP 2.0 mark for what carries none: clear, green, amber, amber+strict, red");
  command
      ->add_option("--column", arguments->columns,
                   "CSV: which column is what, as ROLE=NAME or ROLE=NUMBER (docs/formats.md lists the roles)")
      ->one_value_each_time();
  command->add_flag("--lenient", arguments->lenient, "Skip, count and list what is wrong instead of refusing the file");
  command->add_flag("--json", arguments->as_json, "Print one JSON object");
  command->callback([&chosen, arguments] {
    chosen.at_work = [arguments](Workplace& at) {
      auto done = import(at, *arguments);
      if (auto* bar = dynamic_cast<ProgressBar*>(&at.progress)) bar->clear();
      if (!done) {
        if (done.error().code != Errc::usage) at.console.say("Nothing was imported; the vault is as it was.");
        return at.console.refuse(done.error());
      }
      if (arguments->as_json)
        print_json(at.console, *done);
      else
        say_summary(at.console, *done);
      return 0;
    };
  });
}

}  // namespace parley::cli
