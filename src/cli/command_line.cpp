#include "cli/command_line.h"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

namespace parley::cli {
namespace {

/// CLI11 takes the words from the end.
void parse_into(CLI::App& app, const std::vector<std::string>& arguments) {
  app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
}

}  // namespace

Check::Check(CLI::Validator validator) : validator_(std::make_shared<const CLI::Validator>(std::move(validator))) {}

Check::Check(std::function<std::string(const std::string& text)> refusal, const std::string& kind)
    : Check(CLI::Validator([refusal = std::move(refusal)](std::string& text) { return refusal(text); }, kind)) {}

Check is_member(const std::vector<std::string>& names) {
  return Check(CLI::IsMember(names));
}

Check in_range(int least, int most) {
  return Check(CLI::Range(least, most));
}

Check in_range(std::int64_t least, std::int64_t most) {
  return Check(CLI::Range(least, most));
}

Check in_range(std::uint64_t least, std::uint64_t most) {
  return Check(CLI::Range(least, most));
}

Check in_range(double least, double most) {
  return Check(CLI::Range(least, most));
}

Option* Option::required() {
  of_->required();
  return this;
}

Option* Option::check(const Check& check) {
  of_->check(*check.validator_);
  return this;
}

Option* Option::delimiter(char between) {
  of_->delimiter(between);
  return this;
}

Option* Option::capture_default_str() {
  of_->capture_default_str();
  return this;
}

Option* Option::one_value_each_time() {
  of_->allow_extra_args(false);
  return this;
}

Option* Option::excludes(Option* other) {
  of_->excludes(other->of_);
  return this;
}

Option* Option::excludes(const std::string& name) {
  of_->excludes(name);
  return this;
}

Option* Option::needs(Option* other) {
  of_->needs(other->of_);
  return this;
}

Option* Option::needs(const std::string& name) {
  of_->needs(name);
  return this;
}

Command::Command(const std::string& about, const std::string& name)
    : program_(std::make_unique<CLI::App>(about, name)), of_(program_.get()) {}

Command::Command(CLI::App* of) : of_(of) {}

Command::~Command() = default;

Command* Command::add_subcommand(const std::string& name, const std::string& about) {
  below_.push_back(std::unique_ptr<Command>(new Command(of_->add_subcommand(name, about))));
  return below_.back().get();
}

template <typename Value>
Option* Command::add(const std::string& names, Value& into, const std::string& about) {
  options_.push_back(Option(of_->add_option(names, into, about)));
  return &options_.back();
}

Option* Command::add_flag(const std::string& names, bool& into, const std::string& about) {
  options_.push_back(Option(of_->add_flag(names, into, about)));
  return &options_.back();
}

Option* Command::add_option(const std::string& names, std::string& into, const std::string& about) {
  return add(names, into, about);
}

Option* Command::add_option(const std::string& names, std::vector<std::string>& into, const std::string& about) {
  return add(names, into, about);
}

Option* Command::add_option(const std::string& names, std::optional<std::string>& into, const std::string& about) {
  return add(names, into, about);
}

Option* Command::add_option(const std::string& names, int& into, const std::string& about) {
  return add(names, into, about);
}

Option* Command::add_option(const std::string& names, std::int64_t& into, const std::string& about) {
  return add(names, into, about);
}

Option* Command::add_option(const std::string& names, std::uint64_t& into, const std::string& about) {
  return add(names, into, about);
}

Option* Command::add_option(const std::string& names, double& into, const std::string& about) {
  return add(names, into, about);
}

Option* Command::add_option(const std::string& names, std::optional<std::int64_t>& into, const std::string& about) {
  return add(names, into, about);
}

Option* Command::add_option(const std::string& names, std::optional<std::uint64_t>& into, const std::string& about) {
  return add(names, into, about);
}

Command* Command::require_subcommand(std::size_t exactly) {
  return require_subcommand(exactly, exactly);
}

Command* Command::require_subcommand(std::size_t least, std::size_t most) {
  of_->require_subcommand(least, most);
  return this;
}

Command* Command::callback(std::function<void()> chosen) {
  of_->callback(std::move(chosen));
  return this;
}

void Command::set_version_flag(const std::string& name, const std::string& version) {
  of_->set_version_flag(name, version);
}

void Command::footer(const std::string& text) {
  of_->footer(text);
}

Status Command::parse(const std::vector<std::string>& arguments) {
  try {
    parse_into(*of_, arguments);
  } catch (const CLI::ParseError& error) {
    return fail(Errc::usage, error.what());
  }
  return {};
}

std::optional<int> Command::parse_or_say(const std::vector<std::string>& arguments) {
  try {
    parse_into(*of_, arguments);
  } catch (const CLI::ParseError& error) {
    return of_->exit(error) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

std::string Command::name() const {
  return of_->get_name();
}

std::vector<Command*> Command::subcommands() const {
  std::vector<Command*> all;
  for (const auto& command : below_) all.push_back(command.get());
  return all;
}

bool Command::needs_subcommand() const {
  return of_->get_require_subcommand_min() > 0;
}

const Command* Command::chosen() const {
  for (const auto& command : below_)
    if (command->of_->parsed()) return command.get();
  return nullptr;
}

std::vector<std::string> Command::arguments() const {
  std::vector<std::string> arguments;
  for (const CLI::Option* option : of_->get_options()) {
    if (!option->get_positional()) continue;
    const auto& given = option->results();
    arguments.push_back(given.empty() ? option->get_default_str() : fmt::format("{}", fmt::join(given, " ")));
  }
  return arguments;
}

}  // namespace parley::cli
