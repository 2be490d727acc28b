// The steps of a reveal as PJ1, and what they commit to (reveal.h).
#include <algorithm>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "session/reveal.h"

namespace parley::session {
namespace {

constexpr std::string_view kOfferDomain{"parley/reveal/offer/v1\0", 23};
constexpr auto kMostFields = static_cast<std::int64_t>(kMostRevealFields);

std::int64_t number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

}  // namespace

log::Json RevealConsent::to_json() const {
  return log::Json::Object{
      {"by", by}, {"offer", to_hex(offer)}, {"received", to_hex(received)}, {"sealed", sealed}, {"v", kSessionVersion}};
}

Result<RevealConsent> RevealConsent::from_json(const log::Json& body) {
  log::ObjectReader reader(body, "the consent to a reveal");
  RevealConsent consent;
  consent.by = reader.text("by", kMaxOperatorBytes);
  consent.offer = reader.digest("offer");
  consent.received = reader.digest("received");
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

std::uint64_t opened_of(const RevealOffer& offer, const RevealOffer& other) {
  return std::min(offer.values, other.values * offer.ratio + offer.unreturned);
}

log::Json RevealEnd::to_json() const {
  return log::Json::Object{{"kept_back", number(kept_back)},
                           {"missing", number(missing)},
                           {"opened", number(opened)},
                           {"received", number(received)},
                           {"received_fields", number(received_fields)},
                           {"stopped", stopped},
                           {"unshown", number(unshown)},
                           {"v", kSessionVersion}};
}

Result<RevealEnd> RevealEnd::from_json(const log::Json& body) {
  log::ObjectReader reader(body, "the end of the reveal");
  RevealEnd end;
  end.kept_back = static_cast<std::uint64_t>(reader.integer("kept_back", 0, kMostFields));
  end.missing = static_cast<std::uint64_t>(reader.integer("missing", 0, kMostFields));
  end.opened = static_cast<std::uint64_t>(reader.integer("opened", 0, kMostFields));
  end.received = static_cast<std::uint64_t>(reader.integer("received", 0, number(kLargestPadded)));
  end.received_fields = static_cast<std::uint64_t>(reader.integer("received_fields", 0, kMostFields));
  end.stopped = reader.text("stopped", 8);
  end.unshown = static_cast<std::uint64_t>(reader.integer("unshown", 0, number(kLargestPadded)));
  reader.integer("v", kSessionVersion, kSessionVersion);
  if (!end.stopped.empty() && end.stopped != "us" && end.stopped != "them")
    reader.refuse("it names nobody who stopped");
  if (end.received > end.received_fields) reader.refuse("it counts more indicators than fields");
  TRY_STATUS(reader.finish());
  return end;
}

}  // namespace parley::session
