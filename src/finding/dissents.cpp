#include "finding/detail/dissents.h"

#include <algorithm>

namespace parley::finding::detail {

Status Dissents::take(SignedDissent read, const Place& place, Case& of) {
  std::map<Digest, std::uint64_t>& in_log = of.dissents_in[place.nick];
  if (in_log.contains(read.hash)) return {};
  if (read.dissent.nick == place.nick) TRY_STATUS(own_.take(read));
  in_log.emplace(read.hash, place.seq);
  if (by_hash_.try_emplace(read.hash, known_.size()).second) known_.push_back({std::move(read), place});
  return {};
}

/// First those that signers have published, in the order of the publications: who publishes next has these and names
/// them, so that all come to name the same. Then those of each author's own log, and then what is only handed on.
std::vector<std::size_t> Dissents::in_order(const std::set<std::string>& two_faced, const Case& of) const {
  std::vector<std::size_t> order;
  std::vector<bool> placed(known_.size());
  const auto put = [&](std::size_t one) {
    if (!placed[one]) order.push_back(one);
    placed[one] = true;
  };
  for (const Publication& publication : of.publications)
    if (of.signed_by(publication.place.nick) && !two_faced.contains(publication.place.nick))
      for (const Digest& hash : publication.body.dissents) put(by_hash_.at(hash));
  std::vector<std::tuple<std::string_view, std::uint64_t, std::size_t>> own;
  for (std::size_t i = 0; i < known_.size(); ++i) {
    const SignedDissent& one = known_[i].dissent;
    const auto in_log = of.dissents_in.find(one.dissent.nick);
    if (in_log != of.dissents_in.end() && in_log->second.contains(one.hash))
      own.emplace_back(one.dissent.nick, in_log->second.at(one.hash), i);
  }
  std::ranges::sort(own);
  for (const auto& [nick, seq, one] : own) put(one);
  for (std::size_t i = 0; i < known_.size(); ++i) put(i);
  return order;
}

void Dissents::count(const std::set<std::string>& two_faced, Case& of, std::vector<Oddity>& left_out) {
  DissentShares shares;
  for (const std::size_t one : in_order(two_faced, of)) {
    if (const Status taken = shares.take(known_[one].dissent); taken)
      of.dissents.push_back(std::move(known_[one].dissent));
    else
      left_out.push_back({known_[one].place, taken.error().message});
  }
  std::ranges::sort(of.dissents, {}, &SignedDissent::hash);
}

}  // namespace parley::finding::detail
