#include "finding/detail/dissents.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace parley::finding::detail {

Status Dissents::take(SignedDissent read, const Place& place, Case& of) {
  std::map<Digest, std::uint64_t>& in_log = of.dissents_in[place.nick];
  if (in_log.contains(read.hash)) return {};
  if (read.dissent.nick == place.nick) {
    TRY_STATUS(own_.take(read));
  } else {
    TRY_STATUS(of.handed_on.try_emplace(place.nick, kMostSharesHandedOn).first->second.take(read));
  }
  in_log.emplace(read.hash, place.seq);
  if (by_hash_.try_emplace(read.hash, known_.size()).second) known_.push_back({std::move(read), place});
  return {};
}

std::vector<std::size_t> Dissents::in_order(const std::set<std::string>& in_doubt, const Case& of) const {
  // Less is earlier. What nobody can hold against others is first: a log that goes one way is the same to all.
  struct Rank {
    std::size_t after_own = 1;
    std::int64_t fewer_names = 0;  // less where more signers name it
    std::string_view nick;         // of the first signer who does, or of the author in its own log
    std::uint64_t seq = 0;
    auto key() const { return std::tuple(after_own, fewer_names, nick, seq); }
  };
  std::vector<Rank> ranks(known_.size());
  std::vector<std::string_view> last_signer(known_.size());
  for (const Publication& publication : of.publications) {
    const std::string& nick = publication.place.nick;
    if (!of.signed_by(nick) || in_doubt.contains(nick)) continue;
    for (const Digest& hash : publication.body.dissents) {
      const std::size_t one = by_hash_.at(hash);
      if (std::exchange(last_signer[one], nick) == nick) continue;
      if (--ranks[one].fewer_names < -1) continue;  // the first signer is known already
      ranks[one].nick = nick;
      ranks[one].seq = of.dissents_in.at(nick).at(hash);
    }
  }
  for (std::size_t i = 0; i < known_.size(); ++i) {
    const SignedDissent& one = known_[i].dissent;
    const auto in_log = of.dissents_in.find(one.dissent.nick);
    if (in_log == of.dissents_in.end() || in_doubt.contains(one.dissent.nick)) continue;
    if (const auto own = in_log->second.find(one.hash); own != in_log->second.end())
      ranks[i] = {.after_own = 0, .fewer_names = 0, .nick = one.dissent.nick, .seq = own->second};
  }
  std::vector<std::size_t> order(known_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t one) { return ranks[one].key(); });
  return order;
}

void Dissents::count(const std::set<std::string>& in_doubt, Case& of, std::vector<Oddity>& left_out) {
  DissentShares shares;
  for (const std::size_t one : in_order(in_doubt, of)) {
    if (const Status taken = shares.take(known_[one].dissent); taken)
      of.dissents.push_back(std::move(known_[one].dissent));
    else
      left_out.push_back({known_[one].place, taken.error().message});
  }
  std::ranges::sort(of.dissents, {}, &SignedDissent::hash);
}

}  // namespace parley::finding::detail
