// Standing rules by which a node answers questions without asking its operator (docs/commands.md, serve --accept).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "session/session.h"

namespace parley::node {

enum class Verdict : std::uint8_t { accept, decline, ask };

struct Rule {
  std::string peer;  ///< our name for the peer; empty: any
  std::optional<session::Function> question;
  std::optional<session::Direction> direction;  ///< as the asker sees it
  std::vector<indicator::Type> types;           ///< every asked type must be among them; empty: any
  std::optional<std::uint64_t> max_padded;      ///< what the asker could test, and so its set
  Verdict verdict = Verdict::ask;
  std::string label;  ///< narrows our side

  bool fits(const session::Offer& offer) const;
};

class AcceptRules {
 public:
  /// `text` is "all", "ask" or the name of a TOML file with [[rule]] tables; the first rule that fits decides, and
  /// where none fits the operator is asked.
  /// @error Errc::usage, Errc::not_found, Errc::format naming file, line and what was expected
  static Result<AcceptRules> load(const std::string& text);

  struct Judgement {
    Verdict verdict = Verdict::ask;
    std::string label;
    std::string by;  ///< which rule, for the log: "rule 2 of rules.toml"
    std::optional<std::uint64_t> max_padded = {};
  };
  Judgement judge(const session::Offer& offer) const;

 private:
  std::vector<Rule> rules_;
  std::string source_;
};

}  // namespace parley::node
