// The root that both sides sign for what they found, such that nobody else can test guesses against it (log.md 3.3).
#pragma once

#include <span>

#include "base/secret.h"
#include "indicator/indicator.h"
#include "log/merkle.h"

namespace parley::session {

/// SHA-256("parley/rkc/v1\0" || share).
Digest result_key_commitment(ByteView share);

/// K = SHA-256("parley/rk/v1\0" || session_id || nonce_A || nonce_B || r_A || r_B), session_id as its 32 hex digits.
Secret<32> result_key(std::string_view session, const ByteArray<32>& asker_nonce, const ByteArray<32>& responder_nonce,
                      const Secret<32>& asker_share, const Secret<32>& responder_share);

/// K_t = HMAC-SHA-256(K, SHA-256(type || 0 || value)). Whoever is shown it can find this one match under the root, and
/// no other.
Digest result_item_key(const Secret<32>& key, const indicator::Canonical& indicator);
/// t = SHA-256("parley/tag/v1\0" || K_t || type || 0 || value), as leaf hash of RFC 6962.
Digest result_leaf(const Digest& item_key, const indicator::Canonical& indicator);

/// RFC 6962 tree over the ascending tags of the matches.
log::MerkleTree result_tree(const Secret<32>& key, std::span<const indicator::Canonical> matches);

/// Where there is no list of matches to sign.
Digest empty_result_root();

}  // namespace parley::session
