// The steps of a reveal as PJ1, and what they commit to (reveal.h).
#include "base/encoding.h"
#include "crypto/hash.h"
#include "session/padding.h"
#include "session/reveal.h"

namespace parley::session {
namespace {

constexpr std::string_view kOfferDomain{"parley/reveal/offer/v1\0", 23};
constexpr auto kMostFields = static_cast<std::int64_t>(kLargestPadded * kFieldPaths.size());

std::int64_t number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

}  // namespace

log::Json RevealConsent::to_json() const {
  return log::Json::Object{{"by", by}, {"offer", to_hex(offer)}, {"sealed", sealed}, {"v", kSessionVersion}};
}

Result<RevealConsent> RevealConsent::from_json(const log::Json& body) {
  log::ObjectReader reader(body, "the consent to a reveal");
  RevealConsent consent;
  consent.by = reader.text("by", kMaxOperatorBytes);
  consent.offer = reader.digest("offer");
  consent.sealed = reader.boolean("sealed");
  reader.integer("v", kSessionVersion, kSessionVersion);
  if (consent.by.empty()) reader.refuse("nobody gave it");
  TRY_STATUS(reader.finish());
  return consent;
}

Digest offer_commitment(const Digest& label, const RevealOffer& offer) {
  crypto::Sha256 hash;
  hash.update(as_bytes(kOfferDomain));
  hash.update(label);
  hash.update(as_bytes(log::write_pjson(offer.to_json())));
  return hash.finish();
}

log::Json RevealEnd::to_json() const {
  return log::Json::Object{{"opened", number(opened)},
                           {"received", number(received)},
                           {"received_fields", number(received_fields)},
                           {"stopped", stopped},
                           {"v", kSessionVersion}};
}

Result<RevealEnd> RevealEnd::from_json(const log::Json& body) {
  log::ObjectReader reader(body, "the end of the reveal");
  RevealEnd end;
  end.opened = static_cast<std::uint64_t>(reader.integer("opened", 0, kMostFields));
  end.received = static_cast<std::uint64_t>(reader.integer("received", 0, number(kLargestPadded)));
  end.received_fields = static_cast<std::uint64_t>(reader.integer("received_fields", 0, kMostFields));
  end.stopped = reader.text("stopped", 8);
  reader.integer("v", kSessionVersion, kSessionVersion);
  if (!end.stopped.empty() && end.stopped != "us" && end.stopped != "them")
    reader.refuse("it names nobody who stopped");
  if (end.received > end.received_fields) reader.refuse("it counts more indicators than fields");
  TRY_STATUS(reader.finish());
  return end;
}

}  // namespace parley::session
