// What binds an offer to all the openings that follow it (docs/wire-format.md, "The reveal").
#pragma once

#include <string_view>

#include "crypto/hash.h"

namespace parley::session::detail {

/// H("parley/reveal/v1\0" || label || salt || H(openings, each with its length in front)): the openings are hashed as
/// they come, so that none has to be kept until the salt is known. `label` is of who opens: nobody can offer what the
/// other side offers.
class OfferHash {
 public:
  void add(std::string_view opening) {
    Bytes length;
    append_be(length, static_cast<std::uint32_t>(opening.size()));
    openings_.update(length);
    openings_.update(as_bytes(opening));
  }

  Digest finish(const Digest& label, ByteView salt) {
    crypto::Sha256 hash;
    hash.update(as_bytes(kDomain));
    hash.update(label);
    hash.update(salt);
    hash.update(openings_.finish());
    return hash.finish();
  }

 private:
  static constexpr std::string_view kDomain{"parley/reveal/v1\0", 17};
  crypto::Sha256 openings_;
};

}  // namespace parley::session::detail
