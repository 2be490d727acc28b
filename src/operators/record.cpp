#include "operators/record.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "log/merkle.h"
#include "log/pjson.h"

namespace parley::operators {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::int64_t kOfNothing = -1;
constexpr std::string_view kSignedDomain{"parley/operator-record/v1\0", 26};
constexpr std::array<std::string_view, kAllActs.size()> kActNames = {"read",   "reveal",  "standing-rule", "export",
                                                                     "policy", "session", "import",        "key"};
constexpr std::array<std::string_view, kAllKinds.size()> kKindNames = {"act",     "outcome", "add",    "remove", "rule",
                                                                       "request", "confirm", "refuse", "use"};

std::string signed_bytes(std::string_view text) {
  return std::string(kSignedDomain) + std::string(text);
}

}  // namespace

std::string_view name_of(Act act) {
  return kActNames[static_cast<std::size_t>(act)];
}

std::optional<Act> act_named(std::string_view name) {
  const auto found = std::ranges::find(kActNames, name);
  if (found == kActNames.end()) return std::nullopt;
  return kAllActs[static_cast<std::size_t>(found - kActNames.begin())];
}

std::string_view name_of(Kind kind) {
  return kKindNames[static_cast<std::size_t>(kind)];
}

std::string write_record(const Record& record) {
  return log::write_pjson(log::Json::Object{{"act", record.act ? std::string(name_of(*record.act)) : std::string()},
                                            {"by", record.by},
                                            {"detail", record.detail},
                                            {"kind", name_of(record.kind)},
                                            {"name", record.name},
                                            {"of", record.of ? static_cast<std::int64_t>(*record.of) : kOfNothing},
                                            {"prev", to_hex(record.prev)},
                                            {"seq", static_cast<std::int64_t>(record.seq)},
                                            {"subject", to_hex(record.subject)},
                                            {"time", record.time},
                                            {"v", kVersion}});
}

Result<Record> read_record(std::string_view text) {
  TRY(const log::Json json, log::parse_pjson(text, kMaxRecordBytes));
  log::ObjectReader reader(json, "the record of an operator");
  Record record;
  const std::string act = reader.text("act", kMaxNameBytes);
  record.by = reader.text("by", kMaxNameBytes);
  record.detail = reader.text("detail", kMaxDetailBytes);
  const std::string kind = reader.text("kind", kMaxNameBytes);
  record.name = reader.text("name", kMaxNameBytes);
  const std::int64_t of = reader.integer("of", kOfNothing, log::kMaxInteger);
  record.prev = reader.digest("prev");
  record.seq = static_cast<std::uint64_t>(reader.integer("seq", 0, log::kMaxInteger));
  record.subject = reader.digest("subject");
  record.time = reader.integer("time", 0, log::kMaxInteger);
  reader.integer("v", kVersion, kVersion);
  record.act = act_named(act);
  if (!act.empty() && !record.act) reader.refuse("its act is none that there is");
  const auto known = std::ranges::find(kKindNames, kind);
  if (known == kKindNames.end()) reader.refuse("its kind is none that there is");
  TRY_STATUS(reader.finish());
  record.kind = kAllKinds[static_cast<std::size_t>(known - kKindNames.begin())];
  if (of != kOfNothing) record.of = static_cast<std::uint64_t>(of);
  return record;
}

Digest leaf_of(std::string_view text, ByteView signature) {
  Bytes leaf = to_bytes(text);
  leaf.insert(leaf.end(), signature.begin(), signature.end());
  return log::leaf_hash(leaf);
}

crypto::Signature sign_record(const crypto::SigningKey& key, std::string_view text) {
  return key.sign(as_bytes(signed_bytes(text)));
}

bool verify_record(const crypto::PublicKey& key, std::string_view text, ByteView signature) {
  return signature.size() == crypto::kSignatureBytes &&
         crypto::verify(key, as_bytes(signed_bytes(text)), signature.first<crypto::kSignatureBytes>());
}

}  // namespace parley::operators
