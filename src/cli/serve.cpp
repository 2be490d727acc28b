// parley serve: runs this member's node until it is told to stop.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <condition_variable>

#include "base/text.h"
#include "cli/command.h"
#include "cli/person.h"
#include "cli/signals.h"
#include "cli/unlock.h"
#include "node/local_socket.h"
#include "node/node.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMaxThreads = 256;

struct ServeArguments {
  std::string listen = "127.0.0.1:7440";
  std::string accept = "ask";
  std::vector<std::string> protocols;
  std::size_t threads = 0;
};

// A command handed to the node runs with the streams of whoever typed it.
int run_handed(node::HandedCommand& command, const std::atomic<bool>& gone, const std::filesystem::path& folder,
               const OpenMember& opened, node::Node& node, std::size_t threads) {
  Console console(command.streams[0].get(), command.streams[1].get(), command.streams[2].get(), command.working_folder);
  console.confirm_through(command.confirm);
  PersonAtTerminal person(command.ask);
  ProgressBar progress(console);
  std::atomic<bool> done{false};
  std::thread watcher([&] {
    while (!done && !gone) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (gone) progress.cancel();
  });
  Workplace workplace{.console = console,
                      .progress = progress,
                      .folder = folder,
                      .vault = *opened.vault,
                      .member = opened.member,
                      .groups = *opened.groups,
                      .inbox = &node.inbox(),
                      .under_way = node.under_way(),
                      .ledgers = node.ledgers(),
                      .operator_log = *opened.operator_log,
                      .person = person,
                      .threads = threads,
                      .call_on_members = [&node] { node.call_on_members(); }};
  const int code = run_at(workplace, command.arguments);
  done = true;
  watcher.join();
  return code;
}

int serve(Surroundings& at, const ServeArguments& arguments) {
  auto rules = node::AcceptRules::load(arguments.accept == "all" || arguments.accept == "ask"
                                           ? arguments.accept
                                           : at.console.resolve(arguments.accept).string());
  if (!rules) return at.console.refuse(rules.error());
  auto opened = open_member(at.console, at.folder);
  if (!opened) return at.console.refuse(opened.error());

  const auto begun = opened->operator_log->begin_by_node(
      operators::Act::policy, "serve", opened->operator_log->subjects().of("rules", arguments.accept));
  if (!begun) return at.console.refuse(begun.error());

  // A handed command's terminal may be the one that this node runs in the background of, which must not stop it.
  ::signal(SIGTTIN, SIG_IGN);
  ::signal(SIGTTOU, SIG_IGN);
  std::mutex mutex;
  std::condition_variable stop;
  bool stopping = false;
  at.progress.set_wake([&] {
    const std::lock_guard lock(mutex);
    stopping = true;
    stop.notify_all();
  });
  const SignalWatch watch(at.progress);
  const std::size_t threads = arguments.threads == 0 ? hardware_threads() : arguments.threads;
  session::Limits limits;
  limits.suites = suites_from(arguments.protocols);
  node::Journal journal(at.console.error_stream());
  {
    node::Node node(
        *opened->vault, opened->member, *opened->groups, *opened->operator_log,
        {.listen = arguments.listen, .rules = *std::move(rules), .threads = threads, .limits = std::move(limits)},
        journal);
    const auto address = node.start();
    if (!address) return at.console.refuse(address.error());
    const auto local =
        node::LocalServer::start(at.folder, [&](node::HandedCommand& command, const std::atomic<bool>& gone) {
          return run_handed(command, gone, at.folder, *opened, node, threads);
        });
    if (!local) return at.console.refuse(local.error());
    at.console.print(fmt::format("{} listens on {}\n", visible(opened->member.card.name), *address));
    std::unique_lock lock(mutex);
    stop.wait(lock, [&] { return stopping; });
    journal.line("stopping");
  }
  at.progress.set_wake({});
  const Status ended = opened->operator_log->end(*begun, "done");
  return ended ? 0 : at.console.refuse(ended.error());
}

}  // namespace

void add_serve(Command& program, Chosen& chosen) {
  Command* command = program.add_subcommand(
      "serve", "Run this member's node: answer peers, and take this member's commands meanwhile");
  const auto arguments = std::make_shared<ServeArguments>();
  command->add_option("--listen", arguments->listen, "Address to listen on, host:port; port 0 takes any free one")
      ->capture_default_str();
  command
      ->add_option("--accept", arguments->accept,
                   "Who decides on questions: ask (the operator), all, or a file of rules (docs/rules.md)")
      ->capture_default_str();
  add_protocols_option(*command, arguments->protocols);
  command->add_option("--threads", arguments->threads, "Threads for each session (default: all of the machine)")
      ->check(in_range(std::size_t{1}, kMaxThreads));
  command->callback(
      [&chosen, arguments] { chosen.alone = [arguments](Surroundings& at) { return serve(at, *arguments); }; });
}

}  // namespace parley::cli
