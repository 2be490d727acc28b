// The operator log: an append-only record, in the vault, of what this member's own operators do with it (log.md 7.4).
// What is recorded is durable before it is done: no record, no act. Its records are the leaves of an RFC 6962 tree
// whose head stands, hidden, in this member's entries of the joint logs, so that other members hold what a later
// rewriting would contradict (verify.h).
//
// The name: ISO/IEC 27002:2013, 12.4.3 "administrator and operator logs". An audit, here, is of a session (audit/).
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "crypto/aead.h"
#include "log/frontier.h"
#include "operators/roster.h"

namespace parley::operators {

/// Whoever stands for what a command does: knows its name, and signs with a key that nobody else has.
class Signer {
 public:
  virtual ~Signer() = default;
  /// Its name; empty: it has not said. @error Errc::usage
  virtual Result<std::string> name() = 0;
  /// A record of its own. @param key  as the roster has it
  /// @error Errc::passphrase, Errc::not_found without the operator's secret; Errc::cancelled
  virtual Result<crypto::Signature> sign(const OperatorKey& key, std::string_view record) = 0;
};

inline constexpr std::size_t kOpeningBytes = crypto::kAeadOverheadBytes + 32 + 8;

/// The head of the tree as others hold it: a salted hash of size and root, and what opens it, sealed for this vault.
struct HiddenHead {
  Digest commitment{};                 ///< SHA-256("parley/operator-log/head/v1\0" || salt (32) || u64be size || root)
  ByteArray<kOpeningBytes> opening{};  ///< XChaCha20-Poly1305 of salt || u64be size, under a key of the vault
  log::Json to_json() const;
  /// @error Errc::format
  static Result<HiddenHead> from_json(const log::Json& json);
};
inline constexpr std::string_view kHeadName = "operators";  ///< in the body of a `heads` entry

/// Size of the tree, and the root that it had then, which only a commitment tells.
struct OpenedHead {
  std::uint64_t size = 0;
  ByteArray<32> salt{};
};
Digest commit_to_head(const ByteArray<32>& salt, std::uint64_t size, const Digest& root);

class OperatorLog {
 public:
  /// A log whose records are not as many, or not those, that the vault has counted opens for verify() only: every act
  /// is refused. @param vault  outlives this. @error what the vault says
  static Result<std::unique_ptr<OperatorLog>> open(vault::Vault& vault);

  /// An act that is on record and not done yet.
  struct Begun {
    std::uint64_t seq = 0;
  };
  /// The one way to an act: whatever opens, changes or signs something calls it first, and does nothing if it fails.
  /// The record is durable when this returns.
  /// @param command  the words of the command, without what it is about
  /// @param subject  what it is about, as subjects() hashes it
  /// @error Errc::policy for who is no operator; Errc::passphrase; Errc::io if it cannot be written
  Result<Begun> begin(Act act, std::string_view command, const Digest& subject, Signer& person);
  /// The same for what the node does by itself, under rules that people gave it.
  Result<Begun> begin_by_node(Act act, std::string_view command, const Digest& subject);
  /// How it ended. What is not recorded ended as nobody knows: the process was stopped before. @error as begin()
  Status end(const Begun& begun, std::string_view outcome);

  const SubjectKey& subjects() const { return subjects_; }
  Roster roster() const;
  std::uint64_t size() const;
  HiddenHead head();

  // --- operators and rules ---------------------------------------------------------------------------------------
  /// @error Errc::policy with the request's number where a second person has to confirm it first; as Roster::apply
  Status add(const std::string& name, const OperatorKey& key, Signer& person);
  Status remove(const std::string& name, Signer& person);
  Status set_rule(Rule rule, bool on, Signer& person);

  // --- the second person -----------------------------------------------------------------------------------------
  /// Nothing to do where no rule is on. Else uses the request that has been confirmed; without one, makes it.
  /// @param words  what exactly is to be done: the second person is shown them
  /// @error Errc::policy with the request's number and what to do: a second person has not confirmed it yet
  Status ask_second(Rule rule, std::string_view words, Signer& person);
  struct Waiting {
    Request request;
    std::string words;
  };
  /// @error Errc::vault_damaged for words that are not those of the request
  Result<std::vector<Waiting>> waiting() const;
  /// @param words  as waiting() gave them. @error Errc::not_found; Errc::policy for one's own
  Status confirm(const Waiting& waiting, Signer& person);
  Status refuse(const Waiting& waiting, Signer& person);

  // --- reading ---------------------------------------------------------------------------------------------------
  /// What only this vault can open. Nothing for what it has not sealed.
  std::optional<OpenedHead> open_head(const HiddenHead& head) const;
  crypto::PublicKey node_key() const { return node_key_.public_key(); }
  /// What the vault has counted, and the tree over it.
  log::Frontier tree() const;
  vault::Vault& vault() const { return vault_; }

 private:
  OperatorLog(vault::Vault& vault, const Secret<32>& key);

  using Also = std::function<Status(const Record&)>;
  /// Writes the next record. @param person  nullptr: the node. @param also  writes to the vault in the same commit
  Result<Record> append(Record draft, Signer* person, const Also& also = {});
  Status append_by(Signer& person, Record draft);
  /// Gives `draft` its place. @error as Roster::apply
  Result<Roster> place(Record& draft) const;
  Status write(const Record& record, std::string_view text, const crypto::Signature& signature, Roster roster,
               const Also& also);
  /// @return the confirmed request for these words; makes one and fails where there is none
  Result<std::uint64_t> confirmed(std::string_view rule, std::string_view words, Signer& person);
  Status load();

  vault::Vault& vault_;
  SubjectKey subjects_;
  Secret<32> head_key_;
  crypto::SigningKey node_key_;

  mutable std::mutex mutex_;
  Status sound_;  ///< or why nothing is recorded any more
  Roster roster_;
  log::Frontier tree_;
  Digest last_{};
  UnixSeconds last_time_ = 0;
};

}  // namespace parley::operators
