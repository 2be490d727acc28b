// The sealed files of a vault (files.h).
// Order of a commit: content durable under a name of its own that nothing reads, then in one transaction the row and
// the name. A name without a row is what a crash left; a row without a name cannot be.
#include "vault/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "base/encoding.h"
#include "base/random.h"
#include "crypto/hash.h"
#include "vault/detail/database.h"

namespace parley::vault {
namespace {

constexpr std::string_view kMagic = "PRLYFIL1";
constexpr std::string_view kFolder = "files";
constexpr std::string_view kEnding = ".sealed";
constexpr std::string_view kUnfinished = ".part";
constexpr unsigned kFileMode = 0600;
constexpr unsigned kFolderMode = 0700;

std::filesystem::path path_of(const std::filesystem::path& folder, std::string_view id, std::string_view ending) {
  return folder / (std::string(id) + std::string(ending));
}

std::unexpected<Error> io_error(std::string_view what, const std::filesystem::path& path) {
  return fail(Errc::io, fmt::format("{}: {}.", what, system_error_text(errno)), path.string());
}

Status sync_folder(const std::filesystem::path& folder) {
  const FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) return io_error("Cannot make durable", folder);
  return {};
}

// The key of one file: of the vault's own for files, or of a key that is kept apart so that it can be forgotten.
crypto::StreamKey key_of(const Secret<32>& master, ByteView header) {
  crypto::StreamKey key;
  crypto::blake2b(key.expose_mutable(), header, master.expose());
  return key;
}

SealedFile read_row(const detail::Statement& row) {
  return {std::string(row.text(0)), std::string(row.text(1)), static_cast<std::uint64_t>(row.integer(2)),
          row.integer(3)};
}

constexpr std::string_view kColumns = "id, purpose, size, made";

}  // namespace

Bytes FileHeader::to_bytes() const {
  Bytes bytes = parley::to_bytes(kMagic);
  append(bytes, id);
  append(bytes, salt);
  append_be(bytes, size);
  return bytes;
}

Result<FileHeader> FileHeader::from_bytes(ByteView bytes) {
  FileHeader header;
  if (bytes.size() != kFileHeaderBytes || as_text(bytes.first(kMagic.size())) != kMagic)
    return fail(Errc::format, "This is no sealed file of a vault: it does not begin as one.");
  ByteView rest = bytes.subspan(kMagic.size());
  std::ranges::copy(rest.first(header.id.size()), header.id.begin());
  rest = rest.subspan(header.id.size());
  std::ranges::copy(rest.first(header.salt.size()), header.salt.begin());
  header.size = read_be<std::uint64_t>(rest.subspan(header.salt.size()));
  return header;
}

// --- writing --------------------------------------------------------------------------------------------------------

FileWriter::FileWriter(Vault& vault, std::filesystem::path folder, std::string id, std::string purpose,
                       std::uint64_t stated, StreamWriter stream)
    : vault_(&vault),
      folder_(std::move(folder)),
      id_(std::move(id)),
      purpose_(std::move(purpose)),
      stated_(stated),
      stream_(std::move(stream)) {}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : vault_(other.vault_),
      folder_(std::move(other.folder_)),
      id_(std::move(other.id_)),
      purpose_(std::move(other.purpose_)),
      stated_(other.stated_),
      stream_(std::move(other.stream_)),
      committed_(std::exchange(other.committed_, true)) {}

FileWriter::~FileWriter() {
  if (!committed_) ::unlink(path_of(folder_, id_, kUnfinished).c_str());
}

Result<SealedFile> FileWriter::commit(const std::function<Status(const SealedFile&)>& work) {
  if (stated_ != kSizeNotStated && stated_ != stream_.content_bytes())
    return fail(Errc::format, fmt::format("{} bytes came where {} were announced: the file changed while it was read.",
                                          stream_.content_bytes(), stated_));
  TRY_STATUS(stream_.finish());
  const SealedFile file{id_, purpose_, stream_.content_bytes(), wall_clock_now()};
  const std::filesystem::path part = path_of(folder_, id_, kUnfinished), whole = path_of(folder_, id_, kEnding);
  const Status written = vault_->together([&]() -> Status {
    TRY_STATUS(vault_->add_file_row(file));
    if (work) TRY_STATUS(work(file));
    if (::rename(part.c_str(), whole.c_str()) != 0) return io_error("Cannot rename", part);
    return sync_folder(folder_);
  });
  if (!written) {
    ::unlink(whole.c_str());
    return std::unexpected(written.error());
  }
  committed_ = true;
  return file;
}

