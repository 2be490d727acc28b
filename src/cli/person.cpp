#include "cli/person.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/text.h"
#include "cli/unlock.h"

namespace parley::cli {
namespace {

// The two questions, and the two kinds of answers: a value or a sentence about what was wrong.
constexpr std::string_view kWho = "who";
constexpr std::string_view kSign = "sign\n";
constexpr std::byte kGiven{'+'};
constexpr std::byte kRefused{'-'};

Bytes answer_of(std::byte kind, ByteView rest) {
  Bytes answer{kind};
  answer.insert(answer.end(), rest.begin(), rest.end());
  return answer;
}

template <typename Value>
Bytes answer_of(const Result<Value>& result, const auto& bytes_of) {
  return result ? answer_of(kGiven, bytes_of(*result)) : answer_of(kRefused, as_bytes(result.error().message));
}

}  // namespace

Result<vault::Unlock> operator_secret(Console& console, std::string_view prompt) {
  vault::Unlock secret;
  if (const char* key_file = std::getenv("PARLEY_OPERATOR_KEY_FILE")) {
    TRY(secret.key_file, read_key_file(key_file));
  } else if (const char* passphrase = std::getenv("PARLEY_OPERATOR_PASSPHRASE")) {
    secret.passphrase = SecretBytes(as_bytes(passphrase));
  } else if (!console.interactive()) {
    return fail(Errc::passphrase,
                "What opens this operator's key is needed, and there is no terminal to ask on. Set "
                "PARLEY_OPERATOR_PASSPHRASE, or PARLEY_OPERATOR_KEY_FILE to a key file.");
  } else {
    TRY(secret.passphrase, console.ask_secret(prompt));
  }
  return secret;
}

Result<std::string> PersonHere::name() {
  const char* name = std::getenv("PARLEY_OPERATOR");
  return std::string(name == nullptr ? "" : name);
}

Result<crypto::Signature> PersonHere::sign(const operators::OperatorKey& key, std::string_view record) {
  TRY(const operators::Record read, operators::read_record(record));
  TRY(const std::string own_name, name());
  if (read.by != own_name)
    return fail(Errc::policy,
                fmt::format("A record of {} was to be signed here, by {}.", visible(read.by), visible(own_name)));
  if (!made_ || made_->first != key) {
    TRY(const vault::Unlock secret,
        operator_secret(console_, fmt::format("Passphrase of the operator {}: ", visible(own_name))));
    TRY(const Secret<32> seed, operators::operator_seed(key, secret));
    made_.emplace(key, crypto::SigningKey(seed));
  }
  return operators::sign_record(made_->second, record);
}

Result<crypto::Signature> PersonHere::sign_asked(std::string_view question) {
  const std::size_t end = question.find('\n');
  if (end == question.npos) return fail(Errc::protocol, "What the node wants signed has no key.");
  TRY(const operators::OperatorKey key, operators::OperatorKey::parse(question.substr(0, end)));
  TRY(const operators::Record record, operators::read_record(question.substr(end + 1)));
  TRY_STATUS(check_typed(typed_, record));
  return sign(key, question.substr(end + 1));
}

Bytes PersonHere::answer(ByteView question) {
  const std::string_view text = as_text(question);
  if (text == kWho) return answer_of(name(), [](const std::string& name) { return as_bytes(name); });
  if (text.starts_with(kSign))
    return answer_of(sign_asked(text.substr(kSign.size())),
                     [](const crypto::Signature& signature) { return ByteView(signature); });
  return answer_of(kRefused, as_bytes("The node asks for what this program does not know."));
}

Result<Bytes> PersonAtTerminal::ask(const std::string& question) {
  auto answer = ask_(as_bytes(question));
  if (!answer || answer->empty()) return fail(Errc::cancelled, "Whoever gave the command has left.");
  const bool given = answer->front() == kGiven;
  answer->erase(answer->begin());
  if (!given) return fail(Errc::passphrase, visible(as_text(*answer)));
  return *std::move(answer);
}

Result<std::string> PersonAtTerminal::name() {
  TRY(const Bytes name, ask(std::string(kWho)));
  if (name.size() > operators::kMaxNameBytes || !is_valid_utf8(as_text(name)))
    return fail(Errc::usage, "PARLEY_OPERATOR is longer than any operator's name.");
  return std::string(as_text(name));
}

Result<crypto::Signature> PersonAtTerminal::sign(const operators::OperatorKey& key, std::string_view record) {
  TRY(const Bytes answer, ask(fmt::format("{}{}\n{}", kSign, key.line(), record)));
  crypto::Signature signature;
  if (answer.size() != signature.size()) return fail(Errc::protocol, "That is no signature of an operator.");
  std::ranges::copy(answer, signature.begin());
  return signature;
}

}  // namespace parley::cli
