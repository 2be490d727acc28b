// The person at the console, who signs for what a command does: by PARLEY_OPERATOR and a secret of its own, which stays
// with the program that holds the terminal, also where the command runs in the node.
#pragma once

#include "cli/acts.h"
#include "cli/console.h"
#include "operators/operator_log.h"

namespace parley::cli {

/// Here. The secret comes from PARLEY_OPERATOR_KEY_FILE, PARLEY_OPERATOR_PASSPHRASE or the terminal, in that order.
class PersonHere final : public operators::Signer {
 public:
  /// @param typed  the command that this program was given: nothing else is signed for a node that asks
  PersonHere(Console& console, Typed typed) : console_(console), typed_(std::move(typed)) {}
  Result<std::string> name() override;
  Result<crypto::Signature> sign(const operators::OperatorKey& key, std::string_view record) override;

  /// What PersonAtTerminal asks for.
  Bytes answer(ByteView question);

 private:
  Result<crypto::Signature> sign_asked(std::string_view question);

  Console& console_;
  const Typed typed_;
  std::optional<std::pair<operators::OperatorKey, crypto::SigningKey>> made_;  ///< it costs a second
};

/// At the other end of the local socket.
class PersonAtTerminal final : public operators::Signer {
 public:
  using Ask = std::function<std::optional<Bytes>(ByteView question)>;
  explicit PersonAtTerminal(Ask ask) : ask_(std::move(ask)) {}
  Result<std::string> name() override;
  Result<crypto::Signature> sign(const operators::OperatorKey& key, std::string_view record) override;

 private:
  Result<Bytes> ask(const std::string& question);

  Ask ask_;
};

/// The secret that an operator's key is made from. @error Errc::passphrase, Errc::key_permissions, Errc::not_found
Result<vault::Unlock> operator_secret(Console& console, std::string_view prompt);

}  // namespace parley::cli
