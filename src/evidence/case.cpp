#include "evidence/case.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/encoding.h"
#include "base/hidden.h"
#include "base/random.h"
#include "base/text.h"

namespace parley::evidence {
namespace {

constexpr std::string_view kPurpose = "evidence";
constexpr std::string_view kTool = "parley";
constexpr std::size_t kPiece = 1 << 20;
constexpr unsigned kPrivateMode = 0600;

// The chain's size and root, sealed: a chain from which entries were taken away at the end is not the whole chain.
std::string head_name(const std::string& case_id) {
  return "case/" + case_id + "/head";
}

Bytes head_of(const Chain& chain) {
  Bytes head;
  append_be(head, static_cast<std::uint64_t>(chain.entries.size()));
  parley::append(head, chain.root());
  return head;
}

std::unexpected<Error> io_error(std::string_view what, const std::filesystem::path& path) {
  return fail(errno == ENOENT ? Errc::not_found : Errc::io, fmt::format("{}: {}.", what, system_error_text(errno)),
              path.string());
}

/// The original, opened so that nothing of it changes, not even when it was last looked at.
Result<FileDescriptor> open_original(const std::filesystem::path& path) {
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  FileDescriptor file(::open(path.c_str(), kFlags | O_NOATIME));
  // Only the owner of a file may leave its time of access alone.
  if (!file.valid() && errno == EPERM) file = FileDescriptor(::open(path.c_str(), kFlags));
  if (!file.valid() && errno == ELOOP)
    return fail(Errc::usage, "This is a symbolic link: name the file itself, so that it is clear what was taken in.",
                path.string());
  if (!file.valid()) return io_error("Cannot open", path);
  return file;
}

Result<struct stat> look_at(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return io_error("Cannot look at", path);
  return info;
}

bool changed(const struct stat& before, const struct stat& after) {
  const auto same_time = [](const timespec& one, const timespec& other) {
    return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
  };
  // Whoever writes can put the time of modification back, but not that of the last change of status.
  return before.st_size != after.st_size || !same_time(before.st_mtim, after.st_mtim) ||
         !same_time(before.st_ctim, after.st_ctim);
}

Status write_all(const FileDescriptor& file, ByteView content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_error("Cannot write", path);
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

/// Never over a file that is there; where the disk knows no links (a memory stick), as far as can be seen.
Status give_name(const std::filesystem::path& part, const std::filesystem::path& to) {
  if (::link(part.c_str(), to.c_str()) == 0) return {};
  if (errno != EPERM && errno != EOPNOTSUPP) return io_error("Cannot give the file its name", to);
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(to, ignored)))
    return fail(Errc::exists, "This file is there already; give another name.", to.string());
  if (::rename(part.c_str(), to.c_str()) != 0) return io_error("Cannot give the file its name", to);
  return {};
}

/// The name of the original, as text: names of files are any bytes.
std::string name_of_original(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  return is_valid_utf8(name) ? name : visible(name);
}

const vault::CaseFileRow* find_file(const CaseView& view, std::uint64_t number) {
  const auto found = std::ranges::find(view.files, number, &vault::CaseFileRow::number);
  return found == view.files.end() ? nullptr : &*found;
}

// The entry by which the file came in.
std::uint64_t acquired_by(const CaseView& view, std::uint64_t number) {
  const auto found = std::ranges::find_if(view.chain.entries, [&](const CustodyEntry& entry) {
    return entry.step.file == number && entry.step.stage == Stage::acquisition;
  });
  return found == view.chain.entries.end() ? 0 : found->seq;
}

/// Why a piece of evidence was not read to its end as it was taken in. Only bytes that are others say that it is not.
std::string why_not(const Error& error) {
  return error.code == Errc::vault_damaged ? "it is NOT as it was taken in" : error.message;
}

std::unexpected<Error> no_such_file(std::uint64_t number) {
  return fail(Errc::not_found,
              fmt::format("This case has no piece of evidence {}; parley case show lists them.", number));
}

}  // namespace

// --- cases ----------------------------------------------------------------------------------------------------------

Result<vault::CaseRow> Cases::begin(std::string_view name, std::string_view note) {
  if (name.empty() || name.size() > kMaxCaseNameBytes || visible(name) != name)
    return fail(Errc::usage,
                fmt::format("A case's name has 1 to {} bytes of visible text.{}", kMaxCaseNameBytes, hidden_in(name)));
  const vault::CaseRow row{.id = to_hex(random_bytes<16>()), .name = std::string(name), .made = wall_clock_now()};
  const Status begun = vault_.together([&]() -> Status {
    TRY_STATUS(vault_.add_case(row));
    CustodyStep step = own_step(Stage::identification, 0);
    step.note = note;
    CaseView view{row, {}, {}};
    return append(view, std::move(step));
  });
  if (!begun) return std::unexpected(begun.error());
  return row;
}

