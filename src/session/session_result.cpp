// What is made of a protocol's outcome: matches, the hits of canaries among them, and the signed result.
#include <set>

#include "base/encoding.h"
#include "session/detail/session.h"
#include "session/result_root.h"
#include "session/secrets.h"

namespace parley::session::detail {
namespace {

// Hashes of one file count once; every other indicator counts for itself.
std::int64_t count_files_once(std::span<const vault::SessionMatch> matches) {
  std::set<std::int64_t> files;
  std::int64_t single = 0;
  for (const vault::SessionMatch& match : matches) {
    if (match.file == 0)
      ++single;
    else
      files.insert(match.file);
  }
  return single + static_cast<std::int64_t>(files.size());
}

}  // namespace

Result<ResultStep> Session::record(const psi::Outcome& result) {
  const bool intersection = terms_.question.function == Function::intersection;
  outcome_.learned = side_ == Side::asker ? terms_.question.asker_learns() : terms_.question.responder_learns();
  outcome_.both_learned = terms_.question.direction == Direction::both;
  outcome_.transcript = to_hex(result.transcript);
  if (outcome_.learned && !result.learned_count)
    return fail(Errc::internal, "The protocol ended without the result that was agreed on.");

  std::vector<vault::SessionMatch> matches;
  if (outcome_.learned) outcome_.count = static_cast<std::int64_t>(result.count);
  if (outcome_.learned && intersection) {
    for (const psi::Match& match : result.matches) {
      if (input_->canary(match.position) != nullptr) {
        hits_.push_back(hit_at(*input_, match.position, canaries_));
        continue;
      }
      const vault::Item* item = input_->item(match.position);
      if (item == nullptr)
        return fail(Errc::protocol, "Padding of this side matched, which an honest other side cannot bring about.");
      matches.push_back({.indicator = item->indicator,
                         .item = item->id,
                         .file = item->file,
                         .mine = log::write_pjson(to_json(input_->record(match.position))),
                         .opened = {},
                         .theirs = {},
                         .commitment = CommittedPlace{match.position, input_->tree_index(match.position)}.to_bytes()});
    }
    outcome_.file_count = count_files_once(matches);
    outcome_.canaries = static_cast<std::int64_t>(hits_.size());
    outcome_.count -= outcome_.canaries;
  }
  // Only what both know can be opened later; otherwise the salts have done their work.
  if (outcome_.both_learned && !matches.empty()) {
    const auto kept = keep_secret(commitments_name(row_.id), input_->commitments().serialize().expose());
    if (!kept && kept.error().code != Errc::policy) return std::unexpected(kept.error());
  }
  input_.reset();

  ResultStep ours{.learned = outcome_.learned,
                  .count = outcome_.both_learned ? static_cast<std::int64_t>(result.count) : -1,
                  .result_root = empty_result_root(),
                  .transcript = result.transcript};
  // The other side may leave or keep its share back, now that it has learned; what was found here stays found.
  keys_shared_ = share_result_key(ours, matches);
  TRY_STATUS(store_result(ours, matches));
  return ours;
}

Status Session::share_result_key(ResultStep& ours, const std::vector<vault::SessionMatch>& matches) {
  TRY_STATUS(steps_.link().send(wire::FrameType::opening, result_key_share_.expose()));
  TRY(const wire::Frame share, steps_.link().receive(deadline_in(limits_.step)));
  if (share.type != wire::FrameType::opening || share.payload.size() != Secret<32>::kSize ||
      result_key_commitment(share.payload) != their_commitment_.result_key_commitment)
    return fail(Errc::protocol, "The other side opened another result key than it had committed to.",
                steps_.peer().name);
  const Secret<32> theirs(std::span<const std::byte, 32>(share.payload));
  recorder_->add_shares(result_key_share_, theirs);
  if (outcome_.both_learned && terms_.question.function == Function::intersection) {
    const Secret<32>& asker_share = side_ == Side::asker ? result_key_share_ : theirs;
    const Secret<32>& responder_share = side_ == Side::asker ? theirs : result_key_share_;
    const Secret<32> key = result_key(row_.id, nonces_[0], nonces_[1], asker_share, responder_share);
    ours.result_root = sign_for(key, matches);
  }
  return {};
}

// The root over all that both found, our canaries among it: to the other side they are matches like any other.
Digest Session::sign_for(const Secret<32>& key, const std::vector<vault::SessionMatch>& matches) {
  std::vector<indicator::Canonical> found;
  for (const vault::SessionMatch& match : matches) found.push_back(match.indicator);
  for (const CanaryHit& hit : hits_) found.push_back(hit.canary.canary.indicator);
  const log::MerkleTree tree = result_tree(key, found);
  for (CanaryHit& hit : hits_) hit.tag = tag_under(tree, key, hit.canary.canary.indicator);
  return tree.root();
}

Status Session::store_result(const ResultStep& ours, const std::vector<vault::SessionMatch>& matches) {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Monotonic::now() - run_began_);
  outcome_.milliseconds = took.count();
  outcome_.bytes_sent = static_cast<std::int64_t>(steps_.link().bytes_sent());
  outcome_.bytes_received = static_cast<std::int64_t>(steps_.link().bytes_received());
  row_.state = kHasResult;
  row_.updated = wall_clock_now();
  row_.outcome = write_outcome(outcome_);
  TRY(result_step_, steps_.write(kResult, ours.to_json(), {}, [&](const mirror::EntryView& step) -> Status {
    TRY_STATUS(us_.vault.save_result(row_, std::vector{their_run_step_, stored_step(step)}, matches));
    return keep_hits(us_.vault, row_.group, row_.id, hits_);
  }));
  return {};
}

}  // namespace parley::session::detail