Result<FileWriter> Vault::begin_file(std::string_view purpose, std::uint64_t size,
                                     const std::optional<Secret<32>>& forgettable_key) {
  if (purpose.empty() || purpose.size() > kMaxPurposeBytes)
    return fail(Errc::internal, "A sealed file has no purpose, or one that is too long.");
  const std::filesystem::path folder = state_->folder / kFolder;
  if (::mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) return io_error("Cannot make the folder", folder);
  const FileHeader header{.id = random_bytes<16>(), .salt = random_bytes<16>(), .size = size};
  std::string id = to_hex(header.id);
  const std::filesystem::path part = path_of(folder, id, kUnfinished);
  FileDescriptor file(::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kFileMode));
  if (!file.valid()) return io_error("Cannot make a file", part);
  const Bytes bytes = header.to_bytes();
  const Secret<32> own = subkey(Subkey::files);
  const crypto::StreamKey key = key_of(forgettable_key ? *forgettable_key : own, bytes);
  auto stream = StreamWriter::begin(std::move(file), part, bytes, key);
  if (!stream) {
    ::unlink(part.c_str());
    return std::unexpected(std::move(stream).error());
  }
  return FileWriter(*this, folder, std::move(id), std::string(purpose), size, std::move(*stream));
}

Status Vault::add_file_row(const SealedFile& file) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto put, state_->database->connection().prepare(
                    fmt::format("INSERT INTO sealed_files({}) VALUES(?1, ?2, ?3, ?4)", kColumns)));
  return put.bind(1, std::string_view(file.id))
      .bind(2, std::string_view(file.purpose))
      .bind(3, static_cast<std::int64_t>(file.size))
      .bind(4, file.made)
      .run();
}

// --- reading --------------------------------------------------------------------------------------------------------

Result<StreamReader> Vault::open_file(std::string_view id, const std::optional<Secret<32>>& forgettable_key) {
  const std::filesystem::path path = path_of(state_->folder / kFolder, id, kEnding);
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) {
    if (errno == ENOENT)
      return fail(Errc::vault_damaged, "A file of the vault is not there any more; somebody removed it.",
                  path.string());
    return io_error("Cannot open", path);
  }
  Bytes bytes(kFileHeaderBytes);
  TRY(const std::size_t got, read_some(file, bytes, path));
  auto header = FileHeader::from_bytes(ByteView(bytes).first(got));
  if (!header || to_hex(header->id) != id)
    return fail(Errc::vault_damaged, "This is not the file that the vault put there: another stands in its place.",
                path.string());
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return io_error("Cannot look at", path);
  if (header->size != kSizeNotStated &&
      static_cast<std::uint64_t>(info.st_size) != kFileHeaderBytes + crypto::sealed_stream_bytes(header->size))
    return fail(Errc::vault_damaged, "This file is longer or shorter than it was when it was written.", path.string());
  const Secret<32> own = subkey(Subkey::files);
  return StreamReader(std::move(file), path, key_of(forgettable_key ? *forgettable_key : own, bytes));
}

Result<std::vector<SealedFile>> Vault::sealed_files(std::string_view purpose_begins) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto rows,
      state_->database->connection().prepare(fmt::format(
          "SELECT {} FROM sealed_files WHERE substr(purpose, 1, length(?1))=?1 ORDER BY made, id", kColumns)));
  rows.bind(1, purpose_begins);
  std::vector<SealedFile> files;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return files;
    files.push_back(read_row(rows));
  }
}

Status Vault::remove_file(std::string_view id, const std::function<Status()>& work) {
  TRY_STATUS(together([&]() -> Status {
    TRY(auto remove, state_->database->connection().prepare("DELETE FROM sealed_files WHERE id=?1"));
    TRY(const std::int64_t count, remove.bind(1, id).run_counting());
    if (count == 0) return fail(Errc::not_found, "There is no such file in the vault.");
    return work ? work() : Status();
  }));
  // Without its row it is nothing, and the next opening clears it away if this does not.
  ::unlink(path_of(state_->folder / kFolder, id, kEnding).c_str());
  return {};
}

Status Vault::clear_unnamed_files() {
  const std::filesystem::path folder = state_->folder / kFolder;
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) return {};
  TRY(const std::vector<SealedFile> rows, sealed_files({}));
  std::set<std::string> named;
  for (const SealedFile& row : rows) named.insert(row.id + std::string(kEnding));
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const bool ours = name.ends_with(kUnfinished) || name.ends_with(kEnding);
    if (ours && !named.contains(name)) ::unlink(it->path().c_str());
  }
  if (error) return fail(Errc::io, "Cannot look through the vault's files: " + error.message() + ".", folder.string());
  return {};
}

}  // namespace parley::vault
