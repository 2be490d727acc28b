// Leaves, sets and the weight of hits (canary.h).
#include "group/canary.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/encoding.h"
#include "base/random.h"
#include "crypto/hash.h"

namespace parley::group {
namespace {

using indicator::Type;
using log::Json;

constexpr std::string_view kDomain{"parley/canary/v1\0", 17};
constexpr double kPpm = 1e6;

constexpr std::array kAddresses{Type::ipv4, Type::ipv6};
constexpr std::array kDomains{Type::domain};
constexpr std::array kPages{Type::url};
constexpr std::array kMailboxes{Type::email};
constexpr std::array kFiles{Type::md5, Type::sha1, Type::sha256, Type::sha512};

constexpr std::array kKinds{
    CanaryKind{"dark-address", "an address of your own network that never sent a packet", kAddresses},
    CanaryKind{"quiet-domain", "a domain that you registered and published nowhere", kDomains},
    CanaryKind{"future-domain", "a coming output of a known domain generator, registered by you", kDomains},
    CanaryKind{"quiet-page", "a page of your own site that nothing links to", kPages},
    CanaryKind{"quiet-mailbox", "a mailbox of your own that never wrote or was written to", kMailboxes},
    CanaryKind{"harmless-file", "a harmless file of your own, put once into a public collection", kFiles},
};

template <typename Length>
void append_text(Bytes& to, std::string_view text) {
  append_be(to, static_cast<Length>(text.size()));
  append(to, as_bytes(text));
}

Result<log::Salt> salt_from(const std::string& text) {
  const auto bytes = from_base64(text);
  log::Salt salt{};
  if (!bytes || bytes->size() != salt.size()) return fail(Errc::format, "A salt of a canary is not whole.");
  std::ranges::copy(*bytes, salt.begin());
  return salt;
}

}  // namespace

std::span<const CanaryKind> canary_kinds() {
  return kKinds;
}

const CanaryKind* canary_kind(std::string_view name) {
  const auto found = std::ranges::find(kKinds, name, &CanaryKind::name);
  return found == kKinds.end() ? nullptr : &*found;
}

Json Canary::reason() const {
  return Json::Object{
      {"created", created}, {"eps_ppm", eps_ppm}, {"kind", kind}, {"why_nobody_holds", why_nobody_holds}};
}

Result<Canary> make_canary(Type type, std::string_view value, const Json& reason) {
  auto canonical = indicator::canonicalise(type, value);
  if (!canonical || canonical->type() != type || canonical->value() != value)
    return fail(Errc::format, "The value of a canary is not in canonical form.");
  log::ObjectReader reader(reason, "the reason of a canary");
  Canary canary{.indicator = *std::move(canonical), .kind = {}, .why_nobody_holds = {}};
  canary.created = reader.integer("created", 0, log::kMaxInteger);
  canary.eps_ppm = reader.integer("eps_ppm", 1, kMostEpsilonPpm);
  canary.kind = reader.text("kind", 32);
  canary.why_nobody_holds = reader.text("why_nobody_holds", kMaxCanaryReasonBytes);
  const CanaryKind* kind = canary_kind(canary.kind);
  if (kind == nullptr)
    reader.refuse("its kind is not a known one");
  else if (std::ranges::find(kind->types, type) == kind->types.end())
    reader.refuse("its kind is not of this type of indicator");
  if (canary.why_nobody_holds.empty()) reader.refuse("it does not say why nobody holds it");
  TRY_STATUS(reader.finish());
  return canary;
}

Digest canary_commitment(const log::Salt& salt, const Canary& canary) {
  Bytes message = to_bytes(kDomain);
  append(message, salt);
  append_text<std::uint16_t>(message, indicator::name_of(canary.indicator.type()));
  append_text<std::uint32_t>(message, canary.indicator.value());
  append_text<std::uint32_t>(message, log::write_pjson(canary.reason()));
  return crypto::sha256(message);
}

// --- sets -----------------------------------------------------------------------------------------------------------

CanarySet CanarySet::draw(std::span<const Canary> canaries) {
  CanarySet set;
  for (const Canary& canary : canaries) set.canaries_.push_back({.salt = random_bytes<32>(), .canary = canary});
  while (set.canaries_.size() + set.filler_.size() < kCanaryLeaves) set.filler_.push_back(random_bytes<32>());
  return set;
}

// Ascending: where a canary stands among the random ones says nothing.
std::vector<Digest> CanarySet::data() const {
  std::vector<Digest> data = filler_;
  for (const Leaf& leaf : canaries_) data.push_back(canary_commitment(leaf.salt, leaf.canary));
  std::ranges::sort(data);
  return data;
}

namespace {

log::MerkleTree tree_over(std::vector<Digest> data) {
  for (Digest& leaf : data) leaf = log::leaf_hash(leaf);
  return log::MerkleTree(std::move(data));
}

}  // namespace

Digest CanarySet::root() const {
  return tree_over(data()).root();
}

std::vector<CommittedCanary> CanarySet::committed() const {
  const std::vector<Digest> sorted = data();
  const log::MerkleTree tree = tree_over(sorted);
  std::vector<CommittedCanary> committed;
  for (const Leaf& leaf : canaries_) {
    const auto place = std::ranges::lower_bound(sorted, canary_commitment(leaf.salt, leaf.canary));
    const auto index = static_cast<std::uint64_t>(place - sorted.begin());
    committed.push_back(
        {.canary = leaf.canary, .salt = leaf.salt, .index = index, .path = tree.inclusion_proof(index)});
  }
  return committed;
}

Json CanarySet::to_json() const {
  Json::Array canaries;
  for (const Leaf& leaf : canaries_)
    canaries.emplace_back(Json::Object{{"reason", leaf.canary.reason()},
                                       {"salt", to_base64(leaf.salt)},
                                       {"type", indicator::name_of(leaf.canary.indicator.type())},
                                       {"value", leaf.canary.indicator.value()}});
  return Json::Object{{"canaries", std::move(canaries)}, {"filler", log::hex_of(filler_)}};
}

Result<CanarySet> CanarySet::from_json(const Json& json) {
  CanarySet set;
  log::ObjectReader reader(json, "a stored set of canaries");
  const Json::Array canaries = reader.array("canaries", kCanaryLeaves);
  set.filler_ = reader.digests("filler", kCanaryLeaves);
  if (canaries.size() + set.filler_.size() != kCanaryLeaves) reader.refuse("it has not the leaves that a set has");
  TRY_STATUS(reader.finish());
  for (const Json& each : canaries) {
    log::ObjectReader leaf(each, "a stored canary");
    const Json reason = leaf.object("reason");
    const std::string salt_text = leaf.text("salt", 64);
    const auto type = indicator::type_named(leaf.text("type", 32));
    const std::string value = leaf.text("value", indicator::kMaxValueBytes);
    if (!type) leaf.refuse("its type is not a known one");
    TRY_STATUS(leaf.finish());
    TRY(const log::Salt salt, salt_from(salt_text));
    TRY(Canary canary, make_canary(*type, value, reason));
    set.canaries_.push_back({.salt = salt, .canary = std::move(canary)});
  }
  return set;
}

Json canary_set_body(const Digest& root) {
  return Json::Object{{"leaves", static_cast<std::int64_t>(kCanaryLeaves)}, {"root", to_hex(root)}, {"v", 1}};
}

Result<Digest> canary_root_from_body(const Json& body) {
  log::ObjectReader reader(body, "the set of canaries");
  reader.integer("leaves", kCanaryLeaves, kCanaryLeaves);
  const Digest root = reader.digest("root");
  reader.integer("v", 1, 1);
  TRY_STATUS(reader.finish());
  return root;
}

// --- what hits say --------------------------------------------------------------------------------------------------

bool enough_for_alarm(std::span<const std::int64_t> eps_ppm) {
  return eps_ppm.size() >= 2 || (eps_ppm.size() == 1 && eps_ppm[0] <= kLoneEpsilonPpm);
}

double likelihood_ratio(std::span<const std::int64_t> eps_ppm) {
  if (eps_ppm.empty()) return 1;
  const double leaves = kCanaryLeaves;
  const double hits = std::min(static_cast<double>(eps_ppm.size()), leaves);
  const double missed = leaves - hits;
  double logarithm = hits * std::log(hits / leaves);
  if (missed > 0) logarithm += missed * std::log(missed / leaves);
  for (const std::int64_t eps : eps_ppm)
    logarithm -= std::log(static_cast<double>(std::max<std::int64_t>(eps, 1)) / kPpm);
  return std::exp(logarithm);
}

double chance_of_accident(std::span<const std::int64_t> eps_ppm) {
  // By how many are hit of those that are enough in pairs only, until there are two.
  double no_lone = 1, none = 1, one = 0;
  for (const std::int64_t eps : eps_ppm) {
    const double chance = static_cast<double>(eps) / kPpm;
    if (eps <= kLoneEpsilonPpm) {
      no_lone *= 1 - chance;
    } else {
      one = one * (1 - chance) + none * chance;
      none *= 1 - chance;
    }
  }
  return 1 - no_lone * (none + one);
}

double chance_of_alarm(double fraction, std::size_t count, std::int64_t eps_ppm) {
  const auto n = static_cast<double>(count);
  const double none = std::pow(1 - fraction, n);
  if (eps_ppm <= kLoneEpsilonPpm) return 1 - none;
  if (count == 0) return 0;
  return 1 - none - n * fraction * std::pow(1 - fraction, n - 1);
}

}  // namespace parley::group
