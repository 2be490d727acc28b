#include "audit/audit_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/encoding.h"
#include "base/random.h"
#include "crypto/hash.h"
#include "crypto/sealed_box.h"
#include "log/note.h"
#include "log/tlog_proof.h"

namespace parley::audit {
namespace {

constexpr std::string_view kMagic = "PRLYAUD1";
constexpr std::size_t kBoxBytes = Secret<32>::kSize + crypto::kSealedBoxOverheadBytes;
constexpr std::size_t kHeaderBytes = kMagic.size() + kBoxBytes;
constexpr std::int64_t kVersion = 1;
constexpr std::int64_t kVersionWithCharter = 2;
constexpr std::size_t kIdDigits = 32;
constexpr std::size_t kMaxNickBytes = 32;
constexpr std::size_t kPiece = 1 << 20;
constexpr unsigned kMode = 0600;

// As with the files of a vault, the key of the stream depends on the whole header.
crypto::StreamKey stream_key(const Secret<32>& file_key, ByteView header) {
  crypto::StreamKey key;
  crypto::blake2b(key.expose_mutable(), header, file_key.expose());
  return key;
}

session::RecordSource source_of(vault::StreamReader& reader) {
  return {.read_exactly = [&reader](MutableByteView out) { return reader.read_exactly(out); },
          .at_end = [&reader] { return reader.at_end(); }};
}

Result<ProvenEntry> entry_from(const log::Json& json) {
  log::ObjectReader reader(json, "an entry of the audit file");
  ProvenEntry entry;
  entry.body.text = reader.text("body", log::kMaxBodyBytes);
  entry.log = reader.text("log", kMaxNickBytes);
  entry.note = reader.text("note", log::kMaxEntryBytes);
  entry.proof = reader.text("proof", log::kMaxTlogProofBytes);
  std::ranges::copy(reader.bytes("salt", entry.body.salt.size()), entry.body.salt.begin());
  TRY_STATUS(reader.finish());
  return entry;
}

Status check_size(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat info{};
  if (::fstat(file.get(), &info) != 0)
    return fail(Errc::io, fmt::format("Cannot look at the file: {}.", system_error_text(errno)), path.string());
  if (!S_ISREG(info.st_mode))
    return fail(Errc::format, "An audit file is a regular file; copy it to one.", path.string());
  if (static_cast<std::uint64_t>(info.st_size) > kMaxAuditFileBytes)
    return fail(Errc::limit, "This file is larger than the 4 GiB that an audit file may have; nothing of it was read.",
                path.string());
  return {};
}

Status copy(vault::StreamReader& from, vault::StreamWriter& to) {
  SecretBytes piece(kPiece);
  for (;;) {
    TRY(const std::size_t got, from.read(piece.expose_mutable()));
    if (got == 0) return {};
    TRY_STATUS(to.append(piece.expose().first(got)));
  }
}

}  // namespace

log::Json Opened::to_json() const {
  log::Json::Array rows;
  for (const ProvenEntry& entry : entries)
    rows.push_back(log::Json::Object{{"body", entry.body.text},
                                     {"log", entry.log},
                                     {"note", entry.note},
                                     {"proof", entry.proof},
                                     {"salt", to_base64(entry.body.salt)}});
  log::Json::Object object{{"audited", audited},
                           {"entries", std::move(rows)},
                           {"group", group},
                           {"session", session},
                           {"v", charter.empty() ? kVersion : kVersionWithCharter}};
  if (!charter.empty()) object.insert_or_assign("charter", charter);
  return object;
}

Result<Opened> Opened::from_json(const log::Json& json) {
  log::ObjectReader reader(json, "the audit file");
  Opened opened;
  opened.audited = reader.text("audited", kMaxNickBytes);
  const log::Json::Array& rows = reader.array("entries", kMaxEntries);
  opened.group = reader.text("group", kIdDigits);
  opened.session = reader.text("session", kIdDigits);
  if (reader.integer("v", kVersion, kVersionWithCharter) == kVersionWithCharter) {
    opened.charter = reader.text("charter", log::kMaxNoteBytes);
    if (opened.charter.empty()) reader.refuse("its charter is empty");
  }
  TRY_STATUS(reader.finish());
  for (const log::Json& row : rows) {
    TRY(ProvenEntry entry, entry_from(row));
    opened.entries.push_back(std::move(entry));
  }
  return opened;
}

Bytes write_opened(const Opened& opened) {
  const std::string text = log::write_pjson(opened.to_json());
  Bytes out;
  append_be(out, static_cast<std::uint32_t>(text.size()));
  append(out, as_bytes(text));
  return out;
}

Result<Audited> read_audited(const session::RecordSource& source) {
  ByteArray<sizeof(std::uint32_t)> length;
  TRY_STATUS(source.read_exactly(length));
  const auto size = read_be<std::uint32_t>(length);
  if (size > kMaxOpenedBytes) return fail(Errc::limit, "What this audit file says of the log is too long.");
  Bytes text(size);
  TRY_STATUS(source.read_exactly(text));
  TRY(const log::Json json, log::parse_pjson(as_text(text), kMaxOpenedBytes));
  TRY(Opened opened, Opened::from_json(json));
  TRY(session::AuditRecord record, session::read_audit_record(source));
  if (record.session != opened.session)
    return fail(Errc::format, "The record in this audit file is of another session than its entries.");
  return Audited{std::move(opened), std::move(record)};
}

Status write_audit_file(const std::filesystem::path& path, const crypto::PublicKey& auditor, const Opened& opened,
                        vault::StreamReader record) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kMode));
  if (!file.valid() && errno == EEXIST)
    return fail(Errc::exists, "This file is there already; give another name.", path.string());
  if (!file.valid())
    return fail(Errc::io, fmt::format("Cannot make the file: {}.", system_error_text(errno)), path.string());
  const Status written = [&]() -> Status {
    const Secret<32> file_key = random_secret<32>();
    Bytes header = to_bytes(kMagic);
    append(header, crypto::seal_to(auditor, file_key.expose()));
    TRY(vault::StreamWriter stream,
        vault::StreamWriter::begin(std::move(file), path, header, stream_key(file_key, header)));
    TRY_STATUS(stream.append(write_opened(opened)));
    TRY_STATUS(copy(record, stream));
    return stream.finish();
  }();
  if (!written) ::unlink(path.c_str());
  return written;
}

Result<Audited> open_audit_file(const std::filesystem::path& path, const Secret<32>& id_seed) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid())
    return fail(errno == ENOENT ? Errc::not_found : Errc::io,
                fmt::format("Cannot open the file: {}.", system_error_text(errno)), path.string());
  TRY_STATUS(check_size(file, path));
  Bytes header(kHeaderBytes);
  TRY(const std::size_t got, vault::read_some(file, header, path));
  if (got != kHeaderBytes || as_text(ByteView(header).first(kMagic.size())) != kMagic)
    return fail(Errc::format, "This is no file of parley audit export.", path.string());
  const auto box = crypto::open_sealed_box(id_seed, ByteView(header).subspan(kMagic.size()));
  if (!box)
    return fail(Errc::passphrase,
                "This file was sealed to another member card than this one: only the auditor whom it was made for can "
                "open it.",
                path.string());
  const Secret<32> file_key(box->expose().first<Secret<32>::kSize>());
  vault::StreamReader reader(std::move(file), path, stream_key(file_key, header));
  auto audited = read_audited(source_of(reader));
  if (!audited) return std::unexpected(std::move(audited).error().at(path.string()));
  return audited;
}

}  // namespace parley::audit
