#include "data/files/mapped_file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "data/files/byte_source.hpp"

namespace cadena::data {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const OpenFile file = open_regular(path);
  void* at = nullptr;
  if (file.size > 0) at = ::mmap(nullptr, file.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.fd, 0);
  const int error = errno;
  ::close(file.fd);
  if (at == MAP_FAILED)
    throw IoError("[open] cannot map " + path.string() + ": " + std::generic_category().message(error));
  bytes_ = {static_cast<std::uint8_t*>(at), file.size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

}  // namespace cadena::data
