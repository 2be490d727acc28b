#include "dossier/dossier.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "group/papers.h"
#include "log/tlog_proof.h"

namespace parley::dossier {
namespace {

using log::Json;
using log::ObjectReader;

constexpr std::size_t kMaxNickBytes = 32;
constexpr std::size_t kMaxWordBytes = 64;
constexpr std::size_t kMaxCardBytes = 8 * 1024;

Json::Array array_of(const std::vector<std::string>& texts) {
  Json::Array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

Json json_of(const log::Body& body) {
  return Json::Object{{"salt", to_base64(body.salt)}, {"text", body.text}};
}

Json json_of(const ShownRotation& rotation) {
  return Json::Object{{"body", json_of(rotation.body)}, {"log", rotation.nick}, {"note", rotation.note}};
}

Result<log::Body> read_body(const Json& json) {
  ObjectReader reader(json, "the body of an entry");
  log::Body body;
  const Bytes salt = reader.bytes("salt", body.salt.size());
  body.text = reader.text("text", log::kMaxBodyBytes);
  TRY_STATUS(reader.finish());
  std::ranges::copy(salt, body.salt.begin());
  return body;
}

Result<ShownRotation> read_rotation(const Json& json) {
  ObjectReader reader(json, "a rotation of the dossier");
  ShownRotation rotation;
  const Json& body = reader.object("body");
  rotation.nick = reader.text("log", kMaxNickBytes);
  rotation.note = reader.text("note", log::kMaxEntryBytes);
  TRY_STATUS(reader.finish());
  TRY(rotation.body, read_body(body));
  return rotation;
}

Json json_of(const ShownEntry& entry) {
  Json::Array body;  // none or one
  if (entry.body) body.push_back(json_of(*entry.body));
  return Json::Object{{"body", std::move(body)}, {"log", entry.nick}, {"note", entry.note}, {"proof", entry.proof}};
}

Result<ShownEntry> read_shown(const Json& json) {
  ObjectReader reader(json, "an entry of the dossier");
  ShownEntry entry;
  const Json::Array& body = reader.array("body", 1);
  entry.nick = reader.text("log", kMaxNickBytes);
  entry.note = reader.text("note", log::kMaxEntryBytes);
  entry.proof = reader.text("proof", log::kMaxTlogProofBytes);
  TRY_STATUS(reader.finish());
  if (body.empty()) return entry;
  TRY(entry.body, read_body(body.front()));
  return entry;
}

Result<std::string> read_stix(const Json& json) {
  ObjectReader reader(json, "the STIX part of the dossier");
  std::string bundle = reader.text("bundle", kMaxStixBytes);
  const std::string profile = reader.text("profile", kMaxWordBytes);
  const Digest hash = reader.digest("sha256");
  TRY_STATUS(reader.finish());
  if (profile != kStixProfile)
    return fail(Errc::unsupported, "The STIX part was made by a profile that is not known here; use a newer parley.");
  if (hash != crypto::sha256(as_bytes(bundle)))
    return fail(Errc::signature, "The STIX part is not what its own hash says.");
  return bundle;
}

}  // namespace

std::string write_dossier(const Dossier& dossier) {
  Json::Array entries, rotations;
  for (const ShownRotation& rotation : dossier.rotations) rotations.push_back(json_of(rotation));
  for (const ShownEntry& entry : dossier.entries) entries.push_back(json_of(entry));
  const Json object = Json::Object{
      {"cards", array_of(dossier.cards)},
      {"charters", array_of(dossier.charters)},
      {"checkpoints", array_of(dossier.checkpoints)},
      {"dissents", array_of(dossier.dissents)},
      {"entries", std::move(entries)},
      {"finding", dossier.finding},
      {"format", kFormat},
      {"leaves", array_of(dossier.leaves)},
      {"openings", finding::to_json(dossier.openings)},
      {"rotations", std::move(rotations)},
      {"stix", Json::Object{{"bundle", dossier.stix},
                            {"profile", kStixProfile},
                            {"sha256", to_hex(crypto::sha256(as_bytes(dossier.stix)))}}},
  };
  return log::write_pjson(object) + "\n";
}

Result<Dossier> parse_dossier(std::string_view text) {
  if (text.empty() || text.back() != '\n')
    return fail(Errc::format, "Not a dossier: it must be one object and a newline.");
  text.remove_suffix(1);
  TRY(const Json json, log::parse_pjson(text, kMaxDossierBytes - 1, kMaxDossierValues));
  ObjectReader reader(json, "the dossier");
  Dossier dossier;
  dossier.cards = reader.texts("cards", log::kMaxGroupMembers, kMaxCardBytes);
  dossier.charters = reader.texts("charters", group::kMostVersions, group::kMaxPaperBytes);
  dossier.checkpoints = reader.texts("checkpoints", log::kMaxGroupMembers, log::kMaxCheckpointBytes);
  dossier.dissents = reader.texts("dissents", kMaxDissents, finding::kMaxDissentBytes);
  const Json::Array& entries = reader.array("entries", kMaxEntries);
  dossier.finding = reader.text("finding", log::kMaxNoteBytes);
  const std::string format = reader.text("format", kMaxWordBytes);
  dossier.leaves = reader.texts("leaves", log::kMaxGroupMembers, group::kMaxPaperBytes);
  const Json::Array& openings = reader.array("openings", kMaxOpenings);
  const Json::Array& rotations = reader.array("rotations", kMaxShownRotations);
  const Json& stix = reader.object("stix");
  if (format != kFormat) reader.refuse(fmt::format("\"format\" must be {}", kFormat));
  TRY_STATUS(reader.finish());
  for (const Json& entry : entries) {
    TRY(dossier.entries.emplace_back(), read_shown(entry));
  }
  for (const Json& rotation : rotations) {
    TRY(dossier.rotations.emplace_back(), read_rotation(rotation));
  }
  TRY(dossier.openings, finding::read_openings(openings));
  TRY(dossier.stix, read_stix(stix));
  return dossier;
}

}  // namespace parley::dossier
