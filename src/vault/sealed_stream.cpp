#include "vault/sealed_stream.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace parley::vault {
namespace {

Status write_all(const FileDescriptor& file, ByteView content, const std::filesystem::path& place) {
  while (!content.empty()) {
    const ssize_t written = ::write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(Errc::io, fmt::format("Cannot write: {}.", system_error_text(errno)), place.string());
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Result<std::size_t> read_some(const FileDescriptor& file, MutableByteView out, const std::filesystem::path& place) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t got = ::read(file.get(), out.data() + filled, out.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Errc::io, fmt::format("Cannot read: {}.", system_error_text(errno)), place.string());
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

// --- writing --------------------------------------------------------------------------------------------------------

StreamWriter::StreamWriter(FileDescriptor file, std::filesystem::path place, const crypto::StreamKey& key)
    : file_(std::move(file)),
      place_(std::move(place)),
      key_(key.clone()),
      plain_(crypto::kStreamChunkBytes),
      sealed_(crypto::kStreamSealedChunkBytes) {}

Result<StreamWriter> StreamWriter::begin(FileDescriptor file, std::filesystem::path place, ByteView header,
                                         const crypto::StreamKey& key) {
  StreamWriter writer(std::move(file), std::move(place), key);
  TRY_STATUS(write_all(writer.file_, header, writer.place_));
  return writer;
}

Status StreamWriter::append(ByteView content) {
  while (!content.empty()) {
    // A full chunk waits until something follows it: it might be the last.
    if (filled_ == crypto::kStreamChunkBytes) TRY_STATUS(write_chunk(false));
    const ByteView some = content.first(std::min(content.size(), crypto::kStreamChunkBytes - filled_));
    std::ranges::copy(some, plain_.expose_mutable().begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += some.size();
    content_bytes_ += some.size();
    content = content.subspan(some.size());
  }
  return {};
}

Status StreamWriter::write_chunk(bool last) {
  const MutableByteView out = MutableByteView(sealed_).first(filled_ + crypto::kStreamTagBytes);
  crypto::seal_chunk(key_, next_chunk_, last, plain_.expose().first(filled_), out);
  TRY_STATUS(write_all(file_, out, place_));
  ++next_chunk_;
  filled_ = 0;
  return {};
}

Status StreamWriter::finish() {
  TRY_STATUS(write_chunk(true));
  if (::fsync(file_.get()) != 0)
    return fail(Errc::io, fmt::format("Cannot make durable: {}.", system_error_text(errno)), place_.string());
  file_.close();
  return {};
}

// --- reading --------------------------------------------------------------------------------------------------------

StreamReader::StreamReader(FileDescriptor file, std::filesystem::path place, const crypto::StreamKey& key)
    : file_(std::move(file)), place_(std::move(place)), key_(key.clone()), plain_(crypto::kStreamChunkBytes) {}

Status StreamReader::next_chunk() {
  if (!begun_) {
    begun_ = true;
    sealed_.resize(crypto::kStreamSealedChunkBytes);
    TRY(const std::size_t got, read_some(file_, sealed_, place_));
    sealed_.resize(got);
  } else {
    std::swap(sealed_, ahead_);
    ++chunk_;
  }
  ahead_.resize(crypto::kStreamSealedChunkBytes);
  std::size_t follows = 0;
  if (sealed_.size() == crypto::kStreamSealedChunkBytes) {
    TRY(follows, read_some(file_, ahead_, place_));
  }
  ahead_.resize(follows);
  last_opened_ = follows == 0;
  filled_ = sealed_.size() < crypto::kStreamTagBytes ? 0 : sealed_.size() - crypto::kStreamTagBytes;
  taken_ = 0;
  if (crypto::open_chunk(key_, chunk_, last_opened_, sealed_, plain_.expose_mutable().first(filled_))) return {};
  filled_ = 0;
  return fail(
      Errc::vault_damaged,
      fmt::format("This file is not as it was written: its chunk {} (of 64 KiB each) does not open in its place. "
                  "It was altered, cut, extended, or exchanged for another.",
                  chunk_),
      place_.string());
}

Result<std::size_t> StreamReader::read(MutableByteView out) {
  std::size_t given = 0;
  while (given < out.size()) {
    if (taken_ == filled_) {
      if (last_opened_) break;
      TRY_STATUS(next_chunk());
      if (filled_ == 0) break;  // the one chunk of an empty stream
    }
    const ByteView some = plain_.expose().subspan(taken_, std::min(out.size() - given, filled_ - taken_));
    std::ranges::copy(some, out.begin() + static_cast<std::ptrdiff_t>(given));
    given += some.size();
    taken_ += some.size();
  }
  return given;
}

Status StreamReader::read_exactly(MutableByteView out) {
  TRY(const std::size_t got, read(out));
  if (got == out.size()) return {};
  return fail(Errc::format, "This file ends in the middle of what it should hold.", place_.string());
}

Result<bool> StreamReader::at_end() {
  if (taken_ == filled_ && !last_opened_) TRY_STATUS(next_chunk());
  return taken_ == filled_ && last_opened_;
}

}  // namespace parley::vault
