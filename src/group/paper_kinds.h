// Kinds of GroupPaper in the vault.
#pragma once

#include <string_view>

namespace parley::group {

inline constexpr std::string_view kPaperDraft = "draft";          ///< the terms, as their drafter signed them
inline constexpr std::string_view kPaperKeyPackage = "package";   ///< by nick
inline constexpr std::string_view kPaperCharter = "charter";      ///< version 1, gathering signatures
inline constexpr std::string_view kPaperAmendment = "amendment";  ///< by hash, gathering signatures
inline constexpr std::string_view kPaperLeave = "leave";          ///< by nick
inline constexpr std::string_view kPaperRotation = "rotation";    ///< of a tls key: by nick and number of the entry
inline constexpr std::string_view kPaperPolicy = "policy";        ///< the own rules

}  // namespace parley::group