Result<CaseView> Cases::open(std::string_view name_or_id) {
  TRY(const vault::CaseRow row, vault_.case_named(name_or_id));
  return view_of(row);
}

Result<CaseView> Cases::view_of(const vault::CaseRow& row) {
  CaseView view{row, {}, {}};
  TRY(view.files, vault_.case_files(row.id));
  TRY(const std::vector<std::string> texts, vault_.custody(row.id));
  auto chain = read_chain(texts);
  if (!chain) return std::unexpected(std::move(chain).error().at("the case " + row.name));
  TRY(const auto head, vault_.secret(head_name(row.id)));
  if (!head || !constant_time_equal(head->expose(), head_of(*chain)))
    return fail(
        Errc::vault_damaged,
        "Its chain of custody is not the one that was written: entries are missing at its end, or all of it was "
        "exchanged.",
        "the case " + row.name);
  view.chain = *std::move(chain);
  return view;
}

CustodyStep Cases::own_step(Stage stage, std::uint64_t file) const {
  CustodyStep step;
  step.stage = stage;
  step.file = file;
  step.actor = who_.actor;
  step.role = who_.role;
  step.location = who_.location;
  step.tool = kTool;
  step.tool_version = PARLEY_VERSION;
  return step;
}

/// The next entry and, in the same commit, the sealed head of the chain.
Status Cases::append(CaseView& view, CustodyStep step) {
  return vault_.together([&]() -> Status {
    // To read a large file takes hours, and others write into the chain meanwhile.
    TRY(const auto head, vault_.secret(head_name(view.row.id)));
    if (head && !constant_time_equal(head->expose(), head_of(view.chain))) {
      TRY(view, view_of(view.row));
    }
    if (view.chain.entries.size() >= kMaxCustodyEntries)
      return fail(Errc::limit, "The chain of custody of this case is full; begin another case.");
    CustodyEntry entry = view.chain.next(std::move(step), wall_clock_now());
    TRY(const std::string text, write_custody(entry));
    TRY_STATUS(vault_.add_custody(view.row.id, entry.seq, text));
    view.chain.add(std::move(entry), text);
    return vault_.put_secret(head_name(view.row.id), head_of(view.chain));
  });
}

Status Cases::record(std::string_view case_name, CustodyStep step) {
  TRY(CaseView view, open(case_name));
  if (step.file != 0 && find_file(view, step.file) == nullptr) return no_such_file(step.file);
  if (step.tool == kTool)
    return fail(Errc::usage,
                "Steps with parley are written by its own commands, which do what they say; name the tool that was "
                "used, or none.");
  if (step.actor.empty()) step.actor = who_.actor;
  if (step.role.empty()) step.role = who_.role;
  if (step.location.empty()) step.location = who_.location;
  return append(view, std::move(step));
}

// --- in -------------------------------------------------------------------------------------------------------------

Result<vault::CaseFileRow> Cases::add(std::string_view case_name, const std::filesystem::path& path,
                                      const CustodyStep& source, Progress& progress) {
  TRY(const vault::CaseRow row, vault_.case_named(case_name));
  TRY(const FileDescriptor original, open_original(path));
  TRY(const struct stat before, look_at(original, path));
  if (!S_ISREG(before.st_mode))
    return fail(Errc::usage, "Only ordinary files are taken in: make an image of a device, an archive of a folder.",
                path.string());
  const auto size = static_cast<std::uint64_t>(before.st_size);
  TRY(vault::FileWriter sealed, vault_.begin_file(kPurpose, size));
  FileHasher hasher;
  SecretBytes piece(kPiece);
  progress.phase("taking in " + visible(path.filename().string()), size);
  for (std::uint64_t done = 0;;) {
    if (progress.cancelled()) return fail(Errc::cancelled, "Stopped; nothing of this file is in the case.");
    TRY(const std::size_t got, vault::read_some(original, piece.expose_mutable(), path));
    if (got == 0) break;
    const ByteView some = piece.expose().first(got);
    hasher.update(some);
    TRY_STATUS(sealed.append(some));
    progress.advance(done += got);
  }
  TRY(const struct stat after, look_at(original, path));
  if (changed(before, after))
    return fail(Errc::format, "This file changed while it was taken in; nothing of it is in the case.", path.string());
  const FileHashes hashes = hasher.finish();
  vault::CaseFileRow file;
  const auto write_down = [&](const vault::SealedFile& kept) -> Status {
    TRY(CaseView view, view_of(row));
    file = {.number = view.files.empty() ? 1 : view.files.back().number + 1,
            .file = kept.id,
            .name = name_of_original(path),
            .size = hashes.size,
            .sha256 = hashes.sha256,
            .root = hashes.root};
    TRY_STATUS(vault_.add_case_file(row.id, file));
    CustodyStep step = own_step(Stage::acquisition, file.number);
    step.source_device = source.source_device;
    if (!source.location.empty()) step.location = source.location;
    step.note = source.note;
    step.hash_after = hashes.sha256;
    return append(view, std::move(step));
  };
  TRY([[maybe_unused]] const vault::SealedFile kept, sealed.commit(write_down));
  return file;
}

