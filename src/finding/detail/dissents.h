// Which dissents about one finding count. Their authors may be two-faced: a log that goes two ways shows some members
// other dissents than it shows the rest, and nobody follows it any more once that is found. What publishers hand on in
// their own logs reaches all, so the order that decides is that of the publications.
#pragma once

#include "finding/casebook.h"

namespace parley::finding::detail {

/// What the logs here have of them, before it is known which count.
class Dissents {
 public:
  /// Notes that it stands at `place`: in its author's log, or in that of somebody who hands it on.
  /// @error Errc::limit for one that is more than its author's share in its own log
  Status take(SignedDissent read, const Place& place, Case& of);
  /// Once all are taken, and all publications: which count goes into `of`, and into `left_out` which do not, and why.
  /// @param two_faced  whose publications decide nothing: a convicted log need not be the same to all
  void count(const std::set<std::string>& two_faced, Case& of, std::vector<Oddity>& left_out);

 private:
  struct Known {
    SignedDissent dissent;
    Place place;  // where it was met with first
  };
  std::vector<std::size_t> in_order(const std::set<std::string>& two_faced, const Case& of) const;

  std::vector<Known> known_;
  std::map<Digest, std::size_t> by_hash_;
  DissentShares own_;  // of each author in its own log
};

}  // namespace parley::finding::detail
