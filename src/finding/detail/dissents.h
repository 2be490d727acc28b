// Which dissents about one finding count. Their authors may be two-faced: a log that goes two ways shows some members
// other dissents than it shows the rest, and nobody follows it any more once that is found. What publishers hand on in
// their own logs reaches all, so of such authors' dissents the publications decide.
#pragma once

#include "finding/casebook.h"

namespace parley::finding::detail {

/// What the logs here have of them, before it is known which count.
class Dissents {
 public:
  /// Notes that it stands at `place`: in its author's log, or in that of somebody who hands it on.
  /// @error Errc::limit for one that is more than its author's share in its own log, or kMostSharesHandedOn of it in
  /// another's
  Status take(SignedDissent read, const Place& place, Case& of);
  /// Once all are taken, and all publications: which count goes into `of`, and into `left_out` which do not, and why.
  /// @param in_doubt  whose logs need not be the same to all: convicted, or not exchanged any more. Neither what stands
  /// in them nor what they publish decides
  void count(const std::set<std::string>& in_doubt, Case& of, std::vector<Oddity>& left_out);

 private:
  struct Known {
    SignedDissent dissent;
    Place place;  // where it was met with first
  };
  /// Those of their authors' own logs come first, since nobody else can write there; of authors whose logs are in doubt
  /// those that most signers have ever named: what honest ones name adds up, and no single signer decides again and
  /// again.
  std::vector<std::size_t> in_order(const std::set<std::string>& in_doubt, const Case& of) const;

  std::vector<Known> known_;
  std::map<Digest, std::size_t> by_hash_;
  DissentShares own_;  // of each author in its own log
};

}  // namespace parley::finding::detail