// --- out ------------------------------------------------------------------------------------------------------------

Result<FileHashes> Cases::read_through(const CaseView& view, const vault::CaseFileRow& file, Progress& progress,
                                       const std::function<Status(ByteView)>& take) {
  const std::string place = fmt::format("piece of evidence {} ({})", file.number, visible(file.name));
  auto reader = vault_.open_file(file.file);
  if (!reader) return std::unexpected(std::move(reader).error().at(place));
  FileHasher hasher;
  SecretBytes piece(kPiece);
  progress.phase("reading " + visible(file.name), file.size);
  for (std::uint64_t done = 0;;) {
    if (progress.cancelled()) return fail(Errc::cancelled, "Stopped before all of it was read.");
    auto got = reader->read(piece.expose_mutable());
    if (!got) return std::unexpected(std::move(got).error().at(place));
    if (*got == 0) break;
    hasher.update(piece.expose().first(*got));
    TRY_STATUS(take(piece.expose().first(*got)));
    progress.advance(done += *got);
  }
  const FileHashes found = hasher.finish();
  if (found != FileHashes{file.size, file.sha256, file.root})
    return fail(Errc::vault_damaged,
                fmt::format("Its SHA-256 is {}, and step {} of the chain of custody has {}.", to_hex(found.sha256),
                            acquired_by(view, file.number), to_hex(file.sha256)),
                place);
  return found;
}

Result<std::vector<Checked>> Cases::check(std::string_view case_name, Progress& progress) {
  TRY(CaseView view, open(case_name));
  std::vector<Checked> all;
  const std::vector<vault::CaseFileRow> files = view.files;  // `view` may be read anew
  for (const vault::CaseFileRow& file : files) {
    Checked checked{file, {}};
    const auto found = read_through(view, file, progress, [](ByteView) { return Status(); });
    if (!found && found.error().code == Errc::cancelled) return std::unexpected(found.error());
    if (!found) checked.failure = found.error();
    CustodyStep step = own_step(Stage::preservation, file.number);
    step.hash_before = file.sha256;
    if (found) step.hash_after = found->sha256;
    step.note = "checked: " + (found ? "it is as it was taken in" : why_not(found.error()));
    TRY_STATUS(append(view, std::move(step)));
    all.push_back(std::move(checked));
  }
  return all;
}

Status Cases::extract(std::string_view case_name, std::uint64_t number, const std::filesystem::path& to,
                      std::string_view note, Progress& progress) {
  TRY(CaseView view, open(case_name));
  const vault::CaseFileRow* found = find_file(view, number);
  if (found == nullptr) return no_such_file(number);
  const vault::CaseFileRow file = *found;  // `view` may be read anew
  const std::filesystem::path part = to.string() + ".part";
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(to, ignored)))
    return fail(Errc::exists, "This file is there already; give another name.", to.string());
  FileDescriptor out(::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kPrivateMode));
  if (!out.valid()) return io_error("Cannot make the file", part);
  const Status written = [&]() -> Status {
    CustodyStep step = own_step(Stage::transfer, number);
    step.command = "case extract";
    step.hash_before = file.sha256;
    step.note = note;
    TRY_STATUS(append(view, step));  // before the first byte: what is written can be copied at once
    const Status whole = [&]() -> Status {
      TRY(const FileHashes read,
          read_through(view, file, progress, [&](ByteView some) { return write_all(out, some, part); }));
      step.hash_after = read.sha256;
      if (::fsync(out.get()) != 0) return io_error("Cannot make durable", part);
      return {};
    }();
    step.note = whole ? "written: it is as it was taken in"
                      : "broken off, the unfinished copy is deleted: " + why_not(whole.error());
    TRY_STATUS(append(view, std::move(step)));  // before the file has its name
    TRY_STATUS(whole);
    return give_name(part, to);
  }();
  ::unlink(part.c_str());
  return written;
}

}  // namespace parley::evidence
