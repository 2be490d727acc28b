// What a member offers to open, from the texts of its openings.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "log/merkle.h"
#include "log/opening.h"

namespace parley::log {

inline OfferTree offer_of(std::span<const std::string> openings) {
  std::vector<Digest> leaves;
  for (const std::string& opening : openings) leaves.push_back(leaf_hash(as_bytes(opening)));
  return OfferTree(std::move(leaves));
}

}  // namespace parley::log
