// The daemon: listens for the pinned peers of a member, answers their questions by rule or by its operator, and takes
// the member's own commands while it holds the vault.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "group/groups.h"
#include "group/member.h"
#include "node/inbox.h"
#include "node/journal.h"
#include "node/rules.h"
#include "operators/operator_log.h"
#include "vault/vault.h"

namespace parley::node {

struct NodeOptions {
  std::string listen = "127.0.0.1:7440";  ///< host:port; port 0 takes any free one
  AcceptRules rules;
  std::size_t threads = 1;  ///< for each session
  session::Limits limits;
};

class Node {
 public:
  /// The references outlive this.
  Node(vault::Vault& vault, const group::Member& member, group::Groups& groups, operators::OperatorLog& operator_log,
       NodeOptions options, Journal& journal);
  /// Stops listening, ends what is under way, and waits for it.
  ~Node();

  /// Starts to listen. @return the address that it listens on, with the real port. @error Errc::usage, Errc::io
  Result<std::string> start();

  Inbox& inbox();
  /// Sessions that this process holds, those of its local commands too.
  session::UnderWay& under_way();
  session::Ledgers& ledgers();
  /// A command has changed what the other members are to be told of, or are to help with: calls on them now. After
  /// start().
  void call_on_members();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parley::node
