// What of an indicator the protocol compares: the indicator itself, or, where the group's charter asks for it, the tag
// that every member helped to make (admission/owner.h). Only this changes: commitments are to the indicators, and an
// opening shows one that the other side holds too, so that its own tag of it is the one that matched.
#pragma once

#include <map>

#include "vault/vault.h"

namespace parley::session {

class ElementMaker {
 public:
  /// For the items of `selection`. @error the vault's
  static Result<ElementMaker> make(vault::Vault& vault, const vault::Selection& selection);

  /// @error Errc::cancelled when it needs a tag and its tag is gone, since an epoch has ended meanwhile
  Result<Bytes> element_of(const vault::Item& item) const;
  /// Of a canary; nothing where it needs a tag and has none yet.
  std::optional<Bytes> element_of(const indicator::Canonical& canary) const;

 private:
  bool needs_tag(indicator::Type type) const;
  std::optional<Bytes> by_tag(indicator::Type type, vault::ItemId id) const;

  std::vector<indicator::Type> tagged_types_;
  std::map<indicator::Canonical, vault::ItemId> canaries_;
  std::vector<std::pair<vault::ItemId, vault::AdmissionTag>> tags_;  // ascending by item
};

}  // namespace parley::session
