// The types of entries (log.md 2.4): which belong to a session, and which of those are written once in it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace parley::log {

inline constexpr std::string_view kLogOpen = "log.open";
inline constexpr std::string_view kHeads = "heads";
inline constexpr std::string_view kCharterAmend = "charter.amend";
inline constexpr std::string_view kCanarySet = "canary.set";
inline constexpr std::string_view kCanaryAlarm = "canary.alarm";
inline constexpr std::string_view kCanaryOpinion = "canary.opinion";
inline constexpr std::string_view kSessionPropose = "session.propose";
inline constexpr std::string_view kSessionAccept = "session.accept";
inline constexpr std::string_view kSessionRefuse = "session.refuse";
inline constexpr std::string_view kSessionCommit = "session.commit";
inline constexpr std::string_view kSessionRun = "session.run";
inline constexpr std::string_view kSessionResult = "session.result";
inline constexpr std::string_view kSessionClose = "session.close";
inline constexpr std::string_view kSessionAbort = "session.abort";
inline constexpr std::string_view kRevealOffer = "reveal.offer";
inline constexpr std::string_view kRevealConsent = "reveal.consent";
inline constexpr std::string_view kRevealRefuse = "reveal.refuse";
inline constexpr std::string_view kRevealClose = "reveal.close";
inline constexpr std::string_view kLedgerSettle = "ledger.settle";
inline constexpr std::string_view kAdmissionEpoch = "admission.epoch";
inline constexpr std::string_view kAdmissionCount = "admission.count";
inline constexpr std::string_view kFault = "fault";
inline constexpr std::string_view kFindingDraft = "finding.draft";
inline constexpr std::string_view kFindingSign = "finding.sign";
inline constexpr std::string_view kFindingDissent = "finding.dissent";
inline constexpr std::string_view kFindingPublish = "finding.publish";
inline constexpr std::string_view kFindingWithdraw = "finding.withdraw";
inline constexpr std::string_view kKeyRotate = "key.rotate";
inline constexpr std::string_view kMemberLeave = "member.leave";
inline constexpr std::string_view kMemberLeft = "member.left";
inline constexpr std::string_view kLogSeal = "log.seal";
inline constexpr std::string_view kGroupSeal = "group.seal";

enum class SessionUse : std::uint8_t { never, always, either };

struct EntryType {
  std::string_view name;
  SessionUse session = SessionUse::never;
  /// An author writes it at most once in a session, whatever happens: a second, different one is a fault of its own.
  /// Offers and refusals may come again when an operator tries again, so their repetition proves nothing.
  bool once = false;
  /// Nothing follows it in its log.
  bool seals = false;
};

/// A proposal has no session yet: the session's name is the hash of its proposal (log.md 3.2).
inline constexpr std::array kEntryTypes{
    EntryType{kLogOpen},
    EntryType{kHeads},
    EntryType{kCharterAmend},
    EntryType{kCanarySet},
    EntryType{kCanaryAlarm, SessionUse::either},
    EntryType{kCanaryOpinion},
    EntryType{kSessionPropose},
    EntryType{kSessionAccept, SessionUse::always, true},
    EntryType{kSessionRefuse, SessionUse::always},
    EntryType{kSessionCommit, SessionUse::always, true},
    EntryType{kSessionRun, SessionUse::always, true},
    EntryType{kSessionResult, SessionUse::always, true},
    EntryType{kSessionClose, SessionUse::always, true},
    EntryType{kSessionAbort, SessionUse::always, true},
    EntryType{kRevealOffer, SessionUse::always},
    EntryType{kRevealConsent, SessionUse::always},
    EntryType{kRevealRefuse, SessionUse::always},
    EntryType{kRevealClose, SessionUse::always},
    EntryType{kLedgerSettle, SessionUse::either},
    EntryType{kAdmissionEpoch},
    EntryType{kAdmissionCount},
    EntryType{kFault, SessionUse::either},
    EntryType{kFindingDraft},
    EntryType{kFindingSign},
    EntryType{kFindingDissent},
    EntryType{kFindingPublish},
    EntryType{kFindingWithdraw},
    EntryType{kKeyRotate},
    EntryType{kMemberLeave},
    EntryType{kMemberLeft},
    EntryType{kLogSeal, SessionUse::never, false, true},
    EntryType{kGroupSeal, SessionUse::never, false, true},
};

/// Nothing for a type that is not in the table.
std::optional<EntryType> entry_type(std::string_view name);

/// Whether an entry of this type is the last of its log.
inline bool ends_log(std::string_view name) {
  const auto type = entry_type(name);
  return type && type->seals;
}

}  // namespace parley::log
