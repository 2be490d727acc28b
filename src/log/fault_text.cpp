#include "log/detail/fault_text.h"

#include <fmt/format.h>

namespace parley::log {

std::string_view name_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::fork_roots:
      return "fork-roots";
    case FaultKind::fork_leaves:
      return "fork-leaves";
    case FaultKind::fork_prefix:
      return "fork-prefix";
    case FaultKind::rewritten_entry:
      return "rewritten-entry";
    case FaultKind::double_step:
      return "double-step";
    case FaultKind::sealed_extended:
      return "sealed-extended";
    case FaultKind::antedated:
      return "antedated";
    case FaultKind::bad_opening:
      return "bad-opening";
  }
  return "";
}

namespace detail {
namespace {

bool is_fork(FaultKind kind) {
  return kind == FaultKind::fork_roots || kind == FaultKind::fork_leaves || kind == FaultKind::fork_prefix;
}

std::string proof_of(FaultKind kind, std::string_view who) {
  switch (kind) {
    case FaultKind::fork_roots:
      return fmt::format("The log key of {} signed two different trees of the same size.", who);
    case FaultKind::fork_leaves:
      return fmt::format("The log key of {} signed trees that have different entries at the same place.", who);
    case FaultKind::fork_prefix:
      return fmt::format("The log key of {} signed a tree, and a larger one that does not begin with it.", who);
    case FaultKind::rewritten_entry:
      return fmt::format("The node key of {} signed two different entries of one number.", who);
    case FaultKind::double_step:
      return fmt::format("The node key of {} signed one step of one session twice, and differently.", who);
    case FaultKind::sealed_extended:
      return fmt::format("The keys of {} signed that its log ends at one place, and that it goes on beyond it.", who);
    case FaultKind::antedated:
      return fmt::format("The node key of {} signed an entry with an earlier time than the entry that it follows.",
                         who);
    case FaultKind::bad_opening:
      return fmt::format(
          "The node key of {} signed an offer of openings, one of which is not what the same key had committed to in "
          "that session before it ran.",
          who);
  }
  return {};
}

}  // namespace

std::vector<std::string> sentences_of_proof(FaultKind kind, std::string_view accused) {
  std::vector<std::string> sentences{proof_of(kind, accused)};
  if (is_fork(kind))
    sentences.push_back("The log has two histories: different readers can have been shown each of them.");
  return sentences;
}

std::vector<std::string> sentences_of_doubt(FaultKind kind, std::string_view accused) {
  std::vector<std::string> sentences{fmt::format(
      "It does not show who used the keys of {}, nor with what intent: a stolen key signs as well.", accused)};
  if (is_fork(kind) || kind == FaultKind::rewritten_entry)
    sentences.push_back("It does not show which of the two is the true one; neither is to be relied on alone.");
  if (kind == FaultKind::antedated)
    sentences.push_back("It does not show which of the two times is false, nor the real time of either entry.");
  if (kind == FaultKind::sealed_extended)
    sentences.push_back("It does not show that what stands before the seal is false.");
  if (kind == FaultKind::bad_opening)
    sentences.push_back(
        "It does not show what the committed value was, nor anything about what was not opened, nor that the opening "
        "reached anybody.");
  if (kind == FaultKind::double_step)
    sentences.push_back("It does not show which of the two the other side of the session acted on.");
  return sentences;
}

}  // namespace detail
}  // namespace parley::log
