#include "session/audit_keeping.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/random.h"
#include "log/entry.h"
#include "psi/admission/admission.h"
#include "session/audit_record.h"
#include "session/secrets.h"

namespace parley::session {
namespace {

constexpr std::string_view kPurpose = "audit ";
constexpr std::string_view kDaysSetting = "audit-keep-days";
constexpr std::string_view kBytesSetting = "audit-keep-bytes";
constexpr UnixSeconds kSecondsADay = 86'400;
/// More than a run of the largest protocol brings of one element of either side, and its fixed part
/// (docs/performance.md).
constexpr std::uint64_t kBytesAnElement = 64;
constexpr std::size_t kElementBytesExpected = 24;  // an indicator with its type and length, on average
constexpr std::uint64_t kFixedBytes = 4 << 20;

std::string why_not_setting(const std::string& session) {
  return "audit-not-kept " + session;
}

template <typename Integer>
Result<Integer> setting_or(vault::Vault& vault, std::string_view name, Integer otherwise) {
  TRY(const auto text, vault.setting(name));
  Integer value = otherwise;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

Result<Secret<32>> key_of(vault::Vault& vault, const std::string& session) {
  TRY(const auto key, vault.secret(audit_name(session)));
  if (!key || key->size() != Secret<32>::kSize)
    return fail(Errc::not_found, "The key of this session's record is not there any more.");
  return Secret<32>(key->expose().first<Secret<32>::kSize>());
}

Result<std::optional<vault::SealedFile>> file_of(vault::Vault& vault, const std::string& session) {
  TRY(auto files, vault.sealed_files(std::string(kPurpose) + session));
  if (files.empty()) return std::nullopt;
  return std::optional(std::move(files.front()));
}

/// What was committed to, beside the tags by which some of it enters.
RecordedSet set_of(const Input& input, std::span<const indicator::Type> by_tags) {
  RecordedSet set{.elements = {}, .by_tags = {by_tags.begin(), by_tags.end()}, .tags = {}};
  std::ranges::sort(set.by_tags, {}, [](indicator::Type type) { return indicator::name_of(type); });
  set.elements.reserve(input.size(), input.size() * kElementBytesExpected);
  for (std::size_t i = 0; i < input.size(); ++i) {
    const indicator::Canonical* named = input.named(i);
    const ByteView entered = input.elements()[i];
    set.elements.push_back(named != nullptr ? ByteView(named->typed()) : entered);
    if (set.is_by_tag(entered)) append(set.tags, entered.last(psi::admission::kTagBytes));
  }
  return set;
}

std::string session_of(const vault::SealedFile& file) {
  return file.purpose.substr(kPurpose.size());
}

Status forget_because(vault::Vault& vault, const std::string& session, const std::string& why) {
  TRY(const auto file, file_of(vault, session));
  if (!file) return fail(Errc::not_found, "No record of this session is kept here.");
  return vault.remove_file(file->id, [&]() -> Status {
    TRY_STATUS(vault.put_secret(audit_name(session), {}));
    return vault.put_setting(why_not_setting(session), why);
  });
}

}  // namespace

Result<AuditKeeping> audit_keeping(vault::Vault& vault) {
  AuditKeeping keeping;
  TRY(keeping.days, setting_or(vault, kDaysSetting, keeping.days));
  TRY(keeping.limit_bytes, setting_or(vault, kBytesSetting, keeping.limit_bytes));
  return keeping;
}

Status set_audit_keeping(vault::Vault& vault, const AuditKeeping& keeping) {
  return vault.together([&]() -> Status {
    TRY_STATUS(vault.put_setting(kDaysSetting, std::to_string(keeping.days)));
    return vault.put_setting(kBytesSetting, std::to_string(keeping.limit_bytes));
  });
}

// --- recording ------------------------------------------------------------------------------------------------------

AuditRecorder::AuditRecorder(vault::Vault& vault, std::string session, Side side, const Input& input,
                             std::span<const indicator::Type> by_tags, std::uint64_t their_padded)
    : vault_(vault), session_(std::move(session)), key_(random_secret<32>()) {
  begin(side, input, by_tags, their_padded);
}

AuditRecorder::~AuditRecorder() = default;

void AuditRecorder::begin(Side side, const Input& input, std::span<const indicator::Type> by_tags,
                          std::uint64_t their_padded) {
  const auto begun = [&]() -> Status {
    TRY(const AuditKeeping keeping, audit_keeping(vault_));
    if (keeping.days == 0) return fail(Errc::policy, "This member keeps no records (parley audit keep).");
    TRY(const auto records, vault_.sealed_files(kPurpose));
    std::uint64_t kept = 0;
    for (const vault::SealedFile& record : records) kept += record.size;
    limit_bytes_ = keeping.limit_bytes > kept ? keeping.limit_bytes - kept : 0;
    const std::uint64_t expected = kFixedBytes + kBytesAnElement * (input.size() + their_padded);
    TRY(const std::uint64_t free, vault_.free_bytes());
    if (expected > limit_bytes_)
      return fail(Errc::limit, "The records that are kept already leave no room for it (parley audit keep --limit).");
    if (free < expected + kAuditLeavesFreeBytes)
      return fail(Errc::limit, "There was too little room on the disk for it.");
    TRY(const auto seed, vault_.secret(seed_name(session_)));
    TRY(const auto salts, vault_.secret(salts_name(session_)));
    if (!seed || !salts) return fail(Errc::internal, "The secrets of the session were not there.");
    TRY(vault::FileWriter file,
        vault_.begin_file(std::string(kPurpose) + session_, vault::kSizeNotStated, key_.clone()));
    file_.emplace(std::move(file));
    const RecordedSet set = by_tags.empty() ? RecordedSet() : set_of(input, by_tags);
    record_beginning(session_, side, Secret<32>(seed->expose().first<Secret<32>::kSize>()),
                     Secret<32>(salts->expose().first<Secret<32>::kSize>()),
                     by_tags.empty() ? input.elements() : set.elements, set.by_tags, set.tags,
                     [this](ByteView bytes) { append(bytes); });
    return {};
  }();
  if (!begun) give_up(begun.error().text());
}

void AuditRecorder::append(ByteView bytes) {
  if (!file_) return;
  if (file_->content_bytes() + bytes.size() > limit_bytes_) {
    give_up("It grew beyond what is kept (parley audit keep --limit).");
  } else if (const Status written = file_->append(bytes); !written) {
    give_up(written.error().text());
  }
}

void AuditRecorder::give_up(std::string why) {
  file_.reset();
  why_not_ = std::move(why);
}

std::unique_ptr<psi::Channel> AuditRecorder::record(psi::Channel& inner) {
  return std::make_unique<psi::RecordingChannel>(inner, [this](bool sent, psi::MessageType type, ByteView payload) {
    if (!file_) return;
    append(record_message(sent, type, payload));
    if (!sent) append(payload);
  });
}

void AuditRecorder::add_shares(const Secret<32>& ours, const Secret<32>& theirs) {
  append(record_shares(ours, theirs).expose());
}

void AuditRecorder::finish(const KeepSecret& keep) {
  if (file_) {
    const auto kept =
        file_->commit([&](const vault::SealedFile&) { return keep(audit_name(session_), key_.expose()); });
    file_.reset();
    if (!kept) why_not_ = kept.error().text();
  }
  key_.wipe();
  // Where even that cannot be written, the absence of a record shows all the same.
  if (!why_not_.empty()) (void)vault_.put_setting(why_not_setting(session_), why_not_);
  why_not_.clear();
}

// --- what is kept ---------------------------------------------------------------------------------------------------

Result<std::optional<KeptRecord>> kept_record(vault::Vault& vault, const std::string& session) {
  TRY(auto file, file_of(vault, session));
  TRY(const auto key, vault.secret(audit_name(session)));
  if (!file || !key) return std::nullopt;
  TRY(const AuditKeeping keeping, audit_keeping(vault));
  const UnixSeconds until = file->made + keeping.days * kSecondsADay;
  return std::optional(KeptRecord{std::move(*file), until});
}

Result<std::string> why_not_kept(vault::Vault& vault, const std::string& session) {
  TRY(const auto why, vault.setting(why_not_setting(session)));
  return why.value_or("");
}

Result<vault::StreamReader> open_record(vault::Vault& vault, const std::string& session) {
  TRY(const auto kept, kept_record(vault, session));
  if (!kept)
    return fail(Errc::not_found,
                "No record of this session is kept here, so it cannot be run again. parley show says why.");
  TRY(const Secret<32> key, key_of(vault, session));
  return vault.open_file(kept->file.id, key.clone());
}

Status forget_record(vault::Vault& vault, const std::string& session) {
  return forget_because(vault, session, "It was destroyed here by hand (parley audit forget).");
}

Result<UnixSeconds> time_seen(vault::Vault& vault, const std::string& group) {
  const auto row = vault.group(group);
  if (!row) return row.error().code == Errc::not_found ? Result<UnixSeconds>(0) : std::unexpected(row.error());
  UnixSeconds latest = row->latest;
  TRY(const auto heads, vault.logs());
  for (const vault::LogHead& head : heads) {
    if (head.group != group || !head.own || head.size == 0) continue;
    TRY(const auto newest, vault.log_leaves(head.origin, head.size - 1, 1));
    const auto entry = newest.empty() ? Result<log::Entry>(fail(Errc::not_found, {}))
                                      : log::read_entry_unverified(newest.front().note);
    if (entry) latest = std::max(latest, entry->time);
  }
  return latest;
}

Result<std::size_t> end_old_records(vault::Vault& vault) {
  TRY(const AuditKeeping keeping, audit_keeping(vault));
  TRY(const auto files, vault.sealed_files(kPurpose));
  std::size_t ended = 0;
  for (const vault::SealedFile& file : files) {
    TRY(const auto key, vault.secret(audit_name(session_of(file))));
    std::string why = "Its key was destroyed with the others of the group, which has ended or was left here.";
    if (key) {
      TRY(const vault::SessionRow row, vault.session(session_of(file)));
      TRY(const UnixSeconds now, time_seen(vault, row.group));
      if (now - file.made < keeping.days * kSecondsADay) continue;
      why = "It was kept for as long as parley audit keep says here, and destroyed then.";
    }
    TRY_STATUS(forget_because(vault, session_of(file), why));
    ++ended;
  }
  return ended;
}

}  // namespace parley::session
