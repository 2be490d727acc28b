// The root that both sides sign for what they found, such that nobody else can test guesses against it (log.md 3.3).
#pragma once

#include <span>

#include "base/secret.h"
#include "vault/vault.h"

namespace parley::session {

/// SHA-256("parley/rkc/v1\0" || share).
Digest result_key_commitment(ByteView share);

/// K = SHA-256("parley/rk/v1\0" || session_id || nonce_A || nonce_B || r_A || r_B), session_id as its 32 hex digits.
Secret<32> result_key(std::string_view session, const ByteArray<32>& asker_nonce, const ByteArray<32>& responder_nonce,
                      const Secret<32>& asker_share, const Secret<32>& responder_share);

/// RFC 6962 root over the ascending tags of the matches: K_t = HMAC-SHA-256(K, SHA-256(type || 0 || value)),
/// t = SHA-256("parley/tag/v1\0" || K_t || type || 0 || value).
Digest result_root(const Secret<32>& key, std::span<const vault::SessionMatch> matches);

/// Where there is no list of matches to sign.
Digest empty_result_root();

}  // namespace parley::session
