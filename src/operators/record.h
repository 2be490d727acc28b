// One record of the operator log (log.md 7.4; docs/operators.md): who did what with this member's vault, signed by who
// did it, and naming the record before it. What an act was about stands in it as a keyed hash only.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "crypto/ed25519.h"

namespace parley::operators {

inline constexpr std::size_t kMaxNameBytes = 64;
inline constexpr std::size_t kMaxDetailBytes = 512;
inline constexpr std::size_t kMaxRecordBytes = 2048;

/// Signs for what the node does by itself, under rules that people gave it, and for how acts ended. No operator has
/// this name.
inline constexpr std::string_view kNodeName = "node";

/// What an operator does. A command that does none of these is not recorded.
enum class Act : std::uint8_t {
  read,           ///< context, matches or evidence are shown
  reveal,         ///< context of matches is opened to another member
  standing_rule,  ///< the same in advance
  export_,        ///< something leaves the vault: material, evidence, a dossier, a session to an auditor
  policy,         ///< what this member permits, keeps or trusts is changed
  session,        ///< a question is asked, answered or ended
  import,         ///< material or evidence comes in
  key,            ///< something is signed by this member's keys
};
inline constexpr std::array kAllActs = {Act::read,   Act::reveal,  Act::standing_rule, Act::export_,
                                        Act::policy, Act::session, Act::import,        Act::key};
std::string_view name_of(Act act);
std::optional<Act> act_named(std::string_view name);

enum class Kind : std::uint8_t {
  act,      ///< begins: `act`, `detail` the command, `subject`
  outcome,  ///< how act `of` ended: `detail`
  add,      ///< an operator: `name`, `detail` its key
  remove,   ///< an operator: `name`
  rule,     ///< two-person rule `name`, `detail` "on" or "off"
  request,  ///< for a second person: `name` the rule that asks for it, `subject` what exactly
  confirm,  ///< by a second person, of request `of`
  refuse,   ///< request `of` is not to be done
  use,      ///< of a confirmed request `of`
};
inline constexpr std::array kAllKinds = {Kind::act,     Kind::outcome, Kind::add,    Kind::remove, Kind::rule,
                                         Kind::request, Kind::confirm, Kind::refuse, Kind::use};
std::string_view name_of(Kind kind);

struct Record {
  std::uint64_t seq = 0;
  Digest prev = {};      ///< leaf_of() the record before; zeros in record 0
  UnixSeconds time = 0;  ///< by this machine's clock: a claim. Never before that of the record before
  std::string by = {};   ///< operator, kNodeName, or empty as long as no operator is registered
  Kind kind = Kind::act;
  std::optional<Act> act = {};
  std::string name = {};
  std::string detail = {};
  Digest subject = {};
  std::optional<std::uint64_t> of = {};
  bool operator==(const Record&) const = default;
};

/// One PJ1 object. Precondition: texts within their limits.
std::string write_record(const Record& record);
/// Takes what write_record() gives and nothing else. @error Errc::format, Errc::limit
Result<Record> read_record(std::string_view text);

/// RFC 6962 leaf hash of a record's text and its signature.
Digest leaf_of(std::string_view text, ByteView signature);

/// Ed25519 over "parley/operator-record/v1\0" and the record's text.
crypto::Signature sign_record(const crypto::SigningKey& key, std::string_view text);
bool verify_record(const crypto::PublicKey& key, std::string_view text, ByteView signature);

}  // namespace parley::operators
