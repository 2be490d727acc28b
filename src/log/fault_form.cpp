// The text form of faults: which parts a kind has is checked here, what they say in fault.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "base/encoding.h"
#include "log/fault.h"

namespace parley::log {
namespace {

constexpr std::int64_t kFaultVersion = 1;
constexpr std::int64_t kVersionWithRotations = 2;
constexpr std::string_view kRotations = "rotations";
constexpr std::size_t kMaxNickBytes = 32;
constexpr std::size_t kMaxKindBytes = 32;
constexpr std::size_t kMaxBareCheckpointBytes = 1024;
constexpr std::size_t kMaxParts = 2;

constexpr std::array kKinds{FaultKind::fork_roots,      FaultKind::fork_leaves, FaultKind::fork_prefix,
                            FaultKind::rewritten_entry, FaultKind::double_step, FaultKind::sealed_extended,
                            FaultKind::antedated,       FaultKind::bad_opening};

/// How many of each part there are.
struct Shape {
  std::size_t checkpoints = 0;
  std::size_t entries = 0;
  std::size_t leaves = 0;
  std::size_t bodies = 0;
  std::size_t openings = 0;
  bool prefix = false;
  bool operator==(const Shape&) const = default;
};

Shape shape_of(const Fault& fault) {
  return {fault.checkpoints.size(), fault.entries.size(),  fault.leaves.size(),
          fault.bodies.size(),      fault.openings.size(), !fault.prefix.empty()};
}

bool has_its_shape(const Fault& fault) {
  if (fault.entries.empty() && !fault.rotations.empty()) return false;
  const Shape shape = shape_of(fault);
  switch (fault.kind) {
    case FaultKind::fork_roots:
      return shape == Shape{.checkpoints = 2};
    case FaultKind::fork_leaves:
      return shape == Shape{.leaves = 2};
    case FaultKind::fork_prefix:
      return shape == Shape{.checkpoints = 2, .prefix = true};
    case FaultKind::rewritten_entry:
    case FaultKind::double_step:
    case FaultKind::antedated:
      return shape == Shape{.entries = 2};
    case FaultKind::sealed_extended:
      return shape == Shape{.entries = 2} || shape == Shape{.checkpoints = 1, .entries = 1};
    case FaultKind::bad_opening:
      return shape == Shape{.entries = 2, .bodies = 2, .openings = 1};
  }
  return false;
}

Json to_json(const LeafProof& leaf) {
  return Json::Object{{"checkpoint", leaf.checkpoint},
                      {"index", static_cast<std::int64_t>(leaf.index)},
                      {"leaf_hash", to_hex(leaf.leaf_hash)},
                      {"path", hex_of(leaf.path)}};
}

Result<LeafProof> leaf_from_json(const Json& object) {
  ObjectReader reader(object, "a leaf of the fault");
  LeafProof leaf;
  leaf.checkpoint = reader.text("checkpoint", kMaxBareCheckpointBytes);
  leaf.index = static_cast<std::uint64_t>(reader.integer("index", 0, kMaxInteger - 1));
  leaf.leaf_hash = reader.digest("leaf_hash");
  leaf.path = reader.digests("path", kMaxProofHashes);
  TRY_STATUS(reader.finish());
  return leaf;
}

Json to_json(const Body& body) {
  return Json::Object{{"salt", to_base64(body.salt)}, {"text", body.text}};
}

Result<Body> body_from_json(const Json& object) {
  ObjectReader reader(object, "a body of the fault");
  Body body;
  const Bytes salt = reader.bytes("salt", sizeof(Salt));
  body.text = reader.text("text", kMaxBodyBytes);
  TRY_STATUS(reader.finish());
  std::ranges::copy(salt, body.salt.begin());
  return body;
}

Json to_json(const OfferedOpening& opening) {
  return Json::Object{
      {"index", static_cast<std::int64_t>(opening.index)}, {"path", hex_of(opening.path)}, {"text", opening.text}};
}

Result<OfferedOpening> opening_from_json(const Json& object) {
  ObjectReader reader(object, "an opening of the fault");
  OfferedOpening opening;
  opening.index = static_cast<std::uint64_t>(reader.integer("index", 0, kMaxInteger - 1));
  opening.path = reader.digests("path", kMaxProofHashes);
  opening.text = reader.text("text", kMaxOpeningBytes);
  TRY_STATUS(reader.finish());
  return opening;
}

Json to_json(const ShownRotation& rotation) {
  return Json::Object{{"body", to_json(rotation.body)}, {"entry", rotation.entry}};
}

Result<ShownRotation> rotation_from_json(const Json& object) {
  ObjectReader reader(object, "a rotation of the fault");
  ShownRotation rotation;
  const Json& body = reader.object("body");
  rotation.entry = reader.text("entry", kMaxEntryBytes);
  TRY_STATUS(reader.finish());
  TRY(rotation.body, body_from_json(body));
  return rotation;
}

Result<Fault> from_json(const Json& object) {
  ObjectReader reader(object, "the fault");
  Fault fault;
  fault.accused = reader.text("accused", kMaxNickBytes);
  const Json::Array& bodies = reader.array("bodies", kMaxParts);
  fault.checkpoints = reader.texts("checkpoints", kMaxParts, kMaxBareCheckpointBytes);
  fault.entries = reader.texts("entries", kMaxParts, kMaxEntryBytes);
  const std::string kind = reader.text("kind", kMaxKindBytes);
  const Json::Array& leaves = reader.array("leaves", kMaxParts);
  const Json::Array& openings = reader.array("openings", kMaxParts);
  fault.prefix = reader.digests("prefix", kMaxProofHashes);
  // Where no node key was rotated the part is left out.
  const bool rotated = object.object() != nullptr && object.object()->contains(kRotations);
  const Json::Array none;
  const Json::Array& rotations = rotated ? reader.array(kRotations, kMaxRotations) : none;
  if (rotated && rotations.empty()) reader.refuse("rotations are left out where there are none");
  const std::int64_t version = rotated ? kVersionWithRotations : kFaultVersion;
  reader.integer("v", version, version);
  TRY_STATUS(reader.finish());
  for (const Json& rotation : rotations) {
    TRY(fault.rotations.emplace_back(), rotation_from_json(rotation));
  }
  for (const Json& body : bodies) {
    TRY(fault.bodies.emplace_back(), body_from_json(body));
  }
  for (const Json& leaf : leaves) {
    TRY(fault.leaves.emplace_back(), leaf_from_json(leaf));
  }
  for (const Json& opening : openings) {
    TRY(fault.openings.emplace_back(), opening_from_json(opening));
  }
  const auto found = std::ranges::find(kKinds, kind, [](FaultKind known) { return name_of(known); });
  if (found == kKinds.end()) return fail(Errc::format, "Not a fault: its kind is not known.");
  fault.kind = *found;
  return fault;
}

}  // namespace

std::string write_fault(const Fault& fault) {
  assert(has_its_shape(fault));
  Json::Array bodies, leaves, openings;
  for (const Body& body : fault.bodies) bodies.push_back(to_json(body));
  for (const LeafProof& leaf : fault.leaves) leaves.push_back(to_json(leaf));
  for (const OfferedOpening& opening : fault.openings) openings.push_back(to_json(opening));
  Json::Object object = Json::Object{{"accused", fault.accused},
                                     {"bodies", std::move(bodies)},
                                     {"checkpoints", Json::Array(fault.checkpoints.begin(), fault.checkpoints.end())},
                                     {"entries", Json::Array(fault.entries.begin(), fault.entries.end())},
                                     {"kind", name_of(fault.kind)},
                                     {"leaves", std::move(leaves)},
                                     {"openings", std::move(openings)},
                                     {"prefix", hex_of(fault.prefix)},
                                     {"v", fault.rotations.empty() ? kFaultVersion : kVersionWithRotations}};
  if (!fault.rotations.empty()) {
    Json::Array rotations;
    for (const ShownRotation& rotation : fault.rotations) rotations.push_back(to_json(rotation));
    object.emplace(kRotations, std::move(rotations));
  }
  return fmt::format("{}\n{}\n", kFaultKind, write_pjson(object));
}

Result<Fault> parse_fault(std::string_view text) {
  if (text.size() > kMaxFaultBytes) {
    return fail(Errc::limit,
                fmt::format("A fault of {} bytes is longer than its limit of {}.", text.size(), kMaxFaultBytes));
  }
  // The same frame as that of the text of a signed object.
  Note note;
  note.text = text;
  TRY(const Json object, read_object_unverified(note, kFaultKind, kMaxFaultBytes));
  TRY(Fault fault, from_json(object));
  if (!is_nick(fault.accused)) return fail(Errc::format, "Not a fault: it accuses nobody by a nick.");
  if (!has_its_shape(fault)) return fail(Errc::format, "Not a fault: its parts are not those of its kind.");
  return fault;
}

}  // namespace parley::log
